//! What may stand in a value of one line, where that is not any text.

use super::number::{BigNumber, Double, Integer};
use super::{Malformed, Type};

/// The grammar of a line, and how far it was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Integer(Integer),
    Double(Double),
    BigNumber(BigNumber),
    /// Whether its one letter was read.
    Boolean(bool),
    Null,
}

impl Text {
    /// The grammar of the line that begins with `kind`; `None` when that is no line, or any text.
    pub(super) const fn of(kind: Type) -> Option<Self> {
        Some(match kind {
            Type::Integer => Self::Integer(Integer::EMPTY),
            Type::Double => Self::Double(Double::Empty),
            Type::BigNumber => Self::BigNumber(BigNumber::Empty),
            Type::Boolean => Self::Boolean(false),
            Type::Null => Self::Null,
            _ => return None,
        })
    }

    /// Takes the next byte of the line, which is neither CR nor LF.
    pub(super) fn push(self, byte: u8) -> Result<Self, Malformed> {
        let next = match self {
            Self::Integer(integer) => integer.push(byte).map(Self::Integer),
            Self::Double(double) => double.push(byte).map(Self::Double),
            Self::BigNumber(number) => number.push(byte).map(Self::BigNumber),
            Self::Boolean(false) if matches!(byte, b't' | b'f') => Some(Self::Boolean(true)),
            Self::Boolean(_) | Self::Null => None,
        };
        next.ok_or(self.fault())
    }

    /// Whether the line may end here.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        let whole = match self {
            Self::Null => true,
            Self::Integer(integer) => integer.finish().is_some(),
            Self::Double(double) => double.is_whole(),
            Self::BigNumber(number) => number.is_whole(),
            Self::Boolean(read) => read,
        };
        if whole { Ok(()) } else { Err(self.fault()) }
    }

    const fn fault(self) -> Malformed {
        match self {
            Self::Integer(_) => Malformed::Integer,
            Self::Double(_) => Malformed::Double,
            Self::BigNumber(_) => Malformed::BigNumber,
            Self::Boolean(_) => Malformed::Boolean,
            Self::Null => Malformed::Null,
        }
    }
}
