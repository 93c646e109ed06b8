//! Distributed locks on Redis and Valkey for microcontrollers: blocking, over any
//! [`embedded_io`] stream, without an allocator, threads or an operating system.
//!
//! A board brings four things: a stream to each server, a monotonic clock, a random generator, and
//! the memory. Everything else is in here.
//!
//! ```
//! use core::time::Duration;
//! use redlatch_embedded::{Client, Fixed, Login, Options, Polled, Retry};
//! # use redlatch_testkit::{board::{Entropy, Socket, micros}, model::ModelServer};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let server = ModelServer::start()?;
//! # let (uart, rng) = (Socket::connect(server.addr().expect("a port"))?, Entropy);
//! // One server, one lock at a time, 256 bytes each way, keys of up to 24 bytes.
//! let memory = Fixed::<1, 1, 256, 24>::new([&Login::NONE]);
//! let client = Client::new(memory, [Polled::new(uart)], micros, rng, &Options::DEFAULT)?;
//!
//! // Waits for up to five seconds if somebody else has it.
//! let patience = Retry::until(Duration::from_secs(5));
//! let mut valve = client.lock_with(b"valve:7", Duration::from_secs(10), patience)?;
//! if valve.validity() > Duration::from_secs(1) {
//!     // Nobody else turns the valve now.
//! }
//! valve.extend()?; // ten seconds from now
//! let still_ours = valve.release()?;
//! # assert!(still_ours);
//! # Ok(())
//! # }
//! ```
//!
//! # The main loop
//!
//! There are no threads, so nothing happens between two calls. A program that holds a lock for long,
//! or drops a [`Guard`], calls [`Client::poll`] in its main loop, every few milliseconds or when bytes
//! have come: it extends locks that are [renewed](Options::renew), gives back what is owed, and never
//! waits. [`Client::poll_timeout`] says until when the board may sleep. A program that has nothing else
//! to do waits with [`Client::wait`].
//!
//! # What the board brings
//!
//! How to bring it, and how much memory all this takes, is in the [manual].
//!
//! * **A stream**: anything with [`Read`](embedded_io::Read), [`Write`](embedded_io::Write),
//!   [`ReadReady`](embedded_io::ReadReady) and [`WriteReady`](embedded_io::WriteReady) in a [`Polled`],
//!   which never blocks. A driver that can only block, but gives up by itself after a while, in a
//!   [`Timed`]. A modem or a network chip that dials implements [`Stream`].
//! * **A clock**: microseconds that never step back and count while the board sleeps; see [`Clock`].
//! * **A random generator**: [`rand_core::TryCryptoRng`]. A token that can be guessed is no token, so
//!   use the hardware's. One that gives twenty equal bytes, or the same token twice, is refused.
//! * **Memory**: [`Fixed`] holds everything in arrays; a `Vec` or anything else implements [`Memory`].
//!
//! # How it is built
//!
//! All decisions about locks are made by `redlatch-core`, all books are kept by `redlatch-bare`; this crate
//! moves bytes and waits. `machinery.rs` is the loop, and whoever calls a method drives it.
//!
//! A lock alone is for efficiency. Where two holders at once would do damage, the resource itself must
//! check a fencing token.

#![no_std]
#![forbid(unsafe_code)]

mod client;
mod clock;
mod guard;
mod machinery;
pub mod manual;
mod stream;
mod streams;

pub use client::Client;
pub use clock::Clock;
pub use guard::Guard;
pub use redlatch_bare::{
    Delay, Drift, Error, ErrorKind, Fault, Fixed, Greeting, Instant, Limits, Login, Loss, Memory,
    Options, Parts, PartsRef, Protocol, Reconnect, Refusal, Renew, Retry, Seat, Server, Slot,
    Tally,
};
pub use stream::{Polled, Stream, Timed};
pub use streams::Streams;
