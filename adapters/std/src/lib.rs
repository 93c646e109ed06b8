//! Distributed locks on Redis and Valkey for blocking code.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! let client = redlatch_std::Client::connect("redis://127.0.0.1:6379")?;
//! let guard = client.lock("orders:17", Duration::from_secs(10))?;
//! // Nobody else has the lock for guard.validity().
//! let still_ours = guard.release()?;
//! # let _ = still_ours;
//! # Ok::<(), redlatch_std::Error>(())
//! ```
//!
//! With several URLs the servers decide by majority; each must be a master of its own.
//!
//! A lock alone is for efficiency. Where correctness depends on it, the resource must check a
//! fencing token: a holder can be stopped for longer than its lease and not notice.
//!
//! # How it is built
//!
//! All decisions are made by `redlatch-core`; this crate moves bytes. `link.rs` is loop 1, one thread
//! for each server that connects and reads. `drive.rs` is loop 2, in the thread that wants the lock.
//! `reaper.rs` is loop 2 for the locks that nobody waits for any more and that still owe a release.
#![forbid(unsafe_code)]

mod client;
mod drive;
mod greet;
mod guard;
mod handle;
mod link;
mod reaper;
mod session;
mod shared;
mod stream;
mod sync;
mod wire;

pub use client::{Builder, Client, Server};
pub use guard::Guard;
pub use redlatch_client::{Cause, ConfigError, Error, Notice};
pub use redlatch_core::{
    Delay, Denial, Drift, Limits, Loss, Malformed, Protocol, Refusal, Retry, Tally,
};
