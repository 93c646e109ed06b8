//! The conformance scenarios: what a lock must do on a real server, written once for every adapter
//! and every server.
//!
//! An adapter implements [`Subject`] for its client, with a `block_on` where it is asynchronous. A
//! [`Host`] starts servers: the model, or a real one. [`run()`] lets every scenario loose on
//! servers of its own, several at a time, and gives a [`Report`] that names each scenario that
//! failed and why, and each that could not run because the subject or the host does not offer what
//! it needs. Nothing is left out in silence.
//!
//! Set `REDLATCH_SCENARIO` to a part of a name, or several with commas between, to run only those.

mod bench;
mod host;
mod run;
mod scenarios;
mod subject;

pub use bench::{Bench, Outcome, Stand, eventually};
pub use host::{Condition, Host, ModelHost, RealHost, Running, Setup};
pub use run::{Report, run};
pub use scenarios::{SCENARIOS, Scenario};
pub use subject::{Client, Failure, Guard, Kind, Options, Subject};

/// Something that a scenario needs, and that not every subject or host can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Subject: one client for several servers.
    Quorum,
    /// Subject: one client used by several threads at once.
    Threads,
    /// Subject: the waiters of one client stand in line.
    Line,
    /// Subject: a guard that is dropped releases the lock by itself.
    Drop,
    /// Host: the server can be stopped and started again.
    Restart,
    /// Host: the server can be frozen and thawed.
    Pause,
    /// Host: both versions of the protocol.
    Resp3,
    /// Host: states in which the server refuses commands.
    Conditions,
    /// Host: a password for the default user.
    Password,
    /// Host: users with names of their own.
    Users,
    /// Host: scripts of other clients.
    Scripts,
    /// Host: a key can be deleted between two requests of one client.
    Between,
}
