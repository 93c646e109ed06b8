//! The byte level of a connection: counting replies (requirement 16), our own limits, the watch for
//! a silent server, the end of the stream (requirement 13), secrets (requirement 18).

use core::time::Duration;
use proptest::prelude::*;
use redlatch_core::resp::{Malformed, Reply};
use redlatch_core::{Connection, Full, Incoming, Instant, Limits, Refusal, Serial, WireError};
use std::collections::VecDeque;

const TIMEOUT: Duration = Duration::from_millis(100);
const PING: [&[u8]; 1] = [b"PING"];
const PING_ON_WIRE: &[u8] = b"*1\r\n$4\r\nPING\r\n";

type Small = Connection<[u8; 64], [u8; 64]>;

fn connection() -> Small {
    Connection::new([0; 64], [0; 64], Limits::EMBEDDED, TIMEOUT)
}

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1000)
}

fn submit(connection: &mut Small) -> Serial {
    connection.submit(&PING, at(0)).unwrap()
}

fn receive(connection: &mut Small, bytes: &[u8]) {
    let space = connection.io().space;
    space[..bytes.len()].copy_from_slice(bytes);
    connection.received(bytes.len());
}

fn expect_reply(connection: &mut Small, expected: Serial, value: i64) {
    let reply = Reply::Integer(value);
    let incoming = Incoming::Reply { serial: expected, reply };
    assert_eq!(connection.poll(), Ok(Some(incoming)));
}

fn expect_end(connection: &mut Small, error: WireError) {
    assert_eq!(connection.poll(), Err(error));
    assert_eq!(connection.ended(), Some(error));
}

// ---- counting: a surplus or shifted reply can never answer a request (requirement 16)

#[test]
fn r16_replies_answer_requests_in_order_and_pushes_do_not_count() {
    let mut connection = connection();
    let [a, b] = [submit(&mut connection), submit(&mut connection)];
    assert!(a < b);
    receive(&mut connection, b">0\r\n:1\r\n>1\r\n:9\r\n:2\r\n>0\r\n");
    assert!(matches!(connection.poll(), Ok(Some(Incoming::Push(Reply::Push(_))))));
    expect_reply(&mut connection, a, 1);
    assert!(matches!(connection.poll(), Ok(Some(Incoming::Push(Reply::Push(_))))));
    expect_reply(&mut connection, b, 2);
    assert!(matches!(connection.poll(), Ok(Some(Incoming::Push(Reply::Push(_))))));
    assert_eq!(connection.poll(), Ok(None));
    assert_eq!(connection.in_flight(), 0);
}

