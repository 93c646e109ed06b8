//! What keeps a client alive.
//!
//! It is of no runtime: what a client does here is compiled once, and not into each program for its runtime
//! and its kinds of keys.

use core::pin::Pin;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Detached, Engine, Error, Keeper, Key, Options, Reaper};
use redlatch_core::{Renew, Retry};

use crate::alarms::Alarms;
use crate::guard::Guard;
use crate::link;
use crate::reaper;
use crate::runtime::Runtime;
use crate::wait::{Locking, Unlocking, wait};

/// Shared by clients and guards. The tasks hold only what is inside, so the last handle ends them.
pub(crate) struct Handle {
    engine: Arc<Engine>,
    alarms: Arc<Alarms>,
}

impl Handle {
    /// Starts the tasks: one for each server, and the reaper.
    pub(crate) fn start<R: Runtime>(options: Options, runtime: R) -> Result<Self, Error> {
        let engine = Engine::new(options)?;
        let handle = Self { engine, alarms: Arc::new(Alarms::new()) };
        let runtime = Arc::new(runtime);
        let reaper = Reaper::new(&handle.engine);
        let alarms = Arc::clone(&handle.alarms);
        spawn(&*runtime, Box::pin(reaper::run(Arc::clone(&runtime), reaper, alarms)));
        for keeper in Keeper::all(&handle.engine) {
            spawn(&*runtime, Box::pin(link::run(Arc::clone(&runtime), keeper)));
        }
        Ok(handle)
    }

    /// See [`Client::lock_with`](crate::Client::lock_with).
    pub(crate) async fn lock(
        this: &Arc<Self>,
        key: Key,
        ttl: Duration,
        retry: Retry,
        renew: Option<Renew>,
    ) -> Result<Guard, Error> {
        let mut acquiring = this.engine.acquire(key, ttl, retry, renew)?;
        let held = Locking::new(&this.alarms, &mut acquiring).await?;
        Ok(Guard::new(Arc::clone(this), held))
    }

    /// See [`Client::release_detached`](crate::Client::release_detached).
    pub(crate) async fn release_detached(&self, detached: Detached) -> Result<bool, Error> {
        let mut releasing = self.engine.release_detached(detached)?;
        Unlocking::new(&self.alarms, &mut releasing).await
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Waits until a majority is connected, or cannot be.
    pub(crate) fn connected(&self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        let deadline = self.engine.connect_deadline();
        let closed = || Err(Error::Closed);
        Box::pin(wait(&self.alarms, closed, move |waker| {
            self.engine.poll_connected(deadline, waker)
        }))
    }

    /// Pays what is owed, for `timeout` at most, and ends the tasks. Whether all was paid.
    pub(crate) fn close(&self, timeout: Duration) -> impl Future<Output = bool> + Send {
        let mut closing = self.engine.close(timeout);
        wait(&self.alarms, || false, move |waker| closing.poll(waker))
    }
}

/// Does not wait: whoever drops the last handle may be the task that would be waited for.
impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.engine.close(self.engine.options().reply_timeout));
    }
}

/// A runtime has its code for tasks once for each kind of task: here they are all of one.
fn spawn<R: Runtime>(runtime: &R, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
    runtime.spawn(task);
}
