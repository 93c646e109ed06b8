//! From the bytes of a socket to frames and back, through TLS if the server wants it.

use core::time::Duration;

use redlatch_core::{Arguments, Connection, Full, Incoming, Instant, Limits, Serial, WireError};

use crate::error::Cause;
use crate::options::KEY_BYTES_MAX;
use crate::room::{Room, zeroed};
use crate::tls::{Plain, TlsStream};

/// Longest reply that is kept: `INFO server` is the longest that is read.
const RECEIVE_BYTES: usize = 16 * 1024;
/// Room for requests that wait to be written: several of the longest key.
const TRANSMIT_BYTES: usize = 4 * KEY_BYTES_MAX;

/// The byte level of one connection.
pub(crate) struct Channel {
    connection: Connection<Room>,
    tls: Option<Box<TlsStream>>,
}

impl Channel {
    /// Before its first byte.
    pub(crate) fn new(limits: Limits, reply_timeout: Duration, tls: Option<TlsStream>) -> Self {
        let room = (zeroed(RECEIVE_BYTES), zeroed(TRANSMIT_BYTES));
        let connection = Connection::new(room.0, room.1, limits, reply_timeout);
        Self { connection, tls: tls.map(Box::new) }
    }

    /// See [`Connection::submit`].
    pub(crate) fn submit(
        &mut self,
        command: &impl Arguments,
        now: Instant,
    ) -> Result<Serial, Full> {
        self.connection.submit(command, now)
    }

    /// What is to be written to the socket.
    pub(crate) fn pending(&mut self) -> &[u8] {
        match &mut self.tls {
            Some(tls) => {
                let encrypted = tls.encrypt(self.connection.io().pending);
                self.connection.wrote(encrypted);
                tls.pending()
            }
            None => self.connection.io().pending,
        }
    }

    /// Whether greetings of TLS are exchanged.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// So much of it was written.
    pub(crate) fn wrote(&mut self, count: usize) {
        match &mut self.tls {
            Some(tls) => tls.wrote(count),
            None => self.connection.wrote(count),
        }
    }

    /// Whether TLS itself has something to say. What else is pending, its sender flushes.
    pub(crate) fn must_flush(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Takes some of the bytes that were read off the beginning of `rest`. False when all are taken;
    /// else [`Channel::poll`] until it gives nothing, then go on.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn fill(&mut self, rest: &mut &[u8]) -> Result<bool, Cause> {
        loop {
            let space = self.connection.io().space;
            if space.is_empty() {
                return if rest.is_empty() { Ok(false) } else { Err(Cause::OutOfStep) };
            }
            let count = match &mut self.tls {
                None => take(rest, space),
                Some(tls) => match tls.decrypted(space) {
                    Plain::Bytes(count) => count,
                    Plain::Nothing if rest.is_empty() => 0,
                    Plain::Nothing => {
                        tls.receive(rest).map_err(Cause::Tls)?;
                        continue;
                    }
                    Plain::End => {
                        *rest = &[];
                        self.closed();
                        return Ok(true);
                    }
                },
            };
            if count > 0 {
                self.connection.received(count);
            }
            return Ok(count > 0);
        }
    }

    /// The stream has ended.
    pub(crate) fn closed(&mut self) {
        self.connection.received(0);
    }

    /// See [`Connection::poll`].
    pub(crate) fn poll(&mut self) -> Result<Option<Incoming<'_>>, WireError> {
        self.connection.poll()
    }

    /// See [`Connection::handle_timeout`]. Gives why the connection has ended, if it has.
    pub(crate) fn check(&mut self, now: Instant) -> Option<WireError> {
        self.connection.handle_timeout(now);
        self.connection.ended()
    }

    /// When [`Channel::check`] is due.
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.connection.poll_timeout().unwrap_or(Instant::NEVER)
    }
}

/// Moves bytes off the beginning of `rest` into `space`.
fn take(rest: &mut &[u8], space: &mut [u8]) -> usize {
    let count = rest.len().min(space.len());
    let (now, later) = rest.split_at(count);
    space[..count].copy_from_slice(now);
    *rest = later;
    count
}
