//! When a held lock is extended without being asked, and why it ends when it ends.

use core::time::Duration;

use super::event::Loss;
use crate::quorum::{Denial, Tally};
use crate::time::{Instant, Ttl};

/// Renewing: the lock is extended by itself while it is held.
///
/// It stops with the release, and at [`Renew::most`]: a holder that hangs must not hold for ever. A
/// renewal that fails is tried again while the lease lasts; it never creates a key that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renew {
    /// An extension is due when the ttl, divided by this, has passed since the last: 3 is after a
    /// third. Anything below 2 counts as 2, so that there is time for a second try.
    pub divisor: u32,
    /// Longest time that the lock is held by renewing, counted from when it was asked for. `None` is
    /// no bound. Extensions that the owner asks for are not bounded.
    pub most: Option<Duration>,
}

impl Default for Renew {
    /// After every third of the ttl, for one hour.
    fn default() -> Self {
        Self { divisor: 3, most: Some(Duration::from_secs(3600)) }
    }
}

impl Renew {
    fn interval(self, ttl: Ttl) -> Duration {
        part(ttl.as_duration(), self.divisor.max(2))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Upkeep {
    policy: Option<Renew>,
    ttl: Ttl,
    /// When the lock was asked for.
    begun: Instant,
    due: Instant,
    /// Why the lease runs out, if it does.
    loss: Loss,
}

impl Upkeep {
    pub(super) const fn new(policy: Option<Renew>, ttl: Ttl) -> Self {
        Self { policy, ttl, begun: Instant::ZERO, due: Instant::NEVER, loss: Loss::Expired }
    }

    /// The lock is held; it was asked for at `since`.
    pub(super) fn acquired(&mut self, since: Instant) {
        self.begun = since;
        self.extended(since);
    }

    /// The lock was extended; that was asked for at `since`.
    pub(super) fn extended(&mut self, since: Instant) {
        let Some(policy) = self.policy else { return };
        self.due = self.allowed(policy, since.saturating_add(policy.interval(self.ttl)));
        self.loss = if self.due == Instant::NEVER { Loss::Capped } else { Loss::Expired };
    }

    /// An extension failed: if the lock is renewed, soon again.
    pub(super) fn failed(&mut self, tally: &Tally, now: Instant) {
        let Some(policy) = self.policy else { return };
        self.due = self.allowed(policy, now.saturating_add(part(policy.interval(self.ttl), 4)));
        self.loss = match tally.denial() {
            Denial::Refused => Loss::Refused,
            _ => Loss::Unreachable,
        };
    }

    /// The moment, unless an extension then could outlast what the policy allows.
    fn allowed(&self, policy: Renew, due: Instant) -> Instant {
        let ends = due.saturating_add(self.ttl.as_duration());
        let most = policy.most.map(|most| self.begun.saturating_add(most));
        if most.is_some_and(|most| ends > most) { Instant::NEVER } else { due }
    }

    /// When the next renewal is due.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Why the lease ran out. `renewing`: while a renewal was out that nobody answered.
    pub(super) const fn loss(&self, renewing: bool) -> Loss {
        if renewing { Loss::Unreachable } else { self.loss }
    }
}

fn part(span: Duration, divisor: u32) -> Duration {
    span.checked_div(divisor).unwrap_or_default()
}
