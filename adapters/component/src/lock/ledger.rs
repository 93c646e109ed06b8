//! Which locks of this process are held.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use redlatch_core::{Instant, Ttl};

/// The locks that are held, each until it expires or is released.
///
/// What has expired is removed whenever a lock is asked for, so there are never more than were
/// acquired within the longest ttl.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    held: HashMap<Arc<str>, Instant>,
    /// The same, by the moment when they expire.
    expiring: BTreeSet<(Instant, Arc<str>)>,
}

impl Ledger {
    /// Takes a lock unless it is held. Whether it was taken.
    pub(crate) fn take(&mut self, key: &str, ttl: Ttl, now: Instant) -> bool {
        self.expire(now);
        if self.held.contains_key(key) {
            return false;
        }
        let (key, until) = (Arc::<str>::from(key), now.saturating_add(ttl.as_duration()));
        self.expiring.insert((until, Arc::clone(&key)));
        self.held.insert(key, until);
        true
    }

    /// Frees a lock, if it is held.
    pub(crate) fn free(&mut self, key: &str) {
        if let Some((key, until)) = self.held.remove_entry(key) {
            self.expiring.remove(&(until, key));
        }
    }

    fn expire(&mut self, now: Instant) {
        while self.expiring.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, key)) = self.expiring.pop_first() {
                self.held.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use redlatch_core::{Instant, Ttl};

    const fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn ttl(millis: u64) -> Ttl {
        Ttl::from_millis(millis).expect("a ttl")
    }

    #[test]
    fn a_lock_is_held_until_it_is_freed_or_expires() {
        let mut ledger = Ledger::default();
        assert!(ledger.take("a", ttl(100), at(0)));
        assert!(!ledger.take("a", ttl(100), at(99)), "held");
        assert!(ledger.take("b", ttl(100), at(99)), "another key");
        assert!(ledger.take("a", ttl(100), at(100)), "expired");
        ledger.free("a");
        assert!(ledger.take("a", ttl(100), at(100)), "freed");
        ledger.free("a");
        ledger.free("a");
        ledger.free("never held");
        assert!(ledger.take("a", ttl(100), at(101)));
    }

    #[test]
    fn what_has_expired_is_not_remembered() {
        let mut ledger = Ledger::default();
        for round in 0..1000 {
            assert!(ledger.take(&format!("key {round}"), ttl(10), at(round)));
            assert!(ledger.held.len() <= 10 && ledger.expiring.len() <= 10, "{round}");
        }
        assert!(ledger.take("last", ttl(1), at(5000)));
        ledger.free("last");
        assert!(ledger.held.is_empty() && ledger.expiring.is_empty());
    }

    #[test]
    fn a_freed_lock_does_not_expire_its_successor() {
        let mut ledger = Ledger::default();
        assert!(ledger.take("a", ttl(10), at(0)));
        ledger.free("a");
        assert!(ledger.take("a", ttl(100), at(5)));
        assert!(!ledger.take("a", ttl(100), at(50)), "the first ttl ended at 10");
    }
}
