//! What a scenario needs of an adapter.

use core::time::Duration;

use redlatch_bare::{Error, Loss, Retry};

/// A client of either adapter. The methods of one that blocks are ready when they are first polled.
#[allow(async_fn_in_trait, reason = "no firmware has a second thread")]
pub trait Client {
    /// Its guard.
    type Guard<'c>: Guard
    where
        Self: 'c;

    /// Waits for the servers.
    ///
    /// # Errors
    /// As the adapter.
    async fn connect(&self) -> Result<(), Error>;

    /// Takes the lock.
    ///
    /// # Errors
    /// As the adapter.
    async fn lock(&self, key: &str, ttl: Duration, retry: Retry) -> Result<Self::Guard<'_>, Error>;

    /// Waits while locks are renewed and given back.
    async fn wait(&self, time: Duration);
}

/// A lock that is held.
#[allow(async_fn_in_trait, reason = "no firmware has a second thread")]
pub trait Guard {
    /// What is left of it.
    fn validity(&self) -> Duration;

    /// Why it was lost.
    fn loss(&self) -> Option<Loss>;

    /// Extends it.
    ///
    /// # Errors
    /// As the adapter.
    async fn extend(&mut self) -> Result<Duration, Error>;

    /// Gives it back. Whether it was ours.
    ///
    /// # Errors
    /// As the adapter.
    async fn release(self) -> Result<bool, Error>;
}
