//! A connection between a client and a server.

use super::server::{Reply, Request};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Up,
    /// Dead, and the client does not know.
    Dead,
    /// Dead, and not connected again.
    Down,
}

/// A connection, and what earlier ones left behind. The age of a request is how many were sent since; 1 is the last.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) line: Line,
    pub(crate) requests: Vec<(u32, Request)>,
    pub(crate) replies: Vec<(u32, Reply)>,
    /// Requests that will never be answered.
    pub(crate) void: Vec<u32>,
    /// Requests of a dead connection that the server will execute yet.
    pub(crate) orphans: Vec<Request>,
    /// Microseconds of true time until they are gone, once the death was noticed.
    pub(crate) orphans_left: Option<u64>,
}

impl Link {
    pub(crate) const NEW: Self = Self {
        line: Line::Up,
        requests: Vec::new(),
        replies: Vec::new(),
        void: Vec::new(),
        orphans: Vec::new(),
        orphans_left: None,
    };

    pub(crate) fn is_busy(&self) -> bool {
        let empty = self.requests.is_empty() && self.replies.is_empty();
        !empty || self.line != Line::Up
    }

    /// Whether no reply is on its way.
    pub(crate) fn is_answered(&self) -> bool {
        self.replies.is_empty()
    }

    pub(crate) fn grow_older(&mut self) {
        self.requests.iter_mut().for_each(|(age, _)| *age += 1);
        self.replies.iter_mut().for_each(|(age, _)| *age += 1);
        self.void.iter_mut().for_each(|age| *age += 1);
    }

    /// The server says that the key has changed.
    pub(crate) fn tell(&mut self) {
        if self.line == Line::Up {
            self.replies.push((0, Reply::Push));
        }
    }

    /// The connection dies. What it carried is lost, or executed some time.
    pub(crate) fn die(&mut self, orphans: bool) {
        self.line = Line::Dead;
        for (age, request) in core::mem::take(&mut self.requests) {
            self.void.push(age);
            if orphans {
                self.orphans.push(request);
            }
        }
    }

    pub(crate) fn pass(&mut self, micros: u64) {
        if let Some(left) = &mut self.orphans_left {
            *left -= micros;
            if *left == 0 {
                self.orphans_left = None;
                self.orphans.clear();
            }
        }
    }
}
