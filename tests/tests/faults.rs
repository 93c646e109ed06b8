//! Every known fault of servers, networks, processes and clocks, and the test that shows what we make of it.
//!
//! The tests of this folder run on Redis 6.2, 7.0 and 8.2 and Valkey 9.1, in RESP2 and RESP3, all at once. The table
//! names all faults; that it is whole and true is a test as well.
//!
//! | fault | what happens | shown by |
//! | --- | --- | --- |
//! | F1 | script not cached | `f01_scripts_are_forgotten` |
//! | F2 | script running | `f02_a_script_keeps_the_server_busy` |
//! | F3 | our script killed | `f03_our_script_is_killed` |
//! | F4 | replica | `f04_the_server_is_a_replica`, `f04_a_replica_does_not_confirm_a_release` |
//! | F5 | loading | `f05_the_server_is_loading` |
//! | F6 | replica cut off | `f06_the_server_is_a_replica_cut_off` |
//! | F7 | memory full | `f07_memory_full` |
//! | F8 | disk error | `f08_disk_error` |
//! | F9 | too few replicas | `f09_too_few_replicas` |
//! | F10 | cluster down | `f10_cluster_down` |
//! | F11 | moved | `f11_moved` |
//! | F12 | ask | `f12_ask`, `f12_a_held_key_migrates_away` |
//! | F13 | two keys while migrating | does not concern us, because every request names one key |
//! | F14 | cross slot | does not concern us, because every request names one key; `f12_ask` runs our scripts on a cluster |
//! | F15 | authentication | `f15_authentication` |
//! | F16 | rights | `f16_rights` |
//! | F17 | wrong type under our name | `f17_another_type` |
//! | F18 | connections exhausted | `f18_connections_exhausted` |
//! | F19 | connection killed, idle timeout | `f19_connections_are_killed` |
//! | F20 | writes paused, late success | `f20_a_claim_is_granted_too_late` |
//! | F21 | eviction | `f21_eviction` |
//! | F22 | crash, restart without data | `f22_crash_and_restart_without_data` |
//! | F23 | fail-over | `f23_fail_over_to_a_lagging_replica`, `f23_fail_over_to_a_replica_that_knows` |
//! | F24 | bad expiry | `f24_bad_expiry` |
//! | F25 | HELLO unknown | `f25_hello_is_unknown` |
//! | F26 | an error that nobody knows | `f26_an_error_that_nobody_knows`, `adapters/std/tests/faults.rs::no_fault_leaves_an_orphan` |
//! | F30 | reply lost, request applied | `f30_the_reply_to_a_claim_is_lost`, `f30_the_reply_to_a_script_is_lost` |
//! | F31 | connection dropped in mid-acquire | `f31_a_claim_arrives_after_its_release`, `f31_a_claim_arrives_while_the_next_one_holds` |
//! | F32 | cancelled while acquiring | `f32_cancelled_while_acquiring`, `tests/tests/cancellation.rs::on_three_servers` |
//! | F33 | cancelled while releasing or extending | `f33_cancelled_while_extending_or_releasing`, `tests/tests/cancellation.rs::on_one_server` |
//! | F34 | pause longer than the ttl | `f34_the_process_stands_still` |
//! | F35 | wall clock of the client jumps | `f35_the_wall_clock_of_the_client_jumps` |
//! | F36 | suspend: no test can suspend its machine; the clock is one that counts it | `adapters/client/src/os.rs::the_clock_is_the_time_since_boot` |
//! | F37 | wall clock of the server jumps | `f37_the_wall_clock_of_the_server_jumps_forward`, `f37_the_wall_clock_of_the_server_jumps_backward` |
//! | F38 | clocks drift | `f38_the_key_outlives_our_belief`, `tests/core/tests/lock_world.rs::no_seed_breaks_an_invariant` |
//! | F39 | a late release meets a newer lock | `f39_a_late_release_leaves_the_next_lock_alone` |
//! | F40 | late or duplicated reply | `f40_replies_out_of_step_do_not_acquire`, `f40_replies_out_of_step_leave_nothing`, `f40_a_surplus_null_leaves_nothing`, `f40_a_surplus_null_costs_a_waiter_a_ttl` |
//! | F41 | tie, even number | `f41_a_tie` |
//! | F42 | hung server | `f42_a_hung_server` |
//! | F43 | all servers down | `f43_all_servers_are_down` |
//! | F44 | guard dropped | `f44_a_guard_is_dropped`, `tests/tests/guards_dropped.rs::a_guard_is_dropped_by_a_panic_after_its_runtime_ended`, `tests/tests/board_edges/blocking.rs::a_dropped_guard_is_given_back_in_the_drop_without_reading` |
//! | F45 | runtime shut down with locks held | `f45_the_runtime_ends_while_locks_are_held`, `tests/tests/guards_dropped.rs::a_runtime_of_tokio_ends_while_locks_are_held` |
//! | F46 | fork: unsafe code, so none of ours tries it; processes that are started are shown | `f46_a_child_inherits_no_connection` |
//! | F47 | guard forgotten | `f47_a_guard_is_forgotten` |
//! | F48 | renewal races release | `f48_a_renewal_races_the_release` |
//! | F49 | half a request sent | `f49_half_a_request_is_sent`, `f49_a_silent_connection_is_not_used_again` |
//! | F50 | another server at the address | `f50_the_address_leads_to_another_server` |
//! | F51 | randomness fails | `f51_randomness_fails`, `tests/tests/board_edges/owners.rs::a_weak_generator_is_told_and_nothing_is_sent` |

#[path = "faults/client.rs"]
mod client;
#[path = "faults/cluster.rs"]
mod cluster;
#[path = "faults/connection.rs"]
mod connection;
#[path = "processes/holder.rs"]
mod holder;
#[path = "faults/preload.rs"]
mod preload;
#[path = "faults/quorum.rs"]
mod quorum;
#[path = "faults/server_says.rs"]
mod server_says;
#[path = "faults/silence.rs"]
mod silence;
#[path = "faults/stand.rs"]
mod stand;
#[path = "faults/table.rs"]
mod table;
#[path = "faults/time.rs"]
mod time;
