//! The place of one lock.

use core::fmt;
use core::task::Waker;

use redlatch_core::{Event, Instant, Lock, Loss, Seat, Settings};

use crate::key::Key;

/// A lock that an engine keeps. Its owner gives it back with
/// [`Engine::abandon`](crate::Engine::abandon): forgotten, it keeps its place for ever.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lock that is not abandoned keeps its place"]
pub struct LockId {
    pub(crate) slot: usize,
    pub(crate) generation: u16,
}

/// The place of one lock, from when it is asked for until nothing of it is owed any more.
pub struct Slot<B, S> {
    /// `None` only while it changes.
    place: Option<Place<B, S>>,
    /// Which lock this is: answers for an earlier one in the same place are not for it.
    pub(crate) generation: u16,
    pub(crate) status: Status,
    /// Who waits for news of it.
    waker: Option<Waker>,
}

/// Storage that waits for a lock, or the lock in it.
#[allow(clippy::large_enum_variant)] // There is no allocator to box it with.
enum Place<B, S> {
    Free(Key<B>, S),
    Taken(Lock<Key<B>, S>),
}

/// What is told about a lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// Somebody owns it.
    pub(crate) owned: bool,
    /// What the machine said last that its owner has not heard.
    pub(crate) event: Option<Event>,
    /// Why it was lost.
    pub(crate) loss: Option<Loss>,
    /// The generator of tokens failed.
    pub(crate) no_token: bool,
    /// When it was taken.
    pub(crate) taken: Instant,
    /// When the machine wants to be looked at again.
    pub(crate) until: Instant,
}

impl Status {
    const NEW: Self = Self {
        owned: true,
        event: None,
        loss: None,
        no_token: false,
        taken: Instant::ZERO,
        until: Instant::NEVER,
    };
}

impl Status {
    pub(crate) const fn note(&mut self, event: Event, now: Instant) {
        match event {
            Event::Acquired(_) => self.taken = now,
            Event::Lost(loss) => self.loss = Some(loss),
            _ => {}
        }
        self.event = Some(event);
    }
}

impl<B, S> Slot<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    /// An empty place. `key` is storage for a key, the *length* of its slice is the room; `seats` holds
    /// one [`Seat`] for each server.
    pub const fn new(key: B, seats: S) -> Self {
        Self {
            place: Some(Place::Free(Key::new(key), seats)),
            generation: 0,
            status: Status::NEW,
            waker: None,
        }
    }

    /// Whether no lock is in here.
    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.place, Some(Place::Free(..)))
    }

    /// Puts a new lock here. False, and nothing is changed, when a lock is here already or the key does
    /// not fit.
    pub(crate) fn occupy(&mut self, name: &[u8], settings: Settings, seed: u64) -> bool {
        let Some(Place::Free(key, _)) = &mut self.place else { return false };
        if !key.set(name) {
            return false;
        }
        self.generation = self.generation.wrapping_add(1);
        self.status = Status::NEW;
        self.place = match self.place.take() {
            Some(Place::Free(key, seats)) => {
                Some(Place::Taken(Lock::new(key, seats, settings, seed)))
            }
            other => other,
        };
        true
    }

    pub(crate) const fn lock(&self) -> Option<&Lock<Key<B>, S>> {
        match &self.place {
            Some(Place::Taken(lock)) => Some(lock),
            _ => None,
        }
    }

    pub(crate) const fn lock_mut(&mut self) -> Option<&mut Lock<Key<B>, S>> {
        match &mut self.place {
            Some(Place::Taken(lock)) => Some(lock),
            _ => None,
        }
    }

    /// Wakes one who waits, at the next news. Whoever waited before and is replaced looks again at once.
    pub(crate) fn register(&mut self, waker: &Waker) {
        if self.waker.as_ref().is_some_and(|before| before.will_wake(waker)) {
            return;
        }
        self.wake();
        self.waker = Some(waker.clone());
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Gives the place free if nobody owns the lock and nothing of it is owed.
    pub(crate) fn tidy(&mut self) {
        if !self.status.owned && self.lock().is_some_and(Lock::is_settled) {
            self.place = match self.place.take() {
                Some(Place::Taken(lock)) => {
                    let (key, seats) = lock.into_parts();
                    Some(Place::Free(key, seats))
                }
                other => other,
            };
        }
    }
}

impl<B, S> fmt::Debug for Slot<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("status", &self.status).finish_non_exhaustive()
    }
}
