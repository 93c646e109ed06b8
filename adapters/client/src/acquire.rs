//! Taking a lock.

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Event, Instant, Renew, Retry, Settings, Tally};

use crate::drive::Drive;
use crate::engine::{Engine, Waiting};
use crate::error::Error;
use crate::held::Held;
use crate::key::Key;
use crate::os;
use crate::progress::Progress;
use crate::session::Session;
use crate::trace::Span;

/// A lock that is being taken. Dropped before it is done, it leaves what it may have to the reaper,
/// which gives it back.
#[must_use = "nothing happens until it is polled"]
pub struct Acquiring {
    // Dropped first: the reaper learns what is owed before it learns that nobody waits.
    drive: Drive,
    waiting: Option<Waiting>,
    began: Instant,
}

/// For handles.
impl Engine {
    /// Begins to take the lock. It is tried once with [`Retry::NONE`]. Once held, it is extended by
    /// itself if `renew` says so.
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
        Ok(Acquiring::new(self, Session::new(key, self.links.len(), settings)))
    }
}

impl Acquiring {
    fn new(engine: &Arc<Engine>, session: Arc<Session>) -> Self {
        let waits = session.machine().lock.settings().retry != Retry::NONE;
        let waiting = waits.then(|| Waiting::new(engine, &session));
        let span = Span::lock(session.key());
        let drive = Drive::new(engine, &session, span, true, |lock, now| lock.acquire(now));
        Self { drive, waiting, began: os::now() }
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not
    /// be asked or refused; [`Error::Closed`] when the client was closed meanwhile.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Result<Held, Error>> {
        self.drive.poll(waker).map(|event| {
            self.waiting = None;
            match event? {
                Event::Acquired(_) => Ok(Held::new(self.drive.engine(), self.drive.session())),
                Event::Denied(tally) => Err(self.denied(tally)),
                _ => Err(self.denied(Tally::default())),
            }
        })
    }

    fn denied(&self, tally: Tally) -> Error {
        self.drive.engine().denied(tally, os::now().saturating_since(self.began))
    }
}
