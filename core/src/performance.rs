//! What locks cost: how that is measured, and how it grows.
//!
//! Times are those of one machine. Ratios of clients that took turns on it, and what is counted (commands,
//! bytes, allocations) hold elsewhere too, so these are what to compare.
//!
//! # A cycle beside others
//!
//! Lock and unlock on keys that nobody else wants: cycles in a second over those of rslock, the median of five rounds
//! in which all took turns. All but redlatch and rslock send the bare commands, through `redis` multiplexed, `fred`
//! and `rustis`. One processor for a task and its server, one for each of them with more tasks.
//!
//! | | redlatch-tokio | redlatch-smol | redis | fred | rustis |
//! | --- | ---: | ---: | ---: | ---: | ---: |
//! | 1 task | 1.04 | 1.00 | 1.07 | 0.96 | 0.99 |
//! | 1 task, unix socket | 1.04 | 1.00 | 1.06 | 0.93 | 1.01 |
//! | 64 tasks | 1.51 | 1.46 | 1.20 | 0.79 | 1.59 |
//! | 64 tasks, unix socket | 1.45 | 1.41 | 1.10 | 0.92 | 1.13 |
//! | 1000 tasks | 1.76 | 1.77 | 1.51 | 0.70 | 1.78 |
//! | 1000 tasks, unix socket | 1.73 | 1.72 | 1.48 | 0.86 | 1.71 |
//! | 1000 tasks, Redis 8.6 | 2.15 | 2.11 | 1.39 | 0.72 | 1.51 |
//! | 1000 tasks, Valkey 9.1 | 2.21 | 2.20 | 1.37 | 0.76 | 1.41 |
//!
//! Redis 7.0 is at its ceiling with 1000 tasks: there a cycle takes 2.7 us of it, whoever asks. Redis 8.6 and
//! Valkey 9.1 delete by a command of their own, for which redlatch asks where there is one. Of the client a cycle takes
//! 2.0 us outside of the kernel (rustis 1.9, redis 2.8, rslock 4.4) and one allocation (9, 18, 37).
//!
//! What a task alone loses against `redis` is the read that shows whose token the key has: it is a third command,
//! which 1000 tasks share. In threads, one thread does 0.90 and sixteen that share a client 1.00 of what the
//! blocking connections of `redis` do, which read nothing back.
//!
//! `cargo bench -p redlatch-testkit --features peers --bench cycles` prints such tables.
//!
//! # How it grows
//!
//! One client on tokio, with one connection to a Redis 7.0 on the same machine of two processors, and more and
//! more locks of 3 s that are held and renewed, or waiters for what somebody else has. A point is a process
//! of its own.
//!
#![doc = include_str!("performance/growth.svg")]
//!
//! Both axes of each diagram go by powers of ten. Held locks all had it when the last one was taken, waiters
//! when the last of them had had its turn after all keys came free at once. At rest nobody but the client does
//! anything: it renews what it holds, and its waiters wait.
//!
//! `cargo bench -p redlatch-testkit --bench growth -- --svg core/src/performance/growth.svg` draws it and prints
//! the numbers.
//!
//! # How a lock changes hands
//!
//! 2, 16 and 100 waiters take turns on one key for a millisecond each, all in one process, and spread over as many
//! as four. A hand-over is the time from just before one calls for the release until another one has the lock.
//!
#![doc = include_str!("performance/handover.svg")]
//!
//! `cargo bench -p redlatch-testkit --bench handover -- --svg core/src/performance/handover.svg`
//! draws it, the middle of all hand-overs, and prints more:
//!
//! * nine of ten hand-overs, and 99 of 100, and the ratios to those of redlatch, round by round;
//! * which commands clients send for one, and how much processor time they use;
//! * how fair that is: the shortest and the longest wait, the fewest and the most turns of a waiter and of a
//!   process;
//! * how long a waiter sleeps on when a client of another make releases, when the key is just deleted, and when
//!   its holder is gone and it expires, alone and among 100 000 others;
//! * what waiters cost while they sleep.
//!
//! It stops with an error when two had the lock at once.
//!
//! Most of a hand-over is waking. The processors of this machine are virtual, and one that has been idle for a
//! millisecond takes about 150 us to run a thread that is woken; the bench says that first. With a server and all
//! clients on one processor (`--one-processor`) half of the hand-overs in a process take less than some 25 us, in
//! threads and on tokio. Two processors are slower: what is passed on wakes the server, then whoever reads its answer,
//! and in threads one thread more, on the other processor.
//!
//! A key is there for the whole of the last millisecond of its ttl, by the clock of a server that counts in
//! milliseconds, so whoever waits comes a millisecond after what is left when it asks: half of all come within
//! 1.8 ms of the end of the ttl in threads, and 2 ms on tokio, whose timer counts in milliseconds too.
//!
//! # What a program grows by
//!
//! The smallest program that locks and unlocks, beside one that opens a socket and nothing else, in bytes: by Rust
//! 1.95 for Linux on x86-64, optimised as cargo does by default, and stripped. `tests/tests/sizes.rs` holds the
//! sums.
//!
//! | | threads | tokio |
//! | --- | ---: | ---: |
//! | a socket | 367 952 | 595 456 |
//! | with a lock | 740 712 | 975 928 |
//!
//! Of what a lock adds more than half is code of redlatch and of the standard library for its types, a tenth is code
//! of others that only a lock needs; the rest are tables for unwinding, texts, constants and addresses.
//!
//! With `opt-level = "s"`, `lto = "fat"`, `codegen-units = 1` and `panic = "abort"` in the profile of the program they are
//! some 230 kB less with threads and 350 kB less on tokio. The feature `tracing` costs 46 kB.
//!
//! In threads a lock takes seven crates: three of ours, `rustix` with `bitflags` and `linux-raw-sys` for tokens and
//! for the clock that counts while the machine sleeps, without `unsafe` here, and `zeroize`, which wipes passwords. On
//! tokio they are fourteen: `redlatch-futures`, `redlatch-tokio` instead of `redlatch-std`, `bytes`, and `tokio` with
//! the four that it needs. `tests/tests/dependencies.rs` lists them.