#[test]
fn r16_an_unsolicited_reply_ends_the_connection() {
    let mut connection = connection();
    let serial = submit(&mut connection);
    receive(&mut connection, b":1\r\n:1\r\n:1\r\n");
    expect_reply(&mut connection, serial, 1);
    expect_end(&mut connection, WireError::Unsolicited);
    assert_eq!(connection.submit(&PING, at(0)), Err(Full), "nothing goes out any more");
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn r16_a_surplus_reply_that_has_arrived_never_answers_a_later_request() {
    // Received but not polled when the next request is submitted.
    let mut early = connection();
    receive(&mut early, b":1\r\n");
    submit(&mut early);
    expect_end(&mut early, WireError::Unsolicited);

    // Behind a reply that is due.
    let mut behind = connection();
    let first = submit(&mut behind);
    receive(&mut behind, b":1\r\n:1\r\n");
    submit(&mut behind);
    expect_reply(&mut behind, first, 1);
    expect_end(&mut behind, WireError::Unsolicited);

    // Submitted while the reply before it is on loan.
    let mut lent = connection();
    let first = submit(&mut lent);
    receive(&mut lent, b":1\r\n:1\r\n");
    expect_reply(&mut lent, first, 1);
    submit(&mut lent);
    expect_end(&mut lent, WireError::Unsolicited);

    // Two requests behind the fence, in two steps.
    let mut twice = connection();
    receive(&mut twice, b":1\r\n");
    submit(&mut twice);
    receive(&mut twice, b":2\r\n");
    submit(&mut twice);
    expect_end(&mut twice, WireError::Unsolicited);
}

#[test]
fn r16_half_a_surplus_reply_never_answers_a_later_request() {
    for polled in [true, false] {
        let mut connection = connection();
        receive(&mut connection, b":");
        if polled {
            assert_eq!(connection.poll(), Ok(None));
        }
        submit(&mut connection);
        receive(&mut connection, b"1\r\n");
        expect_end(&mut connection, WireError::Unsolicited);
    }
}

#[test]
fn r16_a_request_submitted_between_replies_is_answered_by_what_comes_later() {
    let mut connection = connection();
    let first = submit(&mut connection);
    let second = submit(&mut connection);
    receive(&mut connection, b":1\r\n:2\r\n>0\r\n:");
    expect_reply(&mut connection, first, 1);
    let third = submit(&mut connection);
    expect_reply(&mut connection, second, 2);
    assert!(matches!(connection.poll(), Ok(Some(Incoming::Push(_)))));
    // The ":" had arrived before the third request: it cannot be its answer.
    receive(&mut connection, b"3\r\n");
    expect_end(&mut connection, WireError::Unsolicited);
    assert!(third > second);

    // The same without that byte is in order.
    let mut connection = self::connection();
    let first = submit(&mut connection);
    receive(&mut connection, b":1\r\n>0\r\n");
    expect_reply(&mut connection, first, 1);
    let second = submit(&mut connection);
    assert!(matches!(connection.poll(), Ok(Some(Incoming::Push(_)))));
    assert_eq!(connection.poll(), Ok(None));
    receive(&mut connection, b":2\r\n");
    expect_reply(&mut connection, second, 2);
}

#[test]
fn f18_an_error_that_nobody_asked_for_says_why_the_server_turned_us_away() {
    let mut connection = connection();
    receive(&mut connection, b"-ERR max number of clients reached\r\n");
    connection.received(0);
    expect_end(&mut connection, WireError::Rejected(Refusal::TooManyClients));
}

#[test]
fn a_push_inside_a_reply_is_told_before_it() {
    let mut connection = connection();
    let serial = submit(&mut connection);
    receive(&mut connection, b"*1\r\n>1\r\n+x\r\n:1\r\n");
    assert_eq!(connection.poll(), Ok(Some(Incoming::Push(Reply::TooLong))));
    assert_eq!(connection.in_flight(), 1);
    let incoming = connection.poll().unwrap().unwrap();
    let Incoming::Reply { serial: answered, reply: Reply::Array(mut elements) } = incoming else {
        panic!("{incoming:?}");
    };
    assert_eq!((answered, elements.len()), (serial, 1));
    assert_eq!((elements.next(), elements.next()), (Some(Reply::Integer(1)), None));
    assert_eq!(connection.poll(), Ok(None));
}

// ---- our own limits

#[test]
fn r20_requests_in_flight_are_bounded() {
    let mut connection: Connection<Vec<u8>> =
        Connection::new(vec![0; 64], vec![0; 4096], Limits::EMBEDDED, TIMEOUT);
    for _ in 0..Limits::EMBEDDED.in_flight {
        connection.submit(&PING, at(0)).unwrap();
    }
    assert_eq!(connection.submit(&PING, at(0)), Err(Full));
    assert_eq!(connection.in_flight(), u64::from(Limits::EMBEDDED.in_flight));
    connection.io().space[..4].copy_from_slice(b":1\r\n");
    connection.received(4);
    assert!(matches!(connection.poll(), Ok(Some(_))));
    assert!(connection.submit(&PING, at(0)).is_ok(), "one was answered");
    assert_eq!(connection.submit(&PING, at(0)), Err(Full));
}

#[test]
fn full_takes_all_of_a_request_or_nothing() {
    for room in 0..3 * PING_ON_WIRE.len() {
        let mut connection = Connection::new([0; 64], vec![0; room], Limits::HOSTED, TIMEOUT);
        let taken = (0..5).filter(|_| connection.submit(&PING, at(0)).is_ok()).count();
        assert_eq!(taken, room / PING_ON_WIRE.len());
        assert_eq!(connection.in_flight(), taken as u64);
        assert_eq!(connection.io().pending, PING_ON_WIRE.repeat(taken));
        assert_eq!(connection.fits(&PING), taken > 0);
        // A refused request leaves no watch behind.
        assert_eq!(connection.poll_timeout().is_some(), taken > 0);
    }
}

#[test]
fn room_comes_back_as_bytes_go_out() {
    let mut connection: Connection<[u8; 64], [u8; 16]> =
        Connection::new([0; 64], [0; 16], Limits::HOSTED, TIMEOUT);
    for _ in 0..20 {
        connection.submit(&PING, at(0)).unwrap();
        assert_eq!(connection.submit(&PING, at(0)), Err(Full));
        connection.wrote(5);
        assert_eq!(connection.io().pending, &PING_ON_WIRE[5..]);
        connection.wrote(usize::MAX);
        assert!(connection.io().pending.is_empty());
    }
}

#[test]
fn a_command_without_arguments_is_not_taken() {
    let nothing: [&[u8]; 0] = [];
    let mut connection = connection();
    assert_eq!(connection.submit(&nothing, at(0)), Err(Full));
    assert!(!connection.fits(&nothing));
    assert_eq!(connection.in_flight(), 0);
}

/// Of an error the beginning of the line is kept: as much as a line may have, in half of the storage
/// at most. Of all else that is too long, nothing.
#[test]
fn r17_the_beginning_of_an_error_too_long_to_keep_is_kept() {
    // Storage, bytes of the line behind its type, how much of them is kept.
    let cases = [
        (512, 64, 64),
        (512, 65, 64),
        (512, 400, 64),
        (512, 2000, 64),
        (100, 64, 64),
        (100, 65, 49),
        (64, 61, 61),
        (64, 62, 31),
        (64, 300, 31),
        (20, 18, 9),
        (20, 300, 9),
        (8, 300, 3),
    ];
    for (storage, length, kept) in cases {
        for piece in [1, 7, 5000] {
            let mut line = b"BUSY ".to_vec();
            line.resize(length, b'x');
            for (kind, wanted) in [(b"-", Some(&line[..kept])), (b"+", None)] {
                let stream = [kind.as_slice(), &line, b"\r\n:1\r\n"].concat();
                let found = replies(storage, stream.chunks(piece));
                let place = format!("{storage} {length} {piece} {}", kind.escape_ascii());
                let first = match (wanted, kept == length) {
                    (Some(line), _) => format!("{:?}", line.escape_ascii().to_string()),
                    (None, true) => "text".to_owned(),
                    (None, false) => "too long".to_owned(),
                };
                assert_eq!(found, [first, "1".to_owned()], "{place}");
            }
        }
    }
}

/// What comes out of a connection for two requests: an error in quotes, a number, else its kind.
fn replies<'a>(storage: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut connection: Connection<Vec<u8>> =
        Connection::new(vec![0; storage], vec![0; 64], Limits::EMBEDDED, TIMEOUT);
    for _ in 0..2 {
        connection.submit(&PING, at(0)).unwrap();
    }
    let mut found = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let space = connection.io().space;
            let count = space.len().min(piece.len());
            assert!(count > 0, "the storage is full for ever");
            space[..count].copy_from_slice(&piece[..count]);
            connection.received(count);
            piece = &piece[count..];
            while let Some(incoming) = connection.poll().unwrap() {
                found.push(match incoming {
                    Incoming::Reply { reply: Reply::Error(line), .. } => {
                        format!("{:?}", line.escape_ascii().to_string())
                    }
                    Incoming::Reply { reply: Reply::Integer(number), .. } => number.to_string(),
                    Incoming::Reply { reply: Reply::Simple(_), .. } => "text".to_owned(),
                    Incoming::Reply { reply: Reply::TooLong, .. } => "too long".to_owned(),
                    other => panic!("{other:?}"),
                });
            }
        }
    }
    found
}

