//! A lock that is held.

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Detached, Error, Held, Key};
use redlatch_core::Loss;

use crate::handle::Handle;
use crate::wait::{Unlocking, wait};

/// A lock that is held, until its lease runs out.
///
/// Dropping it gives the lock back in the background, without blocking and without panicking,
/// wherever it is dropped: in the runtime or outside it, and while the thread unwinds. When the
/// runtime has been shut down, the key is left to its ttl. [`Guard::release`] waits for the servers
/// and says whether the lock was ours until then. The lock is extended by
/// itself only if the client [renews](crate::Client::renewing).
#[must_use = "dropping the guard gives the lock back"]
pub struct Guard {
    // Dropped first: the last handle gives the reaper time for the release.
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

    /// Waits until the lock is lost, and gives the reason. Any number of tasks may wait, and stop
    /// waiting.
    ///
    /// # Errors
    /// [`Error::Closed`]: the client was shut down, and nobody watches the lock any more. It is
    /// neither lost nor renewed: [`Guard::validity`] tells what is left of it.
    pub async fn lost(&self) -> Result<Loss, Error> {
        let mut losing = self.held.losing();
        let closed = || Err(Error::Closed);
        wait(self.handle.alarms(), closed, |waker| losing.poll(waker).map(Ok)).await
    }

    /// Does work that must not go on without the lock: as soon as the lock is lost, the work is not
    /// polled again and dropped. What it has already started elsewhere goes on; that needs a fencing
    /// token.
    ///
    /// # Errors
    /// [`Error::Lost`] and [`Error::Closed`], as [`Guard::lost`] ends; the work is dropped.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let (mut lost, mut work) = (pin!(self.lost()), pin!(work));
        poll_fn(|context| match lost.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Err(ended.map_or_else(|error| error, Error::Lost))),
            Poll::Pending => work.as_mut().poll(context).map(Ok),
        })
        .await
    }

    /// Extends the lock to its full ttl, counted from now, and gives its new validity. Takes one
    /// reply timeout at most.
    ///
    /// When this future is dropped, the lock is held on, until its old deadline or the new one.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    /// * [`Error::Closed`]: the client was shut down.
    pub async fn extend(&mut self) -> Result<Duration, Error> {
        let mut extending = self.held.extend()?;
        let closed = || Err(Error::Closed);
        wait(self.handle.alarms(), closed, |waker| extending.poll(waker)).await
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
    /// lock was still ours. When this future is dropped, the lock is given back all the same.
    ///
    /// # Errors
    /// * [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    ///   background.
    /// * [`Error::Closed`]: the client was shut down; the key is left to its ttl.
    pub async fn release(self) -> Result<bool, Error> {
        // Dropped last, also when this future is.
        let Self { held, handle } = self;
        let mut releasing = held.release()?;
        Unlocking::new(handle.alarms(), &mut releasing).await
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
