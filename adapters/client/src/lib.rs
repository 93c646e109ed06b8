//! What every hosted adapter of redlatch shares: where the servers are, how patient the client is,
//! what an error says, which clock counts, and where tokens come from. No I/O and no threads.
//!
//! Users of an adapter find all they need re-exported there. Authors of an adapter build on:
//!
//! * [`Options`], checked by [`Options::validate`], and [`Options::settings`] for one lock;
//! * [`Endpoint`], which knows the address and the [login](Endpoint::login) of one server;
//! * [`os::now`], [`os::token`] and [`os::seed`];
//! * [`Error`] with its variants, and [`Notice`] for what a server said.
#![forbid(unsafe_code)]

mod config;
mod endpoint;
mod error;
mod notice;
mod options;
pub mod os;
mod secret;

pub use config::ConfigError;
pub use endpoint::{Address, Endpoint};
pub use error::{Cause, Error};
pub use notice::Notice;
pub use options::{KEY_BYTES_MAX, Options, Reconnect, SERVERS_MAX};
pub use secret::Secret;
