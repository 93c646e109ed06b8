//! The list.

mod basics;
mod expiry;
mod faults;
mod interop;
mod line;
mod quorum;
mod waiting;
mod waking;
mod wire;

use super::Need::{
    self, Between, Conditions, Drop, Line, Password, Pause, Quorum, Resp3, Restart, Scripts,
    Threads, Users,
};
use super::bench::{Bench, Outcome};

/// One scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Unique, and says what holds.
    pub name: &'static str,
    /// The requirements that it shows.
    pub shows: &'static [u8],
    /// What it needs.
    pub needs: &'static [Need],
    /// Runs it.
    pub run: fn(&Bench<'_>) -> Outcome,
}

macro_rules! scenarios {
    ($($module:ident :: $name:ident [$($shows:literal),*] $(needs $($need:ident),+)?;)*) => {
        &[$(Scenario {
            name: stringify!($name),
            shows: &[$($shows),*],
            needs: &[$($($need),+)?],
            run: $module::$name,
        }),*]
    };
}

/// Every scenario, with the requirements that it shows. The slowest come first, so that they do not
/// stand alone at the end.
pub const SCENARIOS: &[Scenario] = scenarios! {
    faults::a_server_that_restarts_empty_lets_a_waiter_in [5, 9] needs Restart, Threads;
    faults::connections_that_die_in_the_middle_leave_no_key_behind [6, 10];
    faults::a_frozen_server_is_an_error_in_time_and_its_late_grant_is_cleaned_up [5, 6] needs Pause;
    faults::a_server_that_lost_its_data_is_noticed_by_the_holder [7] needs Restart;
    faults::a_connection_killed_while_idle_is_not_noticed [6];
    faults::a_connection_killed_while_the_lock_is_held_is_not_noticed [6, 7];
    quorum::a_frozen_minority_gets_its_release_when_it_wakes [5, 6] needs Quorum, Pause;
    quorum::a_frozen_minority_does_not_delay [5] needs Quorum, Pause;
    quorum::a_majority_that_is_down_is_an_error_and_nothing_stays_behind [5] needs Quorum, Restart;
    quorum::a_minority_that_is_down_is_tolerated [5] needs Quorum, Restart;
    quorum::all_servers_get_the_key_and_the_release [5] needs Quorum;
    quorum::a_foreign_minority_is_tolerated [5] needs Quorum;
    quorum::a_foreign_majority_is_a_refusal_and_the_rest_is_freed [5] needs Quorum;
    quorum::a_tie_of_two_settles_at_once [5] needs Quorum;
    quorum::a_tie_of_four_settles_at_once [5] needs Quorum;
    quorum::an_extension_needs_a_majority [5, 7] needs Quorum;
    quorum::contenders_over_several_servers_exclude_each_other [5, 9] needs Quorum;
    basics::many_threads_on_one_client_exclude_each_other [1, 10] needs Threads;
    basics::many_clients_exclude_each_other [1, 2];
    interop::a_plain_client_and_we_exclude_each_other_in_a_race [11];
    interop::a_plain_claim_excludes_us_and_ours_excludes_it [11];
    interop::a_peer_can_release_with_our_token_and_not_without [3, 11] needs Scripts;
    expiry::an_expired_lock_is_free_and_its_holder_learns_it [3, 4, 7];
    expiry::an_extension_after_the_expiry_is_a_loss [3, 7];
    expiry::an_extension_counts_the_ttl_anew [3, 4];
    expiry::repeated_extensions_outlive_the_ttl [3, 4];
    expiry::an_extension_of_an_overwritten_key_is_a_loss [3, 7];
    expiry::an_extension_of_a_deleted_key_is_a_loss [3, 7];
    expiry::a_lost_lock_stays_lost [7];
    expiry::a_release_of_an_overwritten_key_leaves_it [3];
    expiry::a_release_of_a_deleted_key_says_so [3];
    expiry::a_forgotten_guard_is_freed_by_the_ttl_and_not_before [1];
    waiting::a_waiter_gets_the_lock_after_the_release [9] needs Threads;
    waiting::a_waiter_gets_the_lock_after_the_expiry [9];
    waiting::waiting_ends_at_its_deadline [9];
    waiting::zero_retries_is_one_attempt [9];
    waiting::retries_are_counted [9];
    waiting::a_zero_delay_does_not_spin [9];
    waking::a_release_by_another_client_wakes [9];
    waking::a_plain_deletion_wakes [9, 11];
    waking::a_flush_wakes [9];
    waking::the_expiry_of_a_foreign_key_lets_a_waiter_in [9, 11];
    waking::a_release_before_the_server_was_asked_to_tell_is_seen [9] needs Between;
    waking::a_waiter_whose_connection_is_killed_is_woken_on_the_next [6, 9];
    waking::a_release_while_the_waiter_has_no_connection_is_seen [6, 9];
    waking::a_renewal_does_not_end_the_wait [9];
    waking::who_may_not_be_told_polls [9, 17] needs Users;
    waking::who_wants_no_waking_polls [9];
    waking::a_sleeping_waiter_sends_nothing_where_it_is_told_and_polls_elsewhere [9];
    line::fifty_waiters_of_one_client_cost_as_much_as_one [9] needs Line, Threads;
    line::bounded_attempts_are_made_beside_the_line [9] needs Line, Threads;
    line::the_deadline_of_one_in_line_is_met_with_a_last_attempt [9] needs Line, Threads;
    line::the_clients_of_a_crowd_take_turns [9] needs Line, Threads;
    faults::a_full_memory_refuses_a_claim_and_no_extension_or_release [3, 17] needs Conditions;
    faults::a_server_that_became_a_replica_refuses_until_it_is_a_master_again [17] needs Conditions;
    basics::a_lock_is_taken_and_given_back [1, 3];
    basics::a_second_client_is_refused_until_the_release [1];
    basics::keys_do_not_hinder_each_other [1];
    basics::the_token_is_40_hex_digits_and_fresh_each_time [2, 11];
    basics::the_key_has_the_ttl_that_was_asked_for [1];
    basics::the_validity_is_less_than_the_ttl_and_shrinks [4];
    basics::an_absurd_ttl_is_refused_before_anything_is_sent [1, 9];
    basics::a_dropped_guard_releases [10] needs Drop;
    basics::a_panicking_holder_releases [10] needs Drop;
    wire::keys_may_hold_any_bytes [15];
    wire::keys_of_1_and_512_bytes_work [15];
    wire::a_key_of_another_type_is_held_and_never_deleted [11];
    wire::forgotten_scripts_are_not_noticed [3, 17];
    wire::the_protocol_that_was_asked_for_is_spoken [14] needs Resp3;
    wire::the_database_of_the_url_is_used [14];
    wire::the_password_of_the_default_user_is_used [14] needs Password;
    wire::a_user_of_the_url_is_used [14] needs Users;
    wire::a_wrong_password_is_a_refusal_without_secrets [17, 18] needs Password;
    wire::a_missing_password_is_a_refusal [17] needs Password;
};

/// So long that nothing expires while a scenario runs.
const LONG: core::time::Duration = core::time::Duration::from_secs(30);
/// What may pass before something that should happen at once counts as missing. Only failing
/// scenarios wait for it.
const SOON: core::time::Duration = core::time::Duration::from_secs(5);

const fn ms(millis: u64) -> core::time::Duration {
    core::time::Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::SCENARIOS;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_scenario_shows_a_requirement() {
        let names: BTreeSet<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        for scenario in SCENARIOS {
            assert!(!scenario.shows.is_empty(), "{}", scenario.name);
            assert!(
                scenario.shows.iter().all(|number| (1..=20).contains(number)),
                "{}",
                scenario.name
            );
        }
    }
}
