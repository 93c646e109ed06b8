//! What a frame costs, and what is known of it when it has ended.

extern crate std;
use super::{Limits, Malformed, Scanned, Scanner};
use crate::resp::whole::IS_USED;
use std::{vec, vec::Vec};

/// Requirement 12: at most two visits for each byte, one when it is whole; and of the body of a bulk
/// string one for each piece in which it comes.
#[test]
fn every_byte_is_visited_at_most_twice() {
    let mut array = b"*1000\r\n".to_vec();
    array.extend(b":12345\r\n".repeat(1000));
    let mut bulk = b"$60000\r\n".to_vec();
    bulk.extend(vec![b'\r'; 60_000]);
    bulk.extend(b"\r\n");
    let mut line = b"+".to_vec();
    line.extend(vec![b'x'; 100_000]);
    line.extend(b"\r\n");
    for (frame, body) in [(array, 0), (bulk, 60_000), (line, 0)] {
        for piece in [1, 2, 7, 64, 4096, frame.len()] {
            let mut scanner = Scanner::new(Limits::HOSTED);
            // The body stands behind eight bytes.
            let pieces = if body > 0 { (7 + body) / piece - 8 / piece + 1 } else { 0 };
            let once = frame.len() - body + pieces;
            let mut seen = [0; 3];
            for visits in &mut seen {
                let mut ended = false;
                for bytes in frame.chunks(piece) {
                    ended = scanner.advance(bytes).map(|scanned| scanned.ended) == Ok(true);
                }
                assert!(ended);
                *visits = core::mem::take(&mut scanner.visits);
            }
            let [first, second, third] = seen;
            assert!((once..=2 * once).contains(&first), "{first} in pieces of {piece}");
            assert_eq!([second, third], [first; 2], "a frame costs the same at any time");
        }
    }
}

/// What is whole and short is looked at once.
#[test]
fn a_whole_reply_is_visited_once() {
    for (frame, body) in [
        (b"+OK\r\n".as_slice(), 0),
        (b"-ERR no\r\n", 0),
        (b":-12345\r\n", 0),
        (b"$-1\r\n", 0),
        (b"_\r\n", 0),
        (b"$12\r\n0123456789ab\r\n", 12),
        (b"%2\r\n+a\r\n*1\r\n:1\r\n$1\r\nb\r\n$-1\r\n", 1),
    ] {
        let mut scanner = Scanner::new(Limits::EMBEDDED);
        assert_eq!(scanner.advance(frame), Ok(Scanned { used: frame.len(), ended: true }));
        let passed = usize::from(body > 0);
        assert_eq!(scanner.visits, frame.len() - body + passed, "{}", frame.escape_ascii());
    }
}

/// The price of a byte does not depend on what came before: no stage of a broken frame is
/// looked at again.
#[test]
fn an_error_costs_nothing_any_more() {
    let mut scanner = Scanner::new(Limits::HOSTED);
    assert_eq!(scanner.advance(b"+OK\n"), Err(Malformed::LineEnd));
    // Four bytes: once whether they are a whole value, once for the fault.
    let visits = if IS_USED { 8 } else { 4 };
    assert_eq!(scanner.visits, visits);
    for bytes in [b"".as_slice(), b"+OK\r\n", b"?"] {
        assert_eq!(scanner.advance(bytes), Err(Malformed::LineEnd));
    }
    assert_eq!(scanner.visits, visits);
    let mut scanner = Scanner::new(Limits::HOSTED);
    for bytes in [b"?".as_slice(), b"+OK\n", b"+OK\r\n", b""] {
        assert_eq!(scanner.advance(bytes), Err(Malformed::UnknownType(b'?')));
    }
}

#[test]
fn flags_speak_of_the_last_frame_until_the_next_begins() {
    let mut scanner = Scanner::new(Limits::EMBEDDED);
    let ended = |used| Ok(Scanned { used, ended: true });
    assert_eq!(scanner.advance(b"|1\r\n+a\r\n+b\r\n>0\r\n+x\r\n"), ended(16));
    assert!(scanner.is_push() && !scanner.inner_push() && !scanner.too_long());
    assert_eq!(scanner.value_start(), 12);
    assert_eq!(scanner.advance(b"*1\r\n>1\r\n+x\r\n:1\r\n"), ended(16));
    assert!(!scanner.is_push() && scanner.inner_push() && !scanner.too_long());
    let long: Vec<u8> = [b"+".as_slice(), &[b'x'; 65], b"\r\n"].concat();
    assert_eq!(scanner.advance(&long), ended(68));
    assert!(!scanner.is_push() && !scanner.inner_push() && scanner.too_long());
    assert_eq!(scanner.advance(b"+"), Ok(Scanned { used: 1, ended: false }));
    assert!(!scanner.too_long() && !scanner.is_between());
}

#[test]
fn state_is_small() {
    assert!(size_of::<Scanner>() <= 160, "{} bytes", size_of::<Scanner>());
}
