//! The place of one lock.

use core::fmt;
use core::task::Waker;

use redlatch_core::{Event, Instant, Lock, Loss, Seat, Settings, Ttl};

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
    pub(crate) lock: Lock<Key<B>, S>,
    pub(crate) status: Status,
    /// Who waits for news of it.
    waker: Option<Waker>,
}

/// Of a place where no lock is. The ttl is never sent.
const NONE: Settings = Settings::new(match Ttl::from_millis(1) {
    Ok(ttl) => ttl,
    Err(_) => panic!("one millisecond is a ttl"),
});

/// What is told about a lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// Which lock this is: answers for an earlier one in the same place are not for it.
    pub(crate) generation: u16,
    /// A lock is here: somebody owns it, or something of it is still owed.
    pub(crate) used: bool,
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
}

impl Status {
    const FREE: Self = Self {
        generation: 0,
        used: false,
        owned: false,
        event: None,
        loss: None,
        no_token: false,
        taken: Instant::ZERO,
    };

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
        let lock = Lock::new(Key::new(key), seats, NONE, 0);
        Self { lock, status: Status::FREE, waker: None }
    }

    /// Whether no lock is in here.
    pub(crate) const fn is_free(&self) -> bool {
        !self.status.used
    }

    /// Puts a new lock here, where none is. False, and the place stays free, when the key does not fit.
    pub(crate) fn occupy(&mut self, name: &[u8], settings: &Settings, seed: u64) -> bool {
        if !self.lock.reset(settings, seed).set(name) {
            return false;
        }
        let generation = self.status.generation.wrapping_add(1);
        self.status = Status { generation, used: true, owned: true, ..Status::FREE };
        true
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
        if !self.status.owned && self.lock.is_settled() {
            self.status.used = false;
        }
    }
}

impl<B, S> fmt::Debug for Slot<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("status", &self.status).finish_non_exhaustive()
    }
}
