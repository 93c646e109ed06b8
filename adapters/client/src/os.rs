//! What adapters ask the operating system for: the clock, and randomness.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;

use redlatch_core::{Instant, Random, Token};

use crate::error::Error;

/// Now, on the clock that all machines of this process use.
///
/// On Linux and Android it is `CLOCK_BOOTTIME`, which counts the time the system is suspended: a
/// lease runs out on the server while the holder sleeps. Elsewhere it is `std::time::Instant` since
/// the first call, which may stand still during a suspend, depending on the system; a lock held
/// through one may then be believed for as long as the suspend lasted.
#[must_use]
pub fn now() -> Instant {
    clock::now()
}

/// A fresh token from the operating system's generator. On Linux and Android that is the system call
/// `getrandom`, of version 3.17 and later; it waits until the generator has been seeded, once after
/// the boot.
///
/// # Errors
/// [`Error::Random`] when the generator fails or gives what no working one gives.
pub fn token() -> Result<Token, Error> {
    token_from(random::fill)
}

fn token_from(fill: Fill) -> Result<Token, Error> {
    let mut bytes = [0; Token::RANDOM_LEN];
    fill(&mut bytes).map_err(|Failed| Error::Random)?;
    Token::from_random(bytes).map_err(|_| Error::Random)
}

/// A seed for the jitter of one lock, different for every call. The operating system is asked once
/// for all: every lock would pay for the call. Where its generator fails, the clock is asked instead:
/// equal seeds cost time, not safety.
#[must_use]
pub fn seed() -> u64 {
    static ORIGIN: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let origin = ORIGIN.get_or_init(|| {
        let mut bytes = [0; 8];
        random::fill(&mut bytes)
            .map_or_else(|Failed| now().as_micros(), |()| u64::from_ne_bytes(bytes))
    });
    // What lies next to each other is as good as far apart: the jitter comes out of a mixer.
    Random::new(origin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))).next_u64()
}

/// The operating system has no randomness to give.
struct Failed;

type Fill = fn(&mut [u8]) -> Result<(), Failed>;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod random {
    use super::Failed;
    use rustix::io::Errno;
    use rustix::rand::{GetRandomFlags, getrandom};

    pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Failed> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match getrandom(rest, GetRandomFlags::empty()) {
                Ok(0) => return Err(Failed),
                Ok(count) => filled += count,
                // A signal came while the generator was not seeded.
                Err(Errno::INTR) => {}
                Err(_) => return Err(Failed),
            }
        }
        Ok(())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod random {
    use super::Failed;

    pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Failed> {
        getrandom::fill(bytes).map_err(|_| Failed)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod clock {
    use redlatch_core::Instant;
    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn now() -> Instant {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
        Instant::from_micros(seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod clock {
    use redlatch_core::Instant;
    use std::sync::OnceLock;

    pub(super) fn now() -> Instant {
        static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
        let origin = ORIGIN.get_or_init(std::time::Instant::now);
        Instant::ZERO.saturating_add(origin.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::{Failed, Fill, now, seed, token, token_from};
    use crate::error::Error;
    use core::time::Duration;
    use std::collections::HashSet;

    #[test]
    fn the_clock_counts_and_never_steps_back() {
        let start = now();
        let mut last = start;
        while last.saturating_since(start) < Duration::from_millis(3) {
            let next = now();
            assert!(next >= last);
            last = next;
        }
    }

    /// The clock counts from the boot, not from the epoch: setting the date does not move it.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_is_the_time_since_boot() {
        let uptime = std::fs::read_to_string("/proc/uptime").expect("uptime");
        let seconds: f64 = uptime.split(' ').next().expect("a word").parse().expect("seconds");
        let ours = Duration::from_micros(now().as_micros()).as_secs_f64();
        assert!((ours - seconds).abs() < 5.0, "{ours} {seconds}");
    }

    #[test]
    fn every_token_and_seed_is_fresh() {
        let tokens: HashSet<_> = (0..1000).map(|_| token().expect("randomness")).collect();
        let seeds: HashSet<_> = (0..1000).map(|_| seed()).collect();
        assert_eq!((tokens.len(), seeds.len()), (1000, 1000));
    }

    /// F51: no token that can be guessed, and none that is half random.
    #[test]
    fn a_generator_that_fails_or_gives_zeros_makes_no_token() {
        let broken: [Fill; 3] = [
            |_| Err(Failed),
            |_| Ok(()),
            |bytes| {
                bytes[0] = 7;
                Err(Failed)
            },
        ];
        for fill in broken {
            assert!(matches!(token_from(fill), Err(Error::Random)));
        }
    }
}
