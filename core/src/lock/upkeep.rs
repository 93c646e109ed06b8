//! When a held lock is extended without being asked, and why it ends when it ends.

use super::event::{Loss, Settings};
use crate::quorum::{Denial, Tally};
use crate::renew::Renew;
use crate::retry::Backoff;
use crate::time::{Instant, Ttl, micros};

#[derive(Clone, Copy, Debug)]
pub(super) struct Upkeep {
    /// When the lock was asked for.
    begun: Instant,
    due: Instant,
    /// Why the lease runs out, if it does.
    loss: Loss,
}

impl Upkeep {
    /// Of a lock that is not held.
    pub(super) const NONE: Self =
        Self { begun: Instant::ZERO, due: Instant::NEVER, loss: Loss::Expired };

    /// The lock is held; it was asked for at `since`.
    pub(super) fn acquired(&mut self, since: Instant, settings: &Settings) {
        self.begun = since;
        self.extended(since, settings);
    }

    /// The lock was extended; that was asked for at `since`.
    pub(super) fn extended(&mut self, since: Instant, settings: &Settings) {
        let Some(policy) = settings.renew else { return };
        self.due =
            self.allowed(policy, settings.ttl, since.plus(interval(policy, settings.ttl, 1)));
        self.loss = if self.due == Instant::NEVER { Loss::Capped } else { Loss::Expired };
    }

    /// An extension failed: if the lock is renewed, soon again.
    pub(super) fn failed(&mut self, tally: &Tally, now: Instant, settings: &Settings) {
        let Some(policy) = settings.renew else { return };
        self.due = self.allowed(policy, settings.ttl, now.plus(interval(policy, settings.ttl, 4)));
        self.loss = match tally.denial() {
            Denial::Refused => Loss::Refused,
            _ => Loss::Unreachable,
        };
    }

    /// The moment, unless an extension then could outlast what the policy allows.
    fn allowed(&self, policy: Renew, ttl: Ttl, due: Instant) -> Instant {
        let ends = due.plus(ttl.as_micros());
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

/// Never so short that one extension follows the other without a pause.
fn interval(policy: Renew, ttl: Ttl, hurry: u32) -> u64 {
    policy.interval(ttl, hurry).max(micros(Backoff::FLOOR))
}
