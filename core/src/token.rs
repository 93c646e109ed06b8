//! The token that proves ownership of a key.

use core::fmt;

/// 160 random bits, drawn afresh for every attempt to take a lock.
///
/// On the wire a token is 40 lower-case hexadecimal digits, so that every client language can read
/// it. It is a capability: whoever knows it can release the lock, so `Debug` shows none of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; Token::RANDOM_LEN]);

impl Token {
    /// Random bytes in a token.
    pub const RANDOM_LEN: usize = 20;
    /// Bytes of a token on the wire.
    pub const LEN: usize = 40;

    /// Turns 20 random bytes into a token. They must come from the operating system or from a
    /// hardware generator, and must never be used twice.
    ///
    /// # Errors
    /// [`WeakRandomness`] when all bytes are the same: a generator that is not seeded, not clocked
    /// or not there. A sound one does that once in 2^152 calls.
    pub fn from_random(random: [u8; Self::RANDOM_LEN]) -> Result<Self, WeakRandomness> {
        let [first, ..] = random;
        if random.iter().all(|byte| *byte == first) {
            return Err(WeakRandomness);
        }
        Ok(Self(random))
    }

    /// Reads a value found on a server. `None` when it does not have the shape of a token of ours:
    /// then somebody else wrote it.
    #[must_use]
    pub fn from_wire(value: &[u8]) -> Option<Self> {
        if value.len() != Self::LEN {
            return None;
        }
        let mut random = [0; Self::RANDOM_LEN];
        for (byte, digits) in random.iter_mut().zip(value.chunks_exact(2)) {
            for digit in digits {
                *byte = (*byte << 4) | nibble(*digit)?;
            }
        }
        Some(Self(random))
    }

    /// The token as it stands on the wire.
    #[must_use]
    pub fn to_hex(&self) -> [u8; Self::LEN] {
        let mut hex = [0; Self::LEN];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
        }
        hex
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0'.saturating_add(nibble)
    } else {
        b'a'.saturating_add(nibble.saturating_sub(10))
    }
}

const fn nibble(hex_digit: u8) -> Option<u8> {
    match hex_digit {
        b'0'..=b'9' => Some(hex_digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(hex_digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// The random generator given by the caller is broken; see [`Token::from_random`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakRandomness;

impl fmt::Display for WeakRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random generator gave twenty equal bytes: it is not seeded or not running")
    }
}

impl core::error::Error for WeakRandomness {}