// ---- the end of the stream

#[test]
fn r13_whole_frames_are_given_before_the_end_of_the_stream() {
    let mut connection = connection();
    let [a, b] = [submit(&mut connection), submit(&mut connection)];
    submit(&mut connection);
    receive(&mut connection, b":1\r\n:2\r\n:3\r");
    connection.received(0);
    assert_eq!(connection.ended(), None);
    assert_eq!(connection.submit(&PING, at(0)), Err(Full), "nobody would answer");
    assert_eq!(connection.poll_timeout(), None);
    expect_reply(&mut connection, a, 1);
    expect_reply(&mut connection, b, 2);
    expect_end(&mut connection, WireError::Closed);
    assert_eq!(connection.in_flight(), 1, "the outcome of one is unknown");
}

#[test]
fn zero_bytes_read_into_no_room_are_not_the_end() {
    let mut connection = connection();
    let serials: Vec<_> = (0..4).map(|_| submit(&mut connection)).collect();
    receive(&mut connection, &b":12345678901234\r\n".repeat(4)[..64]);
    assert!(connection.io().space.is_empty(), "the driver has not polled");
    connection.received(0);
    for serial in serials.into_iter().take(3) {
        expect_reply(&mut connection, serial, 12_345_678_901_234);
    }
    assert!(!connection.io().space.is_empty());
    assert_eq!(connection.poll(), Ok(None), "half a reply is left, and the peer has not closed");
    assert_eq!(connection.ended(), None);
}

