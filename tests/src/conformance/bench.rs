//! What a scenario works with: servers of its own, clients of the subject, and a plain connection
//! to look behind both.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use redlatch_core::Protocol;

use super::Need;
use super::host::{Host, Running, Setup};
use super::subject::{Client, Failure, Guard, Options, Subject};
use crate::pause::breathe;
use crate::server::{Inspector, Value};

/// How long the plain connection waits for a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a scenario failed.
#[derive(Clone, Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Broken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Broken {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self(format!("an unexpected error: {failure}"))
    }
}

/// How a scenario went.
pub type Outcome<T = ()> = Result<T, Broken>;

/// Ends the scenario unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::bench::Broken::from(format!($($message)+)));
        }
    };
}
pub(super) use ensure;

/// Where one scenario runs.
pub struct Bench<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) host: &'a dyn Host,
    pub(super) protocol: Protocol,
}

impl Bench<'_> {
    /// Long enough to cost nothing on a busy machine, short enough to wait for.
    pub const REPLY_TIMEOUT: Duration = Duration::from_millis(500);

    /// A server that nobody else uses.
    ///
    /// # Errors
    /// It does not start.
    pub fn server(&self) -> Outcome<Stand> {
        self.server_with(Setup::default())
    }

    /// A server that is set up like this.
    ///
    /// # Errors
    /// It does not start.
    pub fn server_with(&self, setup: Setup) -> Outcome<Stand> {
        Ok(Stand { running: self.host.start(setup)?, setup })
    }

    /// Several servers.
    ///
    /// # Errors
    /// One of them does not start.
    pub fn servers(&self, count: usize) -> Outcome<Vec<Stand>> {
        (0..count).map(|_| self.server()).collect()
    }

    /// The version of the protocol that clients are to speak, 2 or 3.
    #[must_use]
    pub const fn version(&self) -> u8 {
        match self.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }

    /// A client of these servers.
    ///
    /// # Errors
    /// The subject does not connect.
    pub fn client(&self, servers: &[Stand]) -> Outcome<Arc<dyn Client>> {
        let urls: Vec<_> = servers.iter().map(Stand::url).collect();
        Ok(self.connect(&urls.join(","))?)
    }

    /// A client of one server.
    ///
    /// # Errors
    /// The subject does not connect.
    pub fn client_of(&self, server: &Stand) -> Outcome<Arc<dyn Client>> {
        Ok(self.connect(&server.url())?)
    }

    /// A client of these URLs.
    ///
    /// # Errors
    /// What the subject reports.
    pub fn connect(&self, urls: &str) -> Result<Arc<dyn Client>, Failure> {
        self.subject.connect(urls, &self.options())
    }

    /// A client that does not ask to be told of changes.
    ///
    /// # Errors
    /// What the subject reports.
    pub fn connect_without_waking(&self, urls: &str) -> Result<Arc<dyn Client>, Failure> {
        self.subject.connect(urls, &Options { wake: false, ..self.options() })
    }

    const fn options(&self) -> Options {
        let (protocol, reply_timeout) = (self.protocol, Self::REPLY_TIMEOUT);
        Options { protocol, reply_timeout, wake: true }
    }

    /// Whether servers tell clients of changes: they do so in RESP3 only.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.protocol == Protocol::Resp3 && self.host.offers(Need::Resp3)
    }
}

/// A server of a scenario, and a look into it that shares no code with the subject.
pub struct Stand {
    pub(super) running: Box<dyn Running>,
    setup: Setup,
}

impl Stand {
    /// `redis://host:port`, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.running.address())
    }

    /// A plain connection, logged in.
    ///
    /// # Errors
    /// The connection fails.
    pub fn inspector(&self) -> Outcome<Inspector> {
        Ok(Inspector::connect(self.running.address(), self.setup.password, PATIENCE)?)
    }

    /// One question over a connection of its own.
    ///
    /// # Errors
    /// The connection fails.
    pub fn ask(&self, arguments: &[&[u8]]) -> Outcome<Value> {
        Ok(self.inspector()?.command(arguments)?)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// The connection fails, or the key holds no string.
    pub fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        match self.ask(&[b"GET", key])? {
            Value::Bulk(value) => Ok(Some(value)),
            Value::Nil => Ok(None),
            other => Err(format!("GET was answered with {other:?}").into()),
        }
    }

    /// What is left of a key; `None` where there is no key or no ttl.
    ///
    /// # Errors
    /// The connection fails.
    pub fn ttl(&self, key: &[u8]) -> Outcome<Option<Duration>> {
        let left = self.ask(&[b"PTTL", key])?.integer().ok_or("PTTL is no number")?;
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    /// Overwrites a key with somebody else's value, for a minute.
    ///
    /// # Errors
    /// The connection fails.
    pub fn overwrite(&self, key: &[u8], value: &[u8]) -> Outcome {
        let reply = self.ask(&[b"SET", key, value, b"PX", b"60000"])?;
        ensure!(reply == Value::Simple("OK".into()), "SET was answered with {reply:?}");
        Ok(())
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// The connection fails, or there was no such key.
    pub fn delete(&self, key: &[u8]) -> Outcome {
        let deleted = self.ask(&[b"DEL", key])?;
        ensure!(deleted == Value::Integer(1), "DEL was answered with {deleted:?}");
        Ok(())
    }

    /// Forgets all scripts.
    ///
    /// # Errors
    /// The connection fails.
    pub fn flush_scripts(&self) -> Outcome {
        let reply = self.ask(&[b"SCRIPT", b"FLUSH"])?;
        ensure!(reply == Value::Simple("OK".into()), "SCRIPT FLUSH was answered with {reply:?}");
        Ok(())
    }

    /// Ends every connection but the one that asks for it, and says how many there were.
    ///
    /// # Errors
    /// The connection fails.
    pub fn kill_connections(&self) -> Outcome<i64> {
        let killed = self.ask(&[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"])?;
        killed.integer().ok_or_else(|| format!("CLIENT KILL was answered with {killed:?}").into())
    }

    /// Ends every connection but this one, which may have more to ask.
    ///
    /// # Errors
    /// The connection fails.
    pub fn kill_connections_but(&self, asking: &mut Inspector) -> Outcome {
        let killed = asking.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
        ensure!(killed.integer().is_some(), "CLIENT KILL was answered with {killed:?}");
        Ok(())
    }

    /// Waits until the key is gone, at most `patience`.
    ///
    /// # Errors
    /// It is still there.
    pub fn expect_gone(&self, key: &[u8], patience: Duration) -> Outcome {
        eventually("the key is gone", patience, || Ok(self.get(key)?.is_none()))
    }
}

/// Looks until it is so, at most `patience`.
///
/// # Errors
/// It never was so, or a look failed.
pub fn eventually(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Outcome<bool>,
) -> Outcome {
    let begun = Instant::now();
    while !look()? {
        ensure!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        breathe();
    }
    Ok(())
}

/// The lock, which must be free.
///
/// # Errors
/// Somebody has it.
pub(super) fn take(client: &dyn Client, key: &[u8], ttl: Duration) -> Outcome<Box<dyn Guard>> {
    let taken = client.try_lock(key, ttl)?;
    taken
        .ok_or_else(|| format!("the lock on {} is free and was refused", key.escape_ascii()).into())
}

/// Gives a lock back that must still be ours.
///
/// # Errors
/// It was not.
pub(super) fn give_back(guard: Box<dyn Guard>) -> Outcome {
    ensure!(guard.release()?, "the release says that the lock was not ours");
    Ok(())
}
