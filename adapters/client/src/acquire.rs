//! Taking a lock.

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Event, Instant, Renew, Retry, Settings, Tally};

use crate::drive::{Drive, Wish};
use crate::engine::Engine;
use crate::error::Error;
use crate::held::Held;
use crate::key::Key;
use crate::lines::Turn;
use crate::os;
use crate::progress::Progress;
use crate::session::Session;
use crate::trace::Span;

/// A lock that is being taken. Dropped before it is done, it leaves what it may have to the reaper,
/// which gives it back.
#[must_use = "nothing happens until it is polled"]
pub struct Acquiring {
    engine: Arc<Engine>,
    session: Arc<Session>,
    span: Span,
    began: Instant,
    stage: Stage,
}

enum Stage {
    /// In line, until it is its turn or the last attempt is due.
    Queued {
        deadline: Instant,
    },
    Trying(Drive),
    Done,
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
        let began = os::now();
        match retry.retries {
            None => engine.lines.join(&session),
            Some(_) if retry != Retry::NONE => engine.lines.join_apart(&session),
            Some(_) => {}
        }
        // Who closed the client before that has not seen it in line.
        if engine.is_closed() {
            session.cancel();
        }
        let deadline = retry.deadline.map_or(Instant::NEVER, |span| began.saturating_add(span));
        let (span, stage) = (Span::lock(session.key()), Stage::Queued { deadline });
        Self { engine: Arc::clone(engine), session, span, began, stage }
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not
    /// be asked or refused; [`Error::Closed`] when the client was closed meanwhile.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Result<Held, Error>> {
        loop {
            let progress = match &mut self.stage {
                Stage::Queued { deadline } => {
                    let deadline = *deadline;
                    if self.session.is_cancelled() {
                        return Progress::Done(self.end(Err(Error::Closed)));
                    }
                    if let Progress::Wait(until) = self.poll_turn(deadline, waker) {
                        return Progress::Wait(until);
                    }
                    self.begin();
                    continue;
                }
                Stage::Trying(drive) => drive.poll(waker),
                Stage::Done => return Progress::Done(Err(Error::Closed)),
            };
            return progress.map(|event| self.end(event));
        }
    }

    /// Waits until it is its turn, or it does not matter any more.
    fn poll_turn(&self, deadline: Instant, waker: &Waker) -> Progress<()> {
        let (lines, now) = (&self.engine.lines, os::now());
        if let Turn::Begin = lines.turn(&self.session, now) {
            return Progress::Done(());
        }
        self.session.note_owner(waker.clone());
        // Whoever lets it begin, or cancels it, does that before waking.
        match lines.turn(&self.session, now) {
            Turn::Begin => Progress::Done(()),
            Turn::Wait(_) if self.session.is_cancelled() => Progress::Wait(now),
            Turn::Wait(_) if deadline <= now => {
                if let Some(next) = lines.step_aside(&self.session) {
                    next.wake();
                }
                Progress::Done(())
            }
            Turn::Wait(until) => Progress::Wait(until.min(deadline)),
        }
    }

    fn begin(&mut self) {
        let wish = Wish::Acquire { since: self.began };
        let drive = Drive::new(&self.engine, &self.session, self.span.clone(), wish);
        self.stage = Stage::Trying(drive);
    }

    fn end(&mut self, event: Result<Event, Error>) -> Result<Held, Error> {
        self.stage = Stage::Done;
        if let Ok(Event::Acquired(_)) = event {
            let refused = self.session.machine().lock.has_failed();
            if let Some(next) = self.engine.lines.took(&self.session, refused) {
                next.wake();
            }
            return Ok(Held::new(&self.engine, &self.session));
        }
        let now = os::now();
        self.engine.leave_line(&self.session, now);
        let waited = now.saturating_since(self.began);
        Err(match event {
            Ok(Event::Denied(tally)) => self.engine.denied(tally, waited),
            Ok(_) => self.engine.denied(Tally::default(), waited),
            Err(error) => error,
        })
    }
}

impl Drop for Acquiring {
    fn drop(&mut self) {
        // If it was tried for, the reaper does this when it has told the servers.
        if let Stage::Queued { .. } = self.stage {
            self.engine.leave_line(&self.session, os::now());
        }
    }
}
