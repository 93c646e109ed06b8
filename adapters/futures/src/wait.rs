//! How a future of a caller waits.

use core::future::poll_fn;
use core::task::{Poll, Waker};

use redlatch_client::{Progress, os};

use crate::alarms::Alarms;

/// Polls until it is done. `closed` is the result when it is not, and the runtime is gone.
pub(crate) async fn wait<T>(
    alarms: &Alarms,
    closed: impl FnOnce() -> T,
    mut poll: impl FnMut(&Waker) -> Progress<T>,
) -> T {
    let mut alarm = alarms.alarm();
    let mut closed = Some(closed);
    poll_fn(|context| {
        loop {
            let until = match poll(context.waker()) {
                Progress::Done(done) => return Poll::Ready(done),
                Progress::Wait(until) if until <= os::now() => continue,
                Progress::Wait(until) => until,
            };
            if alarm.set(until, context.waker()).is_ok() {
                return Poll::Pending;
            }
            if let Some(closed) = closed.take() {
                return Poll::Ready(closed());
            }
        }
    })
    .await
}
