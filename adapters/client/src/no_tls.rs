//! What stands in for TLS where it is not built in: types without a value.

use crate::error::TlsFault;

pub(crate) enum TlsConfig {}

pub(crate) enum TlsStream {}

pub(crate) const fn is_server_name(_host: &str) -> bool {
    true
}

pub(crate) enum Plain {
    #[allow(dead_code, reason = "without TLS nobody decrypts")]
    Bytes(usize),
    #[allow(dead_code, reason = "without TLS nobody decrypts")]
    Nothing,
    #[allow(dead_code, reason = "without TLS nobody decrypts")]
    End,
}

impl TlsStream {
    pub(crate) const fn new(config: &TlsConfig, _host: &str) -> Result<Self, TlsFault> {
        match *config {}
    }

    pub(crate) const fn encrypt(&mut self, _bytes: &[u8]) -> usize {
        match *self {}
    }

    pub(crate) const fn pending(&mut self) -> &[u8] {
        match *self {}
    }

    pub(crate) const fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub(crate) const fn wants_write(&self) -> bool {
        match *self {}
    }

    pub(crate) const fn wrote(&mut self, _count: usize) {
        match *self {}
    }

    pub(crate) const fn receive(&mut self, _bytes: &mut &[u8]) -> Result<(), TlsFault> {
        match *self {}
    }

    pub(crate) const fn decrypted(&mut self, _space: &mut [u8]) -> Plain {
        match *self {}
    }
}
