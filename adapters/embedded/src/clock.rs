//! What the board knows of time.

use redlatch_bare::Instant;

/// The board's clock. A function that gives microseconds is one.
///
/// It must never step back, and it must go on while the board sleeps: the server frees the key after
/// the ttl whether the board sleeps or not. Many timers stop in deep sleep; a real-time counter goes
/// on. It need not tell the time of day. A clock that stands still makes every wait endless.
///
/// A timer of 32 bits that counts microseconds wraps after 71 minutes: extend it to 64 in software.
pub trait Clock {
    /// Now.
    fn now(&mut self) -> Instant;

    /// There is nothing to do until a byte comes, a byte can be sent, or `until`. Sleep if you can wake
    /// for these, `wfi` with a timer that ticks for example; it may return early, and by default does
    /// so at once.
    fn idle(&mut self, until: Instant) {
        let _ = until;
        core::hint::spin_loop();
    }
}

impl<F: FnMut() -> u64> Clock for F {
    fn now(&mut self) -> Instant {
        Instant::from_micros(self())
    }
}
