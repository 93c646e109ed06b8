//! The numbers of RESP, read one byte at a time.
//!
//! Every grammar is a small value. `push` takes the next byte, or refuses it with `None`; `finish`
//! says what was read, or `None` while something is missing.

use crate::limits::LENGTH_DIGITS;

/// Up to 19 digits and the number they make, which always fits.
#[derive(Clone, Copy, Debug)]
struct Digits {
    value: u64,
    count: u8,
}

impl Digits {
    const NONE: Self = Self { value: 0, count: 0 };

    fn push(self, byte: u8) -> Option<Self> {
        let digit = digit(byte).filter(|_| self.count < LENGTH_DIGITS)?;
        let value = self.value.wrapping_mul(10).wrapping_add(digit.into());
        Some(Self { value, count: self.count.saturating_add(1) })
    }
}

const _: () = assert!(LENGTH_DIGITS <= 19, "so many digits always fit 64 bits");

/// A length or a count. Strict, because two parsers that disagree about a length are how commands
/// are smuggled: digits only, no leading zero, and `-1` for a null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    digits: Digits,
    minus: bool,
}

/// What a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    Null,
    Count(u64),
}

impl Length {
    pub(super) const EMPTY: Self = Self { digits: Digits::NONE, minus: false };

    pub(super) const fn is_empty(self) -> bool {
        self.digits.count == 0 && !self.minus
    }

    pub(super) fn push(self, byte: u8) -> Option<Self> {
        if byte == b'-' && self.is_empty() {
            return Some(Self { minus: true, ..self });
        }
        let leading_zero = self.digits.count > 0 && self.digits.value == 0;
        if leading_zero {
            return None;
        }
        Some(Self { digits: self.digits.push(byte)?, ..self })
    }

    pub(super) const fn finish(self) -> Option<Announced> {
        match (self.minus, self.digits) {
            (_, Digits { count: 0, .. }) => None,
            (false, Digits { value, .. }) => Some(Announced::Count(value)),
            (true, Digits { value: 1, .. }) => Some(Announced::Null),
            _ => None,
        }
    }

    pub(super) fn read(text: &[u8]) -> Option<Announced> {
        text.iter().try_fold(Self::EMPTY, |length, byte| length.push(*byte))?.finish()
    }
}

/// A signed integer of 64 bits. Whether it fits is known when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer {
    digits: Digits,
    sign: Option<u8>,
}

impl Integer {
    pub(super) const EMPTY: Self = Self { digits: Digits::NONE, sign: None };

    pub(super) fn push(self, byte: u8) -> Option<Self> {
        if matches!(byte, b'+' | b'-') && self.digits.count == 0 && self.sign.is_none() {
            return Some(Self { sign: Some(byte), ..self });
        }
        Some(Self { digits: self.digits.push(byte)?, ..self })
    }

    pub(super) fn finish(self) -> Option<i64> {
        match (self.sign, self.digits) {
            (_, Digits { count: 0, .. }) => None,
            // Subtracted where it is negative: i64::MIN has no positive counterpart.
            (Some(b'-'), digits) => 0_i64.checked_sub_unsigned(digits.value),
            (_, digits) => i64::try_from(digits.value).ok(),
        }
    }

    pub(crate) fn read(text: &[u8]) -> Option<i64> {
        text.iter().try_fold(Self::EMPTY, |integer, byte| integer.push(*byte))?.finish()
    }
}

/// A number of any size: only its shape is checked.
#[derive(Clone, Copy, Debug)]
pub(super) enum BigNumber {
    Empty,
    Sign,
    Digits,
}

impl BigNumber {
    pub(super) const fn push(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Empty, b'+' | b'-') => Some(Self::Sign),
            (_, b'0'..=b'9') => Some(Self::Digits),
            _ => None,
        }
    }

    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Digits)
    }
}

/// A floating-point number. Its shape is checked; its value is left to whoever wants it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Double {
    Empty,
    Plus,
    Minus,
    Whole,
    Point,
    Fraction,
    Mark,
    MarkSign,
    Exponent,
    /// Inside `inf` or `nan`: what is still due.
    Word(&'static [u8]),
}

