//! One server's part in the lock: its vote, its renewal, and what is owed to it.

use super::alert::Alert;
use super::debt::{Debt, Paid};
use super::moment::Moment;
use super::renewal::Renewal;
use super::request::{Fate, Want};
use super::vote::{Read, Vote};
use crate::answer::Answer;
use crate::defect::{Defect, has};
use crate::time::Instant;
use crate::token::Token;

/// Releases that may be owed to one server at a time. A server that leaves so many unanswered is
/// not asked for more.
const DEBTS_MAX: usize = 2;

/// What a [`Lock`](crate::Lock) remembers about one server. Give it one seat for each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seat {
    pub(super) vote: Vote,
    pub(super) renewal: Renewal,
    pub(super) alert: Alert,
    debts: [Option<Debt>; DEBTS_MAX],
}

impl Seat {
    /// A server that was not asked yet.
    pub const NEW: Self = Self {
        vote: Vote::Out,
        renewal: Renewal::Idle,
        alert: Alert::Off,
        debts: [None; DEBTS_MAX],
    };

    /// The next request that is due, which the caller sends under `number`. What is owed goes
    /// first: on one connection the old key is then gone before the new claim comes.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn poll(&mut self, now: Instant, number: u32) -> Option<Want> {
        let release = self.debts.iter_mut().flatten().find_map(|debt| debt.poll(now, number));
        if let Some(form) = release {
            return Some(Want::Release(form));
        }
        let vote = self.vote.poll(now, number);
        vote.or_else(|| self.renewal.poll(now, number)).or_else(|| self.alert.poll(number))
    }

    /// The token of the release that goes out under `number`.
    pub(super) fn owed(&self, number: u32) -> Option<&Token> {
        let debt = self.debts.iter().flatten().find(|debt| debt.knows(number));
        debt.map(|debt| &debt.token)
    }

    /// When this seat wants attention next.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn poll_timeout(&self) -> Instant {
        let vote = match self.vote {
            Vote::Due { at, .. } | Vote::Asked { read: Read::Due(at), .. } => at,
            _ => Instant::NEVER,
        };
        let renewal = match self.renewal {
            Renewal::Due { at, .. } => at,
            _ => Instant::NEVER,
        };
        let debts = self.debts.iter().flatten().map(Debt::poll_timeout);
        debts.min().unwrap_or(Instant::NEVER).min(vote).min(renewal)
    }

    /// Begins a new attempt. A seat without room to remember another debt abstains.
    pub(super) fn begin(&mut self, now: Instant, eager: bool) {
        let can_vote = self.room().is_some();
        self.vote = if can_vote { Vote::Due { at: now, eager } } else { Vote::Unreachable };
        self.renewal = Renewal::Idle;
        self.alert = Alert::Off;
    }

    /// Ends this seat's part: what it may hold is owed back to it.
    pub(super) fn give_up(&mut self, token: Token, moment: Moment) {
        (self.renewal, self.alert) = (Renewal::Idle, Alert::Off);
        let fate = match self.vote.fate() {
            Some(Fate::Pending(_) | Fate::Unknown) if has(Defect::DoubtKept) => None,
            fate => fate,
        };
        if let Some(claim) = fate {
            self.vote = Vote::Returning;
            self.owe(Debt::new(token, claim, moment));
        } else if !has(Defect::ClaimAfterRelease) {
            self.vote.stop_asking();
        }
    }

    /// Ends this seat's part without owing anything for it; what was owed before is still owed.
    pub(super) fn leave(&mut self) {
        (self.vote, self.renewal, self.alert) = (Vote::Out, Renewal::Idle, Alert::Off);
    }

    /// Begins to give back what another machine has taken. A seat without room leaves it to its ttl.
    pub(super) fn adopt(&mut self, token: Token, moment: Moment) {
        self.leave();
        self.vote = Vote::Unclear;
        if let Some(slot) = self.room() {
            *slot = Some(Debt::new(token, Fate::Unknown, moment));
            self.vote = Vote::Returning;
        }
    }

    fn owe(&mut self, debt: Debt) {
        if let Some(slot) = self.room() {
            *slot = Some(debt);
        }
    }

    /// A free place for a debt.
    fn room(&mut self) -> Option<&mut Option<Debt>> {
        self.debts.iter_mut().find(|slot| slot.is_none())
    }

    pub(super) fn owes(&self) -> bool {
        self.debts.iter().any(Option::is_some)
    }

    /// Whether a debt stands under this token.
    pub(super) fn owes_token(&self, token: Token) -> bool {
        self.debts.iter().flatten().any(|debt| debt.token == token)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for slot in &mut self.debts {
            slot.take_if(|debt| debt.is_over(now));
        }
    }

    /// Hands an answer to whatever waits for it. `token` is the one of the current attempt, if there was
    /// any: who holds back looks before that.
    pub(super) fn handle_answer(
        &mut self,
        number: u32,
        answer: Answer,
        token: Option<Token>,
        moment: Moment,
    ) {
        self.alert.handle_answer(number, answer, moment.now);
        let Some(token) = token else { return };
        if self.pay(number, answer, token, moment) {
            return;
        }
        self.renewal.handle_answer(number, answer, token, moment.now);
        if let Some(claim) = self.vote.handle_answer(number, answer, token, moment.now) {
            // What is given back is not extended: the release comes behind an extension that is out.
            self.renewal = Renewal::Idle;
            self.owe(Debt::new(token, claim, moment));
        }
    }

    /// Whether the answer belonged to a debt.
    fn pay(&mut self, number: u32, answer: Answer, token: Token, moment: Moment) -> bool {
        let mut slots = self.debts.iter_mut();
        let Some(slot) = slots.find(|slot| slot.is_some_and(|debt| debt.knows(number))) else {
            return false;
        };
        let Some(debt) = slot else { return false };
        let refused = debt.awaits(number) && answer == Answer::Nil;
        let paid = debt.handle_answer(number, answer, moment);
        if debt.token == token && self.vote == Vote::Returning {
            self.vote = match paid {
                Paid::Returned => Vote::Returned,
                Paid::Nothing if refused => Vote::Held,
                Paid::Nothing | Paid::NothingYet if debt.is_doubted() => Vote::Unclear,
                Paid::Nothing | Paid::NothingYet => Vote::Absent,
                Paid::Open => Vote::Returning,
            };
        }
        if matches!(paid, Paid::Returned | Paid::Nothing) {
            *slot = None;
        }
        true
    }
}
