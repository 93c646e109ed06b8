//! A connection under any order of writes, reads, time and end, with an honest peer and with a hostile one.

use core::time::Duration;
use std::collections::VecDeque;

use redlatch_core::{
    Connection, Full, Incoming, Instant, Limits, Reply, Scanner, Serial, WireError,
};

use crate::choices::Choices;

const REPLY_TIMEOUT: Duration = Duration::from_millis(100);
/// Enough for any case; more only repeats.
const OPERATIONS_MAX: usize = 4096;

/// Runs a sequence of operations that the input chooses.
///
/// # Panics
/// A property does not hold.
pub fn connection(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.byte().is_multiple_of(2) { honest(&mut choices) } else { hostile(&mut choices) }
}

/// A connection and what must be true of it.
struct Harness {
    connection: Connection<Vec<u8>>,
    /// Requests in flight, each with the bytes that had arrived when it was submitted.
    submitted: VecDeque<(Serial, usize)>,
    arrivals: Arrivals,
    now: Instant,
    /// Bytes that the connection has taken in.
    received: usize,
    /// Replies and pushes that it has given out.
    given: usize,
    ended: Option<WireError>,
    /// Whether everything that arrived was polled: only then may more be read.
    is_drained: bool,
}

impl Harness {
    fn new(choices: &mut Choices<'_>, room_min: usize) -> Self {
        let (rx, tx) = (room_min + choices.up_to(96), room_min + choices.up_to(96));
        let mut limits = Limits::EMBEDDED;
        limits.in_flight = 1 + u32::from(choices.byte() % 8);
        Self {
            connection: Connection::new(vec![0; rx], vec![0; tx], limits, REPLY_TIMEOUT),
            submitted: VecDeque::new(),
            arrivals: Arrivals::new(limits),
            now: Instant::ZERO,
            received: 0,
            given: 0,
            ended: None,
            is_drained: true,
        }
    }

    fn submit(&mut self, argument: &[u8]) -> Result<Serial, Full> {
        let before = self.connection.io().pending.len();
        let result = self.connection.submit(&[b"ECHO".as_slice(), argument], self.now);
        match result {
            Ok(serial) => {
                assert!(
                    self.submitted.back().is_none_or(|(last, _)| *last < serial),
                    "serials grow"
                );
                self.submitted.push_back((serial, self.received));
            }
            Err(Full) => assert_eq!(self.connection.io().pending.len(), before, "all or nothing"),
        }
        result
    }

    /// Reads from the front of `wire` as much as there is room for, at most `max`. Nothing may wait to be polled.
    fn read(&mut self, wire: &mut VecDeque<u8>, max: usize) {
        let space = self.connection.io().space;
        let count = max.min(space.len()).min(wire.len());
        for (place, byte) in space.iter_mut().zip(wire.drain(..count)) {
            *place = byte;
            self.arrivals.arrive(byte);
        }
        if count > 0 {
            self.connection.received(count);
            self.received += count;
        }
    }

    /// Writes at most `max` of the pending bytes and gives them.
    fn write(&mut self, max: usize) -> Vec<u8> {
        let pending = self.connection.io().pending;
        let written = pending[..max.min(pending.len())].to_vec();
        self.connection.wrote(written.len());
        written
    }

    /// Takes everything that has arrived. Gives the replies as numbers, where they are some.
    fn drain(&mut self) -> Vec<Option<i64>> {
        let mut numbers = Vec::new();
        loop {
            match self.connection.poll() {
                Ok(Some(Incoming::Reply { serial, reply })) => {
                    let (asked, since) = self.submitted.pop_front().expect("a request");
                    assert_eq!(serial, asked, "replies come in order");
                    let begun = self.arrivals.replies.pop_front().expect("a whole reply");
                    assert!(begun >= since, "what came before a request is not its answer");
                    numbers.push(match reply {
                        Reply::Integer(number) => Some(number),
                        _ => None,
                    });
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(
                        self.ended.is_none_or(|before| before == error),
                        "an end stays as it is"
                    );
                    self.ended = Some(error);
                    break;
                }
            }
            self.given += 1;
            // A frame has three bytes at least and may stand for a push inside it as well.
            assert!(self.given * 3 <= self.received * 2, "each poll makes progress");
        }
        self.is_drained = true;
        self.check();
        numbers
    }

    fn check(&mut self) {
        assert_eq!(self.connection.ended(), self.ended, "poll tells of every end");
        if self.ended.is_some() {
            let io = self.connection.io();
            assert!(io.space.is_empty() && io.pending.is_empty(), "nothing to do after the end");
            assert_eq!(self.connection.poll_timeout(), None);
            assert_eq!(self.submit(b"0"), Err(Full), "no request after the end");
        } else {
            assert_eq!(self.connection.in_flight(), self.submitted.len() as u64);
            assert!(!self.connection.io().space.is_empty(), "there is room to read into");
            let is_watched = self.connection.poll_timeout().is_some();
            assert_eq!(
                is_watched,
                !self.submitted.is_empty(),
                "time runs while something is in flight"
            );
        }
    }
}

