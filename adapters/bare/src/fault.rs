//! Why there is no connection to a server.

use core::fmt;

use embedded_io::ErrorKind;
use redlatch_core::{Class, HandshakeError, Malformed, Refusal, WireError};

/// Why there is no connection to a server, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The stream did not open, or broke: what its driver said.
    Stream(ErrorKind),
    /// The stream was not open within the connect timeout.
    NotOpen,
    /// The line never fell quiet within the connect timeout: somebody else talks on it, or it is noisy.
    Noise,
    /// The server did not answer in time.
    Silent,
    /// The server closed the connection.
    Closed,
    /// The peer does not speak RESP, or exceeds a limit.
    Malformed(Malformed),
    /// The peer speaks RESP, and its replies make no sense for a Redis or Valkey server.
    NotRedis,
    /// The server is a replica.
    Replica,
    /// The server refused the connection.
    Refused(Refusal),
    /// Replies were out of step with requests: bytes were lost or added on the line.
    OutOfStep,
    /// User name, password and name of the connection do not fit the transmit buffer.
    LoginTooLong,
}

impl Fault {
    /// Whether trying again soon cannot help.
    pub(crate) const fn is_permanent(self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.class(), Class::Permanent),
            Self::Replica | Self::LoginTooLong => true,
            _ => false,
        }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Malformed(malformed) => Self::Malformed(malformed),
            WireError::Rejected(refusal) => Self::Refused(refusal),
            WireError::Closed => Self::Closed,
            WireError::TimedOut => Self::Silent,
            _ => Self::OutOfStep,
        }
    }
}

impl From<HandshakeError> for Fault {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Refused(refusal) => Self::Refused(refusal),
            HandshakeError::Replica => Self::Replica,
            _ => Self::NotRedis,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream(kind) => return write!(f, "the stream failed: {kind:?}"),
            Self::Malformed(malformed) => return malformed.fmt(f),
            Self::Refused(refusal) => return write!(f, "the server refused: {refusal}"),
            Self::NotOpen => "the stream was not open in time; look into the network and the address",
            Self::Noise => "the line never fell quiet; see who else talks on it",
            Self::Silent => {
                "the server did not answer in time; see whether it runs, is stuck, or is another program"
            }
            Self::Closed => "the server closed the connection",
            Self::NotRedis => "the peer's replies are none that Redis or Valkey gives",
            Self::Replica => "the server is a replica; connect to the master",
            Self::OutOfStep => "replies were out of step with requests; look into the line",
            Self::LoginTooLong => {
                "the login does not fit the transmit buffer; use a longer buffer or a shorter login"
            }
        })
    }
}

impl core::error::Error for Fault {}
