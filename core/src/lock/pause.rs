//! The pause between two attempts, and what ends it: the retry policy, a server that tells that the key
//! has changed, or the moment when the key has expired.
//!
//! The retry policy says how long a pause lasts. Once every server that refused has set an
//! [alert](super::alert), the pause lasts until the keys have expired instead, if the number of attempts
//! is not bounded. Then it also lasts until they have answered, however short the policy wants it. What
//! the policy allows is not used up by attempts that somebody woke.
//!
//! Whoever waits for the same key is told at the same time, and all but one come too late. So that it is
//! not always the same who comes first, the nearest or the one told first, some look before they try:
//! they ask when the key expires, and try when it is gone. That takes them a round trip longer, and
//! costs less than an attempt in vain, for they are told of the next change then. Who has come too late
//! more often looks less often. Who has come too late very often waits a random time first, so that a
//! crowd spreads out, and a server that tells of changes without end is not asked without end.

use super::alert::Alert;
use super::seat::Seat;
use super::vote::Vote;
use super::{Lock, State};
use crate::defect::{Defect, has};
use crate::quorum::majority;
use crate::random::Random;
use crate::time::{Instant, micros};

#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// When the retry policy wants the next attempt.
    due: Instant,
    /// When it is made.
    pub(super) until: Instant,
    /// Something else than the policy has decided that.
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Policy,
    /// Until the keys have expired.
    Expiry,
    /// Somebody was told that they may be free, and looks.
    Looking,
    /// Somebody was told that they may be free.
    Woken,
}

/// What is remembered of attempts that were not made because the policy wanted them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wakings {
    /// The attempt under way is one.
    pub(super) woken: bool,
    /// So many in a row have failed.
    lost: u16,
    /// When the policy wants the next attempt, if the one under way has cut its pause short.
    resume: Instant,
}

impl Pause {
    pub(super) const fn new(due: Instant) -> Self {
        Self { due, until: due, kind: Kind::Policy }
    }
}

impl Wakings {
    /// None was made.
    pub(super) const NONE: Self = Self { woken: false, lost: 0, resume: Instant::ZERO };
    /// Who has come too late so often waits for a random time.
    const CROWD: u16 = 32;
    /// The random time grows by this every time, in microseconds: a round trip of a server in the same
    /// data centre, or less.
    const STEP: u64 = 100;
    /// Who has come too late so often tries without a look every second time.
    const PATIENCE: u64 = 6;
    /// The same where several servers vote: who splits their votes with another must not meet it again.
    const STEP_OF_QUORUM: u64 = 1_000;
    /// Longest random time, in microseconds.
    const SPREAD_MAX: u64 = 20_000;

    /// Most of the random time before an attempt, in microseconds.
    fn spread(&self, servers: usize) -> u64 {
        let lost = u64::from(self.lost);
        let spread = match servers {
            _ if has(Defect::SpinOnHint) => 0,
            0 | 1 if self.lost < Self::CROWD => 0,
            0 | 1 => lost.saturating_mul(Self::STEP),
            _ => lost.saturating_add(1).saturating_mul(Self::STEP_OF_QUORUM),
        };
        spread.min(Self::SPREAD_MAX)
    }

    /// Whether to look before trying. Every second time at first: then two who take turns mostly do not.
    fn looks_first(&self, random: &mut Random) -> bool {
        let lost = u64::from(self.lost);
        let most = lost.saturating_add(Self::PATIENCE).saturating_add(1);
        match lost {
            0 => random.micros_up_to(1) == 0,
            _ if self.lost >= Self::CROWD => false,
            _ => random.micros_up_to(most) > lost,
        }
    }

    /// Somebody else was quicker.
    const fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// The attempt has failed. Gives when the policy still wants another, if that is yet to come.
    pub(super) fn failed(&mut self, now: Instant) -> Option<Instant> {
        if core::mem::take(&mut self.woken) {
            self.lose();
        }
        Some(core::mem::take(&mut self.resume)).filter(|resume| *resume > now)
    }

    /// Whether the attempt is likely to succeed: so its proof is asked for at once.
    pub(super) const fn is_hopeful(&self) -> bool {
        self.woken && self.lost < Self::CROWD
    }
}

