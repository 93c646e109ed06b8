//! One server as everybody sees it: the connection that is up or why there is none.

use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use redlatch_core::{Answer, Class, Command, Greeting, Instant, Ticket};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::lines::Lines;
use crate::notice::Notice;
use crate::os;
use crate::progress::Progress;
use crate::session::Session;
use crate::sync::lock;
use crate::trace;
use crate::wakeups::{News, Wakeups};
use crate::wire::Wire;

pub(crate) struct Link {
    /// Its address, as errors name it.
    pub(crate) server: Arc<str>,
    state: Mutex<State>,
    /// Whoever has something to write writes it: the connection has an outlet.
    has_outlet: AtomicBool,
}

#[derive(Default)]
struct State {
    wire: Option<Wire>,
    /// Why there was no connection, or none any more, last time.
    error: Option<Error>,
    /// The last refusal, with the server's words.
    notice: Option<Notice>,
    /// The first attempt to connect has ended.
    tried: bool,
    closing: bool,
    /// The last connection was of use: the server answered on it.
    served: bool,
    /// Commands that were queued on connections that have ended.
    sent: u64,
    /// What the server said of itself last time, and when.
    greeted: Option<(Greeting, Instant)>,
    /// When it turned out that the server had been started again.
    restarted: Option<Instant>,
    /// Who keeps the connection up.
    keeper: Option<Waker>,
    /// Who waits for the first attempt.
    starter: Option<Waker>,
}

/// For everybody.
impl Link {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            server: endpoint.to_string().into(),
            state: Mutex::default(),
            has_outlet: AtomicBool::new(false),
        }
    }

    /// Begins to queue requests.
    pub(crate) fn sending(&self, now: Instant) -> Sending<'_> {
        let (state, now) = self.state_at(now);
        Sending { link: self, state, now, queued: false }
    }

    /// Writes what is queued, or wakes the keeper to do it, and notices that the server has been
    /// silent for too long. It waits only in an outlet whose server does not read, and then ends the
    /// connection after the reply timeout.
    pub(crate) fn flush(&self, now: Instant) {
        let (mut state, now) = self.state_at(now);
        let flushed = state.wire.as_mut().map_or(Ok(false), |wire| wire.flush(now));
        let keeper = match flushed {
            Ok(false) => None,
            Ok(true) => state.keeper.take(),
            Err(error) => {
                let mut wakeups = Wakeups::default();
                state.end(error, &mut wakeups);
                drop(state);
                return wakeups.wake(&self.server);
            }
        };
        let untracked = state.wire.as_mut().and_then(Wire::take_untracked);
        drop(state);
        if let Some(refusal) = untracked {
            trace::polling(&self.server, refusal);
        }
        if let Some(keeper) = keeper {
            keeper.wake();
        }
    }

    /// Whether [`Link::flush`] writes, and must be called again and again by those who wait.
    pub(crate) fn is_written_by_all(&self) -> bool {
        self.has_outlet.load(Ordering::Relaxed)
    }

    /// When somebody who waits for an answer must flush again, to notice that the server is silent.
    pub(crate) fn silence(&self) -> Instant {
        self.state().wire.as_ref().map_or(Instant::NEVER, Wire::silence)
    }

    /// Waits until the first attempt to connect has ended. Gives why it failed.
    pub(crate) fn poll_tried(&self, waker: &Waker) -> Progress<Result<(), Option<Error>>> {
        let fresh = waker.clone();
        let mut state = self.state();
        if state.tried {
            let connected = state.wire.is_some();
            return Progress::Done(if connected { Ok(()) } else { Err(state.error.clone()) });
        }
        let before = state.starter.replace(fresh);
        drop(state);
        drop(before);
        Progress::Wait(Instant::NEVER)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state().wire.is_some()
    }

    /// Why there is no connection, or none any more.
    pub(crate) fn error(&self) -> Option<Error> {
        self.state().error.clone()
    }

    /// The last refusal.
    pub(crate) fn notice(&self) -> Option<Notice> {
        self.state().notice.clone()
    }

    /// Commands that were queued since the start, greetings excluded.
    pub(crate) fn sent(&self) -> u64 {
        let state = self.state();
        state.sent + state.wire.as_ref().map_or(0, Wire::asked)
    }

    /// Whether the server has surely been started again since this moment.
    pub(crate) fn has_restarted_since(&self, moment: Instant) -> bool {
        self.state().restarted.is_some_and(|at| moment < at)
    }

    /// Ends the connection for good and tells the keeper.
    pub(crate) fn close(&self) {
        let mut wakeups = Wakeups::default();
        let mut state = self.state();
        state.closing = true;
        state.end(Error::Closed, &mut wakeups);
        wakeups.waker(state.keeper.take());
        drop(state);
        wakeups.wake(&self.server);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// With the moment `now` that the caller knows, or a later one: whoever waited for the mutex looks
    /// at the clock again.
    fn state_at(&self, now: Instant) -> (MutexGuard<'_, State>, Instant) {
        match self.state.try_lock() {
            Ok(state) => (state, now),
            Err(TryLockError::Poisoned(state)) => (state.into_inner(), now),
            Err(TryLockError::WouldBlock) => {
                let state = self.state();
                (state, os::now())
            }
        }
    }
}