#[test]
fn storage_of_no_bytes_ends_at_once_and_of_one_byte_stays_in_step() {
    let mut none = Connection::new([0; 0], [0; 64], Limits::HOSTED, TIMEOUT);
    none.received(0);
    assert_eq!(none.poll(), Err(WireError::Closed));

    let mut one = Connection::new([0; 1], [0; 64], Limits::HOSTED, TIMEOUT);
    one.submit(&PING, at(0)).unwrap();
    let mut replies = 0;
    for byte in b"*2\r\n$3\r\nabc\r\n:1\r\n>0\r\n" {
        one.io().space[0] = *byte;
        one.received(1);
        while let Some(incoming) = one.poll().unwrap() {
            match incoming {
                Incoming::Reply { reply, .. } => assert_eq!(reply, Reply::TooLong),
                Incoming::Push(push) => assert_eq!(push, Reply::TooLong),
                other => panic!("{other:?}"),
            }
            replies += 1;
        }
    }
    assert_eq!((replies, one.in_flight()), (2, 0));
}

#[test]
fn after_the_end_nothing_moves() {
    let mut connection = connection();
    submit(&mut connection);
    receive(&mut connection, b"HTTP/1.1");
    let error = WireError::Malformed(Malformed::UnknownType(b'H'));
    expect_end(&mut connection, error);
    connection.wrote(3);
    connection.received(5);
    connection.received(0);
    connection.handle_timeout(Instant::NEVER);
    expect_end(&mut connection, error);
    let io = connection.io();
    assert!(io.space.is_empty() && io.pending.is_empty());
    assert_eq!(connection.submit(&PING, at(0)), Err(Full));
}

/// A connection that is reset is one before its first byte, whatever it was in the middle of.
#[test]
fn a_connection_that_is_reset_forgets_everything() {
    let in_the_middle: [(&str, &[u8]); 7] = [
        ("of a frame", b"*2\r\n:1\r\n"),
        ("of a reply too long to keep", &[b"+".as_slice(), &[b'x'; 63]].concat()),
        ("of replies", b":1\r\n:2\r\n"),
        ("of a push inside of a reply", b"*1\r\n>1\r\n+x\r\n:1\r\n"),
        ("of surplus replies", b":1\r\n:2\r\n:3\r\n"),
        ("of nonsense", b"HTTP"),
        ("of nothing", b""),
    ];
    for (name, bytes) in in_the_middle {
        let mut connection = connection();
        submit(&mut connection);
        submit(&mut connection);
        receive(&mut connection, bytes);
        let _ = connection.poll();
        let _ = connection.poll();
        // Behind what has arrived: it raises the fence.
        let _ = connection.submit(&PING, at(0));
        connection.reset(Limits::EMBEDDED, 2 * TIMEOUT);

        assert_eq!((connection.in_flight(), connection.ended()), (0, None), "{name}");
        assert_eq!(connection.poll_timeout(), None, "{name}");
        let io = connection.io();
        assert_eq!((io.space.len(), io.pending.len()), (64, 0), "{name}");
        assert_eq!(connection.poll(), Ok(None), "{name}");
        let serial = connection.submit(&PING, at(50)).expect("room");
        assert_eq!(connection.poll_timeout(), Some(at(250)), "{name}");
        receive(&mut connection, b":7\r\n");
        expect_reply(&mut connection, serial, 7);
        assert_eq!(connection.in_flight(), 0, "{name}");
    }
}