impl<K, S> Lock<K, S>
where
    K: AsRef<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    pub(super) fn pause(&mut self, due: Instant) {
        self.ask_for_alerts();
        let asked = self.seats.as_ref().iter().any(|seat| seat.alert == Alert::Due);
        // The answers decide how long it lasts, so they are waited for.
        let waits = asked && self.settings.retry.retries.is_none();
        let answered = self.now.saturating_add(self.settings.reply_timeout);
        let until = if waits { due.max(answered).min(self.latest(due)) } else { due };
        self.state = State::Pausing(Pause { until, ..Pause::new(due) });
    }

    /// Asks the servers that have refused to tell when that changes, if they are a majority. Where
    /// nobody has one, all have just been told that they may try. A server may have refused after the
    /// attempt had failed without it.
    fn ask_for_alerts(&mut self) {
        let held = self.seats.as_ref().iter().filter(|seat| seat.vote == Vote::Held).count();
        if !self.settings.wake || held < majority(self.servers()) {
            return;
        }
        for seat in self.seats.as_mut() {
            if seat.vote == Vote::Held && seat.alert == Alert::Off {
                seat.alert = Alert::Due;
            }
        }
    }

    /// The keys may be free.
    pub(super) fn wake(&mut self, pause: Pause) {
        let looks = match pause.kind {
            Kind::Woken => return,
            // Told once more: the answer may be older than that.
            Kind::Looking => false,
            Kind::Policy | Kind::Expiry => self.servers() == 1,
        };
        if looks && self.is_alert() && self.wakings.looks_first(&mut self.random) {
            for seat in self.seats.as_mut().iter_mut().filter(|seat| seat.vote == Vote::Held) {
                seat.alert = Alert::Due;
            }
            self.state = State::Pausing(Pause { kind: Kind::Looking, ..pause });
        } else {
            self.cut_short(pause);
        }
    }

    fn cut_short(&mut self, pause: Pause) {
        let until = self.now.plus(self.random.micros_up_to(self.wakings.spread(self.servers())));
        // Also if the policy would be sooner: else the rest of the answers might put it off.
        let until = until.min(pause.until);
        self.state = State::Pausing(Pause { until, kind: Kind::Woken, ..pause });
        self.end_pause_in_time();
    }

    /// Ends the pause if its time has come.
    pub(super) fn end_pause_in_time(&mut self) {
        match self.state {
            State::Pausing(pause) if pause.until <= self.now => {
                self.wakings.woken = pause.kind != Kind::Policy;
                self.wakings.resume =
                    if pause.kind == Kind::Woken { pause.due } else { Instant::ZERO };
                self.state = State::NeedToken;
            }
            _ => {}
        }
    }

    /// A server has answered during the pause.
    pub(super) fn review(&mut self, pause: Pause) {
        if pause.kind == Kind::Woken {
            return;
        }
        if !has(Defect::LateRefusalUnasked) {
            self.ask_for_alerts();
        }
        let seats = self.seats.as_ref();
        let held = || seats.iter().filter(|seat| seat.vote == Vote::Held);
        if pause.kind == Kind::Expiry {
            return;
        }
        if held().any(|seat| seat.alert == Alert::Free) && self.frees_by(self.now) {
            return self.cut_short(pause);
        }
        if held().any(|seat| seat.alert == Alert::Deaf) {
            if pause.kind == Kind::Looking {
                return self.cut_short(pause);
            }
            // Not all will tell.
            self.state = State::Pausing(Pause::new(pause.due));
            return self.end_pause_in_time();
        }
        if held().any(|seat| !matches!(seat.alert, Alert::Set(_) | Alert::Free)) {
            return;
        }
        if pause.kind == Kind::Looking {
            self.wakings.lose();
        }
        let seats = self.seats.as_ref();
        let held = || seats.iter().filter(|seat| seat.vote == Vote::Held);
        let moments = held().filter_map(|seat| match seat.alert {
            Alert::Set(at) => Some(at),
            _ => None,
        });
        let Some(at) = moments.filter(|at| self.frees_by(*at)).min() else { return };
        let latest = self.latest(pause.due);
        // Not all at the same time where their votes would be split again.
        let spread = if self.servers() > 1 { self.wakings.spread(self.servers()) } else { 0 };
        let until = at.plus(self.random.micros_up_to(spread)).min(latest);
        self.state = State::Pausing(Pause { until, kind: Kind::Expiry, ..pause });
    }

    /// When a pause ends at the latest that the policy wants to end when it is due.
    fn latest(&self, due: Instant) -> Instant {
        let retry = &self.settings.retry;
        let end =
            retry.deadline.map_or(Instant::NEVER, |span| self.attempts.begun.plus(micros(span)));
        if retry.retries.is_some() { due } else { end }
    }

    /// Whether so many servers may be free of others' keys by then that a majority can be had.
    fn frees_by(&self, moment: Instant) -> bool {
        let free = self.seats.as_ref().iter().filter(|seat| match seat.alert {
            Alert::Set(at) => at <= moment,
            Alert::Free => true,
            _ => seat.vote != Vote::Held,
        });
        free.count() >= majority(self.servers())
    }

    /// Whether those that refused have set an alert.
    fn is_alert(&self) -> bool {
        let mut held = self.seats.as_ref().iter().filter(|seat| seat.vote == Vote::Held);
        held.all(|seat| matches!(seat.alert, Alert::Set(_)))
    }

    /// Whether a server has not answered yet if it will tell.
    pub(super) fn asks_for_alerts(&self) -> bool {
        self.seats.as_ref().iter().any(|seat| matches!(seat.alert, Alert::Asked(_)))
    }

    fn servers(&self) -> usize {
        self.seats.as_ref().len()
    }
}
