//! Taking a lock.

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Event, Instant, Pass, Renew, Retry, Settings, Tally};

use crate::drive::{Drive, Wish};
use crate::engine::Engine;
use crate::error::Error;
use crate::held::Held;
use crate::key::Key;
use crate::lines::Turn;
use crate::os;
use crate::owned::{Leaves, Owned};
use crate::progress::{Awaits, Progress};
use crate::session::Session;
use crate::trace::Span;

/// A lock that is being taken. Dropped before it is done, it leaves what it may have to the reaper,
/// which gives it back, and lets the next in line begin.
#[must_use = "nothing happens until it is polled"]
pub struct Acquiring {
    drive: Drive,
    /// In line until it is its turn, or until this moment, when the last attempt is due.
    queued: Option<Instant>,
    /// It was its turn when it came.
    at_once: bool,
}

/// For handles.
impl Engine {
    /// Begins to take the lock. It is tried once with [`Retry::NONE`]. Once held, it is extended by
    /// itself if `renew` says so.
    ///
    /// Who waits without a bound on the number of attempts stands in line with the others who want the
    /// same key of this client: the servers are asked for the first of them only.
    ///
    /// # Errors
    /// [`Error::Config`] for arguments that cannot work, [`Error::Closed`].
    pub fn acquire(
        self: &Arc<Self>,
        key: Key,
        ttl: Duration,
        retry: Retry,
        renew: Option<Renew>,
    ) -> Result<Acquiring, Error> {
        let settings = Settings { renew, ..self.options().settings(&key, ttl, retry)? };
        if self.is_closed() {
            return Err(Error::Closed);
        }
        let session = Session::new(key, self.links.len(), settings);
        Ok(Acquiring::new(self, session, retry))
    }
}

impl Acquiring {
    fn new(engine: &Arc<Engine>, session: Arc<Session>, retry: Retry) -> Self {
        let at_once = match retry.retries {
            None => engine.lines.join(&session),
            Some(_) => {
                if retry != Retry::NONE {
                    engine.lines.join_apart(&session);
                }
                true
            }
        };
        // Who closed the client before that has not seen it in line.
        if engine.is_closed() {
            session.cancel();
        }
        let asked = session.asked();
        let deadline = retry.deadline.map_or(Instant::NEVER, |span| asked.saturating_add(span));
        let span = Span::lock(session.key());
        let owned = Owned::new(engine, session, Leaves::Unwanted);
        let drive = Drive::new(owned, span, Wish::Acquire { pass: None });
        Self { drive, queued: Some(deadline), at_once }
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not
    /// be asked or refused; [`Error::Closed`] when the client was closed meanwhile.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Result<Held, Error>> {
        if let (Some(deadline), Some(owned)) = (self.queued, self.drive.owned()) {
            if owned.session.is_cancelled() {
                return Progress::Done(self.end(Err(Error::Closed)));
            }
            if !self.at_once {
                match poll_turn(owned, deadline, waker) {
                    Progress::Wait(until) => return Progress::Wait(until),
                    Progress::Done(pass) => self.drive.pass(pass),
                }
            }
            self.queued = None;
        }
        self.drive.poll(waker).map(|event| self.end(event))
    }

    /// What it waits for, after [`Acquiring::poll`] said so. Who stands behind in line waits for those
    /// before it.
    #[must_use]
    pub fn awaits(&self) -> Awaits {
        if self.queued.is_some() { Awaits::Call } else { self.drive.awaits() }
    }

    fn end(&mut self, event: Result<Event, Error>) -> Result<Held, Error> {
        let owned = self.drive.take().ok_or(Error::Closed)?;
        let Owned { engine, session, .. } = &owned;
        if let Ok(Event::Acquired(_)) = event {
            if let Some(next) = engine.lines.took(session, self.drive.has_failed()) {
                next.wake();
            }
            return Ok(Held::new(owned));
        }
        let now = os::now();
        let next = engine.leave_line(session, now);
        // Else nothing was queued here.
        if next.is_some() {
            engine.flush_before(next, now);
        }
        let waited = now.saturating_since(session.asked());
        Err(match event {
            Ok(Event::Denied(tally)) => engine.denied(tally, waited),
            Ok(_) => engine.denied(Tally::default(), waited),
            Err(error) => error,
        })
    }
}

/// Waits until it is its turn, or it does not matter any more. Gives how it begins, if its line has just had
/// the lock.
fn poll_turn(owned: &Owned, deadline: Instant, waker: &Waker) -> Progress<Option<Pass>> {
    let Owned { engine, session, .. } = owned;
    let (lines, now) = (&engine.lines, os::now());
    if let Turn::Begin(pass) = lines.turn(session, now) {
        return Progress::Done(pass);
    }
    session.note_owner(waker.clone());
    // Whoever lets it begin, or cancels it, does that before waking.
    match lines.turn(session, now) {
        Turn::Begin(pass) => Progress::Done(pass),
        Turn::Wait(_) if session.is_cancelled() => Progress::Wait(now),
        Turn::Wait(_) if deadline <= now => {
            if let Some(next) = lines.step_aside(session) {
                next.wake();
            }
            Progress::Done(None)
        }
        Turn::Wait(until) => Progress::Wait(until.min(deadline)),
    }
}

#[cfg(test)]
#[path = "acquire_tests.rs"]
mod tests;
