//! The figures of a run.

use core::time::Duration;

use crate::record::{Record, median_and_worst};

/// What came out.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) lasted: Duration,
    pub(crate) acquisitions: u64,
    pub(crate) overlaps: u64,
    pub(crate) hand_overs: usize,
    /// Middle and worst.
    pub(crate) hand_over: Option<(Duration, Duration)>,
    /// Commands that the servers were asked.
    pub(crate) commands: u64,
    pub(crate) workers: Vec<Share>,
}

/// The part of one worker.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) acquisitions: u64,
    pub(crate) longest_wait: Duration,
    pub(crate) troubles: u64,
    pub(crate) last_trouble: Option<String>,
}

impl Summary {
    pub(crate) fn new(record: &Record, overlaps: u64, commands: u64) -> Self {
        let shares = record.tracks.iter().map(|track| Share {
            acquisitions: track.acquisitions,
            longest_wait: track.longest_wait,
            troubles: track.troubles,
            last_trouble: track.last_trouble.clone(),
        });
        Self {
            lasted: record.now,
            acquisitions: record.acquisitions(),
            overlaps,
            hand_overs: record.hand_overs.len(),
            hand_over: median_and_worst(&record.hand_overs),
            commands,
            workers: shares.collect(),
        }
    }

    /// Commands for each acquisition.
    pub(crate) fn price(&self) -> Option<f64> {
        (self.acquisitions > 0).then(|| self.commands as f64 / self.acquisitions as f64)
    }

    /// Jain's index of fairness: 1 when all had the same, 1/n when one had all.
    pub(crate) fn fairness(&self) -> Option<f64> {
        let shares = self.workers.iter().map(|share| share.acquisitions as f64);
        let (sum, squares) =
            shares.fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
        (squares > 0.0).then(|| sum * sum / (self.workers.len() as f64 * squares))
    }
}
