//! How a future of a caller waits.

use core::future::poll_fn;
use core::task::{Poll, Waker};

use redlatch_client::Progress;

use crate::alarms::Alarms;

/// Polls until it is done. `closed` is the result when it is not, and the runtime is gone.
pub(crate) async fn wait<T>(
    alarms: &Alarms,
    closed: impl FnOnce() -> T,
    mut poll: impl FnMut(&Waker) -> Progress<T>,
) -> T {
    let mut alarm = alarms.alarm();
    let mut closed = Some(closed);
    let mut gone = false;
    poll_fn(|context| {
        loop {
            let until = match poll(context.waker()) {
                Progress::Done(done) => return Poll::Ready(done),
                Progress::Wait(until) => until,
            };
            // A moment that has passed rings at once: nobody looks at the clock for it here.
            if alarm.set(until, context.waker()).is_ok() {
                return Poll::Pending;
            }
            // What the keeper did last may be what is waited for: look once more.
            if !core::mem::replace(&mut gone, true) {
                continue;
            }
            if let Some(closed) = closed.take() {
                return Poll::Ready(closed());
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::wait;
    use crate::alarms::Alarms;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use redlatch_client::Progress;
    use redlatch_core::Instant;

    /// The keeper ends between the look and the setting of the alarm.
    fn waited(then: Progress<bool>) -> Poll<bool> {
        let alarms = Alarms::new();
        let mut looks = 0;
        let waiting = wait(
            &alarms,
            || false,
            |_| {
                looks += 1;
                alarms.end();
                if looks == 1 { Progress::Wait(Instant::NEVER) } else { then }
            },
        );
        pin!(waiting).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_the_keeper_did_last_is_seen_after_its_end() {
        assert_eq!(waited(Progress::Done(true)), Poll::Ready(true));
    }

    #[test]
    fn nobody_waits_for_a_keeper_that_is_gone() {
        assert_eq!(waited(Progress::Wait(Instant::NEVER)), Poll::Ready(false));
    }
}
