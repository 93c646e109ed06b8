//! What every hosted adapter of redlatch shares: where the servers are, how patient the client is,
//! what an error says, which clock counts, where tokens come from, and a whole client without its
//! I/O. No sockets and no threads.
//!
//! Users of an adapter find all they need re-exported there.
//!
//! # For writers of adapters
//!
//! Settings and errors: [`Options`] with its [`Endpoint`]s, [`Error`], [`Notice`], [`os::now`].
//!
//! The client: an [`Engine`] keeps the books. An adapter moves bytes and waits, in three places:
//!
//! * a [`Keeper`] for each server, in a thread or task of its own: it connects, greets with a
//!   [`Greeter`], reads and writes, and connects again;
//! * one [`Reaper`], which drives the locks that nobody waits for: those that are renewed, and those
//!   that still owe a release;
//! * whoever takes a lock polls [`Acquiring`], and then has a [`Held`], which an adapter wraps in its
//!   guard: [`Extending`], [`Releasing`], [`Losing`]. A lock can outlive its client: [`Detached`].
//!
//! All of them are polled with a waker and give a [`Progress`]: done, or the moment to call again.
//! So an adapter needs to wait in one way only; for threads it is this:
//!
//! ```
//! use redlatch_client::{Progress, os};
//! use std::sync::Arc;
//! use std::task::{Wake, Waker};
//! use std::thread::{self, Thread};
//!
//! struct Unpark(Thread);
//! impl Wake for Unpark {
//!     fn wake(self: Arc<Self>) {
//!         self.0.unpark();
//!     }
//! }
//!
//! fn wait<T>(mut poll: impl FnMut(&Waker) -> Progress<T>) -> T {
//!     let waker = Waker::from(Arc::new(Unpark(thread::current())));
//!     loop {
//!         match poll(&waker) {
//!             Progress::Done(done) => return done,
//!             Progress::Wait(until) => thread::park_timeout(until.saturating_since(os::now())),
//!         }
//!     }
//! }
//! # let until = os::now().saturating_add(core::time::Duration::from_millis(1));
//! # wait(|_| if os::now() < until { Progress::Wait(until) } else { Progress::Done(()) });
//! ```
//!
//! Everything may be dropped between two polls. State changes only inside of them; what was begun
//! is finished, or taken back, by the reaper. No waker is woken or dropped under a
//! mutex, so wakers may call back.
//!
//! Bounds: a connection has at most [`limits.in_flight`](redlatch_core::Limits) requests in flight
//! and a transmit buffer of fixed size. What does not fit is asked again by its machine a little
//! later, until its own deadline: that is how a slow server holds back its clients.
#![forbid(unsafe_code)]

mod acquire;
mod channel;
mod config;
mod detached;
mod drive;
mod driven;
mod endpoint;
mod engine;
mod errands;
mod error;
mod greeter;
mod held;
mod keeper;
mod key;
mod lines;
mod link;
mod mail;
mod notice;
mod options;
pub mod os;
mod owned;
mod parking;
mod progress;
mod reaper;
#[cfg(feature = "bytes")]
mod room;
#[cfg(not(feature = "bytes"))]
#[path = "no_room.rs"]
mod room;
mod round;
mod seats;
mod secret;
mod session;
#[doc(hidden)]
pub mod setters;
mod sync;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "no_trace.rs"]
mod trace;
mod url;
mod wakeups;
mod wire;

pub use acquire::Acquiring;
pub use config::ConfigError;
pub use detached::Detached;
pub use endpoint::{Address, Endpoint};
pub use engine::{Closing, Engine, Server};
pub use error::{Cause, Error, TlsFault};
pub use greeter::{Greeted, Greeter, Want};
pub use held::{Extending, Held, Losing, Releasing};
pub use keeper::Keeper;
pub use key::Key;
pub use notice::Notice;
pub use options::{KEY_BYTES_MAX, Options, Reconnect, SERVERS_MAX};
pub use progress::{Awaits, Progress};
pub use reaper::Reaper;
pub use secret::Secret;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use wire::Outlet;
