//! What the workers have done, and when.

use core::time::Duration;
use std::collections::VecDeque;

/// Spans kept for each worker: more than any screen shows.
const SPANS: usize = 4096;
/// Hand-overs kept for the figures: at 100 a second, more than two hours.
const HAND_OVERS: usize = 1 << 20;

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Rests,
    Waits,
    Holds,
    Fails,
}

/// A phase of a worker, from a moment until the next span begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) phase: Phase,
    pub(crate) from: Duration,
}

/// What one worker has done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// Oldest first.
    pub(crate) spans: VecDeque<Span>,
    pub(crate) acquisitions: u64,
    pub(crate) longest_wait: Duration,
    /// Errors and losses.
    pub(crate) troubles: u64,
    pub(crate) last_trouble: Option<String>,
}

impl Track {
    pub(crate) fn phase(&self) -> Phase {
        self.spans.back().map_or(Phase::Rests, |span| span.phase)
    }

    /// When the present phase began.
    pub(crate) fn since(&self) -> Duration {
        self.spans.back().map_or(Duration::ZERO, |span| span.from)
    }

    /// What the worker did at this moment.
    pub(crate) fn phase_at(&self, moment: Duration) -> Phase {
        let after = self.spans.partition_point(|span| span.from <= moment);
        after
            .checked_sub(1)
            .and_then(|at| self.spans.get(at))
            .map_or(Phase::Rests, |span| span.phase)
    }

    fn begin(&mut self, phase: Phase, from: Duration) {
        if self.phase() != phase || phase == Phase::Holds {
            self.spans.push_back(Span { phase, from });
        }
        if self.spans.len() > SPANS {
            self.spans.pop_front();
        }
    }

    fn trouble(&mut self, what: String) {
        self.troubles += 1;
        self.last_trouble = Some(what);
    }
}

/// What all workers have done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) now: Duration,
    pub(crate) length: Duration,
    pub(crate) hold: Duration,
    pub(crate) tracks: Vec<Track>,
    /// How long the lock was free while somebody waited, each time that it changed hands.
    pub(crate) hand_overs: VecDeque<Duration>,
    /// When the last holder left.
    left: Option<Duration>,
}

/// One acquisition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) waited: Duration,
    pub(crate) hand_over: Option<Duration>,
}

impl Record {
    pub(crate) fn new(workers: usize, length: Duration, hold: Duration) -> Self {
        let tracks = vec![Track::default(); workers];
        Self { length, hold, tracks, ..Self::default() }
    }

    pub(crate) fn waits(&mut self, worker: usize, now: Duration) {
        self.tracks[worker].begin(Phase::Waits, now);
    }

    pub(crate) fn enters(&mut self, worker: usize, now: Duration) -> Entry {
        let waiting_since = self.first_waiter();
        let track = &mut self.tracks[worker];
        let waited = now.saturating_sub(track.since());
        track.begin(Phase::Holds, now);
        track.acquisitions += 1;
        track.longest_wait = track.longest_wait.max(waited);
        let hand_over = self
            .left
            .take()
            .zip(waiting_since)
            .map(|(left, since)| now.saturating_sub(left.max(since)));
        if let Some(time) = hand_over {
            self.hand_overs.push_back(time);
            if self.hand_overs.len() > HAND_OVERS {
                self.hand_overs.pop_front();
            }
        }
        Entry { waited, hand_over }
    }

    pub(crate) fn leaves(&mut self, worker: usize, now: Duration) {
        self.tracks[worker].begin(Phase::Rests, now);
        self.left = Some(now);
    }

    pub(crate) fn retires(&mut self, worker: usize, now: Duration) {
        self.tracks[worker].begin(Phase::Rests, now);
    }

    pub(crate) fn meets(&mut self, worker: usize, trouble: String) {
        self.tracks[worker].trouble(trouble);
    }

    pub(crate) fn fails(&mut self, worker: usize, what: String, now: Duration) {
        let track = &mut self.tracks[worker];
        track.begin(Phase::Fails, now);
        track.trouble(what);
    }

    pub(crate) fn acquisitions(&self) -> u64 {
        self.tracks.iter().map(|track| track.acquisitions).sum()
    }

    /// Who held the lock at this moment.
    pub(crate) fn holder_at(&self, moment: Duration) -> Option<usize> {
        self.tracks.iter().position(|track| track.phase_at(moment) == Phase::Holds)
    }

    fn first_waiter(&self) -> Option<Duration> {
        let waiting = self.tracks.iter().filter(|track| track.phase() == Phase::Waits);
        waiting.map(Track::since).min()
    }
}

/// Middle and greatest of some times.
pub(crate) fn median_and_worst(times: &VecDeque<Duration>) -> Option<(Duration, Duration)> {
    let mut sorted: Vec<_> = times.iter().copied().collect();
    sorted.sort_unstable();
    Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
}
