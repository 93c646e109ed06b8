//! The numbers of RESP, read one byte at a time.
//!
//! Every grammar is a small value. `push` takes the next byte, or refuses it with `None`; `finish`
//! says what was read, or `None` while something is missing.

use crate::limits::LENGTH_DIGITS;

/// A length or a count. Strict, because two parsers that disagree about a length are how commands
/// are smuggled: digits only, no leading zero, and `-1` for a null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    value: u64,
    digits: u8,
    minus: bool,
}

/// What a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    Null,
    Count(u64),
}

impl Length {
    pub(super) const EMPTY: Self = Self { value: 0, digits: 0, minus: false };

    pub(super) const fn is_empty(self) -> bool {
        self.digits == 0 && !self.minus
    }

    pub(super) fn push(self, byte: u8) -> Option<Self> {
        if byte == b'-' && self.is_empty() {
            return Some(Self { minus: true, ..self });
        }
        let leading_zero = self.digits > 0 && self.value == 0;
        if self.digits >= LENGTH_DIGITS || leading_zero {
            return None;
        }
        let value = self.value.checked_mul(10)?.checked_add(digit(byte)?.into())?;
        Some(Self { value, digits: self.digits.saturating_add(1), ..self })
    }

    pub(super) const fn finish(self) -> Option<Announced> {
        match self {
            Self { digits: 0, .. } => None,
            Self { minus: false, value, .. } => Some(Announced::Count(value)),
            Self { minus: true, value: 1, .. } => Some(Announced::Null),
            _ => None,
        }
    }

    pub(super) fn read(text: &[u8]) -> Option<Announced> {
        text.iter().try_fold(Self::EMPTY, |length, byte| length.push(*byte))?.finish()
    }
}

/// A signed integer of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer {
    value: i64,
    digits: u8,
    sign: Option<u8>,
}

impl Integer {
    const DIGITS_MAX: u8 = 19;

    pub(super) const EMPTY: Self = Self { value: 0, digits: 0, sign: None };

    pub(super) fn push(self, byte: u8) -> Option<Self> {
        if matches!(byte, b'+' | b'-') && self.digits == 0 && self.sign.is_none() {
            return Some(Self { sign: Some(byte), ..self });
        }
        if self.digits >= Self::DIGITS_MAX {
            return None;
        }
        let shifted = self.value.checked_mul(10)?;
        let digit = digit(byte)?.into();
        // A negative number grows downwards: i64::MIN has no positive counterpart.
        let value = match self.sign {
            Some(b'-') => shifted.checked_sub(digit)?,
            _ => shifted.checked_add(digit)?,
        };
        Some(Self { value, digits: self.digits.saturating_add(1), ..self })
    }

    pub(super) const fn finish(self) -> Option<i64> {
        if self.digits == 0 { None } else { Some(self.value) }
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
