//! The lock on a server. What decides is shared by both faces; none of it waits.

pub(crate) mod books;
mod endpoints;
mod lock;
pub(crate) mod opening;
pub(crate) mod settings;
pub(crate) mod shared;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(not(feature = "tls"))]
#[path = "redis/no_tls.rs"]
pub(crate) mod tls;
#[cfg(feature = "tracing")]
pub(crate) mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "redis/no_trace.rs"]
pub(crate) mod trace;
pub(crate) mod wiring;
pub(crate) mod wrap;

pub use lock::RedisLock;
