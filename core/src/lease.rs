//! How long a lock may be believed.

use core::time::Duration;

use crate::time::{Instant, Ttl};

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
        let micros = u128::from(ttl.as_millis())
            .saturating_mul(1000)
            .saturating_mul(u128::from(self.parts_per_million))
            / 1_000_000;
        let share = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        share.saturating_add(self.constant)
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
        let span = ttl.as_duration().saturating_sub(drift.of(ttl));
        Self { until: sent.saturating_add(span) }
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
