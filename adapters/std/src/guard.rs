//! A lock that is held.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Error, os};
use redlatch_core::{Event, Lease, Loss, Released};

use crate::handle::Handle;
use crate::session::Session;

/// A lock that is held, until its lease runs out.
///
/// Dropping it gives the lock back in the background, without blocking and without panicking, also
/// while the thread unwinds. Only when it outlives all clients it waits for that, for one reply
/// timeout at most. [`Guard::release`] waits for the servers and says whether the lock was
/// ours until then. The lock is never extended by itself.
#[must_use = "dropping the guard gives the lock back"]
pub struct Guard {
    handle: Arc<Handle>,
    session: Arc<Session>,
    key: Arc<[u8]>,
    lease: Result<Lease, Loss>,
    released: bool,
}

impl Guard {
    pub(crate) fn new(handle: Arc<Handle>, session: Arc<Session>, lease: Lease) -> Self {
        let key = session.machine().lock.key().as_slice().into();
        Self { handle, session, key, lease: Ok(lease), released: false }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// How long the lock may still be believed; zero when it is lost.
    ///
    /// It counts from before the request was sent, less the allowance for clock drift.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.lease.map_or(Duration::ZERO, |lease| lease.validity(os::now()))
    }

    /// Whether the lock may still be believed. It says nothing about the next moment: what must
    /// not happen without the lock needs a fencing token.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.lease.is_ok_and(|lease| lease.is_valid(os::now()))
    }

    /// Extends the lock to its full ttl, counted from now, and gives its new validity. Takes one
    /// reply timeout at most.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    /// * [`Error::Closed`]: the client was shut down.
    pub fn extend(&mut self) -> Result<Duration, Error> {
        let lease = self.lease.map_err(Error::Lost)?;
        let shared = self.handle.shared();
        if shared.is_closed() {
            return Err(Error::Closed);
        }
        let event = shared.drive(&self.session, |lock, now| lock.extend(now))?;
        let lost = match event {
            Event::Extended(lease) => {
                self.lease = Ok(lease);
                return Ok(self.validity());
            }
            Event::NotExtended(tally) if lease.is_valid(os::now()) => {
                return Err(Error::NotExtended { validity: self.validity(), tally });
            }
            Event::Lost(loss) => loss,
            _ => Loss::Expired,
        };
        self.lease = Err(lost);
        Err(Error::Lost(lost))
    }

    /// Gives the lock back and waits for the servers, one reply timeout at most. Says whether the
    /// lock was still ours.
    ///
    /// # Errors
    /// * [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    ///   background.
    /// * [`Error::Closed`]: the client was shut down; the key is left to its ttl.
    pub fn release(mut self) -> Result<bool, Error> {
        let shared = self.handle.shared();
        if shared.is_closed() {
            return Err(Error::Closed);
        }
        self.released = true;
        let began = shared.drive(&self.session, |lock, now| lock.release(now));
        match began? {
            Event::Released(Released::Confirmed) => Ok(true),
            Event::Released(Released::Unconfirmed) => Err(Error::Unconfirmed),
            _ => Ok(false),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.released {
            self.session.abandon_to(&self.handle.shared().errands);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("key", &format_args!("{}", self.key.escape_ascii()))
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}
