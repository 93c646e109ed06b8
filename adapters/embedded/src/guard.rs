//! A lock that is held.

use core::fmt;
use core::time::Duration;

use redlatch_bare::{Error, LockId, Loss};

/// A lock that is held, until its lease runs out.
///
/// Dropping it gives the lock back: the release is sent if the stream takes it, its answer is not
/// waited for. [`Client::poll`](crate::Client::poll) or [`Client::settle`](crate::Client::settle) sees to
/// the rest. [`Guard::release`] waits, and says whether the lock was ours until then.
#[must_use = "dropping the guard gives the lock back"]
pub struct Guard<'c> {
    client: &'c dyn Owner,
    lock: LockId,
}

impl<'c> Guard<'c> {
    pub(crate) fn new(client: &'c dyn Owner, lock: LockId) -> Self {
        Self { client, lock }
    }

    pub(crate) fn expect_acquired(&self) -> Result<(), Error> {
        self.client.expect_acquired(&self.lock)
    }

    /// How long the lock may still be believed; zero when it is lost.
    ///
    /// It counts from before the request was sent, less the allowance for clock drift.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.client.validity(&self.lock)
    }

    /// Whether the lock may still be believed. It says nothing about the next moment: what must
    /// not happen without the lock needs a fencing token.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.validity().is_zero()
    }

    /// Why the lock was lost, if it was. A loss is final.
    ///
    /// Only who [renews](crate::Options::renew) or [extends](Guard::extend) a lock asks the servers and can
    /// hear [`Loss::Deleted`] and [`Loss::Stolen`]; otherwise only the end of the lease is seen.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.client.loss(&self.lock)
    }

    /// Extends the lock to its full ttl, counted from now, and gives its new validity. Takes one
    /// reply timeout at most.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    pub fn extend(&mut self) -> Result<Duration, Error> {
        self.client.extend(&self.lock)
    }

    /// Gives the lock back and waits for the servers, one reply timeout at most. Says whether the
    /// lock was still ours.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated by
    /// [`Client::poll`](crate::Client::poll).
    pub fn release(self) -> Result<bool, Error> {
        self.client.release(&self.lock)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.client.abandon(&self.lock);
    }
}

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("validity", &self.validity()).finish_non_exhaustive()
    }
}

/// What a guard needs of its client, whatever that is made of.
pub(crate) trait Owner {
    fn expect_acquired(&self, lock: &LockId) -> Result<(), Error>;
    fn validity(&self, lock: &LockId) -> Duration;
    fn loss(&self, lock: &LockId) -> Option<Loss>;
    fn extend(&self, lock: &LockId) -> Result<Duration, Error>;
    fn release(&self, lock: &LockId) -> Result<bool, Error>;
    fn abandon(&self, lock: &LockId);
}
