//! The machines behind redlatch: distributed locks on Redis and Valkey, without sockets, clock,
//! randomness, allocator or dependencies.
//!
//! A lock is a key that one client at a time holds: taken with one atomic `SET key token NX PX ttl`,
//! given back by deleting it only if the token is still ours, believed only until a deadline that
//! the holder can see. On N independent servers it is held when a majority granted it.
//!
//! # What is in here
//!
//! A module uses only modules of lower floors.
//!
//! | floor | modules | what they know |
//! | --- | --- | --- |
//! | 4 | [`lock`], [`proof`] | taking, extending, giving back, doubt, debts; one read for many claims |
//! | 3 | [`Connection`], [`Handshake`], [`Tracking`], [`Retry`], [`Turns`], [`Renew`], [`Lease`], [`Tally`] | counting replies, logging in, being told of changes, when to try again, to hold back and to renew, how long to believe, majorities |
//! | 2 | [`Command`], [`Answer`], [`Invalidation`] | what we ask, what a reply or a push means |
//! | 1 | [`resp`], [`script`], [`dialect`] | the wire, how to compare and delete |
//! | 0 | [`Instant`], [`Ttl`], [`Random`], [`Token`], [`Buffer`], [`limits`] | values |
//!
//! # The contract of the loop
//!
//! Two loops turn the machines into a client. The lower one moves bytes between a socket and a
//! [`Connection`], which turns them into replies; see there. The upper one drives a [`Lock`]:
//!
//! 1. Call one method that takes `now`.
//! 2. Call [`Lock::poll_output`] until it says [`Output::Wait`], doing each thing it says.
//!    [`Output::Send`] never waits for the answer.
//! 3. Wait for one thing: an answer, or the moment that `Wait` named. Hand it in: back to 1.
//! 4. When the owner has lost interest, go on until [`Lock::is_settled`]: the machine may still
//!    have to take a key back.
//!
//! All moments come from one monotonic clock. A driver that breaks these rules loses time, never
//! safety.
//!
//! ```
//! use core::time::Duration;
//! use redlatch_core::{Answer, Command, Event, Instant, Lock, Output, Seat, Settings, Token, Ttl};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! // One server, one seat, no allocator. This server lives in a variable.
//! let mut server: Option<Token> = None;
//! let settings = Settings::new(Ttl::new(Duration::from_secs(3))?);
//! let mut lock = Lock::new("resource", [Seat::default(); 1], settings, 42);
//!
//! let now = Instant::from_micros(1_000);
//! lock.acquire(now); // 1
//! let lease = loop {
//!     match lock.poll_output() {
//!         // 2
//!         Output::NeedToken => {
//!             // From the operating system or a hardware generator, never like this.
//!             let random = core::array::from_fn(|i| i as u8);
//!             lock.provide(Token::from_random(random)?, now)?;
//!         }
//!         Output::Send { ticket, command } => {
//!             let answer = match command {
//!                 Command::Claim { token, .. } if server.is_none() => {
//!                     server = Some(*token);
//!                     Answer::Ok
//!                 }
//!                 Command::Claim { .. } => Answer::Nil,
//!                 Command::Read { .. } => server.map_or(Answer::Nil, Answer::Token),
//!                 _ => Answer::Unexpected,
//!             };
//!             lock.handle_answer(ticket, answer, now); // 3
//!         }
//!         Output::Event(Event::Acquired(lease)) => break lease,
//!         Output::Event(other) => return Err(format!("{other:?}").into()),
//!         Output::Wait(_) => return Err("this server answers at once".into()),
//!     }
//! };
//! // 3 s less 1 % and 2 ms, counted from before the first request.
//! assert_eq!(lease.validity(now), Duration::from_millis(2968));
//! # Ok(())
//! # }
//! ```
//!
//! # Storage
//!
//! Buffers are anything that turns into a slice of bytes, seats anything that turns into a slice of
//! [`Seat`]: `[u8; 512]`, `heapless::Vec`, `Vec`, `BytesMut`. So there is one API with and without
//! an allocator, and no feature to choose.
//!
//! # What it does not promise
//!
//! A lock on a store that does not vote on every write is for efficiency. A process can be stopped
//! between looking at its lease and acting on it. Where two owners would do damage, the resource
//! itself must check a fencing token. The bounds of all promises, and what happens where they are broken,
//! stand in [`reliability`]; what locks cost, in [`performance`].

#![no_std]
#![forbid(unsafe_code)]

mod buffer;
#[cfg(redlatch_defects)]
pub mod defect;
#[cfg(not(redlatch_defects))]
mod defect;
pub mod limits;
pub mod performance;
mod random;
pub mod reliability;
mod time;
mod token;

pub mod resp;

mod answer;
mod command;
pub mod dialect;
mod invalidation;
pub mod script;

mod connection;
pub mod handshake;
mod lease;
mod quorum;
mod renew;
mod retry;
mod tracking;
mod turns;

pub mod lock;
pub mod proof;

pub use answer::{Answer, Class, Refusal};
pub use buffer::Buffer;
pub use command::{Command, Form, Login, Protocol};
pub use connection::{Connection, Full, Incoming, Io, Serial, WireError};
pub use dialect::Dialect;
pub use handshake::{Greeting, Handshake, HandshakeError, Role};
pub use invalidation::Invalidation;
pub use lease::{Drift, Lease};
pub use limits::Limits;
pub use lock::{Detached, Event, Lock, Loss, Output, Phase, Released, Seat, Settings, Ticket};
pub use proof::Proof;
pub use quorum::{Ballot, Denial, Tally, Verdict, majority};
pub use random::Random;
pub use renew::Renew;
pub use resp::{Arguments, Elements, Malformed, Reply, Scanner};
pub use retry::{Attempts, Backoff, Delay, Retry};
pub use script::Script;
pub use time::{Instant, InvalidTtl, Ttl};
pub use token::{Token, WeakRandomness};
pub use tracking::Tracking;
pub use turns::{Pass, Turns};
