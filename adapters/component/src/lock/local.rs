//! What both faces of the lock in memory decide together.

use core::time::Duration;
use std::sync::Mutex;

use redlatch_client::os;
use redlatch_core::{Backoff, Instant, Random, Ttl};

use super::arguments;
use super::ledger::Ledger;
use super::options::LockOptions;
use crate::config::ConfigParams;
use crate::error::Error;
use crate::sync::lock;

/// The locks of one `MemoryLock`, and how patient it is. Nothing here waits.
#[derive(Debug, Default)]
pub(crate) struct Local {
    ledger: Mutex<Ledger>,
    options: Mutex<LockOptions>,
}

impl Local {
    pub(crate) fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        let options = LockOptions::from_config(config)?;
        *lock(&self.options) = options;
        Ok(())
    }

    pub(crate) fn try_acquire(&self, key: &str, ttl: i64) -> Result<bool, Error> {
        arguments::key(key)?;
        Ok(self.take(key, arguments::ttl(ttl)?))
    }

    pub(crate) fn acquire<'a>(
        &'a self,
        key: &'a str,
        ttl: i64,
        timeout: i64,
    ) -> Result<Acquiring<'a>, Error> {
        arguments::key(key)?;
        let (ttl, timeout) = (arguments::ttl(ttl)?, arguments::timeout(timeout)?);
        let backoff = Backoff::new(lock(&self.options).patience(timeout), os::now());
        Ok(Acquiring { local: self, key, ttl, timeout, backoff })
    }

    pub(crate) fn release(&self, key: &str) -> Result<(), Error> {
        arguments::key(key)?;
        lock(&self.ledger).free(key);
        Ok(())
    }

    fn take(&self, key: &str, ttl: Ttl) -> bool {
        lock(&self.ledger).take(key, ttl, os::now())
    }
}

/// A lock that is being acquired.
#[derive(Debug)]
pub(crate) struct Acquiring<'a> {
    local: &'a Local,
    key: &'a str,
    ttl: Ttl,
    timeout: Duration,
    backoff: Backoff,
}

impl Acquiring<'_> {
    /// Tries. `None` when the lock is acquired, or else the moment when to try again.
    ///
    /// # Errors
    /// `LOCK_TIMEOUT` when the time is over.
    pub(crate) fn attempt(&mut self) -> Result<Option<Instant>, Error> {
        if self.local.take(self.key, self.ttl) {
            return Ok(None);
        }
        // The pause is fixed: no randomness is used.
        match self.backoff.next(os::now(), &mut Random::new(0)) {
            Some(due) => Ok(Some(due)),
            None => Err(arguments::timed_out(self.key, self.timeout)),
        }
    }
}
