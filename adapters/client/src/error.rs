//! What went wrong, by blame, in full sentences.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use redlatch_core::{Denial, Loss, Malformed, Tally};

use crate::config::ConfigError;
use crate::notice::Notice;

/// Why a call failed. One line of text that names the server and what to do; never a password and
/// never a token. `Clone`, so that everybody who waited for one connection can have it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The caller's mistake.
    Config(ConfigError),
    /// The network: no connection to the server, or it broke.
    Connect {
        /// Address of the server.
        server: Arc<str>,
        /// What happened.
        cause: Cause,
    },
    /// The server accepted the connection and did not answer.
    Silent {
        /// Address of the server.
        server: Arc<str>,
        /// How long it was given.
        after: Duration,
    },
    /// Something else than Redis or Valkey listens there.
    NotRedis {
        /// Address of the server.
        server: Arc<str>,
        /// Why its bytes are no reply. `None` when they are one that no such server gives.
        malformed: Option<Malformed>,
    },
    /// The server said no.
    Refused {
        /// Address of the server.
        server: Arc<str>,
        /// What it said.
        notice: Notice,
    },
    /// The server is a replica, whose word counts for nothing.
    Replica {
        /// Address of the server.
        server: Arc<str>,
    },
    /// Too few servers answered to decide.
    Unavailable {
        /// The votes.
        tally: Tally,
        /// What is known of the servers that did not vote.
        causes: Arc<[Error]>,
    },
    /// The lock was not had within the bounds of the retry policy.
    TimedOut {
        /// How long it was waited for.
        waited: Duration,
        /// The votes of the last attempt.
        tally: Tally,
    },
    /// The lock was held and is not any more. This is final.
    Lost(Loss),
    /// The lock was not extended. It is still held, for what is left of the old lease.
    NotExtended {
        /// What is left.
        validity: Duration,
        /// The votes.
        tally: Tally,
    },
    /// Too few servers confirmed the release in time. It is repeated in the background until they
    /// do, or until the key has expired.
    Unconfirmed,
    /// The operating system gave no randomness.
    Random,
    /// The client was shut down.
    Closed,
    /// The operating system gave no more of this.
    Exhausted(&'static str),
    /// There is no async runtime here that could run the tasks of a client.
    NoRuntime,
}

/// What the network did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The operating system reported this.
    Io(Arc<io::Error>),
    /// The name of the host could not be resolved, for this reason.
    Name(Arc<io::Error>),
    /// The connection was not open in this time.
    TimedOut(Duration),
    /// The server closed the connection.
    Closed,
    /// No encrypted connection came about, or it broke.
    Tls(TlsFault),
    /// The server sent a reply that nobody asked for, or one that does not fit its request:
    /// replies and requests were out of step. The connection was given up.
    OutOfStep,
}

/// Why the two sides do not agree on TLS, or do not trust each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server does not speak TLS.
    NotTls,
    /// The server did not answer the greeting of TLS in time: a Redis port without TLS waits for the
    /// end of a line that never comes.
    NoAnswer,
    /// The certificate of the server was issued by nobody who is trusted, or by itself.
    UnknownIssuer,
    /// The certificate of the server is for other names.
    WrongName,
    /// The certificate of the server has expired.
    Expired,
    /// The certificate of the server is not valid yet.
    NotYetValid,
    /// The certificate of the server is not good for a server, or none at all.
    BadCertificate,
    /// The server wants a certificate of the client, and was shown none.
    NoIdentity,
    /// The server does not accept the certificate of the client.
    IdentityRefused,
    /// The two sides have no version or cipher in common.
    Incompatible,
    /// The server refused without saying more.
    Refused,
    /// What the server sent is not what TLS wants there.
    Protocol,
}

