//! Jitter: a small seeded generator. Never a source of tokens.

use core::time::Duration;

/// SplitMix64: one word of state, full period, good enough to spread retries apart.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that always gives the same sequence for the same seed. Give every client its
    /// own seed: equal seeds make contenders retry in step.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A span from zero to `most`, both included, in whole microseconds.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.micros_up_to(most))
    }

    /// As [`Random::up_to`], in microseconds.
    pub(crate) fn micros_up_to(&mut self, most: u64) -> u64 {
        // Multiply-shift instead of a remainder: no division, no panic on an empty range.
        let wide = u128::from(self.next_u64()).wrapping_mul(u128::from(most).wrapping_add(1));
        u64::try_from(wide >> 64).unwrap_or(most)
    }
}
