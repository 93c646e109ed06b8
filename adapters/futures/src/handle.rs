//! What keeps a client alive.

use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Engine, Error, Keeper, Options, Reaper};

use crate::alarms::Alarms;
use crate::link;
use crate::reaper;
use crate::runtime::Runtime;
use crate::wait::wait;

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
        runtime.spawn(reaper::run(Arc::clone(&runtime), reaper, Arc::clone(&handle.alarms)));
        for keeper in Keeper::all(&handle.engine) {
            runtime.spawn(link::run(Arc::clone(&runtime), keeper));
        }
        Ok(handle)
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Waits until a majority is connected, or cannot be.
    pub(crate) async fn connected(&self) -> Result<(), Error> {
        let deadline = self.engine.connect_deadline();
        let closed = || Err(Error::Closed);
        wait(&self.alarms, closed, |waker| self.engine.poll_connected(deadline, waker)).await
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
