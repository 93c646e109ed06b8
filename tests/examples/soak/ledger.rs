//! Exclusion: no two workers believe in one lock at once.
//!
//! Times are reported after they are over and by several processes, so they come out of order. They
//! are kept for a window that is longer than any worker is stopped and holds.

use std::collections::BTreeMap;

use crate::histogram::Histogram;
use crate::line::Held;

/// How long a time is kept to be compared with others.
const WINDOW: u64 = 60_000_000_000;
/// So many violations are told in words.
const TOLD: usize = 5;

/// Who believed in which lock when.
pub(crate) struct Ledger {
    keys: Vec<BTreeMap<u64, Belief>>,
    /// Nothing older is kept.
    horizons: Vec<u64>,
    pub(crate) beliefs: u64,
    pub(crate) overlaps: u64,
    /// Reported when it could not be compared any more.
    pub(crate) too_old: u64,
    pub(crate) told: Vec<String>,
    /// When the first one was, in microseconds.
    pub(crate) first: Option<u64>,
    pub(crate) handover: Histogram,
}

struct Belief {
    held: Held,
    who: &'static str,
}

impl Ledger {
    pub(crate) fn new(keys: usize) -> Self {
        Self {
            keys: (0..keys).map(|_| BTreeMap::new()).collect(),
            horizons: vec![0; keys],
            beliefs: 0,
            overlaps: 0,
            too_old: 0,
            told: Vec::new(),
            first: None,
            handover: Histogram::default(),
        }
    }

    /// Takes the word of a worker. An error for a key that does not exist.
    pub(crate) fn note(&mut self, held: Held, who: &'static str) -> Result<(), String> {
        let times = self.keys.get_mut(held.key).ok_or("no such key")?;
        if held.until <= held.from {
            return Ok(()); // It was over before the worker had it.
        }
        self.beliefs += 1;
        if held.from < self.horizons[held.key] {
            self.too_old += 1;
        }
        let before = times.range(..=held.from).next_back();
        let after = times.range(held.from..).next();
        for (_, other) in before.into_iter().chain(after) {
            if other.held.from < held.until && held.from < other.held.until {
                self.overlaps += 1;
                self.first.get_or_insert(held.from.max(other.held.from) / 1000);
                if self.told.len() < TOLD {
                    self.told.push(overlap(&held, who, other));
                }
            }
        }
        times.insert(held.from, Belief { held, who });
        while self.is_over(held.key, held.from) {
            self.forget_first(held.key);
        }
        Ok(())
    }

    /// Whether nobody compares with the oldest time any more.
    fn is_over(&self, key: usize, now: u64) -> bool {
        self.keys[key].first_key_value().is_some_and(|(from, _)| from + WINDOW < now)
    }

    /// Counts what is still kept.
    pub(crate) fn finish(&mut self) {
        for key in 0..self.keys.len() {
            while !self.keys[key].is_empty() {
                self.forget_first(key);
            }
        }
    }

    /// What is forgotten has all its neighbours: who waited for it has said so.
    fn forget_first(&mut self, key: usize) {
        let times = &mut self.keys[key];
        let Some((from, gone)) = times.pop_first() else { return };
        self.horizons[key] = from;
        let next = times.first_key_value().map(|(_, next)| next.held);
        if let Some(next) = next.filter(|next| next.waited && next.asked < gone.held.until) {
            self.handover.add(next.from.saturating_sub(gone.held.until));
        }
    }
}

fn overlap(held: &Held, who: &str, other: &Belief) -> String {
    let from = held.from.max(other.held.from);
    let until = held.until.min(other.held.until);
    format!(
        "key {}: {who} [{}, {}, lease {}) and {} [{}, {}, lease {}) overlap for {} us",
        held.key,
        held.from / 1000,
        held.until / 1000,
        held.lease / 1000,
        other.who,
        other.held.from / 1000,
        other.held.until / 1000,
        other.held.lease / 1000,
        (until - from) / 1000
    )
}
