//! How long to wait for a lock, and when to try again.

use core::time::Duration;

use redlatch_core::{Backoff, Delay, Instant, Random, Retry};

/// The waiting of one acquisition: attempts a fixed pause apart, and a last one when the time is over.
///
/// It reads no clock and waits for nothing, so it serves threads and tasks alike.
#[derive(Debug)]
pub(crate) struct Patience {
    backoff: Backoff,
    until: Instant,
    over: bool,
}

impl Patience {
    /// Waits for `timeout` from `begun` on.
    pub(crate) fn new(pause: Duration, timeout: Duration, begun: Instant) -> Self {
        let policy = Retry { delay: Delay::Fixed(pause), retries: None, deadline: Some(timeout) };
        let until = begun.saturating_add(timeout);
        Self { backoff: Backoff::new(policy, begun), until, over: timeout.is_zero() }
    }

    /// When to try again after an attempt that failed. `None` when the time is over.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Instant> {
        if self.over {
            return None;
        }
        // The pause is fixed: no randomness is used.
        let due = self.backoff.next(now, &mut Random::new(0));
        self.over = due.is_none_or(|due| due >= self.until);
        Some(due.unwrap_or(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use core::time::Duration;
    use redlatch_core::Instant;

    const fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    /// The moments of all attempts, each of which takes `cost`.
    fn attempts(pause: u64, timeout: u64, cost: u64) -> Vec<u64> {
        let millis = Duration::from_millis;
        let mut patience = Patience::new(millis(pause), millis(timeout), at(5000));
        let mut tried = vec![0];
        let mut now = 5000 + cost;
        while let Some(due) = patience.next(at(now)) {
            now = now.max(due.as_micros() / 1000);
            tried.push(now - 5000);
            now += cost;
        }
        tried
    }

    #[test]
    fn attempts_are_a_pause_apart_and_the_last_is_at_the_deadline() {
        let cases: [(u64, u64, u64, &[u64]); 7] = [
            (100, 0, 0, &[0]),
            (100, 0, 30, &[0]),
            (100, 50, 0, &[0, 50]),
            (100, 100, 0, &[0, 100]),
            (100, 250, 0, &[0, 100, 200, 250]),
            (100, 250, 30, &[0, 130, 250]),
            (100, 50, 80, &[0, 80]),
        ];
        for (pause, timeout, cost, expected) in cases {
            assert_eq!(attempts(pause, timeout, cost), expected, "{pause} {timeout} {cost}");
        }
        assert_eq!(attempts(100, 1000, 0).len(), 11);
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let mut patience = Patience::new(Duration::MAX, Duration::MAX, Instant::NEVER);
        assert_eq!(patience.next(Instant::NEVER), Some(Instant::NEVER));
        assert_eq!(patience.next(Instant::NEVER), None);
    }
}
