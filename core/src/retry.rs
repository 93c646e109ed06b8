//! When to try again.

use core::time::Duration;

use crate::random::Random;
use crate::time::{Instant, micros};

/// How long to wait between two attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Exponential with full jitter: a random span from zero to `base * 2^n`, at most `cap`.
    ///
    /// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    Exponential {
        /// Bound of the first delay.
        base: Duration,
        /// Bound of every delay.
        cap: Duration,
    },
}

/// A retry policy. Whichever bound is met first ends the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Time between two attempts. Anything below [`Backoff::FLOOR`] counts as that.
    pub delay: Delay,
    /// Attempts after the first; `None` is no bound.
    pub retries: Option<u32>,
    /// Time from the first attempt after which no other is begun; `None` is no bound. A pause that
    /// would go beyond it ends with it: the last attempt is made when this time is over.
    pub deadline: Option<Duration>,
}

impl Retry {
    /// One attempt, no other.
    pub const NONE: Self =
        Self { delay: Delay::Fixed(Duration::ZERO), retries: Some(0), deadline: None };

    /// Attempts at random moments, at most 100 ms apart, and the last one when `deadline` has passed.
    #[must_use]
    pub const fn until(deadline: Duration) -> Self {
        Self {
            delay: Delay::Exponential {
                base: Duration::from_millis(5),
                cap: Duration::from_millis(100),
            },
            retries: None,
            deadline: Some(deadline),
        }
    }
}

/// Counts the attempts of one waiting and says when the next is due.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    policy: Retry,
    attempts: Attempts,
}

impl Backoff {
    /// The shortest delay, so that a policy without a delay cannot spin.
    pub const FLOOR: Duration = Duration::from_millis(1);

    /// Starts counting at the first attempt.
    #[must_use]
    pub const fn new(policy: Retry, begun: Instant) -> Self {
        Self { policy, attempts: Attempts::new(begun) }
    }

    /// When the next attempt is due. `None` when the policy allows no other.
    ///
    /// Who waits for a second gets a whole second: as long as the deadline has not come, there is
    /// another attempt, at the deadline itself if the delay would go beyond.
    pub fn next(&mut self, now: Instant, random: &mut Random) -> Option<Instant> {
        self.attempts.next(&self.policy, now, random)
    }

    /// Attempts allowed so far, after the first.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.attempts.retried
    }

    /// When the waiting began.
    #[must_use]
    pub const fn begun(&self) -> Instant {
        self.attempts.begun
    }
}

/// A [`Backoff`] whose policy is kept elsewhere, where memory is scarce.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    pub(crate) begun: Instant,
    /// Attempts after the first.
    pub(crate) retried: u32,
}

impl Attempts {
    /// Starts counting at the first attempt.
    #[must_use]
    pub const fn new(begun: Instant) -> Self {
        Self { begun, retried: 0 }
    }

    /// As [`Backoff::next`].
    pub fn next(&mut self, policy: &Retry, now: Instant, random: &mut Random) -> Option<Instant> {
        if policy.retries.is_some_and(|most| self.retried >= most) {
            return None;
        }
        let end = policy.deadline.map(|span| self.begun.saturating_add(span));
        if end.is_some_and(|end| now >= end) {
            return None;
        }
        let delay = policy.delay.micros(self.retried, random);
        let due = now.plus(delay).max(now.saturating_add(Backoff::FLOOR));
        self.retried = self.retried.saturating_add(1);
        Some(end.map_or(due, |end| due.min(end)))
    }
}

impl Delay {
    /// The delay after so many retries, in microseconds.
    fn micros(self, retried: u32, random: &mut Random) -> u64 {
        match self {
            Self::Fixed(delay) => micros(delay),
            Self::Exponential { base, cap } => {
                let factor = 1_u32.checked_shl(retried).unwrap_or(u32::MAX);
                random.micros_up_to(micros(base.saturating_mul(factor).min(cap)))
            }
        }
    }
}
