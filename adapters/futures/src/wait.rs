//! How a future of a caller waits.
//!
//! The body of an async function is compiled into every program that awaits it, wherever it stands. What
//! every program does is therefore a future with a name here: taking a lock, and giving it back.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use redlatch_client::{Acquiring, Error, Held, Progress, Releasing};

use crate::alarms::{Alarm, Alarms};

/// Polls until it is done. `closed` is the result when it is not, and the runtime is gone.
pub(crate) async fn wait<T>(
    alarms: &Alarms,
    closed: impl Fn() -> T,
    mut poll: impl FnMut(&Waker) -> Progress<T>,
) -> T {
    let mut patience = Patience::new(alarms);
    poll_fn(|context| patience.poll(context, &mut poll, &closed)).await
}

/// One who waits.
struct Patience<'a> {
    alarm: Alarm<'a>,
    gone: bool,
}

impl<'a> Patience<'a> {
    const fn new(alarms: &'a Alarms) -> Self {
        Self { alarm: alarms.alarm(), gone: false }
    }

    fn poll<T>(
        &mut self,
        context: &Context<'_>,
        mut poll: impl FnMut(&Waker) -> Progress<T>,
        closed: impl FnOnce() -> T,
    ) -> Poll<T> {
        loop {
            let until = match poll(context.waker()) {
                Progress::Done(done) => return Poll::Ready(done),
                Progress::Wait(until) => until,
            };
            // A moment that has passed rings at once: nobody looks at the clock for it here.
            if self.alarm.set(until, context.waker()).is_ok() {
                return Poll::Pending;
            }
            // What the keeper did last may be what is waited for: look once more.
            if core::mem::replace(&mut self.gone, true) {
                return Poll::Ready(closed());
            }
        }
    }
}

/// Waits for a lock.
pub(crate) struct Locking<'a> {
    patience: Patience<'a>,
    acquiring: &'a mut Acquiring,
}

impl<'a> Locking<'a> {
    pub(crate) const fn new(alarms: &'a Alarms, acquiring: &'a mut Acquiring) -> Self {
        Self { patience: Patience::new(alarms), acquiring }
    }
}

impl Future for Locking<'_> {
    type Output = Result<Held, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { patience, acquiring } = self.get_mut();
        patience.poll(context, |waker| acquiring.poll(waker), || Err(Error::Closed))
    }
}

/// Waits until a lock is given back.
pub(crate) struct Unlocking<'a> {
    patience: Patience<'a>,
    releasing: &'a mut Releasing,
}

impl<'a> Unlocking<'a> {
    pub(crate) const fn new(alarms: &'a Alarms, releasing: &'a mut Releasing) -> Self {
        Self { patience: Patience::new(alarms), releasing }
    }
}

impl Future for Unlocking<'_> {
    type Output = Result<bool, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { patience, releasing } = self.get_mut();
        patience.poll(context, |waker| releasing.poll(waker), || Err(Error::Closed))
    }
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
