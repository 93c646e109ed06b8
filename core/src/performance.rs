//! What locks cost: how that is measured, and how it grows.
//!
//! Times are those of one machine. Ratios of clients that took turns on it, and what is counted (commands,
//! bytes, allocations) hold elsewhere too, so these are what to compare.
//!
//! # How it grows
//!
//! One client on tokio, with one connection to a Redis 7.0 on the same machine of two processors, and more and
//! more locks of 3 s that are held and renewed, or waiters for what somebody else has. A point is a process
//! of its own.
//!
#![doc = include_str!("performance.svg")]
//!
//! Both axes of each diagram go by powers of ten. Held locks all had it when the last one was taken, waiters
//! when the last of them had had its turn after all keys came free at once. At rest nobody but the client does
//! anything: it renews what it holds, and its waiters wait.
//!
//! `cargo bench -p redlatch-testkit --bench growth -- --svg core/src/performance.svg` draws it and prints
//! the numbers.
//!
//! # How a lock changes hands
//!
//! `cargo bench -p redlatch-testkit --features peers --bench handover` lets 2, 16 and 100 waiters of redlatch,
//! rslock, redis-py and node-redlock, in one process and in four, take turns on one key for a millisecond each.
//! It tells
//!
//! * how long it takes from just before one calls for the release until another one has the lock;
//! * how many commands clients send for it, and how much processor time they use;
//! * how fair that is: the shortest and the longest wait, the fewest and the most turns;
//! * how long a waiter sleeps on when a client of another make releases, when the key is just deleted, and when
//!   its holder is gone and it expires, alone and among 100 000 others;
//! * what waiters cost while they sleep.
//!
//! It stops with an error when two had the lock at once.
