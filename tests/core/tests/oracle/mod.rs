//! One body for two users: the tests of this crate, and the fuzz target `oracle`.
//!
//! Whole valid frames read the same in ours and in `redis-protocol`. Of frames that were damaged, whatever
//! ours accepts the oracle accepts too, with the same value and length. It accepts more, on purpose:
//! - another terminator than CR LF behind a bulk string (`$3 abcXY`);
//! - a CR or LF inside a line (`+OK\n+OK`);
//! - something behind a null (`_x`), a verbatim string without colon (`=5 txtab`);
//! - lengths with sign or leading zeros (`$+5`, `*01`), a null map or set (`%-1`);
//! - a part of a streamed string without its beginning (`;0`);
//! - integers of more than 19 digits (`:00000000000000000001`);
//! - doubles in every form that Rust reads (`,.5`, `,infinity`), big numbers that are none;
//! - more elements, bytes and depth than our limits.
//!
//! And ours accepts what it refuses: the nulls of RESP2 (`$-1`, `*-1`) among RESP3, aggregates as map
//! keys and in sets, errors that are not UTF-8, verbatim formats other than `txt` and `mkd`, pushes and
//! attributes in places where it does not look for them.
//!
//! Of a key that stands twice in a map ours gives both values, the oracle one.

// Each user needs its part.
#![allow(dead_code, unreachable_pub, missing_docs)]

use redis_protocol::resp2::types::OwnedFrame as Frame2;
use redis_protocol::resp3::types::OwnedFrame as Frame3;
use redlatch_core::Limits;
use redlatch_core::resp::{Elements, Malformed, Reply, Scanner};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Verbatim(Vec<u8>),
    Null,
    Boolean(bool),
    /// The bits of the number.
    Double(u64),
    BigNumber(Vec<u8>),
    Array(Vec<Value>),
    Set(BTreeSet<Value>),
    Map(BTreeMap<Value, Value>),
    Push(Vec<Value>),
    /// Something that only the oracle reads as a value.
    Foreign(String),
}

// ---- what is sent

pub fn encode(value: &Value, out: &mut Vec<u8>) {
    let mut line = |kind: u8, text: &[u8]| out.extend([&[kind], text, b"\r\n"].concat());
    let number = |len: usize| len.to_string().into_bytes();
    match value {
        Value::Simple(text) => line(b'+', text),
        Value::Error(text) => line(b'-', text),
        Value::Integer(integer) => line(b':', integer.to_string().as_bytes()),
        Value::Null => line(b'_', b""),
        Value::Boolean(boolean) => line(b'#', if *boolean { b"t" } else { b"f" }),
        Value::Double(bits) => line(b',', double_text(f64::from_bits(*bits)).as_bytes()),
        Value::BigNumber(text) => line(b'(', text),
        Value::Bulk(text) => {
            line(b'$', &number(text.len()));
            out.extend([text.as_slice(), b"\r\n"].concat());
        }
        Value::Verbatim(text) => {
            line(b'=', &number(text.len() + 4));
            out.extend([b"txt:", text.as_slice(), b"\r\n"].concat());
        }
        Value::Array(values) => {
            line(b'*', &number(values.len()));
            values.iter().for_each(|value| encode(value, out));
        }
        Value::Push(values) => {
            line(b'>', &number(values.len()));
            values.iter().for_each(|value| encode(value, out));
        }
        Value::Set(values) => {
            line(b'~', &number(values.len()));
            values.iter().for_each(|value| encode(value, out));
        }
        Value::Map(entries) => {
            line(b'%', &number(entries.len()));
            entries.iter().for_each(|(key, value)| {
                encode(key, out);
                encode(value, out);
            });
        }
        Value::Foreign(what) => panic!("no value of ours: {what}"),
    }
}

fn double_text(double: f64) -> String {
    match double {
        _ if double.is_nan() => "nan".into(),
        _ if double == f64::INFINITY => "inf".into(),
        _ if double == f64::NEG_INFINITY => "-inf".into(),
        _ => format!("{double:e}"),
    }
}

