//! What keeps a client alive.

use core::time::Duration;
use std::sync::Arc;
use std::thread;

use redlatch_client::{Engine, Error, Keeper, Options, Reaper};

use crate::link;
use crate::wait::wait;

/// Shared by clients and guards. The threads hold only what is inside, so the last handle ends them.
pub(crate) struct Handle {
    engine: Arc<Engine>,
}

impl Handle {
    /// Starts the threads: one for each server, and the reaper.
    pub(crate) fn start(options: Options) -> Result<Self, Error> {
        let handle = Self { engine: Engine::new(options)? };
        let mut reaper = Reaper::new(&handle.engine);
        spawn("redlatch-reaper", Box::new(move || wait(|waker| reaper.poll(waker))))?;
        for keeper in Keeper::all(&handle.engine) {
            spawn("redlatch-link", Box::new(move || link::run(keeper)))?;
        }
        Ok(handle)
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Pays what is owed, for `timeout` at most, and ends the threads. Whether all was paid.
    pub(crate) fn close(&self, timeout: Duration) -> bool {
        let mut closing = self.engine.close(timeout);
        wait(|waker| closing.poll(waker))
    }
}

/// Waits, for otherwise a program that ends would take the releases of its last guards with it.
impl Drop for Handle {
    fn drop(&mut self) {
        self.close(self.engine.options().reply_timeout);
    }
}

/// The library has its code for threads once for each kind of closure: here they are all of one.
fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> Result<(), Error> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|_| Error::Exhausted("threads"))
}
