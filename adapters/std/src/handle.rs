//! What keeps a client alive.

use core::time::Duration;
use std::sync::Arc;
use std::thread;

use redlatch_client::{Engine, Error, Keeper, Options, Reaper};

use crate::link;
use crate::post::{GRACE, Post};
use crate::wait::wait;

/// Shared by clients and guards. The threads hold only what is inside, so the last handle ends them.
pub(crate) struct Handle {
    engine: Arc<Engine>,
    /// Of the only server.
    post: Option<Arc<Post>>,
}

impl Handle {
    /// Starts the threads: one for each server, and the reaper.
    pub(crate) fn start(options: Options) -> Result<Self, Error> {
        Self::start_with(options, GRACE)
    }

    /// The threads of the links read when no caller has done so for the time of `grace`.
    pub(crate) fn start_with(options: Options, grace: Duration) -> Result<Self, Error> {
        let engine = Engine::new(options)?;
        let keepers = Keeper::all(&engine);
        let is_only = keepers.len() == 1;
        let post = || Arc::new(Post::new(is_only, grace));
        let posts: Vec<_> = keepers.iter().map(|_| post()).collect();
        let handle = Self { engine, post: posts.first().filter(|_| is_only).cloned() };
        let (reaper, post) = (Reaper::new(&handle.engine), handle.post.clone());
        spawn("redlatch-reaper", Box::new(move || reap(reaper, post.as_deref())))?;
        for (keeper, post) in keepers.into_iter().zip(posts) {
            spawn("redlatch-link", Box::new(move || link::run(keeper, &post)))?;
        }
        Ok(handle)
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Where callers may take turns in reading.
    pub(crate) fn post(&self) -> Option<&Post> {
        self.post.as_deref()
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

fn reap(mut reaper: Reaper, post: Option<&Post>) {
    wait(|waker| {
        let progress = reaper.poll(waker);
        // It never reads, so somebody must.
        post.iter().for_each(|post| post.look_after());
        progress
    });
}

/// The library has its code for threads once for each kind of closure: here they are all of one.
fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> Result<(), Error> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|_| Error::Exhausted("threads"))
}
