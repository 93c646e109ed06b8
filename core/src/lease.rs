//! How long a lock may be believed.

use core::time::Duration;

use crate::defect::{Defect, has};
use crate::time::{Instant, Ttl, micros};

/// What is taken off a ttl for clocks that do not run at the same speed.
///
/// Source: the "Distributed locks with Redis" page, where it is called clock drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Share of the ttl, in parts per million.
    pub parts_per_million: u32,
    /// Added to that, for the resolution of the server's clock and of its expiry.
    pub constant: Duration,
}

impl Drift {
    /// 1 % of the ttl and 2 ms: enough for clocks that are off by 0.4 % on each side.
    pub const DEFAULT: Self =
        Self { parts_per_million: 10_000, constant: Duration::from_millis(2) };

    /// The allowance for one ttl. Saturates.
    #[must_use]
    pub fn of(self, ttl: Ttl) -> Duration {
        Duration::from_micros(self.share(ttl)).saturating_add(self.constant)
    }

    /// The allowance in whole microseconds, rounded up. Saturates.
    // As `Instant::saturating_add`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn micros(self, ttl: Ttl) -> u64 {
        let up = self.constant.subsec_nanos() % 1000 > 0;
        self.share(ttl).saturating_add(micros(self.constant)).saturating_add(up.into())
    }

    /// The share of a ttl in microseconds, rounded down. Saturates.
    fn share(self, ttl: Ttl) -> u64 {
        // In two parts, so that the division needs no more than 64 bits: the ttl has 53 of them.
        let (thousands, rest) = (self.parts_per_million / 1000, self.parts_per_million % 1000);
        let rest = ttl.as_millis().wrapping_mul(rest.into()) / 1000;
        ttl.as_millis().saturating_mul(thousands.into()).saturating_add(rest)
    }
}

impl Default for Drift {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A lock that is held, and until when that may be believed.
///
/// The time counts from before the first byte of the request was sent, because the server may have
/// started its own count at any moment after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    until: Instant,
}

impl Lease {
    /// The lease that a request sent at `sent` gives, once a majority has granted it.
    #[must_use]
    pub fn new(ttl: Ttl, drift: Drift, sent: Instant) -> Self {
        let drift = if has(Defect::NoDrift) { 0 } else { drift.micros(ttl) };
        Self { until: sent.plus(ttl.as_micros().saturating_sub(drift)) }
    }

    /// The first moment at which the lock must no longer be believed.
    #[must_use]
    pub const fn until(&self) -> Instant {
        self.until
    }

    /// What is left at `now`; zero when it is over.
    #[must_use]
    pub const fn validity(&self, now: Instant) -> Duration {
        self.until.saturating_since(now)
    }

    /// Whether anything is left at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Instant) -> bool {
        now < self.until
    }
}
