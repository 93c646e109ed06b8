//! The reading side of a connection, which goes from thread to thread.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use redlatch_client::Keeper;

use crate::stream::Stream;

/// Bytes that are read from the socket at once.
pub(crate) const READ_BYTES: usize = 8 * 1024;

/// What one needs to read from a connection. Whoever has it is the only one who reads.
pub(crate) struct Reading {
    stream: Arc<Stream>,
    keeper: Keeper,
    bytes: [u8; READ_BYTES],
    /// Of the socket, as it was set last; `None` waits for ever.
    timeout: Option<Duration>,
    ended: bool,
}

impl Reading {
    /// Of a connection that was greeted.
    pub(crate) fn new(stream: &Arc<Stream>, keeper: Keeper) -> Box<Self> {
        let stream = Arc::clone(stream);
        Box::new(Self { stream, keeper, bytes: [0; READ_BYTES], timeout: None, ended: false })
    }

    /// The connection has ended.
    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether answers are to come.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.keeper.is_awaiting()
    }

    /// Reads once, for this time at most, and hands out what was read.
    pub(crate) fn read(&mut self, timeout: Option<Duration>) {
        let read = self.limit(timeout).and_then(|()| self.stream.read(&mut self.bytes));
        match read {
            Ok(count) => self.ended = !self.keeper.received(&self.bytes[..count]),
            Err(error) if timeout.is_some() && is_timeout(&error) => {}
            Err(error) => {
                self.ended = true;
                self.keeper.broken(error);
            }
        }
    }

    /// A system call only where it makes a difference.
    fn limit(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.timeout != timeout {
            self.stream.set_read_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }

    /// For the next connection.
    pub(crate) fn into_keeper(self) -> Keeper {
        self.keeper
    }
}

/// Unix says the one, Windows the other.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