impl Error {
    /// A failed read or write; one that took too long says that the server is silent.
    pub(crate) fn from_io(server: &Arc<str>, error: io::Error, timeout: Duration) -> Self {
        let server = Arc::clone(server);
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Self::Silent { server, after: timeout }
            }
            _ => Self::Connect { server, cause: error.into() },
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Connect { server, cause } => write!(f, "no connection to {server}: {cause}"),
            Self::Silent { server, after } => write!(
                f,
                "{server} did not answer within {after:?}; see whether it is stuck, or not a Redis server"
            ),
            Self::NotRedis { server, malformed: Some(malformed) } => {
                write!(f, "{server} is no Redis or Valkey server: {malformed}")
            }
            Self::NotRedis { server, malformed: None } => {
                write!(f, "{server} is no Redis or Valkey server: its replies make no sense")
            }
            Self::Refused { server, notice } => write!(f, "{server} refused: {notice}"),
            Self::Replica { server } => {
                write!(f, "{server} is a replica; connect to the master")
            }
            Self::Unavailable { tally, causes } => unavailable(f, tally, causes),
            Self::TimedOut { waited, tally } => timed_out(f, *waited, tally),
            Self::Lost(loss) => write!(f, "the lock was lost: {loss}"),
            Self::NotExtended { validity, tally } => write!(
                f,
                "the lock was not extended and is valid for {validity:?} more: {} of {} servers agreed",
                tally.granted, tally.configured
            ),
            Self::Unconfirmed => f.write_str(
                "the release was not confirmed in time; it is repeated until it is, or the key has expired",
            ),
            Self::Random => f.write_str("the operating system gave no randomness for a token"),
            Self::Closed => f.write_str("the client was shut down"),
            Self::Exhausted(what) => {
                write!(f, "the operating system gave no more {what}; raise its limit")
            }
            Self::NoRuntime => f.write_str("there is no async runtime here; connect inside of one"),
        }
    }
}

fn unavailable(f: &mut fmt::Formatter<'_>, tally: &Tally, causes: &[Error]) -> fmt::Result {
    let voted = tally.granted.saturating_add(tally.held).saturating_add(tally.refused);
    write!(f, "only {voted} of {} servers could be asked", tally.configured)?;
    let mut before = ": ";
    for cause in causes {
        write!(f, "{before}{cause}")?;
        before = "; ";
    }
    Ok(())
}

fn timed_out(f: &mut fmt::Formatter<'_>, waited: Duration, tally: &Tally) -> fmt::Result {
    let why = match tally.denial() {
        Denial::TooLate => "the servers answered so late that nothing of the ttl was left",
        _ => "somebody else holds it",
    };
    write!(f, "the lock was not acquired within {waited:.1?}: {why}")
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    f.write_str("nothing listens there; start the server or correct the address")
                }
                io::ErrorKind::NotFound => {
                    f.write_str("there is no such socket; start the server or correct the path")
                }
                io::ErrorKind::PermissionDenied => {
                    f.write_str("permission denied; give this user access to the socket")
                }
                _ => error.fmt(f),
            },
            Self::Name(error) => write!(f, "its host name was not resolved: {error}"),
            Self::TimedOut(after) => {
                write!(f, "timed out after {after:?}; look into the address and the firewall")
            }
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Tls(fault) => fault.fmt(f),
            Self::OutOfStep => {
                f.write_str("replies were out of step with requests, so it was ended")
            }
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => {
                "it did not answer the greeting of TLS; use its TLS port, or redis://, or see whether it \
                 is stuck"
            }
            Self::NotTls => "it does not speak TLS; use its TLS port, or redis://",
            Self::UnknownIssuer => {
                "its certificate was issued by nobody who is trusted; add the root that issued it, if \
                 it is the right server"
            }
            Self::WrongName => {
                "its certificate is for another name; use a name that the certificate holds, if it is \
                 the right server"
            }
            Self::Expired => "its certificate has expired; renew it, or set the clock of this machine",
            Self::NotYetValid => "its certificate is not valid yet; set the clock of this machine",
            Self::BadCertificate => {
                "its certificate is not good for a server; issue one that is, with a root of its own"
            }
            Self::NoIdentity => "it wants a certificate of the client; set one",
            Self::IdentityRefused => {
                "it does not accept the certificate of the client; set one that a root of the server \
                 has issued"
            }
            Self::Incompatible => "it has no TLS version or cipher in common with this client",
            Self::Refused => {
                "it refused the TLS handshake; it may want a certificate of the client, or another \
                 name or cipher"
            }
            Self::Protocol => "what it sent breaks the rules of TLS",
        })
    }
}

