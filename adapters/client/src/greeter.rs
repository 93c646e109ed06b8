//! From a fresh stream to a connection that is ready for locks, within a deadline.

use core::time::Duration;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use redlatch_core::{
    Connection, Greeting, Handshake, HandshakeError, Incoming, Instant, Limits, Reply, WireError,
};

use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::{Cause, Error};
use crate::notice::Notice;
use crate::options::{KEY_BYTES_MAX, Options};
use crate::os;
use crate::secret::Secret;

/// Longest reply that is kept: `INFO server` is the longest that is read.
const RECEIVE_BYTES: usize = 16 * 1024;
/// Room for requests that wait to be written: several of the longest key.
const TRANSMIT_BYTES: usize = 4 * KEY_BYTES_MAX;

/// A connection that is ready for locks.
pub struct Greeted {
    pub(crate) connection: Connection<BytesMut>,
    pub(crate) greeting: Greeting,
}

/// What a [`Greeter`] wants of the stream.
#[must_use]
pub enum Want<'a> {
    /// Write some of this, and say how much with [`Greeter::wrote`].
    Write(&'a [u8]),
    /// Read into this, and say how much with [`Greeter::received`].
    Read(&'a mut [u8]),
    /// Nothing: the connection is ready. Take it with [`Greeter::finish`].
    Ready,
}

/// Greets a server over a stream that the adapter has opened: ask it what it wants, do that, until
/// it is ready or the deadline has come.
pub struct Greeter<'a> {
    endpoint: &'a Endpoint,
    server: &'a Arc<str>,
    handshake: Handshake<'a>,
    connection: Connection<BytesMut>,
    deadline: Instant,
    timeout: Duration,
}

impl<'a> Greeter<'a> {
    pub(crate) fn new(
        endpoint: &'a Endpoint,
        options: &'a Options,
        server: &'a Arc<str>,
        deadline: Instant,
    ) -> Self {
        let login = endpoint.login(options.protocol, options.name.as_deref());
        Self {
            endpoint,
            server,
            handshake: Handshake::new(login, options.restart_delay.is_some()),
            connection: connection(options.limits, options.reply_timeout),
            deadline,
            timeout: options.connect_timeout,
        }
    }

    /// However the server drips bytes, this moment stands.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What to do next.
    ///
    /// # Errors
    /// Why the connection cannot be used: close it.
    pub fn poll(&mut self) -> Result<Want<'_>, Error> {
        if self.deadline <= os::now() {
            return Err(self.silent());
        }
        self.listen()?;
        if let Some(command) = self.handshake.poll_command() {
            let full = |_| Error::Config(ConfigError::LoginTooLong);
            self.connection.submit(&command, os::now()).map_err(full)?;
        }
        let finished = self.handshake.finished().is_some();
        let io = self.connection.io();
        Ok(match io.pending {
            [] if finished => Want::Ready,
            [] => Want::Read(io.space),
            pending => Want::Write(pending),
        })
    }

    /// So many bytes were written.
    pub fn wrote(&mut self, count: usize) {
        self.connection.wrote(count);
    }

    /// So many bytes were read; zero is the end of the stream.
    pub fn received(&mut self, count: usize) {
        self.connection.received(count);
    }

    /// The connection, once [`Greeter::poll`] said [`Want::Ready`].
    #[must_use]
    pub fn finish(self) -> Option<Greeted> {
        let greeting = self.handshake.finished()?;
        Some(Greeted { connection: self.connection, greeting })
    }

    /// What a failed read or write means.
    #[must_use]
    pub fn io_error(&self, error: io::Error) -> Error {
        Error::from_io(self.server, error, self.timeout)
    }

    /// What it means that the deadline has come.
    #[must_use]
    pub fn silent(&self) -> Error {
        Error::Silent { server: Arc::clone(self.server), after: self.timeout }
    }

    /// Hears what has come in.
    fn listen(&mut self) -> Result<(), Error> {
        let password = self.endpoint.password().map(Secret::expose);
        while self.handshake.finished().is_none() {
            let incoming = self.connection.poll();
            let reply =
                match incoming.map_err(|error| wire_error(self.server, error, self.timeout))? {
                    Some(Incoming::Reply { reply, .. }) => reply,
                    Some(_push) => continue,
                    None => return Ok(()),
                };
            let notice = match reply {
                Reply::Error(line) => Some(Notice::from_line(line, password)),
                _ => None,
            };
            let step = self.handshake.handle_reply(reply);
            step.map_err(|error| handshake_error(self.server, error, notice))?;
        }
        Ok(())
    }
}

fn connection(limits: Limits, reply_timeout: Duration) -> Connection<BytesMut> {
    let (receive, transmit) = (BytesMut::zeroed(RECEIVE_BYTES), BytesMut::zeroed(TRANSMIT_BYTES));
    Connection::new(receive, transmit, limits, reply_timeout)
}

/// Why a connection ended, with the name of the server.
pub(crate) fn wire_error(server: &Arc<str>, error: WireError, timeout: Duration) -> Error {
    let server = Arc::clone(server);
    match error {
        WireError::Malformed(malformed) => Error::NotRedis { server, malformed: Some(malformed) },
        WireError::Rejected(refusal) => Error::Refused { server, notice: refusal.into() },
        WireError::TimedOut => Error::Silent { server, after: timeout },
        WireError::Closed => Error::Connect { server, cause: Cause::Closed },
        _ => Error::Connect { server, cause: Cause::OutOfStep },
    }
}

fn handshake_error(server: &Arc<str>, error: HandshakeError, notice: Option<Notice>) -> Error {
    let server = Arc::clone(server);
    match error {
        HandshakeError::Refused(refusal) => {
            Error::Refused { server, notice: notice.unwrap_or_else(|| refusal.into()) }
        }
        HandshakeError::Replica => Error::Replica { server },
        _ => Error::NotRedis { server, malformed: None },
    }
}
