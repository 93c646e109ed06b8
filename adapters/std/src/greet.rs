//! From an address to a connection that is ready for locks, within a deadline.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::Instant as Deadline;

use redlatch_client::{Cause, ConfigError, Endpoint, Error, Notice, Options, Secret, os};
use redlatch_core::{
    Connection, Greeting, Handshake, HandshakeError, Incoming, Limits, Reply, WireError,
};

use crate::stream::Stream;

/// Longest reply that is kept: `INFO server` is the longest that is read.
const RECEIVE_BYTES: usize = 16 * 1024;
/// Room for requests that wait to be written: several of the longest key.
const TRANSMIT_BYTES: usize = 4 * redlatch_client::KEY_BYTES_MAX;

/// A connection with the socket it lives on.
pub(crate) struct Greeted {
    pub(crate) connection: Connection<Vec<u8>>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) greeting: Greeting,
}

/// Connects and greets.
pub(crate) fn open(
    endpoint: &Endpoint,
    options: &Options,
    server: &Arc<str>,
) -> Result<Greeted, Error> {
    let deadline = Deadline::now() + options.connect_timeout;
    let failed = |cause| Error::Connect { server: Arc::clone(server), cause };
    let stream = Stream::connect(endpoint.address(), deadline).map_err(failed)?;
    let mut greeter = Greeter {
        endpoint,
        server,
        stream: &stream,
        connection: connection(options.limits, options.reply_timeout),
        deadline,
        timeout: options.connect_timeout,
    };
    let login = endpoint.login(options.protocol, options.name.as_deref());
    let greeting = greeter.greet(Handshake::new(login, options.restart_delay.is_some()))?;
    let connection = greeter.connection;
    stream.set_read_timeout(None).map_err(|error| failed(error.into()))?;
    stream.set_write_timeout(options.reply_timeout).map_err(|error| failed(error.into()))?;
    Ok(Greeted { connection, stream: Arc::new(stream), greeting })
}

fn connection(limits: Limits, reply_timeout: Duration) -> Connection<Vec<u8>> {
    let (receive, transmit) = (vec![0; RECEIVE_BYTES], vec![0; TRANSMIT_BYTES]);
    Connection::new(receive, transmit, limits, reply_timeout)
}

struct Greeter<'a> {
    endpoint: &'a Endpoint,
    server: &'a Arc<str>,
    stream: &'a Stream,
    connection: Connection<Vec<u8>>,
    deadline: Deadline,
    timeout: Duration,
}

impl Greeter<'_> {
    fn greet(&mut self, mut handshake: Handshake<'_>) -> Result<Greeting, Error> {
        while handshake.finished().is_none() {
            if let Some(command) = handshake.poll_command() {
                let full = |_| Error::Config(ConfigError::LoginTooLong);
                self.connection.submit(&command, os::now()).map_err(full)?;
                self.write()?;
            }
            let password = self.endpoint.password().map(Secret::expose);
            let incoming = self.connection.poll();
            match incoming.map_err(|error| wire_error(self.server, error, self.timeout))? {
                Some(Incoming::Reply { reply, .. }) => {
                    let notice = match reply {
                        Reply::Error(line) => Some(Notice::from_line(line, password)),
                        _ => None,
                    };
                    let step = handshake.handle_reply(reply);
                    step.map_err(|error| handshake_error(self.server, error, notice))?;
                }
                Some(_push) => {}
                None => self.read()?,
            }
        }
        handshake.finished().ok_or_else(|| self.failed(Cause::Closed))
    }

    fn write(&mut self) -> Result<(), Error> {
        loop {
            let left = self.left()?;
            self.stream.set_write_timeout(left).map_err(|error| self.io(error))?;
            let pending = self.connection.io().pending;
            if pending.is_empty() {
                return Ok(());
            }
            let wrote = self.stream.write(pending).map_err(|error| self.io(error))?;
            self.connection.wrote(wrote);
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let left = self.left()?;
        self.stream.set_read_timeout(Some(left)).map_err(|error| self.io(error))?;
        let read = self.stream.read(self.connection.io().space);
        self.connection.received(read.map_err(|error| self.io(error))?);
        Ok(())
    }

    /// However the server drips bytes, the deadline stands.
    fn left(&self) -> Result<Duration, Error> {
        let left = self.deadline.saturating_duration_since(Deadline::now());
        if left.is_zero() { Err(self.silent()) } else { Ok(left) }
    }

    fn io(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.silent(),
            _ => self.failed(error.into()),
        }
    }

    fn silent(&self) -> Error {
        Error::Silent { server: Arc::clone(self.server), after: self.timeout }
    }

    fn failed(&self, cause: Cause) -> Error {
        Error::Connect { server: Arc::clone(self.server), cause }
    }
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