/// A limit that is put in with the reset counts from then on.
#[test]
fn a_reset_changes_the_limits() {
    let mut connection = connection();
    connection.reset(Limits { in_flight: 1, ..Limits::EMBEDDED }, TIMEOUT);
    submit(&mut connection);
    assert_eq!(connection.submit(&PING, at(0)), Err(Full));
}

// ---- the watch

/// What happens, at which millisecond.
enum Step {
    Submit(u64),
    Answer,
    /// A byte of a reply that never ends.
    Drip,
    /// `handle_timeout`; the connection lives or not.
    Tick(u64, bool),
    Deadline(Option<u64>),
}

#[test]
fn the_watch_ends_a_silent_connection_between_one_and_two_timeouts() {
    use Step::{Answer, Deadline, Drip, Submit, Tick};
    let cases: &[(&str, &[Step])] = &[
        ("idle is not silent", &[Deadline(None), Tick(1_000_000, true)]),
        ("one request", &[Submit(5), Deadline(Some(105)), Tick(104, true), Tick(105, false)]),
        ("answered in time", &[Submit(0), Tick(99, true), Answer, Deadline(None), Tick(999, true)]),
        ("dripping does not help", &[Submit(0), Drip, Tick(60, true), Drip, Tick(100, false)]),
        ("the oldest counts", &[Submit(0), Submit(90), Deadline(Some(100)), Tick(100, false)]),
        (
            "then the newest, by its own age",
            &[
                Submit(0),
                Submit(10),
                Submit(90),
                Answer,
                Deadline(Some(190)),
                Tick(189, true),
                Tick(190, false),
            ],
        ),
        (
            "progress on a busy connection is no silence",
            &[
                Submit(0),
                Submit(60),
                Answer,
                Submit(120),
                Deadline(Some(160)),
                Answer,
                Deadline(Some(220)),
                Tick(219, true),
                Answer,
                Deadline(None),
            ],
        ),
        (
            "a clock that steps back",
            &[Submit(50), Submit(0), Tick(0, true), Answer, Deadline(Some(100))],
        ),
    ];
    for (name, steps) in cases {
        let mut connection = connection();
        for step in *steps {
            match *step {
                Submit(millis) => drop(connection.submit(&PING, at(millis)).unwrap()),
                Answer => {
                    receive(&mut connection, b":1\r\n");
                    assert!(matches!(connection.poll(), Ok(Some(_))), "{name}");
                    connection.wrote(64);
                }
                Drip => {
                    receive(&mut connection, b"+");
                    assert_eq!(connection.poll(), Ok(None), "{name}");
                }
                Tick(millis, lives) => {
                    connection.handle_timeout(at(millis));
                    let expected = if lives { None } else { Some(WireError::TimedOut) };
                    assert_eq!(connection.ended(), expected, "{name} at {millis}");
                }
                Deadline(millis) => assert_eq!(connection.poll_timeout(), millis.map(at), "{name}"),
            }
        }
    }
}

#[test]
fn the_longest_timeout_never_comes() {
    let mut connection = Connection::new([0; 8], [0; 64], Limits::HOSTED, Duration::MAX);
    connection.submit(&PING, at(1)).unwrap();
    connection.handle_timeout(Instant::from_micros(u64::MAX - 1));
    assert_eq!(connection.ended(), None);
}

// ---- secrets (requirement 18)

