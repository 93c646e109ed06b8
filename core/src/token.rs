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
        for (bytes, digits) in random.chunks_exact_mut(4).zip(value.chunks_exact(8)) {
            bytes.copy_from_slice(&from_digits(*digits.first_chunk()?)?);
        }
        Some(Self(random))
    }

    /// The token as it stands on the wire.
    #[must_use]
    pub fn to_hex(&self) -> [u8; Self::LEN] {
        let mut hex = [0; Self::LEN];
        for (digits, bytes) in hex.chunks_exact_mut(8).zip(self.0.chunks_exact(4)) {
            digits.copy_from_slice(&to_digits(bytes.first_chunk().copied().unwrap_or_default()));
        }
        hex
    }
}
/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The digits of four bytes, all at once and in the same time whatever they are: the token is secret.
fn to_digits(bytes: [u8; 4]) -> [u8; 8] {
    // Each byte to the place of its two digits, then each half of it to the place of one.
    let word = u64::from(u32::from_le_bytes(bytes));
    let word = (word | (word << 16)) & 0x0000_ffff_0000_ffff;
    let word = (word | (word << 8)) & 0x00ff_00ff_00ff_00ff;
    let nibbles = ((word >> 4) | (word << 8)) & all(0x0f);
    // Adding six carries into the next nibble where the digit is a letter.
    let letters = (nibbles.wrapping_add(all(6)) >> 4) & all(1);
    let to_letter = u64::from(b'a' - b'0' - 10);
    nibbles.wrapping_add(all(b'0')).wrapping_add(letters.wrapping_mul(to_letter)).to_le_bytes()
}

/// The bytes of eight digits; `None` when one is no lower-case hexadecimal digit.
fn from_digits(digits: [u8; 8]) -> Option<[u8; 4]> {
    let word = u64::from_le_bytes(digits);
    // The high bit of each byte below 0x80 that is `byte` or above.
    let from = |byte: u8| word.wrapping_add(all(0x80_u8.wrapping_sub(byte)));
    let figures = from(b'0') & !from(b'9' + 1);
    let letters = from(b'a') & !from(b'f' + 1);
    if word & all(0x80) != 0 || (figures | letters) & all(0x80) != all(0x80) {
        return None;
    }
    let nines = ((letters >> 7) & all(1)).wrapping_mul(9);
    let nibbles = (word & all(0x0f)).wrapping_add(nines);
    let word = ((nibbles << 4) | (nibbles >> 8)) & 0x00ff_00ff_00ff_00ff;
    let word = (word | (word >> 8)) & 0x0000_ffff_0000_ffff;
    let [a, b, c, d, ..] = (word | (word >> 16)).to_le_bytes();
    Some([a, b, c, d])
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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{from_digits, to_digits};
    use std::format;

    #[test]
    fn every_byte_in_every_place_has_its_digits() {
        for (place, byte) in (0..4).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            let mut bytes = [0x5a, 0xa5, 0x0f, 0xf0];
            bytes.get_mut(place).into_iter().for_each(|at| *at = byte);
            let expected = bytes.map(|byte| format!("{byte:02x}")).concat();
            assert_eq!(to_digits(bytes), expected.as_bytes(), "{bytes:x?}");
            assert_eq!(from_digits(to_digits(bytes)), Some(bytes));
        }
    }

    #[test]
    fn nothing_else_is_a_digit() {
        for (place, byte) in (0..8).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            for around in [b'0', b'9', b'a', b'f'] {
                let mut digits = [around; 8];
                digits.get_mut(place).into_iter().for_each(|at| *at = byte);
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(from_digits(digits).is_some(), is_digit, "{byte:#x} at {place}");
            }
        }
    }
}
