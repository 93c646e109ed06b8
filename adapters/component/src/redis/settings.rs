//! The options of a lock on a server.

use core::time::Duration;

use super::tls::Tls;
use crate::config::{ConfigParams, invalid};
use crate::error::Error;
use crate::lock::options::{LockOptions, time};

const TIMEOUT: &str = "options.timeout";
pub(crate) const DB_NUM: &str = "options.db_num";

/// The options of [`RedisLock`](crate::RedisLock), where they are listed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lock: LockOptions,
    /// How long to try to connect.
    pub(crate) timeout: Duration,
    pub(crate) db_num: Option<u32>,
    pub(crate) quorum: bool,
    pub(crate) release_on_close: bool,
    pub(crate) wake: bool,
    pub(crate) tls: Option<Tls>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock: LockOptions::default(),
            timeout: Duration::from_secs(30),
            db_num: None,
            quorum: false,
            release_on_close: false,
            wake: true,
            tls: None,
        }
    }
}

impl Settings {
    /// Longest time for an answer, and for what is given back by a close.
    pub(crate) const REPLY_TIMEOUT: Duration = Duration::from_millis(500);

    /// # Errors
    /// `UNKNOWN_KEY`, `INVALID_VALUE`, `CONFIG_CONFLICT`; the error names the key.
    pub(crate) fn from_config(config: &ConfigParams) -> Result<Self, Error> {
        let default = Self::default();
        let timeout = config.get_as_integer(TIMEOUT)?.map(|millis| time(TIMEOUT, millis));
        Ok(Self {
            lock: LockOptions::from_config(config)?,
            timeout: timeout.transpose()?.unwrap_or(default.timeout),
            db_num: config.get_as_integer(DB_NUM)?.map(database).transpose()?,
            quorum: config.get_as_boolean_with_default("options.quorum", default.quorum)?,
            release_on_close: config.get_as_boolean_with_default(
                "options.release_on_close",
                default.release_on_close,
            )?,
            wake: config.get_as_boolean_with_default("options.wake", default.wake)?,
            tls: Tls::from_config(config)?,
        })
    }
}

fn database(number: i64) -> Result<u32, Error> {
    let wanted = "the number of a database, from 0 on";
    u32::try_from(number).map_err(|_| invalid::value(DB_NUM, wanted))
}
