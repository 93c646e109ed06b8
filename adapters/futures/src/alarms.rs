//! The moments of those who wait.
//!
//! Futures of callers have no timer of their own: the reaper's task keeps the time for all of them.
//! So they can be polled on any executor, and nothing of theirs breaks when the runtime is gone.

use core::task::Waker;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redlatch_core::Instant;

/// Who wants to be woken when. Wakers are never woken or dropped under the mutex.
///
/// Most who wait are woken long before their moment. So an alarm that is set only takes a slot, and
/// the keeper puts those in order that are still set when it wakes.
pub(crate) struct Alarms {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As many as there ever were alarms at a time.
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Slots that were set since the keeper woke, each once.
    fresh: Vec<usize>,
    /// None of those is set for earlier.
    fresh_from: Option<Instant>,
    /// The slots that the keeper has put in order.
    due: BTreeSet<(Instant, usize)>,
    keeper: Keeper,
}

/// Of one alarm.
struct Slot {
    at: Instant,
    /// While it is set.
    waker: Option<Waker>,
    is_fresh: bool,
    is_ordered: bool,
}

/// Who keeps the time.
#[derive(Default)]
enum Keeper {
    /// Awake: it looks at the moments before it sleeps.
    #[default]
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
    /// Once it was set.
    slot: Option<usize>,
}

impl Alarms {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default() }
    }

    /// An alarm that is not set.
    pub(crate) const fn alarm(&self) -> Alarm<'_> {
        Alarm { alarms: self, slot: None }
    }

    /// The keeper wakes those whose moment has come.
    pub(crate) fn ring(&self, now: Instant) {
        let mut state = self.state();
        let asleep = core::mem::replace(&mut state.keeper, Keeper::Awake);
        state.put_in_order();
        let due = state.take_due(now);
        drop(state);
        drop(asleep);
        due.into_iter().for_each(Waker::wake);
    }

    /// The keeper goes to sleep until the first moment, `until` at most, which this gives.
    pub(crate) fn sleep(&self, until: Instant, waker: &Waker) -> Instant {
        let waker = waker.clone();
        let mut state = self.state();
        let first = state.due.first().map(|(at, _)| *at);
        let until = first.into_iter().chain(state.fresh_from).fold(until, Instant::min);
        let awake = core::mem::replace(&mut state.keeper, Keeper::Asleep(until, waker));
        drop(state);
        drop(awake);
        until
    }

    /// The keeper ends: those who wait shall look.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        let keeper = core::mem::replace(&mut state.keeper, Keeper::Gone);
        let all: Vec<_> = state.slots.iter_mut().filter_map(|slot| slot.waker.take()).collect();
        drop(state);
        drop(keeper);
        all.into_iter().for_each(Waker::wake);
    }

    /// Nothing foreign runs under the mutex, so a panic elsewhere leaves nothing half-made.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put_in_order(&mut self) {
        self.fresh_from = None;
        for at in self.fresh.drain(..) {
            let slot = &mut self.slots[at];
            slot.is_fresh = false;
            slot.is_ordered = slot.waker.is_some();
            if slot.is_ordered {
                self.due.insert((slot.at, at));
            }
        }
    }

    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while self.due.first().is_some_and(|(moment, _)| *moment <= now) {
            let Some((_, at)) = self.due.pop_first() else { break };
            let slot = &mut self.slots[at];
            slot.is_ordered = false;
            wakers.extend(slot.waker.take());
        }
        wakers
    }

    /// Switches an alarm off. Gives the waker, to be dropped without the mutex.
    #[must_use]
    fn switch_off(&mut self, at: usize) -> Option<Waker> {
        let slot = &mut self.slots[at];
        if core::mem::take(&mut slot.is_ordered) {
            self.due.remove(&(slot.at, at));
        }
        slot.waker.take()
    }

    fn take_slot(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            let slot = Slot { at: Instant::NEVER, waker: None, is_fresh: false, is_ordered: false };
            self.slots.push(slot);
            self.slots.len() - 1
        })
    }

    fn switch_on(&mut self, at: usize, moment: Instant, waker: Waker) {
        let slot = &mut self.slots[at];
        (slot.at, slot.waker) = (moment, Some(waker));
        if !core::mem::replace(&mut slot.is_fresh, true) {
            self.fresh.push(at);
        }
        self.fresh_from = Some(self.fresh_from.map_or(moment, |from| from.min(moment)));
    }
}

impl Alarm<'_> {
    /// Wakes at this moment instead of the last that was set.
    ///
    /// # Errors
    /// [`Gone`]: it will never ring.
    pub(crate) fn set(&mut self, moment: Instant, waker: &Waker) -> Result<(), Gone> {
        let waker = waker.clone();
        let mut state = self.alarms.state();
        let sleeper = match &mut state.keeper {
            Keeper::Gone => {
                drop(state);
                return Err(Gone);
            }
            // Woken once, it looks at all that was set meanwhile.
            Keeper::Asleep(until, keeper) if moment < *until => {
                *until = moment;
                Some(keeper.clone())
            }
            Keeper::Asleep(..) | Keeper::Awake => None,
        };
        let at = *self.slot.get_or_insert_with(|| state.take_slot());
        let before = state.switch_off(at);
        state.switch_on(at, moment, waker);
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
        let Some(at) = self.slot else { return };
        let mut state = self.alarms.state();
        let before = state.switch_off(at);
        state.free.push(at);
        drop(state);
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

    fn is_empty(alarms: &Alarms) -> bool {
        let state = alarms.state();
        let unset = state.slots.iter().all(|slot| slot.waker.is_none());
        unset && state.free.len() == state.slots.len() && state.due.is_empty()
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
        alarms.ring(at(9));
        assert!(is_empty(&alarms));
        alarms.ring(at(10));
        assert_eq!(woken(&count), 0);
    }

    /// The slots of those who come and go are used again, and so is what the keeper has put in order.
    #[test]
    fn many_alarms_one_after_the_other_take_one_slot() {
        let alarms = Alarms::new();
        let (count, waker) = counted();
        for round in 0..100 {
            let mut alarm = alarms.alarm();
            alarm.set(at(1_000), &waker).expect("kept");
            alarm.set(at(1_001), &waker).expect("kept");
            if round % 3 == 0 {
                alarms.ring(at(1));
                alarm.set(at(900), &waker).expect("kept");
            }
        }
        let state = alarms.state();
        assert_eq!((state.slots.len(), state.free.len()), (1, 1));
        assert!(state.fresh.len() <= 1 && state.due.is_empty());
        drop(state);
        alarms.ring(at(2_000));
        assert_eq!(woken(&count), 0);
    }

    /// One that was put in order, and one that was not; both are off or set again.
    #[test]
    fn an_alarm_in_order_can_be_set_again_and_dropped() {
        let alarms = Alarms::new();
        let ((first, first_waker), (second, second_waker)) = (counted(), counted());
        let mut kept = alarms.alarm();
        kept.set(at(10), &first_waker).expect("kept");
        let mut dropped = alarms.alarm();
        dropped.set(at(10), &second_waker).expect("kept");
        alarms.ring(at(1));
        assert_eq!(alarms.sleep(at(90), Waker::noop()), at(10));
        kept.set(at(20), &first_waker).expect("kept");
        drop(dropped);
        for (now, rings) in [(19, 0), (20, 1), (21, 0)] {
            alarms.ring(at(now));
            assert_eq!((woken(&first), woken(&second)), (rings, 0), "at {now}");
        }
        drop(kept);
        assert!(is_empty(&alarms));
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
        drop(alarm);
        assert!(is_empty(&alarms));
    }
}