/// The two zeros are one key for the oracle, so they are one value here.
pub fn double(double: f64) -> Value {
    Value::Double((double + 0.0).to_bits())
}

// ---- what each decoder makes of it

/// `None` while the frame is not whole.
pub fn ours(input: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
    let limits = Limits { line_bytes: 4096, ..Limits::HOSTED };
    let mut scanner = Scanner::new(limits);
    let scanned = scanner.advance(input)?;
    Ok(scanned.ended.then(|| (from_reply(Reply::from_frame(&input[..scanned.used])), scanned.used)))
}

fn from_reply(reply: Reply<'_>) -> Value {
    let values = |elements: Elements<'_>| elements.map(from_reply).collect::<Vec<_>>();
    match reply {
        Reply::Simple(text) => Value::Simple(text.into()),
        Reply::Error(text) => Value::Error(text.into()),
        Reply::Integer(integer) => Value::Integer(integer),
        Reply::Bulk(text) => Value::Bulk(text.into()),
        Reply::Verbatim(text) => Value::Verbatim(text.into()),
        Reply::Null => Value::Null,
        Reply::Boolean(boolean) => Value::Boolean(boolean),
        Reply::Double(text) => double(core::str::from_utf8(text).unwrap().parse().unwrap()),
        Reply::BigNumber(text) => Value::BigNumber(text.into()),
        Reply::Array(elements) => Value::Array(values(elements)),
        Reply::Push(elements) => Value::Push(values(elements)),
        Reply::Set(elements) => Value::Set(values(elements).into_iter().collect()),
        Reply::Map(elements) => {
            let values = values(elements);
            Value::Map(values.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
        }
        other => panic!("not whole: {other:?}"),
    }
}

fn from_frame3(frame: Frame3) -> Value {
    let values = |frames: Vec<Frame3>| frames.into_iter().map(from_frame3).collect();
    match frame {
        Frame3::SimpleString { data, .. } => Value::Simple(data),
        Frame3::SimpleError { data, .. } => Value::Error(data.into_bytes()),
        Frame3::BlobString { data, .. } => Value::Bulk(data),
        Frame3::BlobError { data, .. } => Value::Error(data),
        Frame3::Number { data, .. } => Value::Integer(data),
        Frame3::Boolean { data, .. } => Value::Boolean(data),
        Frame3::Double { data, .. } => double(data),
        Frame3::BigNumber { data, .. } => Value::BigNumber(data),
        Frame3::VerbatimString { data, .. } => Value::Verbatim(data),
        Frame3::Null => Value::Null,
        Frame3::Array { data, .. } => Value::Array(values(data)),
        Frame3::Push { data, .. } => Value::Push(values(data)),
        Frame3::Set { data, .. } => Value::Set(data.into_iter().map(from_frame3).collect()),
        Frame3::Map { data, .. } => Value::Map(
            data.into_iter().map(|(key, value)| (from_frame3(key), from_frame3(value))).collect(),
        ),
        other => Value::Foreign(format!("{other:?}")),
    }
}

fn from_frame2(frame: Frame2) -> Value {
    match frame {
        Frame2::SimpleString(text) => Value::Simple(text),
        Frame2::Error(text) => Value::Error(text.into_bytes()),
        Frame2::Integer(integer) => Value::Integer(integer),
        Frame2::BulkString(text) => Value::Bulk(text),
        Frame2::Array(frames) => Value::Array(frames.into_iter().map(from_frame2).collect()),
        Frame2::Null => Value::Null,
    }
}

/// `None` while the frame is not whole.
pub fn oracle3(input: &[u8]) -> Result<Option<(Value, usize)>, String> {
    let decoded =
        redis_protocol::resp3::decode::complete::decode(input).map_err(|e| e.to_string())?;
    Ok(decoded.map(|(frame, used)| (from_frame3(frame), used)))
}

pub fn oracle2(input: &[u8]) -> Result<Option<(Value, usize)>, String> {
    let decoded = redis_protocol::resp2::decode::decode(input).map_err(|e| e.to_string())?;
    Ok(decoded.map(|(frame, used)| (from_frame2(frame), used)))
}

/// Whether the oracle can hold the reply: it hashes map keys and the elements of sets.
fn fits_oracle(reply: Reply<'_>) -> bool {
    let is_aggregate = |reply: &Reply<'_>| {
        matches!(reply, Reply::Array(_) | Reply::Push(_) | Reply::Set(_) | Reply::Map(_))
    };
    match reply {
        Reply::Array(elements) | Reply::Push(elements) => elements.into_iter().all(fits_oracle),
        Reply::Set(elements) => !elements.into_iter().any(|element| is_aggregate(&element)),
        Reply::Map(elements) => {
            let keys: Vec<_> = elements.step_by(2).collect();
            let distinct: BTreeSet<_> = keys.iter().map(|key| from_reply(*key)).collect();
            distinct.len() == keys.len()
                && !keys.iter().any(is_aggregate)
                && elements.into_iter().all(fits_oracle)
        }
        _ => true,
    }
}

