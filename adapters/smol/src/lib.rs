//! Distributed locks on Redis and Valkey for smol.
//!
//! ```no_run
//! use core::time::Duration;
//!
//! # smol::block_on(async {
//! let client = redlatch_smol::Client::connect("redis://127.0.0.1:6379").await?;
//! let guard = client.lock("orders:17", Duration::from_secs(10)).await?;
//! // Nobody else has the lock for guard.validity().
//! let still_ours = guard.release().await?;
//! client.shutdown(Duration::from_secs(1)).await;
//! # let _ = still_ours;
//! # Ok::<(), redlatch_smol::Error>(())
//! # })?;
//! # Ok::<(), redlatch_smol::Error>(())
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
//! # The executor
//!
//! The tasks of a client live on the global executor of smol, in threads of its own; the futures can
//! be awaited on any other executor too. `SMOL_THREADS` sets the number of those threads.
#![forbid(unsafe_code)]

mod runtime;

#[cfg(feature = "tls")]
pub use redlatch_futures::Tls;
pub use redlatch_futures::{
    Address, Cause, ConfigError, Delay, Denial, Detached, Drift, Endpoint, Error, Guard, Key,
    Limits, Loss, Malformed, Notice, Protocol, Refusal, Renew, Retry, Secret, Server, Tally,
    TlsFault,
};
pub use runtime::Smol;

/// A client on smol.
pub type Client = redlatch_futures::Client<Smol>;

/// Options of a client on smol.
pub type Builder = redlatch_futures::Builder<Smol>;
