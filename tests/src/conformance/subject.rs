//! The client under test, as the scenarios see it: blocking, and with errors reduced to what they
//! mean.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Loss, Protocol, Retry};

use super::Need;

/// How a scenario wants its client.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Version of the wire protocol.
    pub protocol: Protocol,
    /// How long a reply may take.
    pub reply_timeout: Duration,
    /// Whether whoever waits asks to be told of changes.
    pub wake: bool,
}

/// An adapter under test.
pub trait Subject: Sync {
    /// Connects a client to one server, or to several whose URLs are separated by commas.
    ///
    /// # Errors
    /// What the adapter reports.
    fn connect(&self, urls: &str, options: &Options) -> Result<Arc<dyn Client>, Failure>;

    /// Whether the adapter has this.
    fn offers(&self, need: Need) -> bool;
}

/// A connected client.
pub trait Client: Send + Sync {
    /// One attempt. `None`: somebody else has the lock.
    ///
    /// # Errors
    /// What the adapter reports.
    fn try_lock(&self, key: &[u8], ttl: Duration) -> Result<Option<Box<dyn Guard>>, Failure>;

    /// Waits for the lock as the policy says.
    ///
    /// # Errors
    /// What the adapter reports; [`Kind::TimedOut`] when somebody else has the lock to the end.
    fn lock(&self, key: &[u8], ttl: Duration, retry: Retry) -> Result<Box<dyn Guard>, Failure>;
}

/// A lock that is held. Dropping it releases it where the subject offers [`Need::Drop`].
pub trait Guard: Send {
    /// What is left of it.
    fn validity(&self) -> Duration;

    /// Extends it to its full ttl and gives the new validity.
    ///
    /// # Errors
    /// What the adapter reports.
    fn extend(&mut self) -> Result<Duration, Failure>;

    /// Gives it back. `false`: it was not ours any more.
    ///
    /// # Errors
    /// What the adapter reports.
    fn release(self: Box<Self>) -> Result<bool, Failure>;
}

/// What an error of an adapter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The caller's mistake, found before anything was sent.
    Usage,
    /// Somebody else had the lock until the policy ended.
    TimedOut,
    /// The lock is no longer held.
    Lost(Loss),
    /// The lock was not extended and is still held.
    NotExtended,
    /// The server said no.
    Refused,
    /// The network or the server failed.
    Unavailable,
    /// Anything else.
    Other,
}

/// An error of an adapter.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What it means.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}

impl core::error::Error for Failure {}

/// The error that all hosted adapters share.
impl From<redlatch_client::Error> for Failure {
    fn from(error: redlatch_client::Error) -> Self {
        use redlatch_client::Error;
        let kind = match &error {
            Error::Config(_) => Kind::Usage,
            Error::TimedOut { .. } => Kind::TimedOut,
            Error::Lost(loss) => Kind::Lost(*loss),
            Error::NotExtended { .. } => Kind::NotExtended,
            Error::Refused { .. } | Error::Replica { .. } => Kind::Refused,
            Error::Connect { .. } | Error::Silent { .. } | Error::Unavailable { .. } => {
                Kind::Unavailable
            }
            _ => Kind::Other,
        };
        Self { kind, text: error.to_string() }
    }
}

/// The error that the adapters for microcontrollers share.
impl From<redlatch_embedded::Error> for Failure {
    fn from(error: redlatch_embedded::Error) -> Self {
        use redlatch_embedded::{Error, Fault};
        let kind = match error {
            Error::KeyTooLong | Error::InvalidTtl => Kind::Usage,
            Error::TimedOut(_) => Kind::TimedOut,
            Error::Lost(loss) => Kind::Lost(loss),
            Error::NotExtended(_) => Kind::NotExtended,
            Error::Refused(_)
            | Error::Unavailable { fault: Some((_, Fault::Refused(_) | Fault::Replica)), .. } => {
                Kind::Refused
            }
            Error::Unavailable { .. } => Kind::Unavailable,
            _ => Kind::Other,
        };
        Self { kind, text: error.to_string() }
    }
}
