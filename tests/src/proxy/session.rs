//! One connection of a client, and its connection to the server.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::Sender;
use std::time::Instant;

use mio::net::TcpStream;

use super::frames::{Frames, Piece, command, is_push};
use super::pipe::{Pipe, Side};
use super::{Behaviour, Counters, End, Strike, Way};

/// Requests without a reply from which on nothing more is read from the client.
const REQUESTS_MAX: usize = 1 << 16;

/// Strikes that wait: on replies to this command, or to any.
pub(super) type Strikes = VecDeque<(Option<String>, Strike)>;

/// What one turn needs.
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) behaviour: Behaviour,
    pub(super) strikes: &'a mut Strikes,
    pub(super) counters: &'a mut Counters,
}

/// What one turn gave.
pub(super) enum Fate {
    /// It goes on, at that moment at the latest.
    Open(Option<Instant>),
    Over,
}

pub(super) struct Session {
    pub(super) client: Side,
    pub(super) server: Side,
    up: Pipe,
    down: Pipe,
    requests: Frames,
    replies: Frames,
    /// The beginning of a reply has gone on already, and whether it is one of a push.
    begun: Option<bool>,
    /// Commands without a reply.
    asked: VecDeque<String>,
    held: bool,
    /// How it ends, once what is on its way to the client is there.
    end: Option<End>,
    /// Dropped with the session: so somebody learns that it is over.
    done: Option<Sender<()>>,
}

impl Session {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> Self {
        Self {
            client: Side::new(client),
            server: Side::new(server),
            up: Pipe::default(),
            down: Pipe::default(),
            requests: Frames::new(),
            replies: Frames::new(),
            begun: None,
            asked: VecDeque::new(),
            held: false,
            end: None,
            done: None,
        }
    }

    /// Carries what can be carried.
    pub(super) fn advance(&mut self, turn: &mut Turn<'_>) -> Fate {
        match self.carry(turn) {
            Ok(_) if self.is_over(turn.counters) => Fate::Over,
            Ok(wake) => Fate::Open(wake),
            // One side was reset, and so is the other.
            Err(_) => {
                self.client.reset();
                self.server.reset();
                Fate::Over
            }
        }
    }

    fn carry(&mut self, turn: &mut Turn<'_>) -> io::Result<Option<Instant>> {
        let Behaviour { mut up, mut down, .. } = turn.behaviour;
        if self.end == Some(End::Silence) && self.down.is_empty() {
            (up, down) = (Way::STOPPED, Way::STOPPED);
        }
        self.read_client(up, turn)?;
        self.read_server(down, turn)?;
        let outlet = Way { stopped: up.stopped || self.held, ..up };
        let (bytes, later_up) = self.up.write(&mut self.server, outlet, turn.now)?;
        turn.counters.bytes_up += bytes;
        let (bytes, later_down) = self.write_client(down, turn.now)?;
        turn.counters.bytes_down += bytes;
        // What was full has room again, and no event will tell.
        let at_once = self.may_read_client(up) || self.may_read_server(down);
        Ok(later_up.into_iter().chain(later_down).chain(at_once.then_some(turn.now)).min())
    }

    fn may_read_client(&self, way: Way) -> bool {
        self.up.may_read(&self.client, way) && self.asked.len() < REQUESTS_MAX
    }

    fn may_read_server(&self, way: Way) -> bool {
        self.end.is_none() && self.down.may_read(&self.server, way)
    }

    fn read_client(&mut self, way: Way, turn: &Turn<'_>) -> io::Result<()> {
        let due = turn.now + way.delay;
        while self.may_read_client(way) {
            let (requests, asked) = (&mut self.requests, &mut self.asked);
            let read = self.up.read(&mut self.client, |pipe, bytes| {
                for piece in requests.push(bytes) {
                    if let Piece::Frame(request) = piece {
                        asked.push_back(command(&request));
                    }
                }
                pipe.push(due, bytes.to_vec());
            });
            match read {
                // The server must not know yet.
                Err(_) if self.held => self.forsake(),
                other => other?,
            }
        }
        Ok(())
    }