/// Requests that are being queued, under the mutex of the link.
pub(crate) struct Sending<'a> {
    link: &'a Link,
    state: MutexGuard<'a, State>,
    now: Instant,
    queued: bool,
}

impl Sending<'_> {
    pub(crate) fn goes_to(&self, link: &Link) -> bool {
        core::ptr::eq(self.link, link)
    }

    /// Queues a request. Does not write it: see [`Sending::finish`].
    ///
    /// # Errors
    /// The answer, when the request was not queued.
    pub(crate) fn send(
        &mut self,
        ticket: Ticket,
        command: &Command<'_>,
        session: &Arc<Session>,
    ) -> Result<(), Answer> {
        let state = &mut *self.state;
        let wire = state.wire.as_mut().ok_or(Answer::Unreachable)?;
        let submitted = wire.submit(ticket, command, session, self.now);
        match submitted {
            Ok(()) => {
                session.expect_answer();
                self.queued = true;
            }
            Err(Answer::Refused(refusal)) => state.notice = Some(refusal.into()),
            Err(_) => {}
        }
        submitted
    }

    /// Gives the keeper that writes what was queued, to be woken without a mutex. Where there is an
    /// outlet, [`Link::flush`] writes it.
    pub(crate) fn finish(mut self) -> Option<Waker> {
        let has_outlet = self.link.is_written_by_all();
        if self.queued && !has_outlet { self.state.keeper.take() } else { None }
    }
}

/// For the keeper.
impl Link {
    pub(crate) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Publishes a connection and hints at it to those who wait, who are listed by `waiting`. That
    /// is done under the mutex: nobody who comes after that is told of it.
    pub(crate) fn open(&self, wire: Wire, waiting: impl FnOnce() -> Vec<Arc<Session>>) {
        let mut wakeups = Wakeups::default();
        let mut state = self.state();
        state.tried = true;
        state.served = false;
        state.error = None;
        state.note_greeting(wire.greeting(), os::now());
        self.has_outlet.store(wire.has_outlet(), Ordering::Relaxed);
        state.wire = Some(wire);
        wakeups.news(News::Connected);
        if state.closing {
            state.end(Error::Closed, &mut wakeups);
        }
        for session in waiting() {
            let call = session.hint();
            wakeups.session(session, call);
        }
        wakeups.waker(state.starter.take());
        drop(state);
        wakeups.wake(&self.server);
    }

    /// There is no connection.
    pub(crate) fn fail(&self, error: Error) {
        let mut wakeups = Wakeups::default();
        let mut state = self.state();
        state.tried = true;
        state.end(error.clone(), &mut wakeups);
        let news = state.error.replace(error.clone()).is_none();
        if !state.closing {
            wakeups.news(News::NotConnected(error, news));
        }
        wakeups.waker(state.starter.take());
        drop(state);
        wakeups.wake(&self.server);
    }

