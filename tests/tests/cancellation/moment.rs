//! Drops a future in the middle.

use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;
use std::thread;

use crate::async_faces::sleep;

/// A future that was not done after so many polls never will be.
pub(crate) const POLLS_MAX: usize = 200;

/// When a future is dropped, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// It has been polled so often. With 0 it is never polled.
    pub(crate) polls: usize,
    pub(crate) manner: Manner,
}

/// How a future is dropped after its last poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At once: what it asked for may not even be written.
    AtOnce,
    /// A millisecond later: what it asked for is on its way.
    Later,
    /// When it is woken: what it waits for has come, and it never sees it.
    Woken,
    /// At once, by a thread that knows nothing of the runtime.
    Elsewhere,
}

impl Manner {
    pub(crate) const ALL: [Self; 4] = [Self::AtOnce, Self::Later, Self::Woken, Self::Elsewhere];
}

/// Runs the future until the moment, then drops it. `Some`: it was done before.
pub(crate) async fn run_until<F>(future: F, moment: Moment) -> Option<F::Output>
where
    F: Future + Send,
{
    let mut future = Box::pin(future);
    let mut polls = 0;
    let output = poll_fn(|context| {
        if polls == moment.polls {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == moment.polls && moment.manner != Manner::Woken => {
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    if output.is_none() {
        match moment.manner {
            Manner::AtOnce | Manner::Woken => {}
            Manner::Later => sleep(Duration::from_millis(1)).await,
            Manner::Elsewhere => {
                thread::scope(|scope| scope.spawn(move || drop(future)).join())
                    .expect("a drop never panics");
            }
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::{Context, Waker};

    use super::*;

    /// Done at its third poll; wakes itself.
    async fn third(polled: &AtomicUsize) -> usize {
        poll_fn(|context| {
            context.waker().wake_by_ref();
            match polled.fetch_add(1, Ordering::Relaxed) + 1 {
                polls @ 3.. => Poll::Ready(polls),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// The harness itself: it polls as often as it says, and never once more.
    #[test]
    fn a_future_is_polled_as_often_as_asked() {
        for (polls, manner, expected) in [
            (0, Manner::AtOnce, (None, 0)),
            (1, Manner::AtOnce, (None, 1)),
            (2, Manner::Woken, (None, 2)),
            (2, Manner::Elsewhere, (None, 2)),
            (3, Manner::AtOnce, (Some(3), 3)),
            (9, Manner::Woken, (Some(3), 3)),
        ] {
            let polled = AtomicUsize::new(0);
            let mut run = pin!(run_until(third(&polled), Moment { polls, manner }));
            let mut context = Context::from_waker(Waker::noop());
            let output = loop {
                if let Poll::Ready(output) = run.as_mut().poll(&mut context) {
                    break output;
                }
            };
            assert_eq!((output, polled.load(Ordering::Relaxed)), expected, "{polls} {manner:?}");
        }
    }
}
