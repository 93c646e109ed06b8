//! Reads that were not sent, because the read of a later claim may prove theirs as well: see
//! [`redlatch_core::proof`].

use std::collections::VecDeque;
use std::sync::Arc;

use redlatch_core::{Answer, Serial, Ticket, Token};

use crate::session::{Call, Session};

/// A read that its machine takes for sent.
pub(crate) struct Read {
    /// The claim that it reads back.
    pub(crate) claim: Serial,
    pub(crate) token: Token,
    pub(crate) ticket: Ticket,
    pub(crate) session: Arc<Session>,
    claimed: Claimed,
}

/// What became of the claim.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claimed {
    Pending,
    Answered(Answer),
    /// It was refused, and the read is answered.
    Over,
}

/// What the answer to a claim means for its read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It is not parked.
    No,
    /// For a proof.
    Yes,
    /// Not any more: answer this one, which is not sent.
    NoMore(Ticket),
}

/// The parked reads of one connection, in the order of their claims.
#[derive(Default)]
pub(crate) struct Parking {
    reads: VecDeque<Read>,
    /// How many of them have claims that were answered: the first ones.
    answered: usize,
}

impl Read {
    pub(crate) const fn new(
        claim: Serial,
        token: Token,
        ticket: Ticket,
        session: Arc<Session>,
    ) -> Self {
        Self { claim, token, ticket, session, claimed: Claimed::Pending }
    }

    /// The answer to the claim. `None` while it is out.
    pub(crate) const fn claimed(&self) -> Option<Answer> {
        match self.claimed {
            Claimed::Answered(answer) => Some(answer),
            Claimed::Pending | Claimed::Over => None,
        }
    }

    /// Whether it was answered already.
    pub(crate) fn is_over(&self) -> bool {
        self.claimed == Claimed::Over
    }

    /// Hands in its answer, unless it has one. Gives whom to call.
    pub(crate) fn deliver(&self, answer: Answer) -> Call {
        if self.is_over() { Call::Nobody } else { self.session.deliver(self.ticket, answer) }
    }
}

impl Parking {
    pub(crate) fn push(&mut self, read: Read) {
        self.answered += usize::from(read.claimed != Claimed::Pending);
        self.reads.push_back(read);
    }

    /// The newest.
    pub(crate) fn pop(&mut self) -> Option<Read> {
        let read = self.reads.pop_back()?;
        self.answered = self.answered.min(self.reads.len());
        Some(read)
    }

    /// So many of the newest, oldest first.
    pub(crate) fn pop_many(&mut self, count: usize) -> VecDeque<Read> {
        let kept = self.reads.len().saturating_sub(count);
        self.answered = self.answered.min(kept);
        self.reads.split_off(kept)
    }

    /// The oldest, if its claim was submitted before this request.
    pub(crate) fn pop_before(&mut self, serial: Serial) -> Option<Read> {
        let is_before = self.reads.front().is_some_and(|read| read.claim < serial);
        let read = is_before.then(|| self.reads.pop_front()).flatten()?;
        self.answered = self.answered.saturating_sub(1);
        Some(read)
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Read> + '_ {
        self.answered = 0;
        self.reads.drain(..)
    }

    /// A request was answered: perhaps the claim of a parked read. A null or `OK` waits for its proof; any
    /// other answer ends the vote, or leads to a read that is sent.
    pub(crate) fn claimed(&mut self, serial: Serial, answer: Answer) -> Waits {
        let Some(read) = self.reads.get_mut(self.answered).filter(|read| read.claim == serial)
        else {
            return Waits::No;
        };
        self.answered += 1;
        let waits = matches!(answer, Answer::Ok | Answer::Nil);
        read.claimed = if waits { Claimed::Answered(answer) } else { Claimed::Over };
        if waits { Waits::Yes } else { Waits::NoMore(read.ticket) }
    }
}
