//! What every lock and every component with connections can do.

use crate::context::Context;
use crate::error::Error;

/// A lock over any number of keys, for threads. [`Lock`](crate::Lock) says what goes for both.
pub trait Lock: Send + Sync {
    /// Tries once to acquire the lock, without waiting for others. Whether it was acquired; it then
    /// expires `ttl` milliseconds later unless it is released before.
    ///
    /// # Errors
    /// As [`Lock::try_acquire_lock`](crate::Lock::try_acquire_lock).
    fn try_acquire_lock(&self, context: Context<'_>, key: &str, ttl: i64) -> Result<bool, Error>;

    /// Acquires the lock for `ttl` milliseconds, and waits for it up to `timeout` milliseconds.
    ///
    /// # Errors
    /// As [`Lock::acquire_lock`](crate::Lock::acquire_lock).
    fn acquire_lock(
        &self,
        context: Context<'_>,
        key: &str,
        ttl: i64,
        timeout: i64,
    ) -> Result<(), Error>;

    /// Releases the lock. To release one that is not held, or not any more, does nothing and is no
    /// error.
    ///
    /// # Errors
    /// As [`Lock::release_lock`](crate::Lock::release_lock).
    fn release_lock(&self, context: Context<'_>, key: &str) -> Result<(), Error>;
}

/// A component that holds connections, for threads. [`Openable`](crate::Openable) says what goes for
/// both.
pub trait Openable: Send + Sync {
    /// Whether the component is open.
    fn is_open(&self) -> bool;

    /// Opens the component. Opening one that is open does nothing.
    ///
    /// # Errors
    /// As [`Openable::open`](crate::Openable::open).
    fn open(&self, context: Context<'_>) -> Result<(), Error>;

    /// Closes the component and gives back what it holds. Closing one that is closed does nothing.
    ///
    /// # Errors
    /// As [`Openable::close`](crate::Openable::close).
    fn close(&self, context: Context<'_>) -> Result<(), Error>;
}
