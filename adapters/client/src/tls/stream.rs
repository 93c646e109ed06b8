//! One encrypted connection, without I/O: what comes from the socket and goes there is encrypted,
//! what comes from the channel and goes there is not.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::TlsConfig;
use crate::error::TlsFault;

/// No more is encrypted while this much waits for the socket.
const OUTGOING_BYTES: usize = 64 * 1024;

pub(crate) struct TlsStream {
    connection: ClientConnection,
    /// Encrypted, for the socket; the beginning of it is written.
    outgoing: Vec<u8>,
    wrote: usize,
}

/// What there is to read.
pub(crate) enum Plain {
    /// So many bytes were read.
    Bytes(usize),
    /// Nothing, before more has come from the socket.
    Nothing,
    /// Nothing any more: the server has said goodbye.
    End,
}

impl TlsStream {
    /// For a fresh connection to this host.
    ///
    /// # Errors
    /// The host is none that a certificate could name.
    pub(crate) fn new(config: &TlsConfig, host: &str) -> Result<Self, TlsFault> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::WrongName)?;
        let connection = ClientConnection::new(Arc::clone(&config.0), name);
        let connection = connection.map_err(|error| TlsFault::from(&error))?;
        Ok(Self { connection, outgoing: Vec::new(), wrote: 0 })
    }

    /// Encrypts some of these bytes, and says how many. None while greetings of TLS are exchanged,
    /// or too much waits to be written.
    pub(crate) fn encrypt(&mut self, bytes: &[u8]) -> usize {
        let held_back = self.connection.is_handshaking() || self.outgoing.len() >= OUTGOING_BYTES;
        if held_back || bytes.is_empty() {
            return 0;
        }
        self.connection.writer().write(bytes).unwrap_or(0)
    }

    /// What is for the socket.
    pub(crate) fn pending(&mut self) -> &[u8] {
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut self.outgoing).is_err() {
                break;
            }
        }
        self.outgoing.get(self.wrote..).unwrap_or_default()
    }

    /// Whether greetings are exchanged.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether something is for the socket.
    pub(crate) fn wants_write(&self) -> bool {
        self.connection.wants_write() || self.wrote < self.outgoing.len()
    }

    /// So much of what is pending was written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.wrote = self.wrote.saturating_add(count);
        if self.wrote >= self.outgoing.len() {
            self.outgoing.clear();
            self.wrote = 0;
        }
    }

    /// Takes some bytes from the socket off the beginning of `bytes`. Call it when
    /// [`TlsStream::decrypted`] has nothing.
    pub(crate) fn receive(&mut self, bytes: &mut &[u8]) -> Result<(), TlsFault> {
        // It fails, or takes nothing, only when it is given more after what it already refused.
        let taken = self.connection.read_tls(bytes).map_err(|_| TlsFault::Protocol)?;
        let processed = self.connection.process_new_packets();
        processed.map_err(|error| TlsFault::from(&error))?;
        if taken == 0 { Err(TlsFault::Protocol) } else { Ok(()) }
    }

    /// Puts what was received, decrypted, into the beginning of `space`, which is not empty.
    pub(crate) fn decrypted(&mut self, space: &mut [u8]) -> Plain {
        match self.connection.reader().read(space) {
            Ok(0) => Plain::End,
            Ok(count) => Plain::Bytes(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Plain::Nothing,
            Err(_) => Plain::End,
        }
    }
}
