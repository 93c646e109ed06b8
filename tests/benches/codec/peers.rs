//! The same work, done by others. Where they leave the choice, it is what costs least: borrowed frames
//! into a buffer that is there, ranges out of one. Token and ttl are text for them beforehand.

use core::hint::black_box;

use redis_protocol::{resp2, resp3};
use redlatch_core::script::RELEASE;

use crate::sample::{ERROR, HELLO, HEX, KEY, MIXED, NULL_2, NULL_3, OK, ONE, TOKEN, mixed};
use crate::work::{Repeat, Work};

const CLAIM: [&[u8]; 6] = [b"SET", KEY, HEX, b"NX", b"PX", b"30000"];
const READ: [&[u8]; 2] = [b"GET", KEY];
const RELEASED: [&[u8]; 5] = [b"EVALSHA", RELEASE.digest(), b"1", KEY, HEX];

/// A codec, and the work it can do, under the names of ours.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) works: &'static [Work],
}

pub(crate) const PEERS: [Peer; 3] = [
    Peer {
        name: "redis-protocol, RESP2",
        works: &[
            Work::new("encode claim", || encode_resp2(&CLAIM)),
            Work::new("encode read", || encode_resp2(&READ)),
            Work::new("encode release", || encode_resp2(&RELEASED)),
            Work::new("decode +OK", || decode(OK.to_vec(), 1, resp2_range)),
            Work::new("decode :1", || decode(ONE.to_vec(), 1, resp2_range)),
            Work::new("decode $-1", || decode(NULL_2.to_vec(), 1, resp2_range)),
            Work::new("decode token", || decode(TOKEN.to_vec(), 1, resp2_range)),
            Work::new("decode NOSCRIPT", || decode(ERROR.to_vec(), 1, resp2_range)),
            Work::new("decode 1000 mixed, RESP2", || decode(mixed(NULL_2), MIXED, resp2_range)),
        ],
    },
    Peer {
        name: "redis-protocol, RESP3",
        works: &[
            Work::new("encode claim", || encode_resp3(&CLAIM)),
            Work::new("encode read", || encode_resp3(&READ)),
            Work::new("encode release", || encode_resp3(&RELEASED)),
            Work::new("decode +OK", || decode(OK.to_vec(), 1, resp3_range)),
            Work::new("decode :1", || decode(ONE.to_vec(), 1, resp3_range)),
            Work::new("decode _", || decode(NULL_3.to_vec(), 1, resp3_range)),
            Work::new("decode token", || decode(TOKEN.to_vec(), 1, resp3_range)),
            Work::new("decode NOSCRIPT", || decode(ERROR.to_vec(), 1, resp3_range)),
            Work::new("decode HELLO map", || decode(HELLO.to_vec(), 1, resp3_range)),
            Work::new("decode 1000 mixed, RESP3", || decode(mixed(NULL_3), MIXED, resp3_range)),
        ],
    },
    Peer {
        name: "redis",
        works: &[
            Work::new("encode claim", || encode_redis(&CLAIM)),
            Work::new("encode read", || encode_redis(&READ)),
            Work::new("encode release", || encode_redis(&RELEASED)),
            Work::new("decode +OK", || decode_redis(OK.to_vec(), 1)),
            Work::new("decode :1", || decode_redis(ONE.to_vec(), 1)),
            Work::new("decode $-1", || decode_redis(NULL_2.to_vec(), 1)),
            Work::new("decode _", || decode_redis(NULL_3.to_vec(), 1)),
            Work::new("decode token", || decode_redis(TOKEN.to_vec(), 1)),
            Work::new("decode NOSCRIPT", || decode_redis(ERROR.to_vec(), 1)),
            Work::new("decode HELLO map", || decode_redis(HELLO.to_vec(), 1)),
            Work::new("decode 1000 mixed, RESP2", || decode_redis(mixed(NULL_2), MIXED)),
            Work::new("decode 1000 mixed, RESP3", || decode_redis(mixed(NULL_3), MIXED)),
        ],
    },
];

fn encode_resp2<const N: usize>(arguments: &'static [&'static [u8]; N]) -> Repeat {
    use resp2::types::BorrowedFrame as Frame;
    let mut out = [0; 512];
    Box::new(move || {
        let frames = black_box(arguments).map(Frame::BulkString);
        let used = resp2::encode::encode_borrowed(&mut out, &Frame::Array(&frames), false);
        black_box(&out[..used.expect("room")]);
    })
}

fn encode_resp3<const N: usize>(arguments: &'static [&'static [u8]; N]) -> Repeat {
    use resp3::types::BorrowedFrame as Frame;
    let mut out = [0; 512];
    Box::new(move || {
        let frames = black_box(arguments).map(|data| Frame::BlobString { data, attributes: None });
        let array = Frame::Array { data: &frames, attributes: None };
        let used = resp3::encode::complete::encode_borrowed(&mut out, &array, false);
        black_box(&out[..used.expect("room")]);
    })
}

fn encode_redis(arguments: &'static [&'static [u8]]) -> Repeat {
    let mut out = Vec::with_capacity(512);
    Box::new(move || {
        let mut command = redis::Cmd::new();
        for argument in black_box(arguments) {
            command.arg(*argument);
        }
        out.clear();
        command.write_packed_command(&mut out);
        black_box(&out);
    })
}

fn decode(bytes: Vec<u8>, replies: usize, one: fn(&[u8]) -> usize) -> Repeat {
    Box::new(move || {
        let mut rest = black_box(bytes.as_slice());
        for _ in 0..replies {
            rest = &rest[one(rest)..];
        }
        assert!(rest.is_empty());
    })
}

fn resp2_range(bytes: &[u8]) -> usize {
    let (frame, used) = resp2::decode::decode_range(bytes).expect("RESP").expect("whole");
    black_box(&frame);
    used
}

fn resp3_range(bytes: &[u8]) -> usize {
    let (frame, used) = resp3::decode::complete::decode_range(bytes).expect("RESP").expect("whole");
    black_box(&frame);
    used
}

/// Its connections keep the parser, which reads from what was received.
fn decode_redis(bytes: Vec<u8>, replies: usize) -> Repeat {
    let mut parser = redis::Parser::new();
    Box::new(move || {
        let mut rest = black_box(bytes.as_slice());
        for _ in 0..replies {
            black_box(&parser.parse_value(&mut rest).expect("RESP"));
        }
        assert!(rest.is_empty());
    })
}
