//! The clock of the board as embassy's. The tick looks for timers that are due, so they are up to 1 ms late.

use core::cell::RefCell;
use core::task::Waker;

use critical_section::Mutex;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;

use super::clock::now_micros;

struct Timers(Mutex<RefCell<Queue>>);

time_driver_impl!(static TIMERS: Timers = Timers(Mutex::new(RefCell::new(Queue::new()))));

impl Driver for Timers {
    fn now(&self) -> u64 {
        now_micros()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The tick will look: there is nothing to arm.
        self.with(|queue| queue.schedule_wake(at, waker));
    }
}

impl Timers {
    fn with<T>(&self, what: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        critical_section::with(|section| {
            // Nothing below calls back into the queue, so it is never borrowed twice.
            Some(what(&mut *self.0.borrow(section).try_borrow_mut().ok()?))
        })
    }
}

/// Wakes whoever is due.
pub(super) fn tick() {
    TIMERS.with(|queue| queue.next_expiration(now_micros()));
}
