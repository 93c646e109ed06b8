//! What the runner and the handles share.

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};

use redlatch_bare::{Engine, Error, Instant, Memory};

use crate::time::Time;

/// What the runner and the handles of one client share. It lives as long as they do: in a `static`, or
/// in the function that polls the runner.
pub struct Shared<'a, M, T> {
    engine: RefCell<Engine<'a, M>>,
    pub(crate) time: T,
    /// The task that polls the runner; it polls all its parts, so one waker is enough.
    runner: Cell<Option<Waker>>,
    /// One who waits for connections.
    watcher: Cell<Option<Waker>>,
    /// Something happened that the runner has not looked at.
    news: Cell<bool>,
    /// The runner is woken then, whether something is due or not.
    pub(crate) wake_by: Cell<Instant>,
}

impl<'a, M: Memory<'a>, T: Time> Shared<'a, M, T> {
    pub(crate) const fn new(engine: Engine<'a, M>, time: T) -> Self {
        Self {
            engine: RefCell::new(engine),
            time,
            runner: Cell::new(None),
            watcher: Cell::new(None),
            news: Cell::new(true),
            wake_by: Cell::new(Instant::NEVER),
        }
    }

    /// Works on the engine. The runner looks at it afterwards.
    ///
    /// # Errors
    /// [`Error::Reentered`]: from inside of a clock or of a waker.
    pub(crate) fn change<R>(
        &self,
        what: impl FnOnce(&mut Engine<'a, M>, Instant) -> R,
    ) -> Result<R, Error> {
        let result = self.look(what);
        self.news.set(true);
        self.wake_runner();
        result
    }

    /// Works on the engine in a way that leaves nothing to do for the runner.
    ///
    /// # Errors
    /// As [`Shared::change`].
    pub(crate) fn look<R>(
        &self,
        what: impl FnOnce(&mut Engine<'a, M>, Instant) -> R,
    ) -> Result<R, Error> {
        let mut engine = self.engine.try_borrow_mut().map_err(|_| Error::Reentered)?;
        Ok(what(&mut engine, self.time.now()))
    }

    /// For the parts of the runner: asks again whenever its task is woken.
    pub(crate) async fn until<R>(
        &self,
        mut ask: impl FnMut(&mut Engine<'a, M>, Instant) -> Option<R>,
    ) -> R {
        core::future::poll_fn(|context: &mut Context<'_>| {
            register(&self.runner, context.waker());
            match self.look(&mut ask) {
                Ok(Some(answer)) => Poll::Ready(answer),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// For the runner: waits for news.
    pub(crate) async fn news(&self) {
        core::future::poll_fn(|context: &mut Context<'_>| {
            register(&self.runner, context.waker());
            if self.news.replace(false) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until every server is ready or has failed to be.
    pub(crate) async fn connect(&self) -> Result<(), Error> {
        core::future::poll_fn(|context: &mut Context<'_>| {
            match self.look(|engine, _| engine.poll_connected()) {
                Ok(Some(outcome)) => return Poll::Ready(outcome),
                Ok(None) => register(&self.watcher, context.waker()),
                Err(error) => return Poll::Ready(Err(error)),
            }
            Poll::Pending
        })
        .await
    }

    /// For the runner: tells who waits for connections.
    pub(crate) fn tell_watcher(&self) {
        if let Some(waker) = self.watcher.take() {
            waker.wake();
        }
    }

    /// Wakes the runner at this moment, too.
    pub(crate) fn wake_runner_by(&self, by: Instant) {
        self.wake_by.set(by);
        self.news.set(true);
        self.wake_runner();
    }

    pub(crate) fn wake_runner(&self) {
        if let Some(waker) = self.runner.take() {
            waker.wake();
        }
    }
}

/// One place for one task. If another waits there, that one is woken to look again.
fn register(place: &Cell<Option<Waker>>, waker: &Waker) {
    match place.take() {
        Some(before) if before.will_wake(waker) => place.set(Some(before)),
        before => {
            place.set(Some(waker.clone()));
            if let Some(before) = before {
                before.wake();
            }
        }
    }
}