/// The nulls of RESP2, which are no RESP3.
pub const OLD_NULLS: [&[u8; 5]; 2] = [b"$-1\r\n", b"*-1\r\n"];

fn has_old_null(frame: &[u8]) -> bool {
    frame.windows(5).any(|bytes| OLD_NULLS.iter().any(|null| bytes == *null))
}

/// Compares what both make of the beginning of `input`, apart from the differences listed above.
///
/// # Errors
/// What each says, where they differ.
pub fn compare(input: &[u8]) -> Result<(), String> {
    // It recurses: a few kilobytes of nested arrays overflow its stack.
    if input.iter().filter(|byte| b"*~%>|".contains(byte)).count() > RECURSION_MAX {
        return Ok(());
    }
    let (ours, oracle) = (ours(input), oracle3(input));
    let agree = match (&ours, &oracle) {
        (Ok(Some(accepted)), Ok(Some(theirs))) if accepted == theirs => true,
        (Ok(Some((_, len))), _) => is_beyond_oracle(&input[..*len]),
        (Ok(None), Ok(Some(_))) => has_aside(input),
        (Ok(None), _) | (Err(_), Ok(None) | Err(_)) => true,
        (Err(malformed), Ok(Some(_))) => is_stricter(*malformed) || has_aside(input),
    };
    if agree {
        return Ok(());
    }
    Err(format!("{}\n  ours: {ours:?}\noracle: {oracle:?}", input.escape_ascii()))
}

const RECURSION_MAX: usize = 48;

/// Whether the frame has something that ours accepts and the oracle does not, or reads otherwise.
fn is_beyond_oracle(frame: &[u8]) -> bool {
    let is_text = core::str::from_utf8(frame).is_ok();
    has_old_null(frame)
        || has_aside(frame)
        || has_other_format(frame)
        || (!is_text && (frame.contains(&b'-') || frame.contains(&b'!')))
        || !fits_oracle(Reply::from_frame(frame))
}

/// Whether there may be an attribute, or a push somewhere.
fn has_aside(frame: &[u8]) -> bool {
    frame.iter().any(|byte| matches!(byte, b'|' | b'>'))
}

/// Whether there may be a verbatim string whose format the oracle does not know.
fn has_other_format(frame: &[u8]) -> bool {
    let known = [b"txt:".as_slice(), b"mkd:"];
    frame.split(|byte| *byte == b'=').skip(1).any(|rest| {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = rest[length..].strip_prefix(b"\r\n");
        text.is_some_and(|text| !known.iter().any(|format| text.starts_with(format)))
    })
}

/// What ours refuses and the oracle accepts.
const fn is_stricter(malformed: Malformed) -> bool {
    matches!(
        malformed,
        Malformed::LineEnd
            | Malformed::Null
            | Malformed::Verbatim
            | Malformed::Length
            | Malformed::Integer
            | Malformed::Double
            | Malformed::BigNumber
            | Malformed::Streamed
            | Malformed::TooDeep
            | Malformed::TooManyElements
            | Malformed::TooLarge
    )
}
