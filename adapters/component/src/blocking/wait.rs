//! How a thread waits.

use core::task::{Context as TaskContext, Poll, Waker};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

use redlatch_client::os;
use redlatch_core::Instant;

use crate::sync::lock;

/// Runs a future on this thread, without a runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Ends pauses early.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    pauses: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    /// Waits until then, or until the bell was rung and `is_over` says so.
    pub(crate) fn pause(&self, until: Instant, is_over: impl Fn() -> bool) {
        let mut pausing = lock(&self.pauses);
        loop {
            let left = until.saturating_since(os::now());
            if left.is_zero() || is_over() {
                return;
            }
            let waited = self.rung.wait_timeout(pausing, left);
            pausing = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Call it after `is_over` has changed.
    pub(crate) fn ring(&self) {
        let pauses = lock(&self.pauses);
        self.rung.notify_all();
        drop(pauses);
    }
}
