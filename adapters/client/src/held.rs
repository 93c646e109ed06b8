//! A lock that is held: extending it, giving it back, and learning of its loss.

use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Event, Lease, Loss, Released};

use crate::detached::Detached;
use crate::drive::{Drive, Wish};
use crate::error::Error;
use crate::key::Key;
use crate::os;
use crate::owned::{Leaves, Owned};
use crate::progress::{Awaits, Progress};
use crate::round::Round;
use crate::sync::Place;
use crate::trace::Span;

/// A lock that is held; what the guard of an adapter wraps.
///
/// Dropping it hands the release to the reaper, without waiting and without panicking.
#[must_use = "dropping it gives the lock back"]
pub struct Held {
    owned: Owned,
}

impl Held {
    pub(crate) fn new(mut owned: Owned) -> Self {
        owned.leaves = Leaves::Unwanted;
        Self { owned }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.owned.session.key()
    }

    /// How long the lock may still be believed; zero when it is lost.
    ///
    /// It counts from before the request was sent, less the allowance for clock drift.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.look().map_or(Duration::ZERO, |lease| lease.validity(os::now()))
    }

    /// Whether the lock may still be believed.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.validity().is_zero()
    }

    /// Why the lock was lost, if it was. A loss is final. While a lock is not renewed, nobody asks
    /// the servers: then only the end of the lease is seen.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.look().err()
    }

    /// Waits for the loss.
    pub fn losing(&self) -> Losing<'_> {
        Losing { held: self, place: Place::default() }
    }

    /// Begins to extend the lease to a whole ttl from now.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Closed`].
    pub fn extend(&mut self) -> Result<Extending<'_>, Error> {
        if let Some(loss) = self.loss() {
            return Err(Error::Lost(loss));
        }
        if self.owned.engine.is_closed() {
            return Err(Error::Closed);
        }
        let Owned { engine, session, .. } = &self.owned;
        let owned = Owned::new(engine, Arc::clone(session), Leaves::Unfinished);
        let drive = Drive::new(owned, Span::extend(self.key()), Wish::Extend).begin();
        Ok(Extending { held: self, drive })
    }

    /// Begins to give the lock back. From here on it is given back whatever happens to what is
    /// returned.
    ///
    /// # Errors
    /// [`Error::Closed`]: the key is left to its ttl.
    pub fn release(self) -> Result<Releasing, Error> {
        let Self { owned } = self;
        if owned.engine.is_closed() {
            return Err(Error::Closed);
        }
        let span = Span::release(owned.session.key());
        Ok(Releasing::new(Drive::new(owned, span, Wish::Release)))
    }

    /// Lets go of the lock without giving it back: it stays held until its ttl, and can be
    /// [released](crate::Engine::release_detached) by another client of the same servers. `None` when it is
    /// lost.
    pub fn detach(mut self) -> Option<Detached> {
        let Owned { engine, session, leaves } = &mut self.owned;
        let mut machine = session.machine();
        session.take();
        let mut round = Round::new(session, session.take_mail(), os::now());
        let ttl = machine.lock.settings().ttl;
        let detached = machine.lock.detach(round.now);
        // It may still owe what earlier attempts have left.
        let wants = engine.attend(&mut machine.lock, &mut round);
        drop(machine);
        if wants.is_some() {
            session.hand_to(&engine.errands);
        }
        engine.finish(round, false);
        *leaves = Leaves::Nothing;
        detached.map(|lock| Detached::new(engine, session.key(), ttl, lock))
    }
}

impl Held {
    fn look(&self) -> Result<Lease, Loss> {
        self.owned.engine.look(&self.owned.session)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("key", &format_args!("{}", self.key()))
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}

/// A lock that is being extended. Dropped before it is done, it leaves the lock held, with the old
/// lease or the new one.
#[must_use = "nothing happens until it is polled"]
pub struct Extending<'a> {
    held: &'a mut Held,
    drive: Drive,
}

impl Extending<'_> {
    /// Waits for the servers, one reply timeout at most. Gives the validity.
    ///
    /// # Errors
    /// * [`Error::NotExtended`]: too few servers agreed in time; the old lease still stands.
    /// * [`Error::Lost`]: the lock is not held any more, for ever.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Result<Duration, Error>> {
        self.drive.poll(waker).map(|event| {
            let event = event?;
            let validity = self.held.validity();
            match (event, self.held.loss()) {
                (_, Some(loss)) => Err(Error::Lost(loss)),
                (Event::NotExtended(tally), None) => Err(Error::NotExtended { validity, tally }),
                (_, None) => Ok(validity),
            }
        })
    }

    /// What it waits for, after [`Extending::poll`] said so.
    #[must_use]
    pub fn awaits(&self) -> Awaits {
        self.drive.awaits()
    }
}

/// A lock that is being given back. Dropped before it is done, it is given back all the same.
#[must_use = "tells whether the lock was still ours"]
pub struct Releasing {
    drive: Drive,
}

impl Releasing {
    pub(crate) const fn new(drive: Drive) -> Self {
        Self { drive }
    }

    /// Waits for the servers, one reply timeout at most. Says whether the lock was still ours.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated by the
    /// reaper.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Result<bool, Error>> {
        self.drive.poll(waker).map(|event| match event? {
            Event::Released(Released::Confirmed) => Ok(true),
            Event::Released(Released::Unconfirmed) => Err(Error::Unconfirmed),
            _ => Ok(false),
        })
    }

    /// What it waits for, after [`Releasing::poll`] said so.
    #[must_use]
    pub fn awaits(&self) -> Awaits {
        self.drive.awaits()
    }
}

/// The wait for a loss. It may be dropped at any time.
#[must_use = "nothing happens until it is polled"]
pub struct Losing<'a> {
    held: &'a Held,
    place: Place,
}

impl Losing<'_> {
    /// Waits until the lock is lost, and gives the reason.
    pub fn poll(&mut self, waker: &Waker) -> Progress<Loss> {
        self.held.owned.session.watch(&mut self.place, waker);
        match self.held.look() {
            Ok(lease) => Progress::Wait(lease.until()),
            Err(loss) => Progress::Done(loss),
        }
    }
}

impl Drop for Losing<'_> {
    fn drop(&mut self) {
        self.held.owned.session.leave_watchers(&self.place);
    }
}
