//! One thing that the owner of a lock machine wants and waits for.

use core::task::Waker;
use std::sync::Arc;

use redlatch_core::{Event, Instant};

use crate::engine::Engine;
use crate::error::Error;
use crate::mail::Mail;
use crate::os;
use crate::progress::Progress;
use crate::round::{Round, Step};
use crate::session::{Machine, Session};
use crate::trace::Span;

/// What the owner wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The lock, for somebody who has waited since then; it is nobody's when this is dropped.
    Acquire {
        since: Instant,
    },
    Extend,
    /// That it is not held any more, also when this is dropped.
    Release,
}

impl Wish {
    /// The owner takes over the machine, which is held here, and tells it.
    fn tell(self, session: &Session, lock: &mut Machine, now: Instant) {
        match self {
            // Nobody else has driven it yet.
            Self::Acquire { since } => return lock.acquire_since(since, now),
            Self::Extend => lock.extend(now),
            Self::Release => lock.release(now),
        }
        session.take();
    }

    const fn is_acquisition(self) -> bool {
        matches!(self, Self::Acquire { .. })
    }
}

/// An acquisition, an extension or a release. State changes only in [`Drive::poll`], so it may be
/// dropped at any time: the reaper drives the machine on.
pub(crate) struct Drive {
    engine: Arc<Engine>,
    session: Arc<Session>,
    span: Span,
    wish: Wish,
    /// When the machine was told.
    began: Option<Instant>,
    /// The machine was driven as far as it went.
    waits: bool,
    over: bool,
}

/// How far one round went.
enum Turn {
    Wait(Instant),
    /// Whether the machine wants to be looked after.
    Over(Result<Event, Error>, bool),
}

impl Drive {
    /// Tells the machine when it is polled.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        session: &Arc<Session>,
        span: Span,
        wish: Wish,
    ) -> Self {
        let (engine, session) = (Arc::clone(engine), Arc::clone(session));
        Self { engine, session, span, wish, began: None, waits: false, over: false }
    }

    /// For a machine that was told.
    pub(crate) fn begun(mut self, now: Instant) -> Self {
        self.began = Some(now);
        self
    }

    /// Tells the machine at once.
    pub(crate) fn begin(self) -> Self {
        let mut machine = self.session.machine();
        let now = os::now();
        self.wish.tell(&self.session, &mut machine.lock, now);
        drop(machine);
        self.begun(now)
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
        let session = &self.session;
        // The clock is read in every turn.
        let mut round = Round::new(session, Mail::default(), Instant::ZERO);
        if self.waits {
            session.look(&mut round.mail, None);
        }
        loop {
            let mut machine = session.machine();
            round.now = os::now();
            if self.began.is_none() {
                self.began = Some(round.now);
                self.wish.tell(session, &mut machine.lock, round.now);
            }
            if self.waits {
                round.hand_on(&mut machine.lock);
            }
            let turn = self.turn(&mut machine.lock, &mut round);
            let holds = machine.lock.lease().is_some();
            drop(machine);
            self.engine.pass_on(session, holds, round.now);
            round.keepers.wake();
            match turn {
                Turn::Wait(until) => {
                    self.waits = true;
                    self.engine.flush(round.now);
                    session.look(&mut round.mail, Some(waker.clone()));
                    if round.mail.is_empty() && !session.is_cancelled() {
                        return Progress::Wait(until);
                    }
                }
                Turn::Over(result, wants) => {
                    self.over = true;
                    if wants {
                        session.hand_to(&self.engine.errands);
                    } else if result.is_err() {
                        session.take();
                    }
                    self.engine.flush(round.now);
                    round.tidings.tell(session.key());
                    return Progress::Done(result);
                }
            }
        }
    }

    fn turn(&self, lock: &mut Machine, round: &mut Round<'_>) -> Turn {
        let result = match self.engine.step(lock, round) {
            // A lock that is had after the client was closed could not be given back any more.
            Ok(Step::Event(_)) if self.wish.is_acquisition() && self.engine.is_closed() => {
                Err(Error::Closed)
            }
            Ok(Step::Event(event)) => Ok(event),
            Ok(Step::Wait(_)) if self.session.is_cancelled() => Err(Error::Closed),
            Ok(Step::Wait(until)) => return Turn::Wait(until),
            Err(error) => Err(error),
        };
        if result.is_err() {
            lock.abandon(round.now);
        }
        let wants = self.engine.attend(lock, round).is_some();
        Turn::Over(result, wants)
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        match self.wish {
            Wish::Acquire { .. } => self.session.abandon_to(&self.engine.errands),
            Wish::Release if self.began.is_none() => {
                self.session.abandon_to(&self.engine.errands);
            }
            Wish::Extend | Wish::Release => self.session.hand_to(&self.engine.errands),
        }
    }
}
