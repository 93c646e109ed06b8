//! A reply as a value that owns itself, to be compared and to be written.

use redlatch_core::{Elements, Reply};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Verbatim(Vec<u8>),
    Null,
    Boolean(bool),
    Double(Vec<u8>),
    BigNumber(Vec<u8>),
    Array(Vec<Tree>),
    Set(Vec<Tree>),
    /// Keys and values in turn.
    Map(Vec<Tree>),
    Push(Vec<Tree>),
    TooLong,
}

impl Tree {
    pub(crate) fn of(reply: Reply<'_>) -> Self {
        let trees = |elements: Elements<'_>| elements.map(Self::of).collect();
        match reply {
            Reply::Simple(text) => Self::Simple(text.to_vec()),
            Reply::Error(text) => Self::Error(text.to_vec()),
            Reply::Integer(number) => Self::Integer(number),
            Reply::Bulk(text) => Self::Bulk(text.to_vec()),
            Reply::Verbatim(text) => Self::Verbatim(text.to_vec()),
            Reply::Null => Self::Null,
            Reply::Boolean(boolean) => Self::Boolean(boolean),
            Reply::Double(text) => Self::Double(text.to_vec()),
            Reply::BigNumber(text) => Self::BigNumber(text.to_vec()),
            Reply::Array(elements) => Self::Array(trees(elements)),
            Reply::Set(elements) => Self::Set(trees(elements)),
            Reply::Map(elements) => Self::Map(trees(elements)),
            Reply::Push(elements) => Self::Push(trees(elements)),
            Reply::TooLong => Self::TooLong,
            other => panic!("a new kind of reply: {other:?}"),
        }
    }

    /// Writes it in RESP3. An error whose text is no line becomes a bulk error.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => line(out, b'+', text),
            Self::Error(text) if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) => {
                bulk(out, b'!', &[text]);
            }
            Self::Error(text) => line(out, b'-', text),
            Self::Integer(number) => line(out, b':', number.to_string().as_bytes()),
            Self::Bulk(text) => bulk(out, b'$', &[text]),
            Self::Verbatim(text) => bulk(out, b'=', &[b"txt:", text]),
            Self::Null => line(out, b'_', b""),
            Self::Boolean(boolean) => line(out, b'#', if *boolean { b"t" } else { b"f" }),
            Self::Double(text) => line(out, b',', text),
            Self::BigNumber(text) => line(out, b'(', text),
            Self::Array(trees) => aggregate(out, b'*', trees.len(), trees),
            Self::Set(trees) => aggregate(out, b'~', trees.len(), trees),
            Self::Map(trees) => aggregate(out, b'%', trees.len() / 2, trees),
            Self::Push(trees) => aggregate(out, b'>', trees.len(), trees),
            Self::TooLong => {}
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    pub(crate) fn elements(&self) -> &[Self] {
        match self {
            Self::Array(trees) | Self::Set(trees) | Self::Map(trees) | Self::Push(trees) => trees,
            _ => &[],
        }
    }

    /// The text of a string.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Bulk(text) => Some(text),
            _ => None,
        }
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn bulk(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let text = parts.concat();
    line(out, kind, text.len().to_string().as_bytes());
    out.extend_from_slice(&text);
    out.extend_from_slice(b"\r\n");
}

fn aggregate(out: &mut Vec<u8>, kind: u8, count: usize, trees: &[Tree]) {
    line(out, kind, count.to_string().as_bytes());
    trees.iter().for_each(|tree| tree.encode(out));
}
