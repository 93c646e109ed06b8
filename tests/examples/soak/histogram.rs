//! Times, counted in classes that are 6 % wide, so that memory stays the same.

use core::time::Duration;

/// Classes of one power of two.
const FINE: u64 = 16;
const CLASSES: usize = 64 * 16;

/// How many times were how long.
pub(crate) struct Histogram {
    classes: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { classes: vec![0; CLASSES], count: 0 }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, nanos: u64) {
        self.classes[class(nanos)] += 1;
        self.count += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The upper bound of the class in which so many of 1000 lie at or below. `None` without any.
    pub(crate) fn permille(&self, share: u64) -> Option<Duration> {
        let rank = self.count.saturating_mul(share).div_ceil(1000).max(1);
        let mut seen = 0;
        let class = self.classes.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(bound(class)))
    }
}

fn class(nanos: u64) -> usize {
    let power = u64::from(nanos.max(FINE).ilog2());
    let step = (nanos.max(FINE) >> (power - 4)) - FINE;
    usize::try_from((power - 4) * FINE + step).map_or(CLASSES - 1, |class| class.min(CLASSES - 1))
}

fn bound(class: usize) -> u64 {
    let class = class as u64;
    (FINE + class % FINE + 1).checked_shl((class / FINE) as u32).unwrap_or(u64::MAX)
}