impl core::error::Error for TlsFault {}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Connect { cause: Cause::Io(error) | Cause::Name(error), .. } => Some(&**error),
            Self::Connect { cause: Cause::Tls(fault), .. } => Some(fault),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Error, TlsFault};
    use crate::{ConfigError, Notice};
    use core::time::Duration;
    use redlatch_core::{Loss, Malformed, Refusal, Tally};
    use std::io::{self, ErrorKind};

    fn all() -> Vec<Error> {
        let server = || "127.0.0.1:80".into();
        let tally = Tally { configured: 3, held: 2, ..Tally::default() };
        let io = |kind| Error::Connect { server: server(), cause: io::Error::from(kind).into() };
        let silent = Error::Silent { server: server(), after: Duration::from_millis(500) };
        let mut errors: Vec<_> = [
            ErrorKind::ConnectionRefused,
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::ConnectionReset,
        ]
        .map(io)
        .into();
        let timed_out = Cause::TimedOut(Duration::from_secs(2));
        let faults = [
            TlsFault::NotTls,
            TlsFault::NoAnswer,
            TlsFault::UnknownIssuer,
            TlsFault::WrongName,
            TlsFault::Expired,
            TlsFault::NotYetValid,
            TlsFault::BadCertificate,
            TlsFault::NoIdentity,
            TlsFault::IdentityRefused,
            TlsFault::Incompatible,
            TlsFault::Refused,
            TlsFault::Protocol,
        ];
        let causes = [timed_out, Cause::Closed, Cause::OutOfStep];
        for cause in causes.into_iter().chain(faults.map(Cause::Tls)) {
            errors.push(Error::Connect { server: server(), cause });
        }
        errors.extend([
            Error::Config(ConfigError::NoServers),
            silent.clone(),
            Error::NotRedis { server: server(), malformed: Some(Malformed::UnknownType(b'H')) },
            Error::NotRedis { server: server(), malformed: None },
            Error::Refused {
                server: server(),
                notice: Notice::from_line(b"ERR sentinel\n", Some(b"sentinel")),
            },
            Error::Refused { server: server(), notice: Refusal::Restarted.into() },
            Error::Replica { server: server() },
            Error::Unavailable { tally, causes: [silent].into() },
            Error::TimedOut { waited: Duration::from_secs(10), tally },
            Error::Lost(Loss::Expired),
            Error::Lost(Loss::Deleted),
            Error::Lost(Loss::ServerRestarted),
            Error::Lost(Loss::Stolen),
            Error::NotExtended { validity: Duration::from_secs(1), tally },
            Error::Unconfirmed,
            Error::Random,
            Error::Closed,
            Error::Exhausted("threads"),
        ]);
        errors
    }

    /// Requirement 18: who is to blame and what to do, in one line, without a secret.
    #[test]
    fn every_error_is_one_line_without_secrets() {
        for error in all() {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains('\n') && text.len() < 300, "{text}");
            assert!(!format!("{text} {error:?}").contains("sentinel"), "{text}");
        }
    }

    #[test]
    fn every_error_about_a_server_names_it() {
        for error in all() {
            let named = matches!(
                error,
                Error::Connect { .. }
                    | Error::Silent { .. }
                    | Error::NotRedis { .. }
                    | Error::Refused { .. }
                    | Error::Replica { .. }
                    | Error::Unavailable { .. }
            );
            assert_eq!(error.to_string().contains("127.0.0.1:80"), named, "{error}");
        }
    }

    #[test]
    fn an_error_can_be_shared_and_sent() {
        fn check<T: Clone + Send + Sync + core::error::Error + 'static>() {}
        check::<Error>();
    }
}
