//! Replies, and their bytes in each version of the protocol.
//!
//! Source: the [RESP specification](https://redis.io/docs/latest/develop/reference/protocol-spec/).

use std::borrow::Cow;

/// The version of the protocol that a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, which every connection starts with.
    #[default]
    Resp2,
    /// RESP3, after `HELLO 3`.
    Resp3,
}

/// One reply or push, before it is written in a version of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Simple(Cow<'static, str>),
    Error(Cow<'static, str>),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    Array(Vec<Self>),
    /// A map; in RESP2 a flat array.
    Map(Vec<(Self, Self)>),
    /// Text marked as `txt`; in RESP2 a bulk string.
    Verbatim(String),
    /// A message nobody asked for; it exists in RESP3 only.
    Push(Vec<Self>),
}

impl Reply {
    pub(crate) const OK: Self = Self::Simple(Cow::Borrowed("OK"));

    pub(crate) fn error(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(text.into())
    }

    pub(crate) fn bulk(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Bulk(bytes.as_ref().to_vec())
    }

    /// Appends the bytes of this reply to `out`.
    pub(crate) fn encode(&self, protocol: Protocol, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => line(b'+', text, out),
            Self::Error(text) => line(b'-', text, out),
            Self::Integer(number) => line(b':', &number.to_string(), out),
            Self::Bulk(bytes) => string(b'$', bytes, out),
            Self::Null if protocol == Protocol::Resp3 => out.extend_from_slice(b"_\r\n"),
            Self::Null => out.extend_from_slice(b"$-1\r\n"),
            Self::Array(items) => aggregate(b'*', items, protocol, out),
            Self::Push(items) => aggregate(b'>', items, protocol, out),
            Self::Map(pairs) => {
                match protocol {
                    Protocol::Resp2 => line(b'*', &(2 * pairs.len()).to_string(), out),
                    Protocol::Resp3 => line(b'%', &pairs.len().to_string(), out),
                }
                for (key, value) in pairs {
                    key.encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
            Self::Verbatim(text) if protocol == Protocol::Resp3 => {
                string(b'=', format!("txt:{text}").as_bytes(), out);
            }
            Self::Verbatim(text) => string(b'$', text.as_bytes(), out),
        }
    }
}

/// A line cannot hold CR or LF: a server turns them into spaces, and so do we.
fn line(kind: u8, text: &str, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend(text.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

fn string(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    line(kind, &bytes.len().to_string(), out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn aggregate(kind: u8, items: &[Reply], protocol: Protocol, out: &mut Vec<u8>) {
    line(kind, &items.len().to_string(), out);
    for item in items {
        item.encode(protocol, out);
    }
}
