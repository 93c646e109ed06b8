//! One line between a board and a server.

use std::collections::VecDeque;

use redlatch_core::Random;
use redlatch_testkit::model::{Flow, Server, SessionId};

/// What a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A wire to a bridge, which connects again by itself: the board never sees a beginning or an end,
    /// and bytes of an earlier conversation still come.
    Serial,
    /// A connection that is opened and closed. What is on its way to the server still arrives.
    Socket,
}

/// Bytes on their way.
struct Chunk {
    at: u64,
    session: SessionId,
    bytes: Vec<u8>,
}

pub(crate) struct Line {
    pub(crate) kind: Kind,
    /// The connection that the server knows.
    session: Option<SessionId>,
    to_server: VecDeque<Chunk>,
    to_board: VecDeque<Chunk>,
    /// The server has closed a socket, and the board has not read to its end.
    closed: bool,
    /// Bytes are lost and added until then, one in `odds`.
    pub(crate) noisy_until: u64,
    /// Nothing arrives before.
    pub(crate) frozen_until: u64,
    pub(crate) faults: u64,
    pub(crate) connections: u64,
}

const ODDS: u64 = 150;

impl Line {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            session: None,
            to_server: VecDeque::new(),
            to_board: VecDeque::new(),
            closed: false,
            noisy_until: 0,
            frozen_until: 0,
            faults: 0,
            connections: 0,
        }
    }

    /// The board opens it.
    pub(crate) fn open(&mut self, server: &mut Server, now: u64) {
        if self.session.is_none() {
            self.session = Some(server.connect(now));
            self.connections += 1;
        }
        self.closed = false;
    }

    /// The board closes it, which a serial line does not notice.
    pub(crate) fn close(&mut self) {
        if self.kind == Kind::Socket {
            self.session = None;
            self.to_board.clear();
        }
    }

    /// Somebody ends the connection.
    pub(crate) fn kill(&mut self, server: &mut Server) {
        if let Some(session) = self.session {
            server.kill(session);
            self.faults += 1;
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8], now: u64, random: &mut Random) {
        let Some(session) = self.session else { return };
        let bytes = self.carried(bytes, now, random);
        let chunk = Chunk { at: self.arrival(now, &self.to_server, random), session, bytes };
        self.to_server.push_back(chunk);
    }

    /// What the server does with what has arrived, and what it sends back.
    pub(crate) fn serve(&mut self, server: &mut Server, now: u64, random: &mut Random) {
        if self.frozen_until > now {
            return;
        }
        while self.to_server.front().is_some_and(|chunk| chunk.at <= now) {
            let Some(Chunk { session, bytes, .. }) = self.to_server.pop_front() else { break };
            let (reply, flow) = server.exchange(session, &bytes, now);
            self.answer(session, &reply, flow, server, now, random);
        }
        if let Some(session) = self.session {
            let mut reply = Vec::new();
            let flow = server.take_output(session, &mut reply);
            self.answer(session, &reply, flow, server, now, random);
        }
    }

    fn answer(
        &mut self,
        session: SessionId,
        reply: &[u8],
        flow: Flow,
        server: &mut Server,
        now: u64,
        random: &mut Random,
    ) {
        if self.session != Some(session) {
            return;
        }
        if !reply.is_empty() {
            let bytes = self.carried(reply, now, random);
            let at = self.arrival(now, &self.to_board, random);
            self.to_board.push_back(Chunk { at, session, bytes });
        }
        if flow == Flow::Close {
            self.session = None;
            match self.kind {
                Kind::Socket => self.closed = true,
                Kind::Serial => {
                    // The bridge: what was on its way goes into the new connection.
                    let fresh = server.connect(now);
                    self.session = Some(fresh);
                    self.connections += 1;
                    self.to_server.iter_mut().for_each(|chunk| chunk.session = fresh);
                }
            }
        }
    }

    /// Reads what has arrived at the board. Zero is the end of the stream.
    pub(crate) fn read(&mut self, space: &mut [u8], now: u64) -> Option<usize> {
        if self.frozen_until > now {
            return None;
        }
        let Some(chunk) = self.to_board.front_mut().filter(|chunk| chunk.at <= now) else {
            return (self.closed && self.to_board.is_empty()).then_some(0);
        };
        let count = chunk.bytes.len().min(space.len());
        space[..count].copy_from_slice(&chunk.bytes[..count]);
        chunk.bytes.drain(..count);
        if chunk.bytes.is_empty() {
            self.to_board.pop_front();
        }
        (count > 0).then_some(count)
    }

    /// When something arrives next, at the board only if that reads.
    pub(crate) fn next(&self, reads: bool) -> u64 {
        let to_board = self.to_board.front().filter(|_| reads);
        let chunks = self.to_server.front().into_iter().chain(to_board);
        chunks.map(|chunk| chunk.at.max(self.frozen_until)).min().unwrap_or(u64::MAX)
    }

    pub(crate) fn heal(&mut self) {
        (self.noisy_until, self.frozen_until) = (0, 0);
    }

    /// In order, 0.1 to 3 ms later.
    fn arrival(&self, now: u64, queue: &VecDeque<Chunk>, random: &mut Random) -> u64 {
        let soonest = queue.back().map_or(0, |chunk| chunk.at);
        (now + 100 + random.next_u64() % 2900).max(soonest)
    }

    /// What is left of the bytes. A digit is never added: one that stands for another in a ttl is not
    /// noticed by anybody, because the protocol has no checksum. The guide says so.
    fn carried(&mut self, bytes: &[u8], now: u64, random: &mut Random) -> Vec<u8> {
        if self.noisy_until <= now || self.kind == Kind::Socket {
            return bytes.to_vec();
        }
        let mut carried = Vec::with_capacity(bytes.len());
        for byte in bytes {
            match random.next_u64() % ODDS {
                0 => self.faults += 1,
                1 => {
                    self.faults += 1;
                    let noise = random.next_u64().to_le_bytes()[0];
                    carried.push(if noise.is_ascii_digit() { b'?' } else { noise });
                    carried.push(*byte);
                }
                _ => carried.push(*byte),
            }
        }
        carried
    }
}
