//! Requirement 12: what is there as a whole is taken at once, and is then judged as if it had come byte
//! by byte, under any limits, valid or damaged.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redlatch_core::resp::{Malformed, Reply, Scanner};
use redlatch_core::{Elements, Limits};

/// Values and beginnings of values, common and rare, good and bad. Aggregates take what follows.
const PIECES: &[&str] = &[
    "+OK\r\n",
    "+OK",
    "+\r\n",
    "+a\rb\r\n",
    "+a\nb\r\n",
    "-ERR a text of more than eight bytes\r\n",
    "-a line that is longer than the short cut reaches, which is sixty-four bytes\r\n",
    "-a line that is exactly as long as the short cut reaches: 61 byt\r\n",
    ":0\r\n",
    ":12\r\n",
    ":-9\r\n",
    ":+9\r\n",
    ":007\r\n",
    ":\r\n",
    ":-\r\n",
    ":1\n",
    ":1\r",
    ":999999999999999999\r\n",
    ":9223372036854775807\r\n",
    ":9223372036854775808\r\n",
    "_\r\n",
    "_x\r\n",
    "#t\r\n",
    ",1.5\r\n",
    "$-1\r\n",
    "$-2\r\n",
    "$0\r\n\r\n",
    "$1\r\na\r\n",
    "$01\r\na\r\n",
    "$12\r\n0123456789ab\r\n",
    "$12\r\n0123456789abX\r\n",
    "$100\r\n",
    "$999999999\r\n",
    "$1234567890\r\n",
    "=5\r\ntxt:a\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*1\r\n",
    "*02\r\n",
    "*3\r\n",
    "*11\r\n",
    "%0\r\n",
    "%1\r\n",
    "%2\r\n",
    "~2\r\n",
    ">1\r\n",
    ">2\r\n",
    "|1\r\n",
    "|0\r\n",
    "?",
    "\r\n",
];

/// Limits that a few values can exceed.
fn limits() -> impl Strategy<Value = Limits> {
    let sizes = (0..9_u8, 0..8_u32, 0..16_u32);
    let bytes = (0..20_u32, 0..20_u32, 0..60_u32, 0..200_u32);
    let tight =
        (sizes, bytes).prop_map(|((depth, aggregate, values), (bulk, line, push, reply))| Limits {
            depth,
            aggregate_elements: aggregate,
            reply_elements: values,
            bulk_bytes: bulk,
            line_bytes: line,
            push_bytes: push,
            reply_bytes: reply,
            in_flight: 1,
        });
    prop_oneof![3 => tight, 1 => Just(Limits::EMBEDDED), 1 => Just(Limits::HOSTED)]
}

/// What is known of a frame: its length, push, push inside, too long, what is in it.
type Frame = (usize, bool, bool, bool, String);

fn scan(stream: &[u8], limits: Limits, piece: usize) -> (Vec<Frame>, Option<Malformed>) {
    let mut scanner = Scanner::new(limits);
    let (mut frames, mut start, mut at) = (Vec::new(), 0, 0);
    while at < stream.len() {
        let end = stream.len().min(at.saturating_add(piece));
        match scanner.advance(&stream[at..end]) {
            Ok(scanned) => at += scanned.used,
            Err(malformed) => return (frames, Some(malformed)),
        }
        if scanner.is_between() {
            let shown = show(Reply::from_frame(&stream[start..at]));
            let flags = (scanner.is_push(), scanner.inner_push(), scanner.too_long());
            frames.push((at - start, flags.0, flags.1, flags.2, shown));
            start = at;
        }
    }
    (frames, None)
}

fn show(reply: Reply<'_>) -> String {
    let list = |elements: Elements<'_>| elements.map(show).collect::<Vec<_>>().join(" ");
    match reply {
        Reply::Simple(text) | Reply::Error(text) | Reply::Bulk(text) | Reply::Verbatim(text) => {
            format!("{reply:?} {}", text.escape_ascii())
        }
        Reply::Array(elements)
        | Reply::Set(elements)
        | Reply::Map(elements)
        | Reply::Push(elements) => format!("{reply:?} [{}]", list(elements)),
        _ => format!("{reply:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn r12_a_whole_value_is_judged_as_its_bytes_are(
        pieces in vec(select(PIECES), 1..12),
        limits in limits(),
        piece in 2..40_usize,
    ) {
        let stream = pieces.concat();
        let bytewise = scan(stream.as_bytes(), limits, 1);
        prop_assert_eq!(&scan(stream.as_bytes(), limits, usize::MAX), &bytewise);
        prop_assert_eq!(&scan(stream.as_bytes(), limits, piece), &bytewise);
    }
}
