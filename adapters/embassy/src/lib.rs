//! Distributed locks on Redis and Valkey for [embassy](https://embassy.dev) and any other async
//! executor: over [`embedded_io_async`], without an allocator or a task of its own.
//!
//! ```
//! use core::time::Duration;
//! use redlatch_embassy::{EmbassyTime, Fixed, Login, Options, share};
//! # use redlatch_testkit::{board::{Dialled, Entropy, block_on}, model::ModelServer};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let server = ModelServer::start()?;
//! # let (socket, mut rng) = (Dialled::new(server.addr().expect("a port")), Entropy);
//! # block_on(async {
//! // One server, two locks at a time, 256 bytes each way, keys of up to 24 bytes.
//! let memory = Fixed::<1, 2, 256, 24>::new([&Login::NONE]);
//! let mut shared = share(memory, EmbassyTime, &mut rng, &Options::DEFAULT)?;
//! let (client, mut runner) = shared.split([socket], rng);
//!
//! // One future does it all; or `runner.run()` in a task of its own.
//! runner.run_while(Duration::from_millis(500), async {
//!     let mut valve = client.lock(b"valve:7", Duration::from_secs(10)).await?;
//!     // Nobody else turns the valve now, and the work is dropped if the lock is lost.
//!     valve.run(async { /* turn it */ }).await?;
//!     valve.extend().await?; // ten seconds from now
//!     let still_ours = valve.release().await?;
//! #   assert!(still_ours);
//!     Ok::<(), redlatch_embassy::Error>(())
//! }).await?;
//! # Ok::<(), redlatch_embassy::Error>(())
//! # })?;
//! # Ok(())
//! # }
//! ```
//!
//! # What the board brings
//!
//! * **Streams**: [`Halves`] is a serial line, `Tcp` a socket of `embassy-net` (feature `embassy-net`), and
//!   anything that can be opened implements [`Stream`]. Several servers are asked at once.
//! * **A clock**: [`EmbassyTime`], or any other [`Time`].
//! * **A random generator**: [`rand_core::TryCryptoRng`]. A token that can be guessed is no token, so
//!   use the hardware's. One that gives twenty equal bytes, or the same token twice, is refused.
//! * **Memory**: [`Fixed`] holds everything in arrays; a `Vec` or anything else implements [`Memory`].
//!
//! # How it is built
//!
//! All decisions about locks are made by `redlatch-core`, all books are kept by `redlatch-bare`; this crate
//! moves bytes and waits. `runner.rs` is the loop, one future; a handle writes down what it wants and
//! waits until the runner has seen to it.
//!
//! A lock alone is for efficiency. Where two holders at once would do damage, the resource itself must
//! check a fencing token.

#![no_std]
#![forbid(unsafe_code)]

mod client;
mod guard;
#[cfg(feature = "embassy-net")]
mod net;
mod runner;
mod shared;
mod stream;
mod time;

pub use client::{Client, share};
pub use guard::Guard;
#[cfg(feature = "embassy-net")]
pub use net::Tcp;
pub use redlatch_bare::{
    Delay, Drift, Error, ErrorKind, Fault, Fixed, Greeting, Instant, Limits, Login, Loss, Memory,
    Options, Parts, PartsRef, Protocol, Reconnect, Refusal, Renew, Retry, Seat, Server, Slot,
    Tally,
};
pub use runner::Runner;
pub use shared::Shared;
pub use stream::{Halves, Stream};
#[cfg(feature = "embedded-hal-async")]
pub use time::Delays;
#[cfg(feature = "embassy-time")]
pub use time::EmbassyTime;
pub use time::Time;
