//! Distributed locks on Redis and Valkey for async code, on any runtime.
//!
//! Users take a face of this crate: `redlatch-tokio`, `redlatch-smol` or `redlatch-async-std`. Who
//! has another runtime implements [`Runtime`] for it and has a [`Client`].
//!
//! A lock alone is for efficiency. Where correctness depends on it, the resource must check a
//! fencing token: a holder can be stopped for longer than its lease and not notice.
//!
//! # Futures may be dropped
//!
//! Every future of this crate may be dropped at any await point, as `select!` and time-outs do.
//!
//! * Of an acquisition, whatever was taken or may have been taken is given back in the background.
//! * Of [`Guard::extend`], the lock is held on, until its old deadline or the new one.
//! * Of [`Guard::release`], the lock is released all the same.
//! * Of [`Client::shutdown`], the client closes all the same.
//!
//! # Where the work is done
//!
//! [`Builder::connect`] starts one task for each server, which connects, writes and reads, and one
//! more, the reaper, which keeps the time and pays what is owed. All locks share these connections.
//! A future that waits for a lock only leaves its waker with them. So nothing here blocks, and
//! a guard may be dropped anywhere, also outside the runtime and while a thread unwinds.
//!
//! When the runtime is shut down, its tasks are gone: futures that wait return [`Error::Closed`], as
//! do later calls, and keys that are still held or owed are left to their ttl. Await
//! [`Client::shutdown`] before that.
//!
//! # What bounds memory
//!
//! A connection takes [`Limits::in_flight`] requests, 4096 unless told otherwise, and a quarter of a
//! megabyte of requests that are not written yet. What finds it full is asked again 10 ms later,
//! within its own deadline. That is how a slow server holds back its clients: no queue grows.
#![forbid(unsafe_code)]

mod alarms;
mod client;
mod connect;
mod guard;
mod handle;
mod link;
mod reaper;
mod runtime;
mod stream;
mod timer;
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
pub use runtime::Runtime;
#[cfg(feature = "futures-io")]
pub use stream::FuturesIo;
pub use stream::{Socket, Stream};
