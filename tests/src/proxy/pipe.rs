//! One direction of a connection, and one side.

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use mio::net::TcpStream;

use super::Way;

/// Bytes on their way from which on nothing more is read.
const CAPACITY: usize = 256 * 1024;
/// Bytes of one read.
const CHUNK: usize = 16 * 1024;

/// A socket, and what is known of it. Events come on the edge: this remembers them.
pub(super) struct Side {
    /// None: it is over.
    pub(super) stream: Option<TcpStream>,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Side {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream: Some(stream), readable: false, writable: false }
    }

    /// Reads once. `None`: there is nothing now.
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(stream) = &mut self.stream else { return Ok(Some(0)) };
        match stream.read(chunk) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes once, and says how much went. A side that is over swallows all.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(bytes.len()) };
        match stream.write(bytes) {
            Ok(length) => Ok(length),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                Ok(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Ends it by a reset.
    pub(super) fn reset(&mut self) {
        if let Some(stream) = self.stream.take() {
            // It fails on a socket that is over, and then there is nobody to be reset.
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
    }

    /// Ends it in order. Unread bytes are read before: else the system would send a reset.
    pub(super) fn close(&mut self) {
        let mut chunk = [0; CHUNK];
        while self.stream.is_some() && matches!(self.read(&mut chunk), Ok(Some(1..))) {}
        self.stream = None;
    }
}

/// Bytes on their way, in order.
#[derive(Default)]
pub(super) struct Pipe {
    queue: VecDeque<Chunk>,
    length: usize,
    /// Nothing more comes in.
    pub(super) ended: bool,
    /// The other side knows.
    told: bool,
    /// With a pace: when the next byte may go.
    next: Option<Instant>,
}

struct Chunk {
    due: Instant,
    bytes: VecDeque<u8>,
}

impl Pipe {
    pub(super) fn may_read(&self, from: &Side, way: Way) -> bool {
        let is_open = from.readable || from.stream.is_none();
        is_open && !way.stopped && !self.ended && self.length < CAPACITY
    }

    /// Reads once, and gives what came to `take`.
    pub(super) fn read(
        &mut self,
        from: &mut Side,
        take: impl FnOnce(&mut Self, &[u8]),
    ) -> io::Result<()> {
        let mut chunk = [0; CHUNK];
        match from.read(&mut chunk)? {
            Some(0) => self.ended = true,
            Some(length) => take(self, &chunk[..length]),
            None => {}
        }
        Ok(())
    }

    pub(super) fn push(&mut self, due: Instant, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.length += bytes.len();
            self.queue.push_back(Chunk { due, bytes: bytes.into() });
        }
    }

    /// Writes what is due. Gives how much, and when there is more to do.
    pub(super) fn write(
        &mut self,
        to: &mut Side,
        way: Way,
        now: Instant,
    ) -> io::Result<(u64, Option<Instant>)> {
        let mut written = 0;
        while let Some(chunk) = self.queue.front_mut() {
            if way.stopped || !(to.writable || to.stream.is_none()) {
                return Ok((written, None));
            }
            let due = self
                .next
                .filter(|_| way.pace.is_some())
                .map_or(chunk.due, |next| next.max(chunk.due));
            if due > now {
                return Ok((written, Some(due)));
            }
            let (bytes, _) = chunk.bytes.as_slices();
            let bytes = if way.pace.is_some() { &bytes[..1] } else { bytes };
            let length = to.write(bytes)?;
            chunk.bytes.drain(..length);
            if chunk.bytes.is_empty() {
                self.queue.pop_front();
            }
            self.length -= length;
            written += length as u64;
            self.next = way.pace.filter(|_| length > 0).map(|pace| now + pace);
        }
        if self.ended && !self.told && !way.stopped {
            self.told = true;
            if let Some(stream) = &to.stream {
                stream.shutdown(Shutdown::Write)?;
            }
        }
        Ok((written, None))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Nothing more comes in, and all has gone out.
    pub(super) const fn is_finished(&self) -> bool {
        self.told
    }
}
