//! The pause between two attempts, and what ends it: the retry policy, a server that tells that the key
//! has changed, or the moment when the key has expired.
//!
//! The retry policy says how long a pause lasts. Once every server that refused has set an
//! [alert](super::alert), the pause lasts until the keys have expired instead, if the number of attempts
//! is not bounded. Then it also lasts until they have answered, however short the policy wants it. What
//! the policy allows is not used up by attempts that somebody woke.
//!
//! Whoever waits for the same key is told at the same time. Who of them comes first says
//! [`Precedence`](super::precedence).
//!
//! A key that is found gone again and again is tried when the time is over that others had since it was
//! found gone first. One question at a time: told while it looks, a lock believes the answer if the key is gone,
//! and asks again if not.
//!
//! ```text
//!              alerts are set           told             gone
//!   Policy ------------------> Expiry -------> Looking --------> Aside -- its time is over --+
//!     |  |                       ^ |              |  ^             |                         |
//!     |  +---- told ----+        | | told         |  +--- told ----+                         |
//!     |                 v        | v              |                                          v
//!     +-- due ------> Woken <------+          taken by another: Expiry                   an attempt
//!                       |
//!                       +-- a random time is over --> an attempt
//!
//!   HoldingBack, of a client that has had its turns: as Looking, and it stands aside for longer
//! ```

use super::alert::Alert;
use super::precedence::Precedence;
use super::seat::Seat;
use super::vote::Vote;
use super::{Lock, State};
use crate::defect::{Defect, has};
use crate::quorum::majority;
use crate::time::{Instant, micros};

#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// When the retry policy wants the next attempt.
    due: Instant,
    /// When it is made.
    pub(super) until: Instant,
    /// When somebody began to look. Of one who stands aside: whoever takes the key before this moment has
    /// let nobody come first.
    since: Instant,
    /// Others may come first until then, however often one is told meanwhile, if the key was found gone.
    patience: Instant,
    /// Something else than the policy has decided that.
    kind: Kind,
    /// It was told since it asked: what the server says may be older.
    told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Policy,
    /// Until the keys have expired.
    Expiry,
    /// The client has had its turns: others come first. It looks whether they do.
    HoldingBack,
    /// The key is gone, and others may come first. If one does, that is told.
    Aside,
    /// Somebody was told that they may be free, and looks.
    Looking,
    /// Somebody was told that they may be free, too often in vain, and looks later.
    Later,
    /// Somebody was told that they may be free.
    Woken,
}