    fn read_server(&mut self, way: Way, turn: &mut Turn<'_>) -> io::Result<()> {
        while self.may_read_server(way) {
            let mut pieces = Vec::new();
            let replies = &mut self.replies;
            self.down.read(&mut self.server, |_, bytes| pieces = replies.push(bytes))?;
            for piece in pieces {
                self.reply(piece, turn.now + way.delay, turn);
            }
            // Only a strike needs a whole reply.
            if self.end.is_none() && (self.down.ended || turn.strikes.is_empty()) {
                let rest = self.replies.rest();
                if !rest.is_empty() {
                    self.begun.get_or_insert(is_push(&rest));
                }
                self.down.push(turn.now + way.delay, rest);
            }
        }
        Ok(())
    }

    fn write_client(&mut self, way: Way, now: Instant) -> io::Result<(u64, Option<Instant>)> {
        match self.down.write(&mut self.client, way, now) {
            Err(_) if self.held => {
                self.forsake();
                Ok((0, None))
            }
            other => other,
        }
    }

    /// Passes one reply on, as the first strike that picks it wants.
    fn reply(&mut self, piece: Piece, due: Instant, turn: &mut Turn<'_>) {
        // Replies behind the end do not arrive.
        if self.end.is_some() {
            return;
        }
        let begun = self.begun.take();
        let mut reply = match piece {
            Piece::Frame(reply) if !begun.unwrap_or(is_push(&reply)) => reply,
            Piece::Frame(bytes) | Piece::Raw(bytes) => return self.down.push(due, bytes),
        };
        turn.counters.replies += 1;
        let asked = self.asked.pop_front().unwrap_or_default();
        if begun.is_some() {
            return self.down.push(due, reply);
        }
        let picks =
            |(wanted, _): &(Option<String>, _)| wanted.as_ref().is_none_or(|it| *it == asked);
        let picked = turn.strikes.iter().position(picks).and_then(|at| turn.strikes.remove(at));
        turn.counters.struck += u64::from(picked.is_some());
        match picked.map(|(_, strike)| strike) {
            None => {}
            Some(Strike::Cut { bytes, end }) => {
                reply.truncate(bytes);
                self.end = Some(end);
            }
            Some(Strike::Swallow) => reply.clear(),
            Some(Strike::Duplicate) => reply.extend_from_within(..),
            Some(Strike::Replace(bytes)) => reply = bytes,
            Some(Strike::Garbage { at, bytes }) => {
                let at = at.min(reply.len());
                reply.splice(at..at, bytes);
            }
        }
        self.down.push(due, reply);
    }

    /// Ends what is to end. Whether that is all.
    fn is_over(&mut self, counters: &mut Counters) -> bool {
        match self.end {
            Some(End::Close) if self.down.is_empty() => self.close(counters),
            Some(End::Reset) if self.down.is_empty() => self.reset(counters),
            _ => return self.up.is_finished() && self.down.is_finished(),
        }
        true
    }

    pub(super) fn close(&mut self, counters: &mut Counters) {
        counters.closed += 1;
        self.client.close();
        self.server.close();
    }

    pub(super) fn reset(&mut self, counters: &mut Counters) {
        counters.reset += 1;
        self.client.reset();
        self.server.reset();
    }

    pub(super) const fn hold(&mut self) {
        self.held = true;
    }

    /// Whether it is held; the client is gone then.
    pub(super) fn forsake_held(&mut self) -> bool {
        if self.held {
            self.forsake();
        }
        self.held
    }

    fn forsake(&mut self) {
        self.client.reset();
        // There is nobody left to be silent to, and the server is to take all.
        self.end = None;
        self.up.ended = true;
    }

    /// Goes on. If the client is gone, it drops `done` when the server has taken all.
    pub(super) fn let_go(&mut self, done: &Sender<()>) {
        if self.held && self.client.stream.is_none() {
            self.done = Some(done.clone());
        }
        self.held = false;
    }

    pub(super) const fn held_bytes(&self) -> usize {
        if self.held { self.up.len() } else { 0 }
    }
}
