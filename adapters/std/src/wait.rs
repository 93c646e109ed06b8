//! How a thread waits.

use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

use redlatch_client::{Progress, os};
use redlatch_core::Instant;

/// Polls until it is done, and parks the thread meanwhile.
pub(crate) fn wait<T>(mut poll: impl FnMut(&Waker) -> Progress<T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match poll(&waker) {
            Progress::Done(done) => return done,
            Progress::Wait(Instant::NEVER) => thread::park(),
            Progress::Wait(until) => thread::park_timeout(until.saturating_since(os::now())),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
