//! Requirements 12 and 13: a frame reads the same in whatever pieces it comes, one that is too long
//! for the storage leaves the stream in step, and no short input at all upsets the scanner.

use core::time::Duration;
use redlatch_core::resp::{Elements, Malformed, Reply, Scanner};
use redlatch_core::{Connection, Incoming, Instant, Limits};

/// Every kind of frame, with everything that may stand in it.
const FRAMES: &[&[u8]] = &[
    b"+OK\r\n",
    b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    b":-9223372036854775808\r\n",
    b"$-1\r\n",
    b"$0\r\n\r\n",
    b"$12\r\n\r\n*1\r\n$1\r\n\r\n\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+b\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",-1.25e-7\r\n",
    b",inf\r\n",
    b"(-3492890328409238509324850943850943825024385\r\n",
    b"!21\r\nSYNTAX invalid syntax\r\n",
    b"=15\r\ntxt:Some string\r\n",
    b"~2\r\n+a\r\n:1\r\n",
    b"%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n%1\r\n+c\r\n_\r\n",
    b">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n",
    b">0\r\n",
    b"|1\r\n+ttl\r\n:3600\r\n*2\r\n|1\r\n+x\r\n*1\r\n:1\r\n:1\r\n:2\r\n",
    b"|0\r\n>1\r\n+hint\r\n",
    b"*2\r\n:1\r\n>2\r\n+invalidate\r\n*0\r\n:2\r\n",
];

/// What a reply says, without a borrow.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(&'static str, Vec<u8>),
    Integer(i64),
    Boolean(bool),
    Null,
    Aggregate(&'static str, Vec<Value>),
    TooLong,
}

fn value(reply: Reply<'_>) -> Value {
    let values = |elements: Elements<'_>| elements.map(value).collect();
    match reply {
        Reply::Simple(text) => Value::Text("simple", text.into()),
        Reply::Error(text) => Value::Text("error", text.into()),
        Reply::Bulk(text) => Value::Text("bulk", text.into()),
        Reply::Verbatim(text) => Value::Text("verbatim", text.into()),
        Reply::Double(text) => Value::Text("double", text.into()),
        Reply::BigNumber(text) => Value::Text("big number", text.into()),
        Reply::Integer(integer) => Value::Integer(integer),
        Reply::Boolean(boolean) => Value::Boolean(boolean),
        Reply::Null => Value::Null,
        Reply::Array(elements) => Value::Aggregate("array", values(elements)),
        Reply::Set(elements) => Value::Aggregate("set", values(elements)),
        Reply::Map(elements) => Value::Aggregate("map", values(elements)),
        Reply::Push(elements) => Value::Aggregate("push", values(elements)),
        Reply::TooLong => Value::TooLong,
        other => panic!("a kind the test does not know: {other:?}"),
    }
}

/// Everything that comes out of a stream that arrives in `pieces`.
fn receive<'a>(storage: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Value> {
    let timeout = Duration::from_secs(1);
    let mut connection = Connection::new(vec![0; storage], vec![0; 1024], Limits::HOSTED, timeout);
    for _ in 0..32 {
        connection.submit(&[b"PING".as_slice()], Instant::ZERO).unwrap();
    }
    let mut values = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let space = connection.io().space;
            let count = space.len().min(piece.len());
            space[..count].copy_from_slice(&piece[..count]);
            connection.received(count);
            piece = &piece[count..];
            while let Some(incoming) = connection.poll().unwrap() {
                values.push(match incoming {
                    Incoming::Reply { reply, .. } | Incoming::Push(reply) => value(reply),
                    other => panic!("{other:?}"),
                });
            }
        }
    }
    values
}

#[test]
fn r13_every_frame_reads_the_same_under_every_split() {
    for frame in FRAMES {
        let expected = receive(512, [*frame]);
        assert!(
            !expected.is_empty() && !expected.contains(&Value::TooLong) || frame.contains(&b'>')
        );
        for at in 0..=frame.len() {
            let (left, right) = frame.split_at(at);
            assert_eq!(receive(512, [left, right]), expected, "{} at {at}", frame.escape_ascii());
        }
        assert_eq!(receive(512, frame.chunks(1)), expected, "{}", frame.escape_ascii());
    }
}

#[test]
fn r13_a_stream_of_all_frames_reads_the_same_in_pieces_of_every_size() {
    let stream = FRAMES.concat();
    let expected: Vec<Value> = FRAMES.iter().flat_map(|frame| receive(512, [*frame])).collect();
    for size in 1..=stream.len() {
        assert_eq!(receive(512, stream.chunks(size)), expected, "pieces of {size}");
    }
    // In every two-way split, and in the smallest storage that holds each frame.
    let longest = FRAMES.iter().map(|frame| frame.len()).max().unwrap();
    for at in 0..=stream.len() {
        let (left, right) = stream.split_at(at);
        assert_eq!(receive(longest, [left, right]), expected, "split at {at}");
    }
}

#[test]
fn r13_a_reply_too_long_for_the_storage_is_skipped_and_the_stream_stays_in_step() {
    let bulk = [b"$5000\r\n".as_slice(), &b"\r\n+OK".repeat(1000), b"\r\n"].concat();
    let array = [b"*500\r\n".as_slice(), &b":7\r\n".repeat(500)].concat();
    for long in [bulk, array] {
        let stream = [b":1\r\n", long.as_slice(), b":2\r\n", &long, &long, b"+OK\r\n"].concat();
        let ok = Value::Text("simple", b"OK".to_vec());
        let expected = [
            Value::Integer(1),
            Value::TooLong,
            Value::Integer(2),
            Value::TooLong,
            Value::TooLong,
            ok,
        ];
        for storage in [5, 8, 31, 32, 64, 1000] {
            for size in [1, 2, 3, 31, 32, 33, 1000, stream.len()] {
                assert_eq!(receive(storage, stream.chunks(size)), expected, "{storage}, {size}");
            }
        }
    }
}

