//! What locks cost: how that is measured, and how it grows.
//!
//! Times are those of one machine. Ratios of clients that took turns on it, and what is counted (commands,
//! bytes, allocations) hold elsewhere too, so these are what to compare.
//!
//! # A cycle beside others
//!
//! Lock and unlock on keys that nobody else wants: cycles in a second over those of rslock, the median of fifteen
//! rounds in which all took turns. All but redlatch and rslock send the bare commands, through `redis` multiplexed,
//! `fred` and `rustis`. One processor for a task and its server, one for each of them with more tasks.
//!
//! | | redlatch-tokio | redlatch-smol | redis | fred | rustis |
//! | --- | ---: | ---: | ---: | ---: | ---: |
//! | 1 task | 1.06 | 1.00 | 1.06 | 0.96 | 0.99 |
//! | 1 task, unix socket | 1.05 | 1.02 | 1.08 | 0.94 | 1.01 |
//! | 64 tasks | 1.20 | 1.17 | 1.15 | 0.62 | 1.05 |
//! | 64 tasks, unix socket | 1.47 | 1.42 | 1.08 | 0.90 | 1.13 |
//! | 1000 tasks | 1.72 | 1.75 | 1.48 | 0.71 | 1.77 |
//! | 1000 tasks, unix socket | 1.77 | 1.77 | 1.49 | 0.87 | 1.78 |
//! | 1000 tasks, Redis 8.6 | 2.31 | 2.23 | 1.41 | 0.74 | 1.54 |
//! | 1000 tasks, Valkey 9.1 | 2.38 | 2.29 | 1.36 | 0.78 | 1.48 |
//!
//! With 64 tasks rslock has two speeds, 0.77 and 1.01 of its median in this run, so the others vary as much there.
//!
//! Redis 7.0 is at its ceiling with 1000 tasks: there a cycle takes 2.7 us of it, whoever asks. Redis 8.6 and
//! Valkey 9.1 delete by a command of their own, for which redlatch asks where there is one. Of the client a cycle takes
//! 1.8 to 1.9 us outside of the kernel (rustis 1.8 to 1.9, redis 2.9, rslock 4.6) and one allocation (9, 18, 37).
//!
//! A task alone reads back whose token the key has: a third command, which 1000 tasks share. `redis` sends two. More
//! than half of what it takes of the client is the kernel's, which sends and receives. In threads, one thread does
//! 0.90, and sixteen that share a client 0.98 over TCP and 1.27 over a unix socket, of what the blocking connections
//! of `redis` do.
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
