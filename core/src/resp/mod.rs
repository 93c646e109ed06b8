//! The wire: RESP2 and RESP3, as much of it as a server may send us, on one page.
//!
//! ```text
//! frame     = *( attribute ) ( push / value )
//! value     = line / bulk / aggregate, attributes and pushes may stand before every one
//!
//! line      = "+" text | "-" text                                 simple string, error
//!           | ":" [sign] 1*19digit                                 integer, 64 bits signed
//!           | "," ( [sign] digits ["." digits] [("e"/"E") [sign] digits] / "inf" / "-inf" / "nan" )
//!           | "(" [sign] digits                                    big number
//!           | "#" ("t" / "f") | "_"                                boolean, null
//!             each ended by CR LF; text holds neither CR nor LF
//!
//! bulk      = ("$" / "!" / "=") length CR LF, length bytes, CR LF  string, error, verbatim "txt:..."
//!           | "$-1" CR LF                                          null in RESP2
//!
//! aggregate = ("*" / "~") count CR LF, count values                array, set
//!           | "%" count CR LF, 2 * count values                    map
//!           | "*-1" CR LF                                          null in RESP2
//! push      = ">" count CR LF, count values
//! attribute = "|" count CR LF, 2 * count values
//!
//! length, count = "0" / 1-19 digits without leading zero, no sign, no space
//! ```
//!
//! An attribute and a push are no elements of the aggregate they stand in: they come on top of its
//! count. Streamed strings and aggregates (`$?`, `*?`, `;`, `.`) are not accepted; no server sends
//! them. Sources: [RESP specification](https://redis.io/docs/latest/develop/reference/protocol-spec/),
//! [RESP3](https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md).
//!
//! The job is cut in two. The [`Scanner`] takes every byte as it comes, and says where a frame ends:
//! all grammar and all limits are checked there. A [`Reply`] is a view of one frame that was scanned.
//! Neither copies, allocates or recurses.

mod encode;
mod line;
mod nesting;
mod number;
mod reply;
mod scanner;
mod whole;
mod wire;

pub(crate) use encode::encode_visited;
pub(crate) use number::Integer;
pub(crate) use wire::{Wire, bulk_len};

pub use encode::{Arguments, Decimal, encode, encoded_len};
pub use reply::{Elements, Reply};
pub use scanner::{Scanned, Scanner};

use core::fmt;

/// The type byte that every value begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Simple,
    Error,
    Integer,
    Double,
    BigNumber,
    Boolean,
    Null,
    Bulk,
    BulkError,
    Verbatim,
    Array,
    Set,
    Map,
    Push,
    Attribute,
}

impl Type {
    const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Ok(match byte {
            b'+' => Self::Simple,
            b'-' => Self::Error,
            b':' => Self::Integer,
            b',' => Self::Double,
            b'(' => Self::BigNumber,
            b'#' => Self::Boolean,
            b'_' => Self::Null,
            b'$' => Self::Bulk,
            b'!' => Self::BulkError,
            b'=' => Self::Verbatim,
            b'*' => Self::Array,
            b'~' => Self::Set,
            b'%' => Self::Map,
            b'>' => Self::Push,
            b'|' => Self::Attribute,
            b';' | b'.' => return Err(Malformed::Streamed),
            other => return Err(Malformed::UnknownType(other)),
        })
    }

    /// Whether any text may follow, up to the end of the line.
    const fn is_free(self) -> bool {
        matches!(self, Self::Simple | Self::Error)
    }

    /// Whether RESP2 writes a null with this type and the length -1.
    const fn has_null(self) -> bool {
        matches!(self, Self::Bulk | Self::Array)
    }

    /// Values that follow the header of an aggregate which announces `count`.
    const fn values(self, count: u64) -> u64 {
        match self {
            Self::Map | Self::Attribute => count.saturating_mul(2),
            _ => count,
        }
    }
}

/// Why the bytes of a peer are no reply that we read. It ends the connection: after such a byte
/// nothing is known about where the next reply begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// No value begins with this byte.
    UnknownType(u8),
    /// A length or a count is not written as 1 to 19 digits without sign and leading zero.
    Length,
    /// An integer is not a sign and 1 to 19 digits, or does not fit 64 bits.
    Integer,
    /// A double is not written as RESP3 says.
    Double,
    /// A boolean is neither `#t` nor `#f`.
    Boolean,
    /// A null is not exactly `_`.
    Null,
    /// A big number is not a sign and digits.
    BigNumber,
    /// A verbatim string does not begin with a format of three bytes and a colon.
    Verbatim,
    /// A CR or LF where none may stand, or another byte where CR LF must.
    LineEnd,
    /// A string or aggregate of unknown length (`$?`, `*?`, `;`, `.`).
    Streamed,
    /// More aggregates inside one another than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// More elements than [`Limits::aggregate_elements`](crate::Limits::aggregate_elements) in one
    /// aggregate, or than [`Limits::reply_elements`](crate::Limits::reply_elements) in all.
    TooManyElements,
    /// More bytes than [`Limits::reply_bytes`](crate::Limits::reply_bytes), or a length that
    /// announces them.
    TooLarge,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match *self {
            Self::UnknownType(byte) => return write_unknown_type(f, byte),
            Self::Length => "a length or count is not a plain number",
            Self::Integer => "an integer is not one of 64 bits",
            Self::Double => "a double is not written as one",
            Self::Boolean => "a boolean is neither true nor false",
            Self::Null => "a null holds something",
            Self::BigNumber => "a big number is not one",
            Self::Verbatim => "a verbatim string has no format",
            Self::LineEnd => "a line or string does not end with CR LF",
            Self::Streamed => "it sends a string or aggregate of unknown length",
            Self::TooDeep => return f.write_str("the peer's reply exceeds the limit on depth"),
            Self::TooManyElements => {
                return f.write_str("the peer's reply exceeds the limit on elements");
            }
            Self::TooLarge => return f.write_str("the peer's reply exceeds the limit on bytes"),
        };
        write!(f, "the peer does not speak RESP: {what}")
    }
}

/// The first byte often tells who is listening there instead.
fn write_unknown_type(f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    let guess = match byte {
        b'H' => ", perhaps HTTP",
        b'S' => ", perhaps SSH",
        0x15 | 0x16 => ", perhaps TLS",
        _ => "",
    };
    write!(f, "the peer does not speak RESP: a value begins with byte {byte:#04x}{guess}")
}

impl core::error::Error for Malformed {}
