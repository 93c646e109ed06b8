//! The moments of those who wait.
//!
//! Futures of callers have no timer of their own: the reaper's task keeps the time for all of them.
//! So they can be polled on any executor, and nothing of theirs breaks when the runtime is gone.

use core::task::Waker;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redlatch_core::Instant;

/// The step of the clock.
const TICK: Duration = Duration::from_micros(1);

/// Who wants to be woken when. Wakers are never woken or dropped under the mutex.
pub(crate) struct Alarms {
    state: Mutex<State>,
}

struct State {
    due: BTreeMap<(Instant, u64), Waker>,
    next_id: u64,
    keeper: Keeper,
}

/// Who keeps the time.
enum Keeper {
    /// Awake: it looks at the moments before it sleeps.
    Awake,
    /// Sleeps until this moment.
    Asleep(Instant, Waker),
    /// Has ended.
    Gone,
}

/// Nobody keeps the time any more: the client is closed.
#[derive(Debug)]
pub(crate) struct Gone;

/// The alarm of one future; off when it is dropped.
pub(crate) struct Alarm<'a> {
    alarms: &'a Alarms,
    id: u64,
    at: Option<Instant>,
}

impl Alarms {
    pub(crate) const fn new() -> Self {
        let state = State { due: BTreeMap::new(), next_id: 0, keeper: Keeper::Awake };
        Self { state: Mutex::new(state) }
    }

    /// An alarm that is not set.
    pub(crate) fn alarm(&self) -> Alarm<'_> {
        let mut state = self.state();
        state.next_id = state.next_id.wrapping_add(1);
        Alarm { alarms: self, id: state.next_id, at: None }
    }

    /// The keeper wakes those whose moment has come.
    pub(crate) fn ring(&self, now: Instant) {
        let mut state = self.state();
        let asleep = core::mem::replace(&mut state.keeper, Keeper::Awake);
        let later = state.due.split_off(&(now.saturating_add(TICK), 0));
        let due = core::mem::replace(&mut state.due, later);
        drop(state);
        drop(asleep);
        due.into_values().for_each(Waker::wake);
    }

    /// The keeper goes to sleep until the first moment, `until` at most, which this gives.
    pub(crate) fn sleep(&self, until: Instant, waker: &Waker) -> Instant {
        let waker = waker.clone();
        let mut state = self.state();
        let first = state.due.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
        let until = until.min(first);
        let awake = core::mem::replace(&mut state.keeper, Keeper::Asleep(until, waker));
        drop(state);
        drop(awake);
        until
    }

    /// The keeper ends: those who wait shall look.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        let keeper = core::mem::replace(&mut state.keeper, Keeper::Gone);
        let due = core::mem::take(&mut state.due);
        drop(state);
        drop(keeper);
        due.into_values().for_each(Waker::wake);
    }

    /// Nothing foreign runs under the mutex, so a panic elsewhere leaves nothing half-made.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alarm<'_> {
    /// Wakes at this moment instead of the last that was set.
    ///
    /// # Errors
    /// [`Gone`]: it will never ring.
    pub(crate) fn set(&mut self, at: Instant, waker: &Waker) -> Result<(), Gone> {
        let waker = waker.clone();
        let mut state = self.alarms.state();
        let before = self.at.take().and_then(|old| state.due.remove(&(old, self.id)));
        let sleeper = match &mut state.keeper {
            Keeper::Gone => {
                drop(state);
                return Err(Gone);
            }
            // Woken once, it looks at all that was set meanwhile.
            Keeper::Asleep(until, keeper) if at < *until => {
                *until = at;
                Some(keeper.clone())
            }
            Keeper::Asleep(..) | Keeper::Awake => None,
        };
        self.at = Some(at);
        state.due.insert((at, self.id), waker);
        drop(state);
        drop(before);
        if let Some(keeper) = sleeper {
            keeper.wake();
        }
        Ok(())
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let before = self.at.and_then(|at| self.alarms.state().due.remove(&(at, self.id)));
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use super::Alarms;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::Waker;
    use redlatch_core::Instant;
    use std::sync::Arc;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counted() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn woken(count: &Count) -> usize {
        count.0.swap(0, Ordering::SeqCst)
    }

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn it_rings_at_its_moment_and_once() {
        let alarms = Alarms::new();
        let (count, waker) = counted();
        let mut alarm = alarms.alarm();
        alarm.set(at(10), &waker).expect("kept");
        for (now, rings) in [(9, 0), (10, 1), (11, 0)] {
            alarms.ring(at(now));
            assert_eq!(woken(&count), rings, "at {now}");
        }
    }

    #[test]
    fn it_rings_only_at_the_last_moment_that_was_set() {
        let alarms = Alarms::new();
        let (count, waker) = counted();
        let mut alarm = alarms.alarm();
        for moment in [30, 10, 20] {
            alarm.set(at(moment), &waker).expect("kept");
        }
        alarms.ring(at(19));
        assert_eq!(woken(&count), 0);
        alarms.ring(at(20));
        assert_eq!(woken(&count), 1);
    }

    /// Requirement 20: nothing is left of a future that was dropped.
    #[test]
    fn a_dropped_alarm_leaves_nothing() {
        let alarms = Alarms::new();
        let (count, waker) = counted();
        let mut alarm = alarms.alarm();
        alarm.set(at(10), &waker).expect("kept");
        drop(alarm);
        assert!(alarms.state().due.is_empty());
        alarms.ring(at(10));
        assert_eq!(woken(&count), 0);
    }

    /// The keeper sleeps until the first moment, and is woken only for an earlier one.
    #[test]
    fn the_keeper_is_woken_when_it_would_oversleep() {
        let alarms = Alarms::new();
        let ((count, waker), (keeper_count, keeper)) = (counted(), counted());
        let mut alarms_of = [alarms.alarm(), alarms.alarm(), alarms.alarm()];
        alarms_of[0].set(at(50), &waker).expect("kept");
        assert_eq!(alarms.sleep(at(90), &keeper), at(50));
        for (alarm, moment, wakes) in [(1, 60, 0), (1, 40, 1), (2, 45, 0), (2, 30, 1)] {
            alarms_of[alarm].set(at(moment), &waker).expect("kept");
            assert_eq!(woken(&keeper_count), wakes, "for {moment}");
        }
        assert_eq!(alarms.sleep(at(90), &keeper), at(30));
        assert_eq!(woken(&count), 0);
    }

    /// Requirement 10: the runtime is dropped while somebody waits.
    #[test]
    fn nobody_waits_for_a_keeper_that_is_gone() {
        let alarms = Alarms::new();
        let (count, waker) = counted();
        let mut alarm = alarms.alarm();
        alarm.set(Instant::NEVER, &waker).expect("kept");
        alarms.end();
        assert_eq!(woken(&count), 1);
        assert!(alarm.set(at(1), &waker).is_err());
        assert!(alarms.alarm().set(at(1), &waker).is_err());
        assert!(alarms.state().due.is_empty());
    }
}
