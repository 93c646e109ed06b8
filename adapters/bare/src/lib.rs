//! A whole client of redlatch in storage of a fixed size: no allocator, no operating system, no I/O.
//!
//! What the drivers for microcontrollers share, `redlatch-embedded` and `redlatch-embassy`; use one of
//! those, or write another. All decisions about locks are made by `redlatch-core`. This crate keeps
//! one connection to each server, hands answers to the locks that asked, and says what a driver has
//! to do.
//!
//! # The loop of a driver
//!
//! 1. For every server: do what [`Engine::poll_stream`] says, open the stream or close it. Move bytes
//!    between it and [`Engine::io`], and tell with [`Engine::received`] and [`Engine::wrote`].
//! 2. Call [`Engine::step`]. It never waits.
//! 3. Look at what the owners of locks wait for: [`Engine::poll_acquired`] and the like.
//! 4. Wait until a byte comes, a byte can be sent, an owner wants something, or the moment of
//!    [`Engine::poll_timeout`]: back to 1.
//!
//! ```
//! use core::time::Duration;
//! use redlatch_bare::{Engine, Fixed, Login, Options, Retry, Want};
//! use redlatch_core::Instant;
//!
//! // One server, one lock, 256 bytes each way, keys of up to 24 bytes: all there is, in one value.
//! let memory = Fixed::<1, 1, 256, 24>::new([&Login::NONE]);
//! let mut engine = Engine::new(memory, &Options::DEFAULT, 42);
//!
//! let now = Instant::from_micros(1_000);
//! let lock = engine.acquire(b"valve:7", Duration::from_secs(10), Retry::NONE, now)?;
//! engine.step(now, &mut |random| { random.copy_from_slice(b"not like this, ever!"); true });
//! assert_eq!(engine.poll_stream(0, now), Some(Want::Open));
//! # engine.abandon(&lock, now);
//! # Ok::<(), redlatch_bare::Error>(())
//! ```
//!
//! # Memory
//!
//! [`Fixed`] holds everything in arrays. Other storage, a `Vec` for example, implements [`Memory`]. A
//! lock that its owner has dropped keeps its place until its keys are surely given back or expired.

#![no_std]
#![forbid(unsafe_code)]

mod engine;
mod error;
mod fault;
mod key;
mod memory;
mod options;
mod owner;
mod server;
mod slot;

pub use embedded_io::ErrorKind;
pub use engine::{Engine, Entropy};
pub use error::Error;
pub use fault::Fault;
pub use memory::{Fixed, Memory, Parts, PartsRef};
pub use options::{Options, Reconnect};
pub use redlatch_core::{
    Delay, Drift, Greeting, Instant, Limits, Login, Loss, Protocol, Refusal, Renew, Retry, Seat,
    Tally,
};
pub use server::{Server, Want};
pub use slot::{LockId, Slot};