impl Double {
    pub(super) const fn push(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Empty, b'+') => Self::Plus,
            (Self::Empty, b'-') => Self::Minus,
            (Self::Empty | Self::Minus, b'i') => Self::Word(b"nf"),
            (Self::Empty, b'n') => Self::Word(b"an"),
            (Self::Word([due, rest @ ..]), _) if *due == byte => Self::Word(rest),
            (Self::Empty | Self::Plus | Self::Minus | Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Whole | Self::Fraction, b'e' | b'E') => Self::Mark,
            (Self::Mark, b'+' | b'-') => Self::MarkSign,
            (Self::Mark | Self::MarkSign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            _ => return None,
        })
    }

    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction | Self::Exponent | Self::Word([]))
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.checked_sub(b'0').filter(|digit| *digit <= 9)
}

#[cfg(test)]
mod tests {
    use super::{Announced, BigNumber, Double, Integer, Length};

    #[test]
    fn lengths() {
        let cases: &[(&[u8], Option<Announced>)] = &[
            (b"0", Some(Announced::Count(0))),
            (b"7", Some(Announced::Count(7))),
            (b"10", Some(Announced::Count(10))),
            (b"9999999999999999999", Some(Announced::Count(9_999_999_999_999_999_999))),
            (b"-1", Some(Announced::Null)),
            (b"", None),
            (b"-", None),
            (b"--1", None),
            (b"-0", None),
            (b"-2", None),
            (b"-10", None),
            (b"-01", None),
            (b"+1", None),
            (b"01", None),
            (b"00", None),
            (b" 1", None),
            (b"1 ", None),
            (b"1-", None),
            (b"0x1", None),
            (b"1e3", None),
            (b"10000000000000000000", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Length::read(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn integers() {
        let cases: &[(&[u8], Option<i64>)] = &[
            (b"0", Some(0)),
            (b"-0", Some(0)),
            (b"+1", Some(1)),
            (b"-1", Some(-1)),
            (b"007", Some(7)),
            (b"9223372036854775807", Some(i64::MAX)),
            (b"-9223372036854775808", Some(i64::MIN)),
            (b"9223372036854775808", None),
            (b"-9223372036854775809", None),
            (b"00000000000000000000", None),
            (b"", None),
            (b"-", None),
            (b"+", None),
            (b"--1", None),
            (b"1-", None),
            (b"1 ", None),
            (b"1e3", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Integer::read(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn doubles_and_big_numbers() {
        let doubles: &[(&[u8], bool)] = &[
            (b"1", true),
            (b"-1.5", true),
            (b"+0.25e-3", true),
            (b"1E+20", true),
            (b"1e999", true),
            (b"inf", true),
            (b"-inf", true),
            (b"nan", true),
            (b"+inf", false),
            (b"-nan", false),
            (b"infinity", false),
            (b"in", false),
            (b"inx", false),
            (b"ixf", false),
            (b"nax", false),
            (b"-inx", false),
            (b"NaN", false),
            (b"", false),
            (b".5", false),
            (b"5.", false),
            (b"1e", false),
            (b"1e+", false),
            (b"1.2.3", false),
            (b"0x1", false),
            (b" 1", false),
        ];
        for (text, whole) in doubles {
            let read = text.iter().try_fold(Double::Empty, |double, byte| double.push(*byte));
            assert_eq!(read.is_some_and(Double::is_whole), *whole, "{text:?}");
        }
        let numbers: &[(&[u8], bool)] = &[
            (b"3492890328409238509324850943850943825024385", true),
            (b"-0", true),
            (b"+1", true),
            (b"", false),
            (b"-", false),
            (b"1-", false),
            (b"1.0", false),
        ];
        for (text, whole) in numbers {
            let read = text.iter().try_fold(BigNumber::Empty, |number, byte| number.push(*byte));
            assert_eq!(read.is_some_and(BigNumber::is_whole), *whole, "{text:?}");
        }
    }
}
