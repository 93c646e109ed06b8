//! Lost updates: every write of a counter stands on the write before it, and on one that no other
//! stands on.
//!
//! A write is *late* when the lease ran out between the last look at it and the write, as a stopped
//! process does it. No lock can prevent that, only a fencing token; what a late write destroys is
//! no fault of the lock.

use std::collections::{HashMap, VecDeque};

use crate::line::Wrote;

/// So many writes are kept to be compared with others.
const KEPT: usize = 200_000;
/// So many violations are told in words.
const TOLD: usize = 5;

/// Who raised which counter.
pub(crate) struct Updates {
    /// The write that stands on another, per key.
    children: HashMap<(usize, u64), Child>,
    order: VecDeque<(usize, u64)>,
    keys: Vec<Key>,
    pub(crate) lost: u64,
    pub(crate) told: Vec<String>,
}

struct Child {
    id: u64,
    who: &'static str,
}

#[derive(Clone, Copy, Default)]
struct Key {
    writes: u64,
    late: u64,
}

impl Updates {
    pub(crate) fn new(keys: usize) -> Self {
        Self {
            children: HashMap::new(),
            order: VecDeque::new(),
            keys: vec![Key::default(); keys],
            lost: 0,
            told: Vec::new(),
        }
    }

    /// Takes the word of a worker. An error for a key that does not exist.
    pub(crate) fn note(&mut self, wrote: Wrote, who: &'static str) -> Result<(), String> {
        let key = self.keys.get_mut(wrote.key).ok_or("no such key")?;
        key.writes += 1;
        if wrote.late {
            key.late += 1;
            return Ok(());
        }
        let place = (wrote.key, wrote.parent);
        if let Some(other) = self.children.get(&place) {
            let told = format!(
                "key {}: {who} ({:x}) and {} ({:x}) both raised what {:x} had written, to {}",
                wrote.key, wrote.id, other.who, other.id, wrote.parent, wrote.version
            );
            self.lose(told);
            return Ok(());
        }
        self.children.insert(place, Child { id: wrote.id, who });
        self.order.push_back(place);
        if self.order.len() > KEPT {
            self.order.pop_front().map(|oldest| self.children.remove(&oldest));
        }
        Ok(())
    }

    /// Compares what was told with what stands in the file. A late write may have set a counter back,
    /// so that its number says nothing.
    pub(crate) fn finish(&mut self, versions: &[u64]) {
        for at in 0..self.keys.len() {
            let (key, version) = (self.keys[at], versions.get(at).copied().unwrap_or(0));
            if key.late == 0 && key.writes != version {
                self.lose(format!("key {at}: {} writes, and the counter is {version}", key.writes));
            }
        }
    }

    pub(crate) fn writes(&self) -> u64 {
        self.keys.iter().map(|key| key.writes).sum()
    }

    pub(crate) fn late(&self) -> u64 {
        self.keys.iter().map(|key| key.late).sum()
    }

    fn lose(&mut self, told: String) {
        self.lost += 1;
        if self.told.len() < TOLD {
            self.told.push(told);
        }
    }
}
