//! From a fresh stream to a connection that is ready for locks, within a deadline.

use core::time::Duration;
use std::io;
use std::sync::Arc;

use redlatch_core::{
    Greeting, Handshake, HandshakeError, Incoming, Instant, Login, Reply, WireError,
};

use crate::channel::Channel;
use crate::config::ConfigError;
use crate::endpoint::{Address, Endpoint};
use crate::error::{Cause, Error, TlsFault};
use crate::notice::Notice;
use crate::options::Options;
use crate::os;
use crate::secret::Secret;
use crate::tls::{TlsConfig, TlsStream};

/// A connection that is ready for locks.
pub struct Greeted {
    pub(crate) channel: Channel,
    pub(crate) greeting: Greeting,
}

/// What a [`Greeter`] wants of the stream.
#[must_use]
pub enum Want<'a> {
    /// Write some of this, and say how much with [`Greeter::wrote`].
    Write(&'a [u8]),
    /// Read, and hand over what was read with [`Greeter::received`].
    Read,
    /// Nothing: the connection is ready. Take it with [`Greeter::finish`].
    Ready,
}

/// Greets a server over a stream that the adapter has opened: ask it what it wants, do that, until
/// it is ready or the deadline has come.
pub struct Greeter<'a> {
    endpoint: &'a Endpoint,
    server: &'a Arc<str>,
    login: Login<'a>,
    handshake: Handshake,
    channel: Channel,
    deadline: Instant,
    timeout: Duration,
}

impl<'a> Greeter<'a> {
    pub(crate) fn new(
        options: &'a Options,
        tls: Option<&TlsConfig>,
        endpoint: &'a Endpoint,
        server: &'a Arc<str>,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let tls = encryption(tls, endpoint);
        let tls = tls.map_err(|fault| tls_error(server, fault))?;
        let login = endpoint.login(options.protocol, options.name.as_deref());
        Ok(Self {
            endpoint,
            server,
            login,
            handshake: Handshake::new(options.restart_delay.is_some()),
            channel: Channel::new(options.limits, options.reply_timeout, tls),
            deadline,
            timeout: options.connect_timeout,
        })
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
        if let Some(command) = self.handshake.poll_command(&self.login) {
            let full = |_| Error::Config(ConfigError::LoginTooLong);
            self.channel.submit(&command, os::now()).map_err(full)?;
        }
        let finished = self.handshake.finished().is_some();
        Ok(match self.channel.pending() {
            [] if finished => Want::Ready,
            [] => Want::Read,
            pending => Want::Write(pending),
        })
    }

    /// So many bytes were written.
    pub fn wrote(&mut self, count: usize) {
        self.channel.wrote(count);
    }

    /// Takes bytes that were read; none are the end of the stream.
    ///
    /// # Errors
    /// Why the connection cannot be used: close it.
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            self.channel.closed();
            return self.listen();
        }
        let mut rest = bytes;
        loop {
            let filled = self.channel.fill(&mut rest);
            let more = filled.map_err(|cause| connect_error(self.server, cause))?;
            self.listen()?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The connection, once [`Greeter::poll`] said [`Want::Ready`].
    #[must_use]
    pub fn finish(self) -> Option<Greeted> {
        let greeting = self.handshake.finished()?;
        Some(Greeted { channel: self.channel, greeting })
    }

    /// What a failed read or write means.
    #[must_use]
    pub fn io_error(&self, error: io::Error) -> Error {
        match Error::from_io(self.server, error, self.timeout) {
            Error::Silent { .. } => self.silent(),
            other => other,
        }
    }

    /// What it means that the deadline has come.
    #[must_use]
    pub fn silent(&self) -> Error {
        if self.channel.is_handshaking() {
            return tls_error(self.server, TlsFault::NoAnswer);
        }
        Error::Silent { server: Arc::clone(self.server), after: self.timeout }
    }

    /// Hears what has come in.
    fn listen(&mut self) -> Result<(), Error> {
        let password = self.endpoint.password().map(Secret::expose);
        while self.handshake.finished().is_none() {
            let incoming = self.channel.poll();
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
            let step = self.handshake.handle_reply(&self.login, reply);
            step.map_err(|error| handshake_error(self.server, error, notice))?;
        }
        Ok(())
    }
}

/// For a connection that is to be encrypted.
fn encryption(
    config: Option<&TlsConfig>,
    endpoint: &Endpoint,
) -> Result<Option<TlsStream>, TlsFault> {
    match (config, endpoint.address()) {
        (Some(config), Address::Tcp { host, .. }) if endpoint.is_encrypted() => {
            TlsStream::new(config, host).map(Some)
        }
        _ => Ok(None),
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

pub(crate) fn connect_error(server: &Arc<str>, cause: Cause) -> Error {
    Error::Connect { server: Arc::clone(server), cause }
}

fn tls_error(server: &Arc<str>, fault: TlsFault) -> Error {
    connect_error(server, Cause::Tls(fault))
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
