//! When a held lock is extended by itself.

use core::time::Duration;

use crate::time::Ttl;

/// Renewing: the lock is extended by itself while it is held.
///
/// It stops with the release, and at [`Renew::most`]: a holder that hangs must not hold for ever. A
/// renewal that fails is tried again while the lease lasts; it never creates a key that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renew {
    /// An extension is due when the ttl, divided by this, has passed since the last: 3 is after a
    /// third. Anything below 2 counts as 2, so that there is time for a second try. However large it
    /// is, two extensions are [`Backoff::FLOOR`](crate::Backoff::FLOOR) apart at least.
    pub divisor: u32,
    /// Longest time that the lock is held by renewing, counted from when it was asked for. `None` is
    /// no bound. Extensions that the owner asks for are not bounded.
    pub most: Option<Duration>,
}

impl Default for Renew {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Renew {
    /// After every third of the ttl, for one hour.
    pub const DEFAULT: Self = Self { divisor: 3, most: Some(Duration::from_secs(3600)) };

    /// Microseconds until the next extension, divided by `hurry` after one that failed.
    pub(crate) fn interval(self, ttl: Ttl, hurry: u32) -> u64 {
        let divisor = self.divisor.max(2).saturating_mul(hurry);
        ttl.as_micros().checked_div(divisor.into()).unwrap_or_default()
    }
}
