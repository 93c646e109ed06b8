//! What stands in a frame.

use super::number::{Announced, Integer, Length};
use super::whole::{scanned, whole};
use super::{Scanner, Type};
use crate::limits::{DEPTH_MAX, Limits};
use core::fmt;

/// A view of one reply, or of one value inside it. It borrows; nothing is copied.
///
/// `Debug` shows kinds, lengths and numbers but no text: the text may be a token.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// `+`: a status, as in `OK`.
    Simple(&'a [u8]),
    /// `-` or `!`: the error line, its code first. Only the beginning of a line that is too long.
    Error(&'a [u8]),
    /// `:`
    Integer(i64),
    /// `$`: any bytes.
    Bulk(&'a [u8]),
    /// `=`: the text, without its format.
    Verbatim(&'a [u8]),
    /// `_`, and in RESP2 `$-1` and `*-1`.
    Null,
    /// `#t` or `#f`.
    Boolean(bool),
    /// `,`: its text, which has the shape of a double.
    Double(&'a [u8]),
    /// `(`: its text, a sign and digits.
    BigNumber(&'a [u8]),
    /// `*`
    Array(Elements<'a>),
    /// `~`
    Set(Elements<'a>),
    /// `%`: keys and values in turn.
    Map(Elements<'a>),
    /// `>`: sent by the server unasked. Its first element names its kind.
    Push(Elements<'a>),
    /// Something was here that is longer than a stored bound, so it was not kept.
    TooLong,
}

impl<'a> Reply<'a> {
    /// The view of one whole frame that a [`Scanner`] has passed. Attributes before it are skipped.
    ///
    /// Other bytes do no harm: they give [`Reply::TooLong`], or a reply with some value.
    #[must_use]
    #[inline]
    pub fn from_frame(frame: &'a [u8]) -> Self {
        match scanned(frame) {
            Some(reply) => reply,
            None => Self::from_rare_frame(frame),
        }
    }

    #[inline(never)] // Rare: kept out of the common path.
    fn from_rare_frame(frame: &'a [u8]) -> Self {
        let value = match frame.first() {
            Some(b'|') => split_value(frame).map(|(value, _)| value.bytes),
            _ => Some(frame),
        };
        value.and_then(Self::read).unwrap_or(Self::TooLong)
    }

    /// Reads a value that no attribute stands before.
    fn read(value: &'a [u8]) -> Option<Self> {
        let (first, rest) = value.split_first()?;
        let (line, body) = split_line(rest)?;
        let kind = Type::from_byte(*first).ok()?;
        Some(match kind {
            Type::Simple => Self::Simple(line),
            Type::Error => Self::Error(line),
            Type::Integer => Self::Integer(Integer::read(line)?),
            Type::Double => Self::Double(line),
            Type::BigNumber => Self::BigNumber(line),
            Type::Boolean => Self::Boolean(line == b"t"),
            Type::Null => Self::Null,
            _ => match Length::read(line)? {
                Announced::Null => Self::Null,
                Announced::Count(length) => Self::sized(kind, length, body)?,
            },
        })
    }

    /// Reads what follows the header of a bulk or an aggregate.
    fn sized(kind: Type, length: u64, body: &'a [u8]) -> Option<Self> {
        let bulk = || usize::try_from(length).ok().and_then(|length| body.get(..length));
        let elements = || {
            let left = u32::try_from(kind.values(length)).ok()?;
            Some(Elements { left, bytes: body })
        };
        Some(match kind {
            Type::Bulk => Self::Bulk(bulk()?),
            Type::BulkError => Self::Error(bulk()?),
            Type::Verbatim => match bulk()? {
                [_, _, _, b':', text @ ..] => Self::Verbatim(text),
                _ => return None,
            },
            Type::Array => Self::Array(elements()?),
            Type::Set => Self::Set(elements()?),
            Type::Map => Self::Map(elements()?),
            Type::Push => Self::Push(elements()?),
            _ => return None,
        })
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Self::Integer(integer) => return write!(f, "Integer({integer})"),
            Self::Boolean(boolean) => return write!(f, "Boolean({boolean})"),
            Self::Null => return f.write_str("Null"),
            Self::TooLong => return f.write_str("TooLong"),
            Self::Array(elements) => return write!(f, "Array({elements:?})"),
            Self::Set(elements) => return write!(f, "Set({elements:?})"),
            Self::Map(elements) => return write!(f, "Map({elements:?})"),
            Self::Push(elements) => return write!(f, "Push({elements:?})"),
            Self::Simple(text) => ("Simple", text),
            Self::Error(text) => ("Error", text),
            Self::Bulk(text) => ("Bulk", text),
            Self::Verbatim(text) => ("Verbatim", text),
            Self::Double(text) => ("Double", text),
            Self::BigNumber(text) => ("BigNumber", text),
        };
        write!(f, "{kind}({} bytes)", text.len())
    }
}

/// The elements of an aggregate, in order; a map of n entries gives 2n. Attributes and pushes
/// between them are skipped.
///
/// Each step scans the element it gives, so to walk a reply of depth d costs at most d passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Elements<'a> {
    pub(super) left: u32,
    pub(super) bytes: &'a [u8],
}

impl Elements<'_> {
    /// Elements that are left.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.left
    }

    /// Whether no element is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Reply<'a>;

    fn next(&mut self) -> Option<Reply<'a>> {
        self.left = self.left.checked_sub(1)?;
        match whole(self.bytes) {
            Some(value) if value.is_all() => {
                self.bytes = self.bytes.get(value.len..).unwrap_or_default();
                Some(value.reply)
            }
            _ => self.next_rare(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, usize::try_from(self.left).ok())
    }
}

impl<'a> Elements<'a> {
    /// An aggregate, or something that pushes and attributes stand before.
    #[inline(never)]
    fn next_rare(&mut self) -> Option<Reply<'a>> {
        while let Some((value, rest)) = split_value(self.bytes) {
            self.bytes = rest;
            if !value.is_push {
                return Some(Reply::read(value.bytes).unwrap_or(Reply::TooLong));
            }
        }
        // Only bytes that no scanner has passed end before their count.
        self.left = 0;
        None
    }
}

impl core::iter::FusedIterator for Elements<'_> {}

impl fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} elements", self.left)
    }
}

/// A value without the attributes before it.
struct Value<'a> {
    bytes: &'a [u8],
    is_push: bool,
}

/// Splits `bytes` behind the first value, which is found as any frame is.
fn split_value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut scanner = Scanner::new(SCANNED);
    let scanned = scanner.advance(bytes).ok().filter(|scanned| scanned.ended)?;
    let (frame, rest) = bytes.split_at_checked(scanned.used)?;
    let start = usize::try_from(scanner.value_start()).ok()?;
    Some((Value { bytes: frame.get(start..)?, is_push: scanner.is_push() }, rest))
}

/// Limits for bytes that a scanner with tighter ones has passed already.
const SCANNED: Limits = Limits {
    depth: DEPTH_MAX,
    aggregate_elements: u32::MAX,
    reply_elements: u32::MAX,
    bulk_bytes: u32::MAX,
    line_bytes: u32::MAX,
    push_bytes: u32::MAX,
    reply_bytes: u32::MAX,
    in_flight: 0,
};

/// The line up to CR LF, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, end) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b'\r')?)?;
    Some((line, end.strip_prefix(b"\r\n")?))
}
