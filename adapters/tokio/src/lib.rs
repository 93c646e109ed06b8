//! Distributed locks on Redis and Valkey for tokio.
//!
//! ```no_run
//! use core::time::Duration;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let client = redlatch_tokio::Client::connect("redis://127.0.0.1:6379").await?;
//! let guard = client.lock("orders:17", Duration::from_secs(10)).await?;
//! // Nobody else has the lock for guard.validity().
//! let still_ours = guard.release().await?;
//! client.shutdown(Duration::from_secs(1)).await;
//! # let _ = still_ours;
//! # Ok::<(), redlatch_tokio::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! With several URLs the servers decide by majority; each must be a master of its own.
//!
//! A lock alone is for efficiency. Where correctness depends on it, the resource must check a
//! fencing token: a holder can be stopped for longer than its lease and not notice.
//!
//! Every future may be dropped at any await point, and every guard anywhere. What then happens, what
//! the end of the runtime means, and what bounds memory, is told in [`redlatch_futures`].
//!
//! # Holding a lock for as long as the work takes
//!
//! ```no_run
//! # async fn write_report() {}
//! # async fn example() -> Result<(), redlatch_tokio::Error> {
//! use core::time::Duration;
//! use redlatch_tokio::{Client, Renew};
//!
//! // Renewed after every third of the ttl, for an hour at most.
//! let client = Client::connect("redis://127.0.0.1:6379").await?.renewing(Renew::default());
//! let guard = client.lock("report", Duration::from_secs(30)).await?;
//! // The work is dropped as soon as the lock is lost.
//! let report = guard.run(write_report()).await?;
//! guard.release().await?;
//! # let () = report;
//! # Ok(())
//! # }
//! ```
//!
//! [`Guard::lost`] is the same as a future, [`Guard::loss`] a look.
//!
//! # TLS
//!
//! With the feature `tls`, for `rediss://` URLs. Chain and name of the server are always verified.
//!
//! ```no_run
//! # #[cfg(feature = "tls")]
//! # async fn example() -> Result<(), Box<dyn core::error::Error>> {
//! use redlatch_tokio::{Client, Tls};
//!
//! let tls = Tls::new().roots(&std::fs::read("our-root.pem")?)?;
//! let builder = Client::builder().server("rediss://:password@redis.example").tls(tls);
//! let client = builder.connect().await?;
//! # drop(client);
//! # Ok(())
//! # }
//! ```
//!
//! `Tls` trusts what the operating system trusts, unless roots are
//! given, and shows a certificate of the client if one is set.
//!
//! # What is told
//!
//! With the feature `tracing`, the spans `lock`, `extend` and `release`, and events for everything that
//! happens to locks and connections, go to `tracing` under the target `redlatch`. Keys are escaped;
//! tokens and passwords are in none of them.
//!
//! # The runtime
//!
//! It must have its I/O and its time enabled, as `#[tokio::main]` has them. The tasks of a client
//! live on the runtime where it was connected, or on the one that was given to
//! [`Builder::connect_on`]; its futures can be awaited on any other executor too. On a runtime of
//! one thread, nothing is released in the background while that thread is blocked.
#![forbid(unsafe_code)]

mod runtime;
mod socket;

#[cfg(feature = "tls")]
pub use redlatch_futures::Tls;
pub use redlatch_futures::{
    Address, Cause, ConfigError, Delay, Denial, Detached, Drift, Endpoint, Error, Guard, Key,
    Limits, Loss, Malformed, Notice, Protocol, Refusal, Renew, Retry, Secret, Server, Tally,
    TlsFault,
};
pub use runtime::Tokio;

/// A client on tokio.
pub type Client = redlatch_futures::Client<Tokio>;

/// Options of a client on tokio.
pub type Builder = redlatch_futures::Builder<Tokio>;
