//! The lock inside of one process.

use std::sync::Arc;

use redlatch_client::os;
use tokio::runtime::Handle;

use super::face::Lock;
use super::inherent::inherent_lock;
use super::local::Local;
use crate::blocking;
use crate::config::ConfigParams;
use crate::context::Context;
use crate::error::{Category, Error, code};
use crate::pending::Pending;
use crate::refer::{Component, Configurable};

/// A lock inside of one process, for tests and for programs of one process. Each `MemoryLock` has
/// locks of its own.
///
/// It takes the configuration of any lock of the family and reads `options.retry_timeout`, the pause
/// between two attempts in milliseconds (default 100). [`blocking::MemoryLock`] made from it shares
/// its locks.
///
/// ```
/// # use redlatch_component::MemoryLock;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redlatch_component::Error> {
/// let lock = MemoryLock::new();
/// lock.acquire_lock("123", "key1", 3000, 1000).await?;
/// // Processing…
/// lock.release_lock("123", "key1").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemoryLock {
    local: Arc<Local>,
}

inherent_lock!(MemoryLock);

impl MemoryLock {
    /// A lock that nobody holds, with the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    async fn acquire(&self, key: &str, ttl: i64, timeout: i64) -> Result<(), Error> {
        let mut acquiring = self.local.acquire(key, ttl, timeout)?;
        while let Some(due) = acquiring.attempt()? {
            Handle::try_current().map_err(|error| no_runtime().with_cause(error))?;
            tokio::time::sleep(due.saturating_since(os::now())).await;
        }
        Ok(())
    }

    pub(crate) const fn local(&self) -> &Arc<Local> {
        &self.local
    }
}

impl Lock for MemoryLock {
    fn try_acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
    ) -> Pending<'a, bool> {
        Box::pin(async move {
            self.local.try_acquire(key, ttl).map_err(|error| error.in_context(context))
        })
    }

    fn acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
        timeout: i64,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            self.acquire(key, ttl, timeout).await.map_err(|error| error.in_context(context))
        })
    }

    fn release_lock<'a>(&'a self, context: Context<'a>, key: &'a str) -> Pending<'a, ()> {
        Box::pin(async move { self.local.release(key).map_err(|error| error.in_context(context)) })
    }
}

fn no_runtime() -> Error {
    let message = "There is no tokio runtime here to wait in; call it inside of one, or use the \
                   blocking lock";
    Error::new(Category::InvalidState, code::NO_RUNTIME, message)
}

impl Configurable for MemoryLock {
    fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        self.local.configure(config)
    }
}

/// Shows both faces, which share their locks.
impl From<Arc<MemoryLock>> for Component {
    fn from(lock: Arc<MemoryLock>) -> Self {
        let blocking = Arc::new(blocking::MemoryLock::from(&*lock));
        Self::of(Arc::clone(&lock))
            .and::<dyn Configurable>(Arc::clone(&lock) as _)
            .and::<dyn Lock>(lock)
            .and::<dyn blocking::Lock>(Arc::clone(&blocking) as _)
            .and(blocking)
    }
}
