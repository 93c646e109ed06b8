//! One thing that the owner of a lock machine has begun and waits for.

use core::task::Waker;
use std::sync::Arc;

use redlatch_core::{Event, Instant};

use crate::engine::{Engine, Step};
use crate::error::Error;
use crate::os;
use crate::progress::Progress;
use crate::session::{Machine, Session};
use crate::trace::Span;

/// An acquisition, an extension or a release under way. State changes only in [`Drive::poll`], so it
/// may be dropped at any time: the reaper drives the machine on.
pub(crate) struct Drive {
    engine: Arc<Engine>,
    session: Arc<Session>,
    span: Span,
    /// Dropped before its end, it leaves a lock that nobody wants.
    abandons: bool,
    over: bool,
}

impl Drive {
    /// Begins something. `abandons` says whether nobody wants the lock when this is dropped.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        session: &Arc<Session>,
        span: Span,
        abandons: bool,
        begin: impl FnOnce(&mut Machine, Instant),
    ) -> Self {
        session.take();
        begin(&mut session.machine().lock, os::now());
        let (engine, session) = (Arc::clone(engine), Arc::clone(session));
        Self { engine, session, span, abandons, over: false }
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
        let result = loop {
            let mut machine = self.session.machine();
            let step = self.engine.step(&self.session, &mut machine.lock);
            let holds = machine.lock.lease().is_some();
            drop(machine);
            match step {
                // A lock that is had after the client was closed could not be given back any more.
                Ok(Step::Event(_)) if self.abandons && self.engine.is_closed() => {
                    break Err(Error::Closed);
                }
                Ok(Step::Event(event)) => break Ok(event),
                Ok(Step::Wait(_)) if self.session.is_cancelled() => break Err(Error::Closed),
                Ok(Step::Wait(until)) => {
                    self.engine.pass_on(&self.session, holds);
                    self.engine.flush();
                    if self.session.poll_incoming(waker).is_pending() {
                        return Progress::Wait(until.unwrap_or(Instant::NEVER));
                    }
                }
                Err(error) => break Err(error),
            }
        };
        self.leave(result.is_err());
        Progress::Done(result)
    }

    /// The caller goes, the machine may not be through.
    fn leave(&mut self, abandon: bool) {
        self.over = true;
        let mut machine = self.session.machine();
        if abandon {
            machine.lock.abandon(os::now());
        }
        let wants = self.engine.attend(&self.session, &mut machine.lock);
        let holds = machine.lock.lease().is_some();
        drop(machine);
        if wants.is_some() {
            self.session.hand_to(&self.engine.errands);
        } else {
            self.session.rest();
        }
        self.engine.pass_on(&self.session, holds);
        self.engine.flush();
        self.session.tell();
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.abandons {
            self.session.abandon_to(&self.engine.errands);
        } else {
            self.session.hand_to(&self.engine.errands);
        }
    }
}