    /// Lends what is queued to `take`, which says how much of it is taken.
    pub(crate) fn poll_outgoing(
        &self,
        waker: &Waker,
        take: impl FnMut(&[u8]) -> usize,
    ) -> Progress<()> {
        let fresh = waker.clone();
        let mut wakeups = Wakeups::default();
        let mut state = self.state();
        let checked = state.wire.as_mut().map(|wire| {
            wire.check(os::now())?;
            wire.lend(take);
            Ok(wire.poll_timeout())
        });
        let progress = match checked {
            Some(Ok(until)) => Progress::Wait(until),
            Some(Err(error)) => {
                state.end(error, &mut wakeups);
                Progress::Done(())
            }
            None => Progress::Done(()),
        };
        let before = state.keeper.replace(fresh);
        drop(state);
        drop(before);
        wakeups.wake(&self.server);
        progress
    }

    /// Takes bytes that were read. Whether the connection lives on.
    /// What the server tells of keys goes to those who wait for them.
    pub(crate) fn receive(
        &self,
        bytes: &[u8],
        password: Option<&[u8]>,
        lines: &Lines,
        wakeups: &mut Wakeups,
    ) -> bool {
        let mut notice = None;
        let mut state = self.state();
        let Some(wire) = state.wire.as_mut() else { return false };
        let received = wire.receive(bytes, password, lines, &mut notice, wakeups);
        let lives = received.is_ok();
        let must_flush = lives && wire.must_flush();
        let untracked = wire.take_untracked();
        state.notice = notice.or(state.notice.take());
        state.served |= lives && !bytes.is_empty();
        if let Err(error) = received {
            state.end(error, wakeups);
        }
        drop(state);
        wakeups.wake(&self.server);
        if let Some(refusal) = untracked {
            trace::polling(&self.server, refusal);
        }
        if must_flush {
            self.flush(os::now());
        }
        lives
    }

    /// Whether answers are to come.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.state().wire.as_ref().is_some_and(Wire::is_awaiting)
    }

    /// Reading or writing failed.
    pub(crate) fn break_off(&self, error: io::Error) {
        let mut wakeups = Wakeups::default();
        let mut state = self.state();
        if let Some(wire) = &state.wire {
            let error = wire.io_error(error);
            state.end(error, &mut wakeups);
        }
        drop(state);
        wakeups.wake(&self.server);
    }

    /// Whether the server answered on the last connection; said once.
    pub(crate) fn take_served(&self) -> bool {
        core::mem::take(&mut self.state().served)
    }

    /// When to connect again: at `due`, or after `cap` when trying again cannot help.
    pub(crate) fn retry_at(&self, due: Instant, cap: Duration) -> Instant {
        match self.state().error {
            Some(Error::Replica { .. }) => os::now().saturating_add(cap),
            Some(Error::Refused { ref notice, .. }) if is_permanent(notice) => {
                os::now().saturating_add(cap)
            }
            _ => due,
        }
    }

    /// The keeper is gone: there will be no connection any more.
    pub(crate) fn forsake(&self) {
        self.fail(Error::Closed);
        let keeper = self.state().keeper.take();
        drop(keeper);
    }

    /// Waits until the moment, or until the client closes.
    pub(crate) fn poll_closing(&self, until: Instant, waker: &Waker) -> Progress<()> {
        let fresh = waker.clone();
        let mut state = self.state();
        if state.closing || until <= os::now() {
            drop(state);
            return Progress::Done(());
        }
        let before = state.keeper.replace(fresh);
        drop(state);
        drop(before);
        Progress::Wait(until)
    }
}

impl State {
    fn note_greeting(&mut self, greeting: Greeting, now: Instant) {
        let earlier = self.greeted.replace((greeting, now));
        if earlier
            .is_some_and(|(then, at)| greeting.proves_restart(&then, now.saturating_since(at)))
        {
            self.restarted = Some(now);
        }
    }

    fn end(&mut self, error: Error, wakeups: &mut Wakeups) {
        if let Some(wire) = self.wire.take() {
            self.error = Some(error.clone());
            if !self.closing {
                wakeups.news(News::NotConnected(error, true));
            }
            self.sent += wire.asked();
            wire.end(wakeups);
            wakeups.waker(self.keeper.take());
        }
    }
}

fn is_permanent(notice: &Notice) -> bool {
    notice.refusal().class() == Class::Permanent
}
