//! A compare-and-delete owed to a server, until it surely has nothing of ours.
//!
//! ```text
//!            +--------- refused, unreachable, lost: later --------+
//!            v                                                    |
//!          Due -- Release --> Sent --+-- deleted -----------------|--> settled
//!            ^                       +-- nothing there, and the --|--> settled
//!            |                       |   claim was answered       |
//!            +------ pause ----------+-- nothing there, but an ---+
//!                                        old claim may come
//!          Due -- the key has expired, nothing is on its way ---------> settled
//! ```
//!
//! The pause is for a connection that died between claim and release: the release on the new
//! connection may overtake the claim that still stands in the old one. A release sent a reply
//! timeout later comes after it.

use super::moment::Moment;
use super::request::{Fate, is_doubtful};
use crate::answer::{Answer, Class, Refusal};
use crate::command::Form;
use crate::defect::{Defect, has};
use crate::time::Instant;
use crate::token::Token;

#[derive(Clone, Copy, Debug)]
pub(super) struct Debt {
    pub(super) token: Token,
    claim: Fate,
    step: Step,
    tries: u8,
    /// The key is gone by itself from this moment on.
    until: Instant,
    /// A claim that a dead connection left behind has come by this moment, or never will.
    safe_from: Instant,
    /// An earlier release may have been executed: finding nothing proves nothing any more.
    doubted: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Due { at: Instant, form: Form },
    Sent { number: u32, form: Form, at: Instant },
}

/// What an answer said about a debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paid {
    /// The key was ours until now.
    Returned,
    /// Nothing of ours is there.
    Nothing,
    /// Nothing of ours is there now; a late claim may still come.
    NothingYet,
    /// Not known yet.
    Open,
}

impl Debt {
    /// First wait before a repetition, in microseconds; it doubles each time.
    const PAUSE: u32 = 10_000;
    /// Longest wait before a repetition, in microseconds.
    const PAUSE_MAX: u32 = 5_000_000;

    pub(super) fn new(token: Token, claim: Fate, moment: Moment) -> Self {
        Self {
            token,
            claim,
            step: Step::Due { at: moment.now, form: Form::Digest },
            tries: 0,
            until: moment.expiry,
            safe_from: moment.timeout,
            doubted: false,
        }
    }

    /// The release, if it is due. The caller sends it under `number`.
    pub(super) fn poll(&mut self, now: Instant, number: u32) -> Option<Form> {
        match self.step {
            Step::Due { at, form } if at <= now => {
                self.step = Step::Sent { number, form, at: now };
                Some(form)
            }
            _ => None,
        }
    }

    /// Whether the claim was sent under this number and is not answered.
    pub(super) fn awaits(&self, number: u32) -> bool {
        matches!(self.claim, Fate::Pending(pending) if pending == number)
    }

    pub(super) fn knows(&self, number: u32) -> bool {
        self.awaits(number)
            || matches!(self.step, Step::Sent { number: sent, .. } if sent == number)
    }

    pub(super) fn handle_answer(&mut self, number: u32, answer: Answer, moment: Moment) -> Paid {
        match self.step {
            Step::Sent { number: sent, form, at } if sent == number => {
                self.released(answer, form, at, moment.now)
            }
            _ => self.claimed(answer, moment),
        }
    }

    /// The claim is answered after all.
    fn claimed(&mut self, answer: Answer, moment: Moment) -> Paid {
        self.claim = if is_doubtful(answer) { Fate::Unknown } else { Fate::Set };
        self.safe_from = moment.timeout;
        self.until = self.until.max(moment.expiry);
        match answer {
            Answer::Nil | Answer::Refused(_) | Answer::Unreachable if self.claim == Fate::Set => {
                Paid::Nothing
            }
            _ => Paid::Open,
        }
    }

    fn released(&mut self, answer: Answer, form: Form, sent: Instant, now: Instant) -> Paid {
        match answer {
            Answer::Token(token) if token == self.token => Paid::Returned,
            Answer::Integer(1) => Paid::Returned,
            Answer::Integer(_) if has(Defect::NothingIsReturned) => Paid::Returned,
            Answer::Integer(_) => self.nothing_there(sent, now),
            Answer::Refused(refusal) if refusal.class() == Class::Held => {
                self.nothing_there(sent, now)
            }
            Answer::Refused(Refusal::NoScript)
                if form == Form::Digest && !has(Defect::ScriptNeverSent) =>
            {
                self.step = Step::Due { at: now, form: Form::Source };
                Paid::Open
            }
            Answer::Lost if has(Defect::LostReleaseIsDone) => Paid::Nothing,
            _ => {
                self.doubted |= is_doubtful(answer);
                self.again(now)
            }
        }
    }

    fn nothing_there(&mut self, sent: Instant, now: Instant) -> Paid {
        let is_over = self.claim == Fate::Set || sent >= self.safe_from;
        if is_over || has(Defect::ClaimComesNever) {
            return Paid::Nothing;
        }
        self.repeat(now.plus(self.pause()).max(self.safe_from));
        Paid::NothingYet
    }

    fn again(&mut self, now: Instant) -> Paid {
        self.repeat(now.plus(self.pause()));
        Paid::Open
    }

    fn repeat(&mut self, at: Instant) {
        self.tries = self.tries.saturating_add(1);
        self.step = Step::Due { at, form: Form::Digest };
    }

    fn pause(&self) -> u64 {
        let factor = 1_u32.checked_shl(self.tries.into()).unwrap_or(u32::MAX);
        Self::PAUSE.saturating_mul(factor).min(Self::PAUSE_MAX).into()
    }

    /// Whether the key has surely expired. Not while a request is out: until it is answered, or its
    /// connection is dead, it may still be on its way.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_out =
            matches!(self.claim, Fate::Pending(_)) || matches!(self.step, Step::Sent { .. });
        !is_out && now >= self.until
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        match self.step {
            Step::Due { at, .. } => at,
            Step::Sent { .. } => Instant::NEVER,
        }
    }

    /// Whether an answer that nothing is there leaves open if it was ours until the release.
    pub(super) const fn is_doubted(&self) -> bool {
        self.doubted
    }
}
