//! Everything that a world leaves to chance.

use redlatch_core::{Random, Token};

/// Draws, all from one seed.
pub(crate) struct Dice(Random);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub(crate) const fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Less than `most`; zero if that is zero.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0.next_u64() % most.max(1)
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    pub(crate) fn among<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// From `-most` to `most`.
    pub(crate) fn around_zero(&mut self, most: u64) -> i64 {
        let drawn = self.below(2 * most + 1);
        i64::try_from(drawn).unwrap_or_default() - i64::try_from(most).unwrap_or_default()
    }

    /// A token that no other draw gives: it holds who drew it, a number, and for which lock.
    pub(crate) fn token(&mut self, owner: u16, number: u64, slot: usize) -> Token {
        let mut bytes = [0; Token::RANDOM_LEN];
        bytes[..2].copy_from_slice(&owner.to_be_bytes());
        bytes[2..10].copy_from_slice(&number.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.0.next_u64().to_be_bytes());
        bytes[18] = u8::try_from(slot).unwrap_or_default();
        Token::from_random(bytes).expect("not all bytes are alike")
    }
}