/// Where each reply begins in the stream, found by another scanner.
struct Arrivals {
    scanner: Scanner,
    at: usize,
    frame: usize,
    is_resp: bool,
    replies: VecDeque<usize>,
}

impl Arrivals {
    fn new(limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(limits),
            at: 0,
            frame: 0,
            is_resp: true,
            replies: VecDeque::new(),
        }
    }

    fn arrive(&mut self, byte: u8) {
        self.at += 1;
        if !self.is_resp {
            return;
        }
        match self.scanner.advance(&[byte]) {
            Ok(scanned) if scanned.ended => {
                if !self.scanner.is_push() {
                    self.replies.push_back(self.frame);
                }
                self.frame = self.at;
            }
            Ok(_) => {}
            Err(_) => self.is_resp = false,
        }
    }
}

/// The peer answers each request with its number, and sends pushes in between, in any pieces. Then
/// nothing is ever lost, shifted or taken for an end.
fn honest(choices: &mut Choices<'_>) {
    let mut harness = Harness::new(choices, 48);
    let mut peer = Peer::default();
    let (mut asked, mut answered) = (0_i64, 0_i64);
    for _ in 0..OPERATIONS_MAX {
        if choices.is_empty() {
            break;
        }
        let choice = choices.byte();
        match choice % 5 {
            0 => asked += i64::from(harness.submit(asked.to_string().as_bytes()).is_ok()),
            1 => peer.take(&harness.write(choices.up_to(64))),
            2 => _ = peer.answer(),
            3 => peer.push(choices.byte()),
            _ if harness.is_drained => harness.read(&mut peer.wire, choices.up_to(64)),
            _ => {}
        }
        // The next operation may come before what arrived is taken.
        if choice >= 192 {
            harness.is_drained = false;
            continue;
        }
        for number in harness.drain() {
            assert_eq!(number, Some(answered), "each request gets its own answer");
            answered += 1;
        }
        assert_eq!(harness.ended, None, "an honest peer is never cut off");
    }

    // Whatever was under way comes to its end.
    let mut late = harness.drain();
    while answered < asked {
        peer.take(&harness.write(usize::MAX));
        while peer.answer() {}
        harness.read(&mut peer.wire, usize::MAX);
        late.append(&mut harness.drain());
        for number in late.drain(..) {
            assert_eq!(number, Some(answered));
            answered += 1;
        }
        assert_eq!(harness.ended, None);
    }
}

/// Reads `ECHO n` and answers `:n`.
#[derive(Default)]
struct Peer {
    heard: Vec<u8>,
    wire: VecDeque<u8>,
}

impl Peer {
    fn take(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// Answers the next request that has come in whole; false where there is none.
    fn answer(&mut self) -> bool {
        // Five lines: *2, $4, ECHO, the length of the number, the number.
        let ends = self.heard.windows(2).enumerate().filter(|(_, pair)| *pair == b"\r\n");
        let Some((end, _)) = ends.take(5).nth(4) else {
            return false;
        };
        let request: Vec<u8> = self.heard.drain(..end + 2).collect();
        let text = String::from_utf8(request).expect("digits");
        let number = text.trim_end().rsplit("\r\n").next().expect("the last argument");
        self.wire.extend(format!(":{number}\r\n").into_bytes());
        true
    }

    fn push(&mut self, len: u8) {
        let text = "x".repeat(usize::from(len % 24));
        self.wire.extend(format!(">1\r\n${}\r\n{text}\r\n", text.len()).into_bytes());
    }
}

/// The peer sends anything, and time and the end come at any moment.
fn hostile(choices: &mut Choices<'_>) {
    let mut harness = Harness::new(choices, 16);
    let mut wire = VecDeque::new();
    for _ in 0..OPERATIONS_MAX {
        if choices.is_empty() {
            break;
        }
        let choice = choices.byte();
        match choice % 8 {
            0 | 1 => drop(harness.submit(&[b'a'; 24][..choices.up_to(24)])),
            2 => drop(harness.write(choices.up_to(64))),
            3 => {
                harness.now =
                    harness.now.saturating_add(Duration::from_millis(choices.byte().into()));
                harness.connection.handle_timeout(harness.now);
                if harness.ended.is_none()
                    && harness.connection.ended() == Some(WireError::TimedOut)
                {
                    harness.ended = Some(WireError::TimedOut);
                }
            }
            4 if choices.byte() == 0 => harness.connection.received(0),
            _ if harness.is_drained => {
                let len = choices.up_to(48);
                wire.extend(choices.take(len));
                harness.read(&mut wire, usize::MAX);
            }
            _ => {}
        }
        if choice >= 192 {
            harness.is_drained = false;
            continue;
        }
        harness.drain();
    }
    // The peer is gone: then it ends, whatever came before.
    harness.drain();
    harness.connection.received(0);
    harness.drain();
    assert!(harness.ended.is_some(), "the end of the stream ends the connection");
}
