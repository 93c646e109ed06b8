//! One thing that the owner of a lock machine wants and waits for.

use core::task::Waker;
use redlatch_core::{Event, Instant, Pass};

use crate::driven::Driven;
use crate::engine::Engine;
use crate::error::Error;
use crate::mail::Mail;
use crate::os;
use crate::owned::{Leaves, Owned};
use crate::progress::{Awaits, Progress};
use crate::round::{Round, Step};
use crate::session::Session;
use crate::trace::Span;

/// What the owner wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The lock, which the client may just have had; it is nobody's when this is dropped.
    Acquire {
        pass: Option<Pass>,
    },
    Extend,
    /// That it is not held any more, also when this is dropped.
    Release,
}

impl Wish {
    /// The owner takes over the machine, which is held here, and tells it. Whether nobody else had done that.
    fn tell(self, session: &Session, machine: &mut Driven, now: Instant) -> bool {
        match self {
            Self::Acquire { pass } => return machine.begin(pass, session.asked(), now),
            Self::Extend => machine.lock.extend(now),
            Self::Release => machine.lock.release(now),
        }
        session.take_back();
        true
    }

    /// What is left to do when this is dropped, before or after the machine is told.
    const fn leaves(self, told: bool) -> Leaves {
        match (self, told) {
            (Self::Acquire { .. }, _) | (Self::Release, false) => Leaves::Unwanted,
            (Self::Extend, _) | (Self::Release, true) => Leaves::Unfinished,
        }
    }

    const fn is_acquisition(self) -> bool {
        matches!(self, Self::Acquire { .. })
    }

    /// Drives the machine until it says how that went, or waits.
    fn turn(self, engine: &Engine, machine: &mut Driven, round: &mut Round<'_>) -> Turn {
        let step = machine.take_said().map(|said| said.map(Step::Event));
        let lock = &mut machine.lock;
        let result = match step.unwrap_or_else(|| engine.step(lock, round)) {
            // A lock that is had after the client was closed could not be given back any more.
            Ok(Step::Event(_)) if self.is_acquisition() && engine.is_closed() => Err(Error::Closed),
            Ok(Step::Event(event)) => Ok(event),
            Ok(Step::Wait(_)) if round.session.is_cancelled() => Err(Error::Closed),
            Ok(Step::Wait(until)) => return Turn::Wait(until),
            Err(error) => Err(error),
        };
        if result.is_err() {
            lock.abandon(round.now);
        }
        let wants = engine.attend(lock, round).is_some();
        Turn::Over(result, wants)
    }
}

/// An acquisition, an extension or a release. State changes only in [`Drive::poll`], so it may be
/// dropped at any time: the reaper drives the machine on.
pub(crate) struct Drive {
    /// Until it is taken.
    owned: Option<Owned>,
    span: Span,
    wish: Wish,
    /// The machine was told.
    told: bool,
    /// The machine was driven as far as it went.
    waits: bool,
    /// An attempt to have the lock has failed.
    failed: bool,
}

/// How far one round went.
enum Turn {
    Wait(Instant),
    /// Whether the machine wants to be looked after.
    Over(Result<Event, Error>, bool),
}

impl Drive {
    /// Tells the machine when it is polled.
    pub(crate) fn new(mut owned: Owned, span: Span, wish: Wish) -> Self {
        owned.leaves = wish.leaves(false);
        Self { owned: Some(owned), span, wish, told: false, waits: false, failed: false }
    }

    /// For a machine that was told.
    pub(crate) fn begun(mut self) -> Self {
        self.told = true;
        if let Some(owned) = &mut self.owned {
            owned.leaves = self.wish.leaves(true);
        }
        self
    }

    /// Tells the machine at once.
    pub(crate) fn begin(self) -> Self {
        if let Some(Owned { session, .. }) = &self.owned {
            self.wish.tell(session, &mut session.machine(), os::now());
        }
        self.begun()
    }

    /// How the machine is told, if the lock is wanted and the client has just had it.
    pub(crate) const fn pass(&mut self, how: Option<Pass>) {
        if let Wish::Acquire { pass } = &mut self.wish {
            *pass = how;
        }
    }

    /// The session, until it is taken.
    pub(crate) const fn owned(&self) -> Option<&Owned> {
        self.owned.as_ref()
    }

    /// Takes the session, of which nothing is left to do once [`Drive::poll`] is done.
    pub(crate) fn take(&mut self) -> Option<Owned> {
        self.owned.take()
    }

    /// Whether an attempt to have the lock has failed.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// What is waited for, after [`Drive::poll`] said so.
    pub(crate) fn awaits(&self) -> Awaits {
        match self.owned.as_ref().map(|owned| owned.session.awaits()) {
            // Only who wants a lock is told of keys.
            Some(Awaits::Push) if !self.wish.is_acquisition() => Awaits::Call,
            Some(awaits) => awaits,
            None => Awaits::Call,
        }
    }

    /// Drives the machine until it says how that went. What it owes then is left to the reaper.
    ///
    /// # Errors
    /// [`Error::Random`], and [`Error::Closed`] when the session is cancelled; the lock is
    /// abandoned.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Progress<Result<Event, Error>> {
        let span = self.span.clone();
        span.in_scope(|| self.poll_inside(waker))
    }

    fn poll_inside(&mut self, waker: &Waker) -> Progress<Result<Event, Error>> {
        let Some(Owned { engine, session, leaves }) = &mut self.owned else {
            return Progress::Done(Err(Error::Closed));
        };
        // The clock is read in every turn.
        let mut round = Round::new(session, Mail::default(), Instant::ZERO);
        if self.waits {
            session.look(&mut round.mail, None);
        }
        loop {
            let mut machine = session.machine();
            round.now = os::now();
            if !core::mem::replace(&mut self.told, true) {
                if !self.wish.tell(session, &mut machine, round.now) {
                    session.look(&mut round.mail, None);
                    self.waits = true;
                }
                *leaves = self.wish.leaves(true);
            }
            if self.waits {
                round.hand_on(&mut machine.lock);
            }
            let turn = self.wish.turn(engine, &mut machine, &mut round);
            let holds = machine.lock.lease().is_some();
            self.failed = machine.lock.has_failed();
            drop(machine);
            let next = engine.pass_on(session, holds, round.now);
            round.keepers.wake();
            match turn {
                Turn::Wait(until) => {
                    self.waits = true;
                    engine.flush_before(next, round.now);
                    session.look(&mut round.mail, Some(waker.clone()));
                    if round.mail.is_empty() && !session.is_cancelled() {
                        return Progress::Wait(until);
                    }
                }
                Turn::Over(result, wants) => {
                    *leaves = Leaves::Nothing;
                    if wants {
                        session.hand_to(&engine.errands);
                    } else if result.is_err() {
                        session.take();
                    }
                    engine.flush_before(next, round.now);
                    round.tidings.tell(session.key());
                    return Progress::Done(result);
                }
            }
        }
    }
}
