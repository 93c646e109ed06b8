//! The model server: a Redis for tests, as a machine without I/O.
//!
//! [`Server`] takes bytes and a clock and gives bytes. It opens no socket, reads no clock, starts
//! no thread and draws no random number, so the same input always gives the same output, and a
//! simulated world can run thousands of them. The test kit puts it behind real sockets.
//!
//! It is an oracle: it shares nothing with the code under test. Where it differs from a real server, the model
//! is wrong, with these exceptions, all on purpose:
//!
//! - requests must be exact arrays of bulk strings; inline commands and loose terminators are
//!   protocol errors;
//! - a key ends at the exact microsecond, and `PTTL` rounds down; a real server keeps a key up to
//!   one millisecond longer;
//! - `WAIT` answers 0 at once;
//! - of `CLIENT TRACKING` it knows `ON`, `OFF`, `OPTIN` and `NOLOOP`; of `SET`, no absolute expiry.
//!
//! # The loop
//!
//! ```
//! use redlatch_model::{Flow, Server, Settings};
//!
//! let mut server = Server::new(Settings::default());
//! let session = server.connect(0);
//! server.receive(session, b"*1\r\n$4\r\nPING\r\n", 5);
//! let mut out = Vec::new();
//! while let Some(ready) = server.poll_ready() {
//!     assert_eq!(server.take_output(ready, &mut out), Flow::Continue);
//! }
//! assert_eq!(out, b"+PONG\r\n");
//! assert_eq!(server.next_wake(), None);
//! ```
//!
//! After every call that takes a moment, drain [`Server::poll_ready`]; call [`Server::advance`]
//! when [`Server::next_wake`] comes. A moment is microseconds on one clock of the caller.

#![forbid(unsafe_code)]

mod connection;
mod errors;
mod fault;
mod gate;
mod history;
mod keys;
mod keyspace;
mod reply;
mod request;
mod scripts;
mod serve;
mod server;
mod session;
mod settings;
mod table;
mod tracking;

pub use errors::{ERRORS, ErrorLine, Outcome};
pub use fault::{Fault, Rule};
pub use history::{Change, Effect};
pub use keyspace::Value;
pub use reply::Protocol;
pub use scripts::{EXTEND_SOURCE, RELEASE_SOURCE};
pub use server::{Data, Server};
pub use session::{Flow, Session, SessionId};
pub use settings::{Cluster, Conditions, Dialect, Role, Settings, User};

use server::Call;
