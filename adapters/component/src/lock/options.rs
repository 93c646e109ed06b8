//! Options of every lock.

use core::time::Duration;

use redlatch_core::{Delay, Retry};

use crate::config::ConfigParams;
use crate::config::invalid;
use crate::config::schema::Schema;
use crate::error::Error;
use crate::{auth, connect};

const RETRY_TIMEOUT: &str = "options.retry_timeout";
const RETRIES: &str = "options.retries";

/// What can be in the section `options`.
const OPTIONS: [&str; 7] =
    ["retry_timeout", "retries", "timeout", "db_num", "quorum", "release_on_close", "wake"];

/// What can be in the section `tls`.
const TLS: [&str; 4] = ["enabled", "ca", "cert", "key"];

/// Longest time of an option, in milliseconds: an hour.
const TIME_MAX: u64 = 60 * 60 * 1000;

/// The options of every lock.
///
/// | parameter | default | meaning |
/// | --- | --- | --- |
/// | `options.retry_timeout` | 100 | milliseconds between two attempts to acquire a lock, 1 to 3600000 |
/// | `options.retries` | 3 | attempts to connect after the first one failed, from 0 on |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockOptions {
    pub(crate) retry_timeout: Duration,
    pub(crate) retries: u32,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self { retry_timeout: Duration::from_millis(100), retries: 3 }
    }
}

impl LockOptions {
    /// Reads the options of a configuration that may be any lock's: the same one serves a lock in
    /// memory and one on a server.
    ///
    /// # Errors
    /// `UNKNOWN_KEY` for a key that no lock reads, `INVALID_VALUE` for a value out of range.
    pub(crate) fn from_config(config: &ConfigParams) -> Result<Self, Error> {
        check_keys(config)?;
        let default = Self::default();
        let retry_timeout = config.get_as_integer(RETRY_TIMEOUT)?.map(retry_timeout).transpose()?;
        let retries = config.get_as_integer(RETRIES)?.map(retries).transpose()?;
        Ok(Self {
            retry_timeout: retry_timeout.unwrap_or(default.retry_timeout),
            retries: retries.unwrap_or(default.retries),
        })
    }
}

impl LockOptions {
    /// Attempts a fixed pause apart, and a last one when `timeout` is over.
    pub(crate) const fn patience(&self, timeout: Duration) -> Retry {
        let delay = Delay::Fixed(self.retry_timeout);
        Retry { delay, retries: None, deadline: Some(timeout) }
    }
}

fn retry_timeout(millis: i64) -> Result<Duration, Error> {
    time(RETRY_TIMEOUT, millis)
}

/// A time that every operating system can wait for.
///
/// # Errors
/// `INVALID_VALUE` for one that is zero, negative or longer than an hour.
pub(crate) fn time(key: &str, millis: i64) -> Result<Duration, Error> {
    let millis = u64::try_from(millis).ok();
    let millis = millis.filter(|millis| (1..=TIME_MAX).contains(millis));
    let wanted = "a number of milliseconds from 1 to 3600000";
    millis.map(Duration::from_millis).ok_or_else(|| invalid::value(key, wanted))
}

fn retries(count: i64) -> Result<u32, Error> {
    let wanted = "a number from 0 to 4294967295";
    u32::try_from(count).map_err(|_| invalid::value(RETRIES, wanted))
}

fn check_keys(config: &ConfigParams) -> Result<(), Error> {
    let (connection, credential) = (connect::PLACE, auth::PLACE);
    let root = [connection.keys, credential.keys].concat();
    let sections = [
        (connection.single, connection.keys),
        (credential.single, credential.keys),
        ("options", &OPTIONS),
        ("tls", &TLS),
    ];
    let groups = [(connection.group, connection.keys), (credential.group, credential.keys)];
    Schema { root: &root, sections: &sections, groups: &groups }.check(config)
}
