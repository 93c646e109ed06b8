//! Requests: what a seat wants sent, the ticket that goes with it, and what its answer may be.

use crate::answer::{Answer, Class, Refusal};
use crate::command::{Command, Form};
use crate::defect::{Defect, has};
use crate::time::Instant;

/// Wait before a request that could not be sent, or whose reply was lost, is tried again, in
/// microseconds.
pub(super) const ASK_AGAIN: u64 = 10_000;

/// A request that a seat wants sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    Claim,
    Read,
    Extend(Form),
    Release(Form),
    Expiry,
}

/// Goes out with a request and comes back with its answer. Answers with a ticket that is no longer
/// waited for are ignored, so a late one does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) server: u16,
    pub(super) number: u32,
    pub(super) expects: Expects,
    pub(super) expires: Instant,
}

/// The kinds of answers a request can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expects {
    /// `OK` or null.
    Condition,
    /// A value or null.
    Value,
    /// A token, 0 or -1.
    Script,
    /// Milliseconds, -1 or -2.
    Expiry,
    /// How many keys were deleted: 1 or 0.
    Count,
}

impl Ticket {
    /// Which of the configured servers to ask, counted from zero.
    #[must_use]
    pub fn server(&self) -> usize {
        self.server.into()
    }

    /// Whether the request has waited too long to be sent: answer [`Answer::Unreachable`] instead.
    /// Never true of a release.
    #[must_use]
    pub fn is_stale(&self, now: Instant) -> bool {
        now >= self.expires
    }

    /// Whether it is the ticket of a [`Command::Expiry`].
    #[must_use]
    pub const fn asks_expiry(&self) -> bool {
        matches!(self.expects, Expects::Expiry)
    }

    /// Whether `answer` can belong to this request at all. If not, requests and replies are out of
    /// step: close the connection and answer [`Answer::Lost`] to everything in flight on it.
    #[must_use]
    pub fn fits(&self, answer: Answer) -> bool {
        match answer {
            Answer::Refused(Refusal::NoScript) => {
                matches!(self.expects, Expects::Script | Expects::Count)
            }
            Answer::Refused(_) | Answer::Unreachable | Answer::Lost => true,
            _ if has(Defect::RepliesSlip) => true,
            Answer::Unexpected => false,
            Answer::Ok => self.expects == Expects::Condition,
            Answer::Nil => matches!(self.expects, Expects::Condition | Expects::Value),
            Answer::Value => self.expects == Expects::Value,
            Answer::Token(_) => matches!(self.expects, Expects::Value | Expects::Script),
            Answer::Integer(number) => match self.expects {
                Expects::Script => matches!(number, 0 | -1),
                Expects::Count => matches!(number, 0 | 1),
                Expects::Expiry => number >= -2,
                Expects::Condition | Expects::Value => false,
            },
        }
    }
}

impl Expects {
    pub(super) const fn of(command: &Command<'_>) -> Self {
        match command {
            Command::Read { .. } => Self::Value,
            Command::Extend { .. } | Command::Release { .. } => Self::Script,
            Command::Expiry { .. } => Self::Expiry,
            Command::Delete { .. } => Self::Count,
            _ => Self::Condition,
        }
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Sent under this number, not answered.
    Pending(u32),
    /// Answered; it set the key.
    Set,
    /// Answered; it did not set the key.
    NotSet,
    /// Its answer will never come, or says nothing.
    Unknown,
}

/// Whether an answer leaves open what the server did.
pub(super) fn is_doubtful(answer: Answer) -> bool {
    match answer {
        Answer::Lost | Answer::Unexpected => true,
        Answer::Refused(refusal) => refusal.class() == Class::Unknown,
        _ => false,
    }
}
