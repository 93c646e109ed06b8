//! What the board knows of time.

use redlatch_bare::Instant;

/// A clock that can be waited for.
///
/// It must never step back, and it must go on while the board sleeps: the server frees the key after
/// the ttl whether the board sleeps or not.
#[allow(async_fn_in_trait)] // One executor polls it all: nothing has to be `Send`.
pub trait Time {
    /// Now.
    fn now(&self) -> Instant;

    /// Waits until `at`, or for ever when that is [`Instant::NEVER`]. It may return early. Dropped
    /// when something else comes first.
    async fn wait_until(&self, at: Instant);
}

/// The clock and the timers of embassy. Its ticks should be a millisecond or less.
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyTime;

#[cfg(feature = "embassy-time")]
impl Time for EmbassyTime {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }

    async fn wait_until(&self, at: Instant) {
        // A tick later: never before the moment that was rounded down to a tick.
        let tick = embassy_time::Duration::from_ticks(1);
        let moment = embassy_time::Instant::try_from_micros(at.as_micros());
        match moment.and_then(|moment| moment.checked_add(tick)) {
            Some(moment) => embassy_time::Timer::at(moment).await,
            None => core::future::pending().await,
        }
    }
}

/// Delays of `embedded-hal-async`, and a function that gives microseconds.
#[cfg(feature = "embedded-hal-async")]
#[derive(Debug)]
pub struct Delays<D, F> {
    delay: core::cell::RefCell<D>,
    micros: F,
}

#[cfg(feature = "embedded-hal-async")]
impl<D: embedded_hal_async::delay::DelayNs, F: Fn() -> u64> Delays<D, F> {
    /// Delays, and a clock: microseconds that never step back and count while the board sleeps.
    pub const fn new(delay: D, micros: F) -> Self {
        Self { delay: core::cell::RefCell::new(delay), micros }
    }
}

#[cfg(feature = "embedded-hal-async")]
impl<D: embedded_hal_async::delay::DelayNs, F: Fn() -> u64> Time for Delays<D, F> {
    fn now(&self) -> Instant {
        Instant::from_micros((self.micros)())
    }

    // The delay is borrowed while it is waited for: there is one who waits, the runner.
    #[allow(clippy::await_holding_refcell_ref)]
    async fn wait_until(&self, at: Instant) {
        let span = at.saturating_since(self.now());
        let Ok(mut delay) = self.delay.try_borrow_mut() else { return };
        let micros = u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        delay.delay_us(micros).await;
    }
}