#[test]
fn r18_debug_shows_no_bytes() {
    let secret: [&[u8]; 3] = [b"AUTH", b"default", b"sentinel"];
    let mut connection: Connection<[u8; 256]> =
        Connection::new([0; 256], [0; 256], Limits::EMBEDDED, TIMEOUT);
    connection.submit(&secret, at(0)).unwrap();
    let reply = b"*4\r\n$8\r\nsentinel\r\n+sentinel\r\n-sentinel\r\n=12\r\ntxt:sentinel\r\n";
    connection.io().space[..reply.len()].copy_from_slice(reply);
    connection.received(reply.len());
    let mut shown = format!("{connection:?}");
    shown += &format!("{:?}", connection.io());
    let incoming = connection.poll().unwrap().unwrap();
    shown += &format!("{incoming:?}");
    let Incoming::Reply { reply: Reply::Array(elements), .. } = incoming else { panic!() };
    shown += &format!("{:?} {elements:?}", elements.collect::<Vec<_>>());
    let bytes = format!("{:?}", b"sentinel".as_slice());
    let bytes = bytes.trim_matches(['[', ']']);
    assert!(!shown.contains("sentinel") && !shown.contains(bytes), "{shown}");
}

// ---- any order of events, beside a model

#[derive(Clone, Debug)]
enum Event {
    Submit,
    /// The server sends the next reply that is due, if any.
    Answer,
    Push,
    /// So many of the sent bytes arrive.
    Arrive(usize),
    /// Gives what is there.
    Drain,
    Write(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Submit),
        3 => Just(Event::Answer),
        1 => Just(Event::Push),
        4 => (1_usize..40).prop_map(Event::Arrive),
        3 => Just(Event::Drain),
        2 => (0_usize..80).prop_map(Event::Write),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Requirements 13 and 16: with a server that answers in order, every request gets its own
    /// reply, whatever the sizes of reads and writes and the order of calls.
    #[test]
    fn every_request_gets_its_own_reply(events in proptest::collection::vec(event(), 0..200)) {
        let mut connection = connection();
        let mut server = VecDeque::new();
        let mut unanswered = VecDeque::new();
        let mut awaited = VecDeque::new();
        let mut written = 0;
        for event in events.into_iter().chain([Event::Arrive(usize::MAX), Event::Drain]) {
            match event {
                Event::Submit => {
                    if let Ok(serial) = connection.submit(&PING, at(0)) {
                        unanswered.push_back(serial);
                        awaited.push_back(serial);
                    }
                }
                Event::Answer => if let Some(serial) = unanswered.pop_front() {
                    // Each reply carries the serial it is meant for; some are too long to keep.
                    let padding = if format!("{serial:?}").contains('3') { 70 } else { 0 };
                    let text = format!("{serial:?}{}", " ".repeat(padding));
                    server.extend(format!("${}\r\n{text}\r\n", text.len()).into_bytes());
                },
                Event::Push => server.extend(b">1\r\n+invalidate\r\n"),
                Event::Arrive(count) => {
                    let mut left = count.min(server.len());
                    while left > 0 {
                        let space = connection.io().space;
                        prop_assert!(!space.is_empty());
                        let now = left.min(space.len());
                        for (to, from) in space.iter_mut().zip(server.drain(..now)) {
                            *to = from;
                        }
                        connection.received(now);
                        left -= now;
                        drain(&mut connection, &mut awaited)?;
                    }
                }
                Event::Drain => drain(&mut connection, &mut awaited)?,
                Event::Write(count) => {
                    let pending = connection.io().pending;
                    let count = count.min(pending.len());
                    for byte in &pending[..count] {
                        prop_assert_eq!(*byte, PING_ON_WIRE[written % PING_ON_WIRE.len()]);
                        written += 1;
                    }
                    connection.wrote(count);
                }
            }
            prop_assert_eq!(connection.in_flight(), awaited.len() as u64);
        }
        prop_assert_eq!(awaited.len(), unanswered.len(), "all that was answered was given");
    }
}

fn drain(connection: &mut Small, awaited: &mut VecDeque<Serial>) -> Result<(), TestCaseError> {
    while let Some(incoming) = connection.poll().map_err(|e| TestCaseError::fail(e.to_string()))? {
        match incoming {
            Incoming::Reply { serial, reply } => {
                prop_assert_eq!(Some(serial), awaited.pop_front());
                let text = format!("{serial:?}");
                let expected =
                    if text.contains('3') { Reply::TooLong } else { Reply::Bulk(text.as_bytes()) };
                prop_assert_eq!(reply, expected);
            }
            Incoming::Push(reply) => prop_assert!(matches!(reply, Reply::Push(_))),
            other => prop_assert!(false, "{:?}", other),
        }
    }
    Ok(())
}
