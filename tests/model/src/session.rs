//! One connection as the server sees it.

use core::fmt;

use super::reply::Protocol;
use super::request::Requests;

/// Most bytes that wait for a client that does not read; then the connection ends.
const OUTBOX_BYTES: usize = 16 << 20;

/// Names one connection, through all lives of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a connection goes on after its output has been sent.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It stays open.
    Continue,
    /// Send what was given, then close. The server has forgotten the session.
    Close,
}

/// One connection.
#[derive(Clone)]
pub struct Session {
    pub(crate) requests: Requests,
    pub(crate) protocol: Protocol,
    /// Who speaks; nobody before authentication.
    pub(crate) user: Option<String>,
    pub(crate) database: usize,
    pub(crate) name: Vec<u8>,
    pub(crate) tracking: Option<Tracking>,
    /// The next command names keys to be tracked.
    pub(crate) caching: bool,
    /// Closes when the output is out.
    pub(crate) ending: bool,
    /// Reads and answers nothing.
    pub(crate) deaf: bool,
    pub(crate) pace: Pace,
    outbox: Vec<u8>,
}

/// The options of `CLIENT TRACKING ON`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tracking {
    pub(crate) noloop: bool,
    pub(crate) optin: bool,
}

/// When output may leave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) hold_until: u64,
    pub(crate) drip: Option<Drip>,
}

/// One byte at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drip {
    pub(crate) interval: u64,
    pub(crate) next: u64,
}

impl Session {
    pub(crate) fn new(user: Option<String>, deaf: bool) -> Self {
        Self {
            requests: Requests::default(),
            protocol: Protocol::Resp2,
            user,
            database: 0,
            name: Vec::new(),
            tracking: None,
            caching: false,
            ending: false,
            deaf,
            pace: Pace::default(),
            outbox: Vec::new(),
        }
    }

    /// The version of the protocol.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The selected database.
    #[must_use]
    pub const fn database(&self) -> usize {
        self.database
    }

    /// The name set by `CLIENT SETNAME` or `HELLO`; empty when none is set.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The authenticated user.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether `CLIENT TRACKING` is on.
    #[must_use]
    pub const fn is_tracking(&self) -> bool {
        self.tracking.is_some()
    }

    /// Whether the keys of the command that is executed are tracked.
    pub(crate) const fn tracks(&self) -> bool {
        matches!(self.tracking, Some(tracking) if self.caching || !tracking.optin)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.outbox.extend_from_slice(bytes);
        if self.outbox.len() > OUTBOX_BYTES {
            self.kill();
        }
    }

    /// Ends now; what was not sent is lost.
    pub(crate) fn kill(&mut self) {
        self.outbox.clear();
        self.pace = Pace::default();
        self.ending = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.ending && self.outbox.is_empty()
    }

    /// When output may leave next; none when there is nothing to do.
    pub(crate) fn due(&self) -> Option<u64> {
        if self.outbox.is_empty() && !self.ending {
            return None;
        }
        let drip = self.pace.drip.map_or(0, |drip| drip.next);
        Some(self.pace.hold_until.max(drip))
    }

    /// Moves what may leave now into `out`.
    pub(crate) fn give(&mut self, now: u64, out: &mut Vec<u8>) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        match &mut self.pace.drip {
            None => out.append(&mut self.outbox),
            Some(drip) => {
                drip.next = now.saturating_add(drip.interval);
                out.extend(self.outbox.drain(..self.outbox.len().min(1)));
            }
        }
    }
}
