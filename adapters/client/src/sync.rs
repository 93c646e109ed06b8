//! Mutexes that a panic elsewhere does not close, and wakers that are never touched under one.
//!
//! Waking and dropping a waker run foreign code, which may call back. So wakers are taken out under
//! the mutex and woken or dropped after it.

use core::task::Waker;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a thread has panicked with the lock in hand. Nothing here runs foreign code
/// under a mutex, so there is no state that a panic could have left half-made.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those who wait for one thing. Each has a place, which it gives back when it goes.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Vec<(u64, Waker)>,
    next: u64,
}

/// A place among the [`Wakers`], once it is taken.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<u64>);

impl Wakers {
    /// Notes whom to wake. Gives the waker that was noted before, to be dropped without the mutex.
    #[must_use]
    pub(crate) fn note(&mut self, place: &mut Place, waker: Waker) -> Option<Waker> {
        let id = *place.0.get_or_insert_with(|| {
            self.next = self.next.wrapping_add(1);
            self.next
        });
        if let Some((_, noted)) = self.waiting.iter_mut().find(|(other, _)| *other == id) {
            return Some(core::mem::replace(noted, waker));
        }
        self.waiting.push((id, waker));
        None
    }

    /// Gives a place back. Gives the waker, to be dropped without the mutex.
    #[must_use]
    pub(crate) fn leave(&mut self, place: &Place) -> Option<Waker> {
        let at = self.waiting.iter().position(|(id, _)| Some(*id) == place.0)?;
        Some(self.waiting.swap_remove(at).1)
    }

    /// Takes out all, to be woken without the mutex. They note themselves again if they still wait.
    #[must_use]
    pub(crate) fn take(&mut self) -> Vec<Waker> {
        self.waiting.drain(..).map(|(_, waker)| waker).collect()
    }
}
