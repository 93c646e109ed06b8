//! The task that keeps the time, and drives the locks that nobody waits for any more.

use core::future::poll_fn;
use core::task::{Poll, ready};
use std::sync::Arc;

use redlatch_client::{Progress, Reaper, os};

use crate::alarms::Alarms;
use crate::runtime::Runtime;
use crate::timer::Timer;

/// The task. When it is dropped with its runtime, the client closes first, and then those who wait
/// learn of it.
pub(crate) fn run<R: Runtime>(
    runtime: Arc<R>,
    reaper: Reaper,
    alarms: Arc<Alarms>,
) -> impl Future<Output = ()> + Send {
    let mut watch = Watch { reaper, end: End(alarms) };
    async move {
        let mut timer = Timer::new(&*runtime);
        poll_fn(|context| {
            loop {
                let until = match watch.reaper.poll(context.waker()) {
                    Progress::Done(()) => return Poll::Ready(()),
                    Progress::Wait(until) => until,
                };
                let alarms = &watch.end.0;
                alarms.ring(os::now());
                let until = alarms.sleep(until, context.waker());
                ready!(timer.poll_until(until, context));
            }
        })
        .await;
    }
}

/// Dropped in this order.
struct Watch {
    reaper: Reaper,
    end: End,
}

struct End(Arc<Alarms>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
