//! What every lock can do.

use crate::context::Context;
use crate::pending::Pending;

/// A lock over any number of keys; `ILock` in the family. [`blocking::Lock`](crate::blocking::Lock)
/// is the same for threads.
///
/// The times are whole milliseconds in an `i64`, as in the seed and in all languages of the family:
/// they often come from a configuration or from another language, and a negative one is an error
/// here, where an unsigned number would have made it a very long time.
///
/// A key is any text of at most 64 KiB, taken as it is: also an empty one, and one with spaces, line
/// breaks or letters of any script. A lock does not know who calls it: whoever has the lock object
/// can release what was acquired with it. It is not reentrant.
pub trait Lock: Send + Sync {
    /// Tries once to acquire the lock, without waiting for others. Whether it was acquired; it then
    /// expires `ttl` milliseconds later unless it is released before.
    ///
    /// # Errors
    /// [`INVALID_TTL`](crate::code::INVALID_TTL) unless the ttl is positive;
    /// [`INVALID_KEY`](crate::code::INVALID_KEY) for a key that is too long; what keeps the lock from
    /// telling.
    fn try_acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
    ) -> Pending<'a, bool>;

    /// Acquires the lock for `ttl` milliseconds, and waits for it up to `timeout` milliseconds. It is
    /// tried at least once, also when the timeout is 0, and for the last time when the timeout is
    /// over.
    ///
    /// # Errors
    /// [`LOCK_TIMEOUT`](crate::code::LOCK_TIMEOUT) with the key as the detail `key` when somebody else
    /// had it all the time; [`INVALID_TIMEOUT`](crate::code::INVALID_TIMEOUT) for a negative timeout;
    /// and those of [`Lock::try_acquire_lock`].
    fn acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
        timeout: i64,
    ) -> Pending<'a, ()>;

    /// Releases the lock. To release one that is not held, or not any more, does nothing and is no
    /// error.
    ///
    /// # Errors
    /// `INVALID_KEY` for a key that is too long; what keeps the lock from telling whether it is
    /// released.
    fn release_lock<'a>(&'a self, context: Context<'a>, key: &'a str) -> Pending<'a, ()>;
}
