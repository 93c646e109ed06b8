//! Async code over an adapter that blocks.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

/// Runs a future that never waits, because all that it awaits blocks. `None` for one that does wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
