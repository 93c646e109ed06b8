//! The client: whoever calls it drives the loop.

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;

use rand_core::TryCryptoRng;
use redlatch_bare::{Engine, Error, Fault, Instant, LockId, Loss, Memory, Options, Retry};

use crate::clock::Clock;
use crate::guard::{Guard, Owner};
use crate::machinery::Machinery;
use crate::streams::Streams;

/// A client of one server, or of several that decide by majority. All its locks share one stream to
/// each server.
///
/// `M` is its memory, `S` its streams, `C` the clock, `R` the random generator. It connects by itself,
/// and again when a connection was given up, with a growing random pause. It works only while one of
/// its methods runs: see the [crate].
pub struct Client<'a, M, S, C, R> {
    // No method is ever called from inside of another, unless a clock, stream or generator does it.
    parts: RefCell<Machinery<'a, M, S, C, R>>,
}

impl<'a, M: Memory<'a>, S: Streams, C: Clock, R: TryCryptoRng> Client<'a, M, S, C, R> {
    /// A client that is not connected yet: that begins with the first call of another method.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn new(
        memory: M,
        streams: S,
        clock: C,
        mut rng: R,
        options: &'a Options,
    ) -> Result<Self, Error> {
        let seed = rng.try_next_u64().map_err(|_| Error::Random)?;
        let engine = Engine::new(memory, options, seed);
        Ok(Self { parts: RefCell::new(Machinery { engine, streams, clock, rng }) })
    }

    /// Waits until every server is ready or has failed to be: for one connect timeout at most, and for the
    /// pause before that if an attempt has just failed. A majority is enough. Locks do that by themselves;
    /// this tells what is wrong before one is needed.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn connect(&self) -> Result<(), Error> {
        self.outcome(|engine, _| engine.poll_connected())
    }

    /// Tries once to take the lock. `None` when somebody else has it, or when the servers answered
    /// so late that nothing of the ttl was left. Takes one reply timeout at most; a connection that is
    /// not open yet is waited for that long.
    ///
    /// # Errors
    /// [`Error`]: the servers could not be asked or refused, or the arguments cannot work.
    pub fn try_lock(&self, key: &[u8], ttl: Duration) -> Result<Option<Guard<'_>>, Error> {
        match self.lock_with(key, ttl, Retry::NONE) {
            Ok(guard) => Ok(Some(guard)),
            Err(Error::TimedOut(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock, waiting as long as [`Options::retry`] says.
    ///
    /// # Errors
    /// As [`Client::lock_with`].
    pub fn lock(&self, key: &[u8], ttl: Duration) -> Result<Guard<'_>, Error> {
        let retry = self.with(|parts| parts.engine.options().retry)?;
        self.lock_with(key, ttl, retry)
    }

    /// Takes the lock, waiting as long as `retry` says.
    ///
    /// A server that speaks RESP3 tells when the key changes, and a timer says when it has expired, so one
    /// that waits sends nothing: see [`Options::wake`]. Elsewhere it tries again when [`Retry::delay`] says.
    /// Each lock that waits asks for itself, and who comes first is not always served first. Attempts that
    /// it is woken for do not count among [`Retry::retries`].
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not be
    /// asked or refused, or the arguments cannot work.
    pub fn lock_with(&self, key: &[u8], ttl: Duration, retry: Retry) -> Result<Guard<'_>, Error> {
        let lock = self.with(|parts| {
            let now = parts.clock.now();
            parts.engine.acquire(key, ttl, retry, now)
        })??;
        // From here on it is given back whatever happens.
        let guard = Guard::new(self, lock);
        guard.expect_acquired()?;
        Ok(guard)
    }

    /// Does what is due, without waiting: reads what has come, extends the locks that are renewed,
    /// gives back what is owed, connects. Call it often.
    ///
    /// # Errors
    /// [`Error::Reentered`].
    pub fn poll(&self) -> Result<(), Error> {
        self.with(|parts| {
            parts.turn(true);
        })
    }

    /// When [`Client::poll`] has something to do although no byte has come. [`Instant::NEVER`] when it
    /// has not, as long as none of the locks is held.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.with(|parts| parts.engine.poll_timeout()).unwrap_or(Instant::ZERO)
    }

    /// Waits for `time`, and does meanwhile what [`Client::poll`] does.
    ///
    /// # Errors
    /// [`Error::Reentered`].
    pub fn wait(&self, time: Duration) -> Result<(), Error> {
        let until = self.with(|parts| parts.clock.now())?.saturating_add(time);
        self.drive_until(until, &mut |_, now| until <= now)
    }

    /// Waits until everything that is owed for dropped locks is given back, for `timeout` at most.
    /// Whether it is; the rest is left to its ttl.
    #[must_use = "tells whether keys are left to their ttl"]
    pub fn settle(&self, timeout: Duration) -> bool {
        let Ok(by) = self.with(|parts| parts.clock.now().saturating_add(timeout)) else {
            return false;
        };
        let driven = self.drive_until(by, &mut |engine, now| engine.is_settled() || by <= now);
        driven.is_ok() && self.with(|parts| parts.engine.is_settled()).unwrap_or(false)
    }

    /// Whether a majority of the servers is ready for locks.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.with(|parts| parts.engine.is_connected()).unwrap_or(false)
    }

    /// Why the first server that is not connected is not, and which it is.
    #[must_use]
    pub fn fault(&self) -> Option<(usize, Fault)> {
        self.with(|parts| parts.engine.fault()).unwrap_or(None)
    }

    /// Ends, and gives back the streams, the clock and the generator. What is owed is left to its ttl:
    /// [settle](Self::settle) first.
    pub fn free(self) -> (S, C, R) {
        let Machinery { streams, clock, rng, .. } = self.parts.into_inner();
        (streams, clock, rng)
    }

    fn with<T>(&self, what: impl FnOnce(&mut Machinery<'a, M, S, C, R>) -> T) -> Result<T, Error> {
        let mut parts = self.parts.try_borrow_mut().map_err(|_| Error::Reentered)?;
        Ok(what(&mut parts))
    }

    /// Works until there is an outcome, which the engine sees to.
    fn outcome<T>(
        &self,
        mut ask: impl FnMut(&mut Engine<'a, M>, Instant) -> Option<Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut outcome = None;
        self.drive_until(Instant::NEVER, &mut |engine, now| {
            outcome = ask(engine, now);
            outcome.is_some()
        })?;
        outcome.unwrap_or(Err(Error::Reentered))
    }

    /// Works until `done`, which must come to pass by `until` or when the engine says.
    fn drive_until(
        &self,
        until: Instant,
        done: &mut dyn FnMut(&mut Engine<'a, M>, Instant) -> bool,
    ) -> Result<(), Error> {
        let mut parts = self.parts.try_borrow_mut().map_err(|_| Error::Reentered)?;
        loop {
            let moved = parts.turn(true);
            let now = parts.clock.now();
            if done(&mut parts.engine, now) {
                return Ok(());
            }
            let until = parts.engine.poll_timeout().min(until);
            // A stream that is to be closed, for example, is due at once.
            if !moved && now < until {
                parts.clock.idle(until);
            }
        }
    }
}

impl<'a, M: Memory<'a>, S: Streams, C: Clock, R: TryCryptoRng> Owner for Client<'a, M, S, C, R> {
    fn expect_acquired(&self, lock: &LockId) -> Result<(), Error> {
        self.outcome(|engine, _| engine.poll_acquired(lock))
    }

    fn validity(&self, lock: &LockId) -> Duration {
        let look = self.with(|parts| parts.engine.validity(lock, parts.clock.now()));
        look.unwrap_or(Duration::ZERO)
    }

    fn loss(&self, lock: &LockId) -> Option<Loss> {
        let look = self.with(|parts| {
            parts.turn(false);
            parts.engine.loss(lock)
        });
        look.unwrap_or(None)
    }

    fn extend(&self, lock: &LockId) -> Result<Duration, Error> {
        self.with(|parts| {
            let now = parts.clock.now();
            parts.engine.extend(lock, now);
        })?;
        self.outcome(|engine, now| {
            let extended = engine.poll_extended(lock)?;
            Some(extended.map(|()| engine.validity(lock, now)))
        })
    }

    fn release(&self, lock: &LockId) -> Result<bool, Error> {
        self.with(|parts| {
            let now = parts.clock.now();
            parts.engine.release(lock, now);
        })?;
        self.outcome(|engine, _| engine.poll_released(lock))
    }

    /// Sends the release if the stream takes it; does not wait for its answer.
    fn abandon(&self, lock: &LockId) {
        let _ = self.with(|parts| {
            let now = parts.clock.now();
            parts.engine.abandon(lock, now);
            parts.turn(false);
        });
    }
}

impl<M, S, C, R> fmt::Debug for Client<'_, M, S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
