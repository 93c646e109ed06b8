//! Which locks this component has acquired.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use redlatch_client::Detached;
use redlatch_core::Instant;

/// A lock that was acquired and not released.
#[derive(Debug)]
pub(crate) enum Taken<G> {
    /// Its client is there.
    Held(G),
    /// It was acquired before a close.
    Detached(Detached),
}

/// The locks by their keys, each until it has surely expired.
///
/// What has expired is taken out whenever a lock is entered, so there are never more than were
/// acquired within the longest ttl. It is given back to be dropped where no mutex is held.
#[derive(Debug)]
pub(crate) struct Books<G> {
    taken: HashMap<Arc<str>, (Instant, Taken<G>)>,
    /// The same, by the moment when they expire.
    expiring: BTreeSet<(Instant, Arc<str>)>,
}

impl<G> Default for Books<G> {
    fn default() -> Self {
        Self { taken: HashMap::new(), expiring: BTreeSet::new() }
    }
}

impl<G> Books<G> {
    /// Enters a lock that expires at `until`. Gives what is of no use any more: what has expired, and
    /// an older lock on the same key, which was lost.
    #[must_use = "to be dropped outside of the mutex"]
    pub(crate) fn enter(
        &mut self,
        key: &str,
        until: Instant,
        lock: Taken<G>,
        now: Instant,
    ) -> Vec<Taken<G>> {
        let mut over: Vec<_> = self.take(key).into_iter().collect();
        while self.expiring.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, key)) = self.expiring.pop_first() {
                over.extend(self.taken.remove(&key).map(|(_, lock)| lock));
            }
        }
        let key = Arc::<str>::from(key);
        self.expiring.insert((until, Arc::clone(&key)));
        self.taken.insert(key, (until, lock));
        over
    }

    /// Takes a lock out.
    pub(crate) fn take(&mut self, key: &str) -> Option<Taken<G>> {
        let (key, (until, lock)) = self.taken.remove_entry(key)?;
        self.expiring.remove(&(until, key));
        Some(lock)
    }

    /// Takes out the locks whose client is there.
    pub(crate) fn take_held(&mut self) -> Vec<(Arc<str>, Instant, G)> {
        let mut held = Vec::new();
        for (key, (until, lock)) in core::mem::take(&mut self.taken) {
            match lock {
                Taken::Held(guard) => {
                    self.expiring.remove(&(until, Arc::clone(&key)));
                    held.push((key, until, guard));
                }
                detached @ Taken::Detached(_) => {
                    self.taken.insert(key, (until, detached));
                }
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::{Books, Taken};
    use redlatch_core::Instant;

    const fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn held(lock: Option<Taken<u64>>) -> Option<u64> {
        match lock {
            Some(Taken::Held(number)) => Some(number),
            _ => None,
        }
    }

    #[test]
    fn a_lock_is_taken_out_once() {
        let mut books = Books::default();
        assert!(books.enter("a", at(100), Taken::Held(1), at(0)).is_empty());
        assert_eq!(held(books.take("a")), Some(1));
        assert_eq!(held(books.take("a")), None);
        assert!(books.expiring.is_empty());
    }

    #[test]
    fn what_has_expired_is_given_back() {
        let mut books = Books::default();
        for round in 0..1000 {
            let over =
                books.enter(&round.to_string(), at(round + 10), Taken::Held(round), at(round));
            assert_eq!(over.len(), usize::from(round >= 10), "{round}");
            assert!(books.taken.len() <= 10 && books.expiring.len() <= 10, "{round}");
        }
    }

    #[test]
    fn a_lock_that_was_lost_makes_room_for_the_next_on_its_key() {
        let mut books = Books::default();
        assert!(books.enter("a", at(100), Taken::Held(1), at(0)).is_empty());
        let mut over = books.enter("a", at(200), Taken::Held(2), at(50));
        assert_eq!(held(over.pop()), Some(1));
        assert!(
            books.enter("b", at(900), Taken::Held(3), at(150)).is_empty(),
            "not by the old ttl"
        );
        assert_eq!(books.take_held().len(), 2);
        assert!(books.taken.is_empty() && books.expiring.is_empty());
    }
}
