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
        read_digits(value, &mut random)?;
        Some(Self(random))
    }

    /// The token as it stands on the wire.
    #[must_use]
    pub fn to_hex(&self) -> [u8; Self::LEN] {
        let mut hex = [0; Self::LEN];
        write_digits(&self.0, &mut hex);
        hex
    }
}

#[cfg(target_pointer_width = "64")]
use wide::{read_digits, write_digits};

/// Four bytes at a time, in one word.
#[cfg(target_pointer_width = "64")]
mod wide {
    #[inline(always)] // The lengths are known then.
    pub(super) fn write_digits(bytes: &[u8], digits: &mut [u8]) {
        for (digits, bytes) in digits.chunks_exact_mut(8).zip(bytes.chunks_exact(4)) {
            digits.copy_from_slice(&to_digits(bytes.first_chunk().copied().unwrap_or_default()));
        }
    }

    #[inline(always)] // The lengths are known then.
    pub(super) fn read_digits(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
        for (bytes, digits) in bytes.chunks_exact_mut(4).zip(digits.chunks_exact(8)) {
            bytes.copy_from_slice(&from_digits(*digits.first_chunk()?)?);
        }
        Some(())
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
}

#[cfg(not(target_pointer_width = "64"))]
use narrow::{read_digits, write_digits};

/// Digit by digit, where words are narrow: it takes less flash.
#[cfg(any(test, not(target_pointer_width = "64")))]
mod narrow {
    pub(super) fn write_digits(bytes: &[u8], digits: &mut [u8]) {
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
        }
    }

    pub(super) fn read_digits(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                *byte = (*byte << 4) | nibble(*digit)?;
            }
        }
        Some(())
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
    use super::{narrow, read_digits, write_digits};
    use std::format;

    #[test]
    fn every_byte_in_every_place_has_its_digits() {
        for (place, byte) in (0..4).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            let mut bytes = [0x5a, 0xa5, 0x0f, 0xf0];
            bytes.get_mut(place).into_iter().for_each(|at| *at = byte);
            let expected = bytes.map(|byte| format!("{byte:02x}")).concat();
            for write in [write_digits, narrow::write_digits] {
                let mut digits = [0; 8];
                write(&bytes, &mut digits);
                assert_eq!(digits, expected.as_bytes(), "{bytes:x?}");
            }
            for read in [read_digits, narrow::read_digits] {
                let mut again = [0; 4];
                assert_eq!(read(expected.as_bytes(), &mut again), Some(()));
                assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn nothing_else_is_a_digit() {
        for (place, byte) in (0..8).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            for around in [b'0', b'9', b'a', b'f'] {
                let mut digits = [around; 8];
                digits.get_mut(place).into_iter().for_each(|at| *at = byte);
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                for read in [read_digits, narrow::read_digits] {
                    let read = read(&digits, &mut [0; 4]);
                    assert_eq!(read.is_some(), is_digit, "{byte:#x} at {place}");
                }
            }
        }
    }
}