#[test]
fn r13_a_frame_is_kept_exactly_when_it_fits_the_storage() {
    for frame in FRAMES.iter().filter(|frame| frame[0] != b'-' && !frame.contains(&b'>')) {
        for storage in 1..=frame.len() + 1 {
            let expected =
                if storage < frame.len() { vec![Value::TooLong] } else { receive(512, [*frame]) };
            for size in [1, 2, 5, 512] {
                assert_eq!(receive(storage, frame.chunks(size)), expected, "{storage}, {size}");
            }
        }
    }
}

/// Of a push, a bulk and a line the bound itself is still kept, whatever pieces it comes in.
#[test]
fn r13_stored_bounds_are_exact() {
    let frame = |kind: &str| match kind {
        "push" => b">1\r\n$9\r\nabcdefghi\r\n".as_slice(),
        "bulk" => b"$9\r\nabcdefghi\r\n",
        _ => b"+abcdefghi\r\n",
    };
    for (kind, length) in [("push", 19), ("bulk", 9), ("line", 9)] {
        for bound in 0..=20 {
            let mut limits = Limits::HOSTED;
            match kind {
                "push" => limits.push_bytes = bound,
                "bulk" => limits.bulk_bytes = bound,
                _ => limits.line_bytes = bound,
            }
            for piece in [1, 3, 100] {
                let mut scanner = Scanner::new(limits);
                for bytes in frame(kind).chunks(piece) {
                    assert!(scanner.advance(bytes).is_ok());
                }
                assert!(scanner.is_between());
                assert_eq!(scanner.too_long(), length > bound, "{kind} {bound} {piece}");
            }
        }
    }
}

/// What one byte more does to a scanner: nothing, the end of a frame with its properties, an error.
type Seen = Result<Vec<(usize, [bool; 3])>, (usize, Malformed)>;

struct Exhaustive {
    limits: Limits,
    input: Vec<u8>,
    inputs: u64,
}

impl Exhaustive {
    const ALPHABET: &[u8; 12] = b"*$:+-_#012\r\n";

    /// Adds every byte behind the input, which `scanner` has seen byte by byte with this result.
    fn extend(&mut self, scanner: Scanner, seen: &Seen, left: usize) {
        self.inputs += 1;
        assert_eq!(&self.in_one_piece(), seen, "{}", self.input.escape_ascii());
        // A view of bytes that no scanner has passed is total.
        walk(Reply::from_frame(&self.input));
        if left == 0 || seen.is_err() {
            return;
        }
        for byte in Self::ALPHABET {
            self.input.push(*byte);
            let (mut scanner, mut seen) = (scanner, seen.clone());
            match scanner.advance(&[*byte]) {
                Ok(scanned) if scanned.ended => {
                    if let Ok(frames) = &mut seen {
                        frames.push((self.input.len(), properties(&scanner)));
                    }
                }
                Ok(scanned) => assert_eq!(scanned.used, 1),
                Err(malformed) => {
                    let frames = seen.as_ref().map_or(0, Vec::len);
                    seen = Err((frames, malformed));
                }
            }
            self.extend(scanner, &seen, left - 1);
            self.input.pop();
        }
    }

    fn in_one_piece(&self) -> Seen {
        let mut scanner = Scanner::new(self.limits);
        let mut frames = Vec::new();
        let mut at = 0;
        while at < self.input.len() {
            let rest = &self.input[at..];
            let scanned = scanner.advance(rest).map_err(|malformed| (frames.len(), malformed))?;
            if scanned.ended {
                walk(Reply::from_frame(&rest[..scanned.used]));
                frames.push((at + scanned.used, properties(&scanner)));
            }
            at += scanned.used;
        }
        Ok(frames)
    }
}

fn properties(scanner: &Scanner) -> [bool; 3] {
    [scanner.is_push(), scanner.inner_push(), scanner.too_long()]
}

fn walk(reply: Reply<'_>) {
    match reply {
        Reply::Array(elements) | Reply::Set(elements) | Reply::Map(elements) => {
            elements.for_each(walk)
        }
        _ => {}
    }
}

/// All inputs over an alphabet, behind beginnings that lead to every state.
#[test]
fn r12_every_short_input_reads_the_same_byte_by_byte() {
    let tight =
        Limits { depth: 2, reply_elements: 4, line_bytes: 2, bulk_bytes: 1, ..Limits::EMBEDDED };
    let starts: [(&[u8], usize, Limits); 6] = [
        (b"", 6, Limits::EMBEDDED),
        (b"", 5, Limits { reply_bytes: 4, ..tight }),
        (b"*2\r\n", 5, tight),
        (b"|1\r\n+a\r\n", 5, tight),
        (b"*1\r\n>1\r\n", 5, tight),
        (b"=7\r\nabc:", 5, tight),
    ];
    let mut inputs = 0;
    for (start, left, limits) in starts {
        let mut scanner = Scanner::new(limits);
        let mut all = Exhaustive { limits, input: start.to_vec(), inputs: 0 };
        if scanner.advance(start).is_ok() {
            all.extend(scanner, &Ok(Vec::new()), left);
        }
        inputs += all.inputs;
    }
    assert!(inputs > 20_000, "{inputs} inputs");
}
