//! The lock inside of one process, for threads.

use std::sync::Arc;
use std::thread;

use redlatch_client::os;

use super::face::Lock;
use crate::config::ConfigParams;
use crate::context::Context;
use crate::error::Error;
use crate::lock::inherent::inherent_blocking_lock;
use crate::lock::local::Local;
use crate::refer::Configurable;

/// A lock inside of one process, for threads. See [`MemoryLock`](crate::MemoryLock), from which one
/// can be made that shares its locks.
///
/// ```
/// use redlatch_component::blocking::MemoryLock;
///
/// let lock = MemoryLock::new();
/// lock.acquire_lock("123", "key1", 3000, 1000)?;
/// // Processing…
/// lock.release_lock("123", "key1")?;
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryLock {
    local: Arc<Local>,
}

inherent_blocking_lock!(MemoryLock);

impl MemoryLock {
    /// A lock that nobody holds, with the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn acquire(&self, key: &str, ttl: i64, timeout: i64) -> Result<(), Error> {
        let mut acquiring = self.local.acquire(key, ttl, timeout)?;
        while let Some(due) = acquiring.attempt()? {
            thread::sleep(due.saturating_since(os::now()));
        }
        Ok(())
    }
}

/// The other face of the same locks.
impl From<&crate::MemoryLock> for MemoryLock {
    fn from(lock: &crate::MemoryLock) -> Self {
        Self { local: Arc::clone(lock.local()) }
    }
}

impl Lock for MemoryLock {
    fn try_acquire_lock(&self, context: Context<'_>, key: &str, ttl: i64) -> Result<bool, Error> {
        self.local.try_acquire(key, ttl).map_err(|error| error.in_context(context))
    }

    fn acquire_lock(
        &self,
        context: Context<'_>,
        key: &str,
        ttl: i64,
        timeout: i64,
    ) -> Result<(), Error> {
        self.acquire(key, ttl, timeout).map_err(|error| error.in_context(context))
    }

    fn release_lock(&self, context: Context<'_>, key: &str) -> Result<(), Error> {
        self.local.release(key).map_err(|error| error.in_context(context))
    }
}

impl Configurable for MemoryLock {
    fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        self.local.configure(config)
    }
}
