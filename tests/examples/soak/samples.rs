//! Memory and descriptors of the workers, as the system counts them.

use core::time::Duration;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::over::Over;

const PAGE: u64 = 4096;
/// Samples of one run: a long one is looked at less often.
const COUNT: u32 = 400;
const LEAST: Duration = Duration::from_millis(100);
const USUAL: Duration = Duration::from_secs(5);

/// At one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) memory: u64,
    pub(crate) descriptors: u64,
}

/// What the workers used in the course of the run.
pub(crate) struct Samples(Vec<Mutex<Vec<Sample>>>);

impl Samples {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| Mutex::default()).collect())
    }

    /// Looks again and again until it is over.
    pub(crate) fn collect(&self, pids: &[u32], length: Duration, over: &Over) {
        let usual = USUAL.min(length / 20);
        let pause = usual.max(length / COUNT).max(LEAST);
        while !over.wait(pause) {
            self.look(pids);
        }
    }

    pub(crate) fn look(&self, pids: &[u32]) {
        for (at, pid) in pids.iter().enumerate() {
            self.of(at).extend(sample(*pid));
        }
    }

    pub(crate) fn of(&self, worker: usize) -> MutexGuard<'_, Vec<Sample>> {
        self.0[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sample(pid: u32) -> Option<Sample> {
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
    Some(Sample { memory: pages * PAGE, descriptors })
}

/// How it was used: at the most after the warm-up in the first quarter, and at the end.
pub(crate) struct Growth {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The end is the middle of the last quarter, which one sample cannot spoil.
pub(crate) fn growth(samples: &[Sample], of: fn(&Sample) -> u64) -> Option<Growth> {
    let quarter = samples.len() / 4;
    let first = samples.get(quarter / 2..quarter + 1)?.iter().map(of).max()?;
    let mut end: Vec<_> = samples.get(samples.len() - quarter..)?.iter().map(of).collect();
    end.sort_unstable();
    let last = *end.get(end.len() / 2)?;
    Some(Growth { first, last })
}
