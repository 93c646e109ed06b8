//! What can go wrong with a server that a test needs.

use core::fmt;
use std::io;

use super::Kind;

/// A real server could not be found, started or asked.
#[derive(Debug)]
pub enum ServerError {
    /// The server is not installed. The message holds the command that installs it.
    Missing(Kind),
    /// The server did not come up.
    Start {
        /// Which server.
        kind: Kind,
        /// What was seen from outside.
        reason: String,
        /// What the server itself logged.
        log: String,
    },
    /// The server was stopped before.
    NotRunning(Kind),
    /// The operating system or the connection failed.
    Io(io::Error),
}

impl ServerError {
    /// Whether another process holds the port, so that another one may work.
    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Start { log, .. } if log.contains("Address already in use"))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(kind) => write!(
                f,
                "{kind} is not installed: run `.ci/servers` in the workspace, or set REDLATCH_SERVERS_DIR to a folder that \
                 holds {}",
                kind.path_in_store().display()
            ),
            Self::Start { kind, reason, log } => {
                write!(f, "{kind} did not start: {reason}; its log: {}", log.trim_end())
            }
            Self::NotRunning(kind) => write!(f, "{kind} does not run: it was stopped before"),
            Self::Io(error) => write!(f, "talking to the server: {error}"),
        }
    }
}

impl core::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
