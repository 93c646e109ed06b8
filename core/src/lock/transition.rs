//! How the machine gets from one state to the next: by counting what the seats have.

use super::event::{Event, Loss, Released, Settings};
use super::moment::Moment;
use super::renewal::Renewal;
use super::request::ASK_AGAIN;
use super::seat::Seat;
use super::vote::Vote;
use super::{Lock, State};
use crate::answer::Class;
use crate::command::Form;
use crate::defect::{Defect, has};
use crate::lease::Lease;
use crate::quorum::{Ballot, Tally, Verdict, majority};
use crate::retry::Backoff;
use crate::time::Instant;

impl<K, S> Lock<K, S>
where
    K: AsRef<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    /// Time never runs backwards in here, whatever the caller says.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let (lease, renewing) = match self.state {
            State::Held { lease } => (lease, false),
            State::Extending { lease, quiet, .. } => (lease, quiet),
            _ => return,
        };
        if !lease.is_valid(self.now) && !has(Defect::LeaseNeverEnds) {
            self.lose(self.upkeep.loss(renewing));
        }
    }

    pub(super) fn advance(&mut self) {
        let over = self.now >= self.phase_end();
        match self.state {
            State::Asking { since } => self.count_votes(since, over),
            State::Extending { lease, since, quiet } => {
                self.stop_asking();
                self.count_renewals(lease, since, quiet, over);
            }
            State::Releasing { .. } => self.count_returns(over),
            State::Held { .. } => self.stop_asking(),
            State::Pausing(pause) => self.review(pause),
            _ => {}
        }
    }

    fn count_votes(&mut self, since: Instant, over: bool) {
        let mut tally = self.tally(|seat| match seat.vote {
            Vote::Granted => Some(Ballot::Granted),
            Vote::Held => Some(Ballot::Held),
            Vote::Refused(refusal) => Some(Ballot::Refused(refusal)),
            Vote::Due { .. } | Vote::Asked { .. } => None,
            _ if has(Defect::ErrorGrants) => Some(Ballot::Granted),
            _ => Some(Ballot::Unreachable),
        });
        if over {
            tally.close();
        }
        if has(Defect::CountedTwice) {
            tally.granted = tally.granted.saturating_mul(2);
        }
        if has(Defect::HalfIsMajority) {
            tally.granted = tally.granted.saturating_add(1);
        }
        let since = if has(Defect::LeaseFromReply) { self.now } else { since };
        let lease = Lease::new(self.settings.ttl, self.settings.drift, since);
        match tally.verdict() {
            Verdict::Undecided => {}
            Verdict::Carried if lease.is_valid(self.now) || has(Defect::TooLateIsHeld) => {
                self.state = State::Held { lease };
                self.upkeep.acquired(since, &self.settings);
                self.event = Some(Event::Acquired(lease));
                self.stop_asking();
            }
            Verdict::Carried | Verdict::Failed => self.fail(tally),
        }
    }

    /// An attempt has failed: give everything back at once, then pause or stop.
    fn fail(&mut self, tally: Tally) {
        let hopeless = self.is_hopeless() || has(Defect::NoRetry);
        if !has(Defect::MinorityKept) {
            self.give_up();
        }
        let floor = self.now.saturating_add(Backoff::FLOOR);
        let hinted = core::mem::take(&mut self.hinted);
        let resume = self.precedence.fail(tally.granted > 0, self.now);
        // Else somebody told of a change that this attempt came too early for.
        let asks = self.settings.wake && tally.held >= majority(tally.configured);
        let next = if hopeless {
            None
        } else if self.is_free_of_charge(&tally) {
            Some(self.now.plus(ASK_AGAIN))
        } else {
            let (policy, now) = (&self.settings.retry, self.now);
            let due = resume.or_else(|| self.attempts.next(policy, now, &mut self.random));
            due.map(|due| if hinted && !asks { due.min(floor) } else { due })
        };
        match next {
            Some(due) => self.pause(due),
            None => {
                self.state = State::Idle;
                self.event = Some(Event::Denied(tally));
            }
        }
    }

    /// Servers whose refusal no retry can change leave no majority.
    fn is_hopeless(&self) -> bool {
        let seats = self.seats.as_ref();
        let permanent = seats.iter().filter(|seat| match seat.vote {
            Vote::Refused(refusal) => refusal.class() == Class::Permanent,
            _ => false,
        });
        seats.len().saturating_sub(permanent.count()) < majority(seats.len())
    }

    /// An attempt that no server answered, as when an idle connection turns out to be dead, is
    /// repeated without counting, as long as a first attempt may take.
    fn is_free_of_charge(&self, tally: &Tally) -> bool {
        let grace = self.attempts.begun.saturating_add(self.settings.reply_timeout);
        tally.unreachable == tally.configured && self.now < grace
    }

    /// Asks all that may hold for another ttl.
    pub(super) fn begin_extension(&mut self, lease: Lease, quiet: bool) {
        self.state = State::Extending { lease, since: self.now, quiet };
        let due = Renewal::Due { at: self.now, form: Form::Digest };
        for seat in self.seats.as_mut() {
            seat.renewal = if seat.vote.may_hold() { due } else { Renewal::Idle };
        }
        self.advance();
    }

    fn count_renewals(&mut self, lease: Lease, since: Instant, quiet: bool, over: bool) {
        let mut tally = self.tally(|seat| match seat.renewal {
            Renewal::Done => Some(Ballot::Granted),
            Renewal::Gone | Renewal::Stolen => Some(Ballot::Held),
            Renewal::Refused(refusal) => Some(Ballot::Refused(refusal)),
            Renewal::Idle => Some(Ballot::Unreachable),
            Renewal::Due { .. } | Renewal::Sent { .. } => None,
        });
        if over {
            tally.close();
        }
        if has(Defect::ExtendedByOne) {
            tally.granted = tally.granted.saturating_mul(tally.configured);
        }
        let since = if has(Defect::ExtendedFromReply) { self.now } else { since };
        let renewed = Lease::new(self.settings.ttl, self.settings.drift, since);
        match tally.verdict() {
            Verdict::Undecided => {}
            Verdict::Carried => {
                self.upkeep.extended(since, &self.settings);
                self.held_again(renewed);
                self.event = Some(Event::Extended(renewed));
            }
            Verdict::Failed => match self.loss() {
                Some(loss) => self.lose(loss),
                None => {
                    self.upkeep.failed(&tally, self.now, &self.settings);
                    self.held_again(if has(Defect::ExtendedInVain) { renewed } else { lease });
                    self.event = if quiet { self.event } else { Some(Event::NotExtended(tally)) };
                }
            },
        }
    }

    fn held_again(&mut self, lease: Lease) {
        for seat in self.seats.as_mut() {
            seat.renewal = Renewal::Idle;
        }
        self.state = State::Held { lease };
    }

    /// The reason, if so many keys are surely not ours that no majority can be left.
    fn loss(&self) -> Option<Loss> {
        let seats = self.seats.as_ref();
        // A seat counts once, also if its claim came to nothing while the extension was out.
        let (mut left, mut stolen) = (0_usize, false);
        for seat in seats.iter().filter(|seat| seat.vote.may_hold()) {
            match seat.renewal {
                Renewal::Gone => {}
                Renewal::Stolen => stolen = true,
                _ => left = left.saturating_add(1),
            }
        }
        (left < majority(seats.len())).then_some(if stolen { Loss::Stolen } else { Loss::Deleted })
    }

    fn lose(&mut self, loss: Loss) {
        if !has(Defect::ExpiredKept) {
            self.give_up();
        }
        self.state = State::Idle;
        self.event = Some(Event::Lost(loss));
    }

    fn count_returns(&mut self, over: bool) {
        let tally = self.tally(|seat| match seat.vote {
            Vote::Returned => Some(Ballot::Granted),
            Vote::Returning => None,
            Vote::Unclear => Some(Ballot::Unreachable),
            _ => Some(Ballot::Held),
        });
        let not_held = tally.configured.saturating_sub(tally.held) < majority(tally.configured);
        let outcome = match tally.verdict() {
            Verdict::Carried => Released::Confirmed,
            Verdict::Failed if not_held => Released::NotHeld,
            Verdict::Undecided if !over => return,
            Verdict::Failed | Verdict::Undecided => Released::Unconfirmed,
        };
        self.state = State::Idle;
        self.event = Some(Event::Released(outcome));
    }

    fn stop_asking(&mut self) {
        for seat in self.seats.as_mut() {
            seat.vote.stop_asking();
        }
    }

    pub(super) fn give_up(&mut self) {
        let moment = self.moment();
        if let Some(token) = self.token {
            for seat in self.seats.as_mut() {
                seat.give_up(token, moment);
            }
        }
    }

    pub(super) fn moment(&self) -> Moment {
        let Settings { ttl, drift, reply_timeout, .. } = self.settings;
        let timeout = self.now.saturating_add(reply_timeout);
        // An extension may be out that nobody waits for any more. Its connection is given up after two
        // reply timeouts at the latest, and what that leaves behind arrives within a third.
        let arrived = timeout.saturating_add(reply_timeout).saturating_add(reply_timeout);
        let expiry = arrived.plus(ttl.as_micros()).plus(drift.micros(ttl));
        Moment { now: self.now, expiry, timeout }
    }

    fn tally(&self, ballot: impl Fn(&Seat) -> Option<Ballot>) -> Tally {
        let seats = self.seats.as_ref();
        let mut tally = Tally { configured: seats.len(), ..Tally::default() };
        for ballot in seats.iter().filter_map(ballot) {
            tally.add(ballot);
        }
        tally
    }
}