impl Pause {
    pub(super) const fn new(due: Instant) -> Self {
        let (since, patience) = (Instant::ZERO, Instant::NEVER);
        Self { due, until: due, since, patience, kind: Kind::Policy, told: false }
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
        let until = if waits { due.max(self.answered(due)) } else { due };
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

    /// The client has had its turns: others come first.
    pub(super) fn hold_back(&mut self) {
        let due = self.now.plus(Precedence::hold_back(self.servers(), 0));
        let pause = Pause::new(due.min(self.latest(due)));
        if self.settings.wake && self.servers() == 1 {
            let until = self.answered(due);
            // Until it says otherwise.
            self.seats.as_mut().iter_mut().for_each(|seat| seat.vote = Vote::Held);
            self.look(Pause { kind: Kind::HoldingBack, until, ..pause });
        } else {
            self.state = State::Pausing(pause);
        }
    }

    /// Asks whether the key is gone, unless the pause is over before there can be an answer.
    fn look(&mut self, pause: Pause) {
        for seat in self.seats.as_mut().iter_mut().filter(|seat| seat.vote == Vote::Held) {
            seat.alert = Alert::Due;
        }
        self.state = State::Pausing(Pause { since: self.now, told: false, ..pause });
        self.end_pause_in_time();
    }

    /// Looks now, or later where that was in vain too often.
    fn look_in_time(&mut self, looking: Pause) {
        let spread = self.precedence.spread(self.servers());
        if spread == 0 {
            return self.look(looking);
        }
        let until = self.now.plus(self.random.micros_up_to(spread)).min(looking.until);
        self.state = State::Pausing(Pause { until, kind: Kind::Later, ..looking });
        self.end_pause_in_time();
    }

    /// The keys may be free.
    pub(super) fn wake(&mut self, pause: Pause) {
        let looking = Pause { kind: Kind::Looking, ..pause };
        match pause.kind {
            Kind::Woken | Kind::Later => {}
            // The question has not been sent yet.
            Kind::Looking | Kind::HoldingBack if self.any_held(|alert| alert == Alert::Due) => {}
            Kind::HoldingBack => self.state = State::Pausing(Pause { told: true, ..pause }),
            Kind::Looking if self.precedence.looks_again() => {
                self.state = State::Pausing(Pause { told: true, ..pause });
            }
            Kind::Aside => {
                self.precedence.pass(self.now < pause.since);
                self.look(Pause { until: self.answered(pause.due), ..looking });
            }
            Kind::Policy | Kind::Expiry if self.looks_first() => self.look_in_time(looking),
            Kind::Policy | Kind::Expiry | Kind::Looking => self.cut_short(pause),
        }
    }

    fn looks_first(&mut self) -> bool {
        let can = self.servers() == 1 && self.is_alert();
        can && self.precedence.looks_first(&mut self.random)
    }

    /// The key is gone.
    fn find_gone(&mut self, pause: Pause) {
        let round_trip = micros(self.now.saturating_since(pause.since));
        let span = match pause.kind {
            Kind::HoldingBack => Precedence::hold_back(self.servers(), round_trip),
            Kind::Looking if self.precedence.stands_aside(&mut self.random) => {
                self.precedence.aside(round_trip, &mut self.random)
            }
            _ => return self.cut_short(pause),
        };
        // Who stands aside, and is told of it as long afterwards as it took to find it gone, needs a round
        // trip at least to take it.
        let since = self.now.plus(round_trip / 2);
        let patience = pause.patience.min(self.now.plus(span));
        let until = patience.min(self.latest(pause.due));
        self.state = State::Pausing(Pause { until, since, patience, kind: Kind::Aside, ..pause });
        self.end_pause_in_time();
    }

    fn cut_short(&mut self, pause: Pause) {
        let until = self.now.plus(self.random.micros_up_to(self.precedence.spread(self.servers())));
        // Also if the policy would be sooner: else the rest of the answers might put it off.
        let until = until.min(pause.until);
        self.state = State::Pausing(Pause { until, kind: Kind::Woken, ..pause });
        self.end_pause_in_time();
    }

    /// Ends the pause if its time has come.
    pub(super) fn end_pause_in_time(&mut self) {
        match self.state {
            State::Pausing(pause) if pause.until > self.now => {}
            State::Pausing(pause) if pause.kind == Kind::Later => {
                self.look(Pause { kind: Kind::Looking, until: self.answered(pause.due), ..pause });
            }
            State::Pausing(pause) => {
                let (woken, stood_aside) = (pause.kind != Kind::Policy, pause.kind == Kind::Aside);
                let resume = if pause.kind == Kind::Woken { pause.due } else { Instant::ZERO };
                self.precedence.begin(woken, stood_aside, resume);
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
        if matches!(pause.kind, Kind::Expiry | Kind::Aside | Kind::Later) {
            return;
        }
        if self.any_held(|alert| alert == Alert::Free) && self.frees_by(self.now) {
            return self.find_gone(pause);
        }
        if self.any_held(|alert| alert == Alert::Deaf) {
            if pause.kind == Kind::Looking {
                return self.cut_short(pause);
            }
            // Not all will tell.
            self.state = State::Pausing(Pause::new(pause.due));
            return self.end_pause_in_time();
        }
        if self.any_held(|alert| !matches!(alert, Alert::Set(_) | Alert::Free)) {
            return;
        }
        if matches!(pause.kind, Kind::Looking | Kind::HoldingBack) {
            self.precedence.lose();
        }
        let seats = self.seats.as_ref();
        let held = || seats.iter().filter(|seat| seat.vote == Vote::Held);
        let moments = held().filter_map(|seat| match seat.alert {
            Alert::Set(at) => Some(at),
            _ => None,
        });
        let Some(at) = moments.filter(|at| self.frees_by(*at)).min() else { return };
        self.precedence.hear_of(at);
        let latest = self.latest(pause.due);
        // Not all at the same time where their votes would be split again.
        let spread = if self.servers() > 1 { self.precedence.spread(self.servers()) } else { 0 };
        let until = at.plus(self.random.micros_up_to(spread)).min(latest);
        let sleeping = Pause { until, patience: Instant::NEVER, kind: Kind::Expiry, ..pause };
        if pause.told {
            return self.look_in_time(Pause { kind: Kind::Looking, ..sleeping });
        }
        self.state = State::Pausing(sleeping);
        self.end_pause_in_time();
    }

    /// When a question that is asked now has its answer at the latest, or the pause ends.
    fn answered(&self, due: Instant) -> Instant {
        self.now.saturating_add(self.settings.reply_timeout).min(self.latest(due))
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

    /// Whether the alert of any that refused is so.
    fn any_held(&self, is_so: impl Fn(Alert) -> bool) -> bool {
        let mut held = self.seats.as_ref().iter().filter(|seat| seat.vote == Vote::Held);
        held.any(|seat| is_so(seat.alert))
    }

    /// Whether those that refused have set an alert.
    fn is_alert(&self) -> bool {
        self.any_held(|_| true) && !self.any_held(|alert| !matches!(alert, Alert::Set(_)))
    }

    /// Whether a server has not answered yet if it will tell.
    pub(super) fn asks_for_alerts(&self) -> bool {
        self.seats.as_ref().iter().any(|seat| matches!(seat.alert, Alert::Asked(_)))
    }

    fn servers(&self) -> usize {
        self.seats.as_ref().len()
    }
}
