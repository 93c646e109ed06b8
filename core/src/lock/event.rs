//! What goes in and out of the machine, apart from answers.

use core::fmt;
use core::time::Duration;

use super::request::Ticket;
use crate::command::Command;
use crate::lease::{Drift, Lease};
use crate::quorum::Tally;
use crate::renew::Renew;
use crate::retry::Retry;
use crate::time::{Instant, Ttl};

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// When a server frees the key by itself.
    pub ttl: Ttl,
    /// What is taken off the ttl for clocks of different speed.
    pub drift: Drift,
    /// How long one attempt, extension or release waits for answers. It should be small against
    /// the ttl: what it waits is gone from the lease.
    pub reply_timeout: Duration,
    /// When to try again.
    pub retry: Retry,
    /// Whether a lock that waits asks the servers to tell when the key changes, and is woken then. If
    /// not, and where a server cannot tell, only `retry` says when to try again.
    pub wake: bool,
    /// Whether and how the lock is extended by itself while it is held.
    pub renew: Option<Renew>,
}

impl Settings {
    /// One attempt, answers within half a second, the usual drift, no renewing.
    #[must_use]
    pub const fn new(ttl: Ttl) -> Self {
        Self {
            ttl,
            drift: Drift::DEFAULT,
            reply_timeout: Duration::from_millis(500),
            retry: Retry::NONE,
            wake: true,
            renew: None,
        }
    }
}

/// What the machine wants of its driver.
#[derive(Debug)]
#[must_use]
pub enum Output<'a> {
    /// Draw a fresh token and [`provide`](crate::Lock::provide) it.
    NeedToken,
    /// Ask server [`ticket.server()`](Ticket::server), without waiting, and bring the answer to
    /// [`handle_answer`](crate::Lock::handle_answer) with the ticket. Requests to one server must be sent
    /// in the order in which they come out here.
    Send {
        /// Goes back with the answer.
        ticket: Ticket,
        /// The question.
        command: Command<'a>,
    },
    /// Something the owner of the lock wants to know.
    Event(Event),
    /// Nothing to do until an answer comes or this moment, when
    /// [`handle_timeout`](crate::Lock::handle_timeout) is due. `None` is no moment.
    Wait(Option<Instant>),
}

/// Something the owner of the lock wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The lock is held, until the lease runs out.
    Acquired(Lease),
    /// The lock was not taken, and no further attempt will be made.
    Denied(Tally),
    /// The lock is held for longer: the owner asked for it, or it was [renewed](Renew).
    Extended(Lease),
    /// The owner asked for more time in vain; the old lease still stands. The tally counts servers that
    /// extended as granted and servers where the key is no longer ours as held.
    NotExtended(Tally),
    /// The lock is no longer held. Told once; it does not come back.
    Lost(Loss),
    /// The lock was given back.
    Released(Released),
}

/// Why a lock was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Its lease ran out, and nobody had asked for more time.
    Expired,
    /// Its lease ran out, because too few servers answered when it was renewed.
    Unreachable,
    /// Its lease ran out, because servers refused to renew it.
    Refused,
    /// Its lease ran out, because it was renewed for as long as [`Renew::most`] allows.
    Capped,
    /// Its key is gone: deleted, evicted, or expired early by the server's clock.
    Deleted,
    /// Its key is gone, and so many servers were started again since it was taken that their
    /// forgetting explains it. The machine says [`Loss::Deleted`]; clients that see the greetings of
    /// the servers say this where it is proved.
    ServerRestarted,
    /// Its key has another value.
    Stolen,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "its time ran out before it was extended",
            Self::Unreachable => "too few servers answered when it was renewed",
            Self::Refused => "servers refused to renew it",
            Self::Capped => "it was renewed for as long as allowed",
            Self::Deleted => "its key was deleted, evicted or expired early",
            Self::ServerRestarted => "the server was restarted and had not kept its key",
            Self::Stolen => "somebody else has taken it",
        })
    }
}

/// How a release went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// A majority confirmed that the lock was ours until now.
    Confirmed,
    /// It was not ours any more.
    NotHeld,
    /// Nobody can tell: too few servers answered in time, or a reply was lost and the release that
    /// repeated it found nothing. Releases are repeated until they are acknowledged, or until the
    /// keys have expired.
    Unconfirmed,
}

/// The states of the machine, without what is in them; see the [module](crate::lock) for the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Not held, nobody wants it. Releases may still be owed.
    Idle,
    /// An attempt is about to begin.
    NeedToken,
    /// The servers are voting.
    Asking,
    /// Between two attempts.
    Pausing,
    /// Held.
    Held,
    /// Held, and the servers are asked for more time.
    Extending,
    /// Being given back.
    Releasing,
}
