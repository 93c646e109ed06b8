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
//! ```no_run
//! use core::time::Duration;
//! use redlatch_std::{Client, Renew, Retry};
//!
//! // Five independent masters: three must agree.
//! let client = Client::builder()
//!     .servers("redis://a,redis://b,redis://c,redis://d,redis://e")
//!     .reply_timeout(Duration::from_millis(50))
//!     .connect()?;
//!
//! // One attempt. `None`: somebody else has it.
//! if let Some(mut guard) = client.try_lock("nightly-report", Duration::from_secs(30))? {
//!     guard.extend()?; // thirty seconds from now
//! } // dropping it gives it back, without waiting
//!
//! // Wait for up to two seconds, then hold it as long as it takes: it is renewed, for an hour at most.
//! let patience = Retry::until(Duration::from_secs(2));
//! let client = client.renewing(Renew::default());
//! let guard = client.lock_with("nightly-report", Duration::from_secs(30), patience)?;
//! if let Some(reason) = guard.loss() {
//!     println!("stop working: {reason:?}");
//! }
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
//! All decisions are made by `redlatch-core`, all books are kept by `redlatch-client`; this crate
//! moves bytes and waits. `link.rs` is loop 1, one thread for each server that connects and reads.
//! Whoever wants a lock drives its machine in the calling thread and writes; where there is one server, it
//! also reads while it waits for its answer, see `post.rs`. One more thread, the reaper, drives the locks
//! that nobody waits for any more and that still owe a release.
#![forbid(unsafe_code)]

mod client;
mod guard;
mod handle;
mod link;
mod post;
mod reading;
mod stream;
mod wait;

pub use client::{Builder, Client};
pub use guard::Guard;
#[cfg(feature = "tls")]
pub use redlatch_client::Tls;
pub use redlatch_client::{
    Address, Cause, ConfigError, Detached, Endpoint, Error, Key, Notice, Secret, Server, TlsFault,
};
pub use redlatch_core::{
    Delay, Denial, Drift, Limits, Loss, Malformed, Protocol, Refusal, Renew, Retry, Tally,
};
