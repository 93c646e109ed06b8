//! A timer that is set again and again, on the clock of the machines.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker, ready};

use redlatch_client::{Progress, os};
use redlatch_core::Instant;

use crate::runtime::Runtime;

type Sleep<'r> = Pin<Box<dyn Future<Output = ()> + Send + 'r>>;

/// Wakes its task at a moment. Setting it later costs nothing: it wakes once at the earlier one.
pub(crate) struct Timer<'r, R> {
    runtime: &'r R,
    sleep: Option<(Instant, Sleep<'r>)>,
}

impl<'r, R: Runtime> Timer<'r, R> {
    pub(crate) const fn new(runtime: &'r R) -> Self {
        Self { runtime, sleep: None }
    }

    /// Ready when the moment has come; else it wakes the task then, or earlier.
    pub(crate) fn poll_until(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let left = until.saturating_since(os::now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            if until == Instant::NEVER {
                self.sleep = None;
                return Poll::Pending;
            }
            let set = self.sleep.take().filter(|(at, _)| *at <= until);
            let (at, mut sleep) =
                set.unwrap_or_else(|| (until, Box::pin(self.runtime.sleep(left))));
            if sleep.as_mut().poll(context).is_pending() {
                self.sleep = Some((at, sleep));
                return Poll::Pending;
            }
        }
    }

    /// Polls until it is done.
    pub(crate) async fn wait<T>(&mut self, mut poll: impl FnMut(&Waker) -> Progress<T>) -> T {
        poll_fn(|context| {
            loop {
                match poll(context.waker()) {
                    Progress::Done(done) => return Poll::Ready(done),
                    Progress::Wait(until) => ready!(self.poll_until(until, context)),
                }
            }
        })
        .await
    }

    /// Waits for the future, until the moment at most. `None`: the moment came first.
    pub(crate) async fn within<T>(
        &mut self,
        until: Instant,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll_until(until, context).map(|()| None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::Timer;
    use crate::runtime::Runtime;
    use crate::stream::Stream;
    use core::future::pending;
    use core::net::SocketAddr;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::{Context, Poll, Waker};
    use core::time::Duration;
    use redlatch_client::{Error, os};
    use redlatch_core::Instant;
    use std::io;
    use std::path::Path;

    /// Counts how often somebody went to sleep. Nobody wakes up, but for the first, who do at once.
    #[derive(Default)]
    struct Sleepless {
        sleeps: AtomicUsize,
        early: usize,
    }

    /// No stream of it exists.
    enum Unconnected {}

    impl Stream for Unconnected {
        fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            match *self {}
        }

        fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            match *self {}
        }
    }

    impl Runtime for Sleepless {
        type Stream = Unconnected;

        fn current() -> Result<Self, Error> {
            Err(Error::NoRuntime)
        }

        async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(Vec::new())
        }

        async fn connect_tcp(&self, _: SocketAddr) -> io::Result<Unconnected> {
            Err(io::ErrorKind::Unsupported.into())
        }

        async fn connect_unix(&self, _: &Path) -> io::Result<Unconnected> {
            Err(io::ErrorKind::Unsupported.into())
        }

        async fn sleep(&self, _: Duration) {
            if self.sleeps.fetch_add(1, Ordering::SeqCst) >= self.early {
                pending().await
            }
        }

        fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
            drop(task);
        }
    }

    #[test]
    fn only_an_earlier_moment_sets_the_runtimes_timer_again() {
        let runtime = Sleepless::default();
        let (mut timer, mut context) = (Timer::new(&runtime), Context::from_waker(Waker::noop()));
        let now = os::now();
        for (seconds, sleeps) in [(60, 1), (90, 1), (60, 1), (30, 2), (40, 2), (20, 3)] {
            let until = now.saturating_add(Duration::from_secs(seconds));
            assert!(timer.poll_until(until, &mut context).is_pending());
            assert_eq!(runtime.sleeps.load(Ordering::SeqCst), sleeps, "for {seconds} s");
        }
    }

    #[test]
    fn who_is_woken_too_early_sleeps_again() {
        let runtime = Sleepless { early: 2, ..Sleepless::default() };
        let (mut timer, mut context) = (Timer::new(&runtime), Context::from_waker(Waker::noop()));
        let until = os::now().saturating_add(Duration::from_secs(60));
        assert!(timer.poll_until(until, &mut context).is_pending());
        assert_eq!(runtime.sleeps.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_moment_that_has_passed_is_now_and_never_is_never() {
        let runtime = Sleepless::default();
        let (mut timer, mut context) = (Timer::new(&runtime), Context::from_waker(Waker::noop()));
        assert!(timer.poll_until(os::now(), &mut context).is_ready());
        assert!(timer.poll_until(Instant::NEVER, &mut context).is_pending());
        assert_eq!(runtime.sleeps.load(Ordering::SeqCst), 0);
    }
}
