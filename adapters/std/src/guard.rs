//! A lock that is held.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Detached, Error, Extending, Held, Key, Progress, Releasing, os};
use redlatch_core::Loss;

use crate::handle::Handle;
use crate::wait::{wait, wait_for};

/// A lock that is held, until its lease runs out.
///
/// Dropping it gives the lock back in the background, without blocking and without panicking, also
/// while the thread unwinds. Only when it outlives all clients it waits for that, for one reply
/// timeout at most. [`Guard::release`] waits for the servers and says whether the lock was
/// ours until then. The lock is extended by itself only if the client [renews](crate::Client::renewing).
#[must_use = "dropping the guard gives the lock back"]
pub struct Guard {
    // Dropped first: the last handle waits for the release.
    held: Held,
    handle: Arc<Handle>,
}

impl Guard {
    pub(crate) const fn new(handle: Arc<Handle>, held: Held) -> Self {
        Self { held, handle }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.held.key()
    }

    /// How long the lock may still be believed; zero when it is lost.
    ///
    /// It counts from before the request was sent, less the allowance for clock drift.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.held.validity()
    }

    /// Whether the lock may still be believed. It says nothing about the next moment: what must
    /// not happen without the lock needs a fencing token.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.held.is_valid()
    }

    /// Why the lock was lost, if it was. A loss is final.
    ///
    /// Only who [renews](crate::Client::renewing) or [extends](Guard::extend) a lock asks the servers and
    /// can hear [`Loss::Deleted`] and [`Loss::Stolen`]; otherwise only the end of the lease is seen.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.held.loss()
    }

    /// Waits until the lock is lost, for `timeout` at most, and gives the reason. Any number of
    /// threads may wait.
    #[must_use]
    pub fn wait_lost(&self, timeout: Duration) -> Option<Loss> {
        let until = os::now().saturating_add(timeout);
        let mut losing = self.held.losing();
        wait(|waker| match losing.poll(waker) {
            Progress::Done(loss) => Progress::Done(Some(loss)),
            Progress::Wait(_) if until <= os::now() => Progress::Done(None),
            Progress::Wait(at) => Progress::Wait(at.min(until)),
        })
    }

    /// Extends the lock to its full ttl, counted from now, and gives its new validity. Takes one
    /// reply timeout at most.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    /// * [`Error::Closed`]: the client was shut down.
    pub fn extend(&mut self) -> Result<Duration, Error> {
        let mut extending = self.held.extend()?;
        wait_for(self.handle.post(), &mut extending, Extending::poll, Extending::awaits)
    }

    /// Lets go of the lock without giving it back: it stays held until its ttl, also when the client
    /// is gone, and can be [released](crate::Client::release_detached) by another client of the same
    /// servers. `None` when it is lost.
    pub fn detach(self) -> Option<Detached> {
        let Self { held, handle } = self;
        let detached = held.detach();
        drop(handle);
        detached
    }

    /// Gives the lock back and waits for the servers, one reply timeout at most. Says whether the
    /// lock was still ours.
    ///
    /// # Errors
    /// * [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    ///   background.
    /// * [`Error::Closed`]: the client was shut down; the key is left to its ttl.
    pub fn release(self) -> Result<bool, Error> {
        let Self { held, handle } = self;
        let mut releasing = held.release()?;
        let post = handle.post();
        let released = wait_for(post, &mut releasing, Releasing::poll, Releasing::awaits);
        drop(handle);
        released
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("key", &format_args!("{}", self.key()))
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}
