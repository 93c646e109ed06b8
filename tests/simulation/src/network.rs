//! Connections, and the bytes that are on their way on them.
//!
//! Nothing overtakes on one connection and in one direction. Two connections know nothing of each
//! other: requests of a dead one may arrive after those of the next.

use std::collections::VecDeque;

use redlatch_model::SessionId;

/// The number of a connection; none is used twice.
pub(crate) type ConnectionId = usize;

/// What arrives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Bytes(Vec<u8>),
    End,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    under_way: VecDeque<(u64, Arrival)>,
    /// When the newest arrives.
    newest: u64,
}

impl Pipe {
    /// Sends something that would arrive at `at` if nothing were before it. Gives when it does.
    pub(crate) fn push(&mut self, at: u64, arrival: Arrival) -> u64 {
        self.newest = self.newest.max(at);
        self.under_way.push_back((self.newest, arrival));
        self.newest
    }

    /// Takes the next that has arrived.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Arrival> {
        let has_arrived = self.under_way.front().is_some_and(|(at, _)| *at <= now);
        let next = if has_arrived { self.under_way.pop_front() } else { None };
        next.map(|(_, arrival)| arrival)
    }

    pub(crate) fn clear(&mut self) {
        self.under_way.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.under_way.iter().map(|(_, arrival)| arrival.len()).sum()
    }

    /// Keeps `len` bytes at most, and moves when they arrive by `shift`, up to `end`: what would come
    /// later never comes.
    pub(crate) fn leave(&mut self, len: usize, now: u64, shift: u64, end: u64) -> Vec<u64> {
        let mut left = len;
        self.newest = 0;
        let mut kept = VecDeque::new();
        for (at, arrival) in self.under_way.drain(..) {
            let at = (at.max(now) + shift).max(self.newest);
            let Arrival::Bytes(mut bytes) = arrival else { break };
            bytes.truncate(left);
            left -= bytes.len();
            if at > end || bytes.is_empty() {
                break;
            }
            self.newest = at;
            kept.push_back((at, Arrival::Bytes(bytes)));
        }
        self.under_way = kept;
        self.under_way.iter().map(|(at, _)| *at).collect()
    }
}

impl Arrival {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::End => 0,
        }
    }
}

/// A connection between a client and a server.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: usize,
    /// Who opened it: the client may have died since.
    pub(crate) owner: u16,
    pub(crate) server: usize,
    /// What the server knows it as; none once it has ended there.
    pub(crate) session: Option<SessionId>,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    /// The client has it open.
    pub(crate) is_open: bool,
    /// It carries nothing any more.
    pub(crate) is_silent: bool,
}

impl Connection {
    pub(crate) fn new(client: usize, owner: u16, server: usize, session: SessionId) -> Self {
        Self {
            client,
            owner,
            server,
            session: Some(session),
            up: Pipe::default(),
            down: Pipe::default(),
            is_open: true,
            is_silent: false,
        }
    }
}
