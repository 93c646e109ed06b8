//! How others reach the reaper.

use core::task::Waker;
use std::sync::{Arc, Mutex, MutexGuard};

use redlatch_core::Instant;

use crate::os;
use crate::progress::Progress;
use crate::session::Session;
use crate::sync::{Place, Wakers, lock};

/// What the reaper is asked to do.
#[derive(Default)]
pub(crate) struct Errands {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Every session at most once.
    visits: Vec<Arc<Session>>,
    poked: bool,
    /// The client is closing: pay what is owed, until then at most.
    close_by: Option<Instant>,
    /// The reaper has ended; whether all was paid.
    paid: Option<bool>,
    reaper: Option<Waker>,
    closers: Wakers,
}

/// For everybody.
impl Errands {
    /// Asks the reaper to look at a machine. When it has ended, the machine is left to its ttl.
    pub(crate) fn visit(&self, session: Arc<Session>) {
        if !session.queue() {
            return;
        }
        let mut state = lock(&self.state);
        if state.paid.is_some() {
            return drop(state);
        }
        state.visits.push(session);
        wake_reaper(state);
    }

    /// Asks the reaper to look whether it may end.
    pub(crate) fn poke(&self) {
        let mut state = lock(&self.state);
        state.poked = true;
        wake_reaper(state);
    }

    /// Asks the reaper to pay what is owed and to end, by this moment at the latest.
    pub(crate) fn close(&self, by: Instant) {
        let mut state = lock(&self.state);
        state.close_by = Some(state.close_by.map_or(by, |earlier| earlier.min(by)));
        wake_reaper(state);
    }

    /// Waits until the reaper has ended, until the moment at most. Whether all was paid.
    pub(crate) fn poll_closed(
        &self,
        until: Instant,
        place: &mut Place,
        waker: &Waker,
    ) -> Progress<bool> {
        let fresh = waker.clone();
        let mut state = lock(&self.state);
        if let Some(paid) = state.paid {
            drop(state);
            return Progress::Done(paid);
        }
        let before = state.closers.note(place, fresh);
        drop(state);
        drop(before);
        if until <= os::now() { Progress::Done(false) } else { Progress::Wait(until) }
    }

    /// Does not wait for the end any more.
    pub(crate) fn leave_closers(&self, place: &Place) {
        let before = lock(&self.state).closers.leave(place);
        drop(before);
    }
}

/// For the reaper.
impl Errands {
    /// What there is to do.
    pub(crate) fn collect(&self) -> (Vec<Arc<Session>>, Option<Instant>) {
        let mut state = lock(&self.state);
        state.poked = false;
        (core::mem::take(&mut state.visits), state.close_by)
    }

    /// Whether nothing came since [`Errands::collect`] gave `close_by`. Then the waker will be woken
    /// once when something comes.
    pub(crate) fn is_idle(&self, close_by: Option<Instant>, waker: &Waker) -> bool {
        let fresh = waker.clone();
        let mut state = lock(&self.state);
        let idle = state.visits.is_empty() && !state.poked && state.close_by == close_by;
        let before = state.reaper.replace(fresh);
        drop(state);
        drop(before);
        idle
    }

    /// Ends, once and for all, unless all is paid and just now somebody has brought more.
    pub(crate) fn end(&self, paid: bool) -> bool {
        let mut state = lock(&self.state);
        if state.paid.is_some() {
            return true;
        }
        if paid && !state.visits.is_empty() {
            return false;
        }
        state.paid = Some(paid);
        let left = core::mem::take(&mut state.visits);
        let reaper = state.reaper.take();
        let closers = state.closers.take();
        drop(state);
        drop((left, reaper));
        closers.into_iter().for_each(Waker::wake);
        true
    }
}

fn wake_reaper(mut state: MutexGuard<'_, State>) {
    let reaper = state.reaper.take();
    drop(state);
    if let Some(reaper) = reaper {
        reaper.wake();
    }
}
