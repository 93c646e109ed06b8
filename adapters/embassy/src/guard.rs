//! A lock that is held.

use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};
use core::time::Duration;

use embassy_futures::select::{Either, select};
use redlatch_bare::{Engine, Error, Instant, LockId, Loss, Memory};

use crate::shared::Shared;
use crate::time::Time;

/// A lock that is held, until its lease runs out.
///
/// Dropping it gives the lock back: the [`Runner`](crate::Runner) sees to it. [`Guard::release`] waits,
/// and says whether the lock was ours until then.
#[must_use = "dropping the guard gives the lock back"]
pub struct Guard<'s> {
    shared: &'s dyn Owner,
    lock: LockId,
}

impl<'s> Guard<'s> {
    pub(crate) fn new(shared: &'s dyn Owner, lock: LockId) -> Self {
        Self { shared, lock }
    }

    pub(crate) fn poll_acquired(&self, waker: &Waker) -> Poll<Result<(), Error>> {
        self.shared.poll_acquired(&self.lock, waker)
    }

    /// How long the lock may still be believed; zero when it is lost.
    ///
    /// It counts from before the request was sent, less the allowance for clock drift.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.shared.validity(&self.lock)
    }

    /// Whether the lock may still be believed. It says nothing about the next moment: what must
    /// not happen without the lock needs a fencing token.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.validity().is_zero()
    }

    /// Why the lock was lost, if that is known already. A loss is final.
    ///
    /// Only who [renews](crate::Options::renew) or [extends](Guard::extend) a lock asks the servers and can
    /// hear [`Loss::Deleted`] and [`Loss::Stolen`]; otherwise only the end of the lease is seen.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.shared.loss(&self.lock)
    }

    /// Waits until the lock is lost, and gives the reason. For one task at a time.
    pub async fn lost(&self) -> Loss {
        poll_fn(|context| self.shared.poll_lost(&self.lock, context.waker())).await
    }

    /// Does `work` while the lock is held. If the lock is lost first, the work is dropped where it
    /// stands.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn run<W: Future>(&self, work: W) -> Result<W::Output, Error> {
        match select(self.lost(), work).await {
            Either::First(loss) => Err(Error::Lost(loss)),
            Either::Second(result) => Ok(result),
        }
    }

    /// Extends the lock to its full ttl, counted from now, and gives its new validity. Takes one
    /// reply timeout at most.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    pub async fn extend(&mut self) -> Result<Duration, Error> {
        self.shared.extend(&self.lock)?;
        poll_fn(|context| self.shared.poll_extended(&self.lock, context.waker())).await
    }

    /// Gives the lock back and waits for the servers, one reply timeout at most. Says whether the
    /// lock was still ours. Dropped before it is done, it goes on in the background.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    /// background.
    pub async fn release(self) -> Result<bool, Error> {
        self.shared.release(&self.lock)?;
        poll_fn(|context| self.shared.poll_released(&self.lock, context.waker())).await
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.shared.abandon(&self.lock);
    }
}

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("validity", &self.validity()).finish_non_exhaustive()
    }
}

/// What a guard needs of its client, whatever that is made of.
pub(crate) trait Owner {
    fn poll_acquired(&self, lock: &LockId, waker: &Waker) -> Poll<Result<(), Error>>;
    fn validity(&self, lock: &LockId) -> Duration;
    fn loss(&self, lock: &LockId) -> Option<Loss>;
    fn poll_lost(&self, lock: &LockId, waker: &Waker) -> Poll<Loss>;
    fn extend(&self, lock: &LockId) -> Result<(), Error>;
    fn poll_extended(&self, lock: &LockId, waker: &Waker) -> Poll<Result<Duration, Error>>;
    fn release(&self, lock: &LockId) -> Result<(), Error>;
    fn poll_released(&self, lock: &LockId, waker: &Waker) -> Poll<Result<bool, Error>>;
    fn abandon(&self, lock: &LockId);
}

impl<'a, M: Memory<'a>, T: Time> Owner for Shared<'a, M, T> {
    fn poll_acquired(&self, lock: &LockId, waker: &Waker) -> Poll<Result<(), Error>> {
        self.poll(lock, waker, |engine, _| engine.poll_acquired(lock))
    }

    fn validity(&self, lock: &LockId) -> Duration {
        self.look(|engine, now| engine.validity(lock, now)).unwrap_or(Duration::ZERO)
    }

    fn loss(&self, lock: &LockId) -> Option<Loss> {
        self.look(|engine, _| engine.loss(lock)).unwrap_or(None)
    }

    fn poll_lost(&self, lock: &LockId, waker: &Waker) -> Poll<Loss> {
        let lost = self.poll(lock, waker, |engine, _| engine.loss(lock).map(Ok));
        lost.map(|loss| loss.unwrap_or(Loss::Expired))
    }

    fn extend(&self, lock: &LockId) -> Result<(), Error> {
        self.change(|engine, now| engine.extend(lock, now))
    }

    fn poll_extended(&self, lock: &LockId, waker: &Waker) -> Poll<Result<Duration, Error>> {
        self.poll(lock, waker, |engine, now| {
            let extended = engine.poll_extended(lock)?;
            Some(extended.map(|()| engine.validity(lock, now)))
        })
    }

    fn release(&self, lock: &LockId) -> Result<(), Error> {
        self.change(|engine, now| engine.release(lock, now))
    }

    fn poll_released(&self, lock: &LockId, waker: &Waker) -> Poll<Result<bool, Error>> {
        self.poll(lock, waker, |engine, _| engine.poll_released(lock))
    }

    fn abandon(&self, lock: &LockId) {
        let _ = self.change(|engine, now| engine.abandon(lock, now));
    }
}

impl<'a, M: Memory<'a>, T: Time> Shared<'a, M, T> {
    /// Asks for news of a lock, and to be woken when there are some.
    fn poll<R>(
        &self,
        lock: &LockId,
        waker: &Waker,
        ask: impl FnOnce(&mut Engine<'a, M>, Instant) -> Option<Result<R, Error>>,
    ) -> Poll<Result<R, Error>> {
        let answer = self.look(|engine, now| {
            let answer = ask(engine, now);
            if answer.is_none() {
                engine.register(lock, waker);
            }
            answer
        });
        match answer {
            Ok(Some(answer)) => Poll::Ready(answer),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
