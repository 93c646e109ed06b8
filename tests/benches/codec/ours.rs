//! The work of redlatch.

use core::hint::black_box;

use redlatch_core::resp::encode;
use redlatch_core::{Command, Form, Limits, Reply, Scanner, Token, Ttl};

use crate::sample::{ERROR, HELLO, HEX, KEY, MIXED, NULL_2, NULL_3, OK, ONE, TOKEN, TTL, mixed};
use crate::work::{Repeat, Work};

/// What every codec does.
pub(crate) const CODEC: [Work; 12] = [
    Work::new("encode claim", || {
        encoding(|token| Command::Claim {
            key: KEY,
            token,
            ttl: Ttl::from_millis(TTL).expect("good"),
        })
    }),
    Work::new("encode read", || encoding(|_| Command::Read { key: KEY })),
    Work::new("encode release", || {
        encoding(|token| Command::Release { key: KEY, token, form: Form::Digest })
    }),
    Work::new("decode +OK", || decoding(OK)),
    Work::new("decode :1", || decoding(ONE)),
    Work::new("decode $-1", || decoding(NULL_2)),
    Work::new("decode _", || decoding(NULL_3)),
    Work::new("decode token", || decoding(TOKEN)),
    Work::new("decode NOSCRIPT", || decoding(ERROR)),
    Work::new("decode HELLO map", || decoding(HELLO)),
    Work::new("decode 1000 mixed, RESP2", || decoding_all(mixed(NULL_2))),
    Work::new("decode 1000 mixed, RESP3", || decoding_all(mixed(NULL_3))),
];

fn encoding(command: fn(&Token) -> Command<'_>) -> Repeat {
    let token = Token::from_wire(HEX).expect("a token");
    let mut out = [0; 512];
    Box::new(move || {
        let used = encode(&command(black_box(&token)), &mut out).expect("room");
        black_box(&out[..used]);
    })
}

fn decoding(bytes: &'static [u8]) -> Repeat {
    let mut scanner = Scanner::new(Limits::HOSTED);
    Box::new(move || assert!(decode(&mut scanner, black_box(bytes)) == bytes.len()))
}

fn decoding_all(bytes: Vec<u8>) -> Repeat {
    let mut scanner = Scanner::new(Limits::HOSTED);
    Box::new(move || {
        let mut rest = black_box(bytes.as_slice());
        for _ in 0..MIXED {
            rest = &rest[decode(&mut scanner, rest)..];
        }
        assert!(rest.is_empty());
    })
}

/// One reply, with all that is in it. Gives the bytes it takes.
fn decode(scanner: &mut Scanner, bytes: &[u8]) -> usize {
    let scanned = scanner.advance(bytes).expect("RESP");
    assert!(scanned.ended);
    let reply = Reply::from_frame(&bytes[..scanned.used]);
    if let Reply::Map(elements) = reply {
        elements.for_each(|element| _ = black_box(&element));
    }
    black_box(&reply);
    scanned.used
}
