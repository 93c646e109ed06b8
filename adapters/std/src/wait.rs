//! How a thread waits.

use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

use redlatch_client::{Awaits, Progress};

use crate::post::{Caller, Post, park};

thread_local! {
    /// Unparks this thread. A wake that comes late, for a wait before, costs a look.
    static WAKER: Waker = unparking();
}

/// Polls until it is done, and parks the thread meanwhile.
pub(crate) fn wait<T>(mut poll: impl FnMut(&Waker) -> Progress<T>) -> T {
    let waker = waker();
    loop {
        match poll(&waker) {
            Progress::Done(done) => return done,
            Progress::Wait(until) => park(until),
        }
    }
}

/// The same for something that awaits answers: where there is a post, this thread may read them itself.
pub(crate) fn wait_for<F, T>(
    post: Option<&Post>,
    future: &mut F,
    poll: impl Fn(&mut F, &Waker) -> Progress<T>,
    awaits: impl Fn(&F) -> Awaits,
) -> T {
    let Some(post) = post else { return wait(|waker| poll(future, waker)) };
    let waker = waker();
    let mut caller = Caller::new(post);
    loop {
        match poll(future, &waker) {
            Progress::Done(done) => return done,
            Progress::Wait(until) => caller.wait(|| awaits(future), until),
        }
    }
}

/// Unparks this thread.
pub(crate) fn waker() -> Waker {
    // A thread that ends drops its guards after its waker, perhaps.
    WAKER.try_with(Waker::clone).unwrap_or_else(|_| unparking())
}

fn unparking() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
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

#[cfg(test)]
mod tests {
    use super::{Waker, wait};
    use core::cell::OnceCell;
    use redlatch_client::Progress;
    use redlatch_core::Instant;
    use std::sync::mpsc;
    use std::thread;

    /// Waits until another thread wakes it. Says how often it looked.
    fn woken() -> usize {
        let mut looks = 0;
        let mut woken = None;
        wait(|waker| {
            looks += 1;
            let handed: &mpsc::Receiver<()> = woken.get_or_insert_with(|| wake(waker.clone()));
            match handed.try_recv() {
                Ok(()) => Progress::Done(looks),
                Err(_) => Progress::Wait(Instant::NEVER),
            }
        })
    }

    /// Says that it will wake before it does.
    fn wake(waker: Waker) -> mpsc::Receiver<()> {
        let (hand, handed) = mpsc::channel();
        thread::spawn(move || {
            hand.send(()).expect("it waits");
            waker.wake();
        });
        handed
    }

    #[test]
    fn a_thread_waits_again_and_again_with_one_waker() {
        for _ in 0..100 {
            assert!(woken() >= 1);
        }
        let wakers = [(); 2].map(|()| wait(|waker| Progress::Done(waker.clone())));
        assert!(wakers[0].will_wake(&wakers[1]));
    }

    /// A guard in a thread-local variable is dropped when its thread ends, perhaps after the waker.
    #[test]
    fn a_thread_that_ends_can_still_wait() {
        struct Last(mpsc::Sender<usize>);
        impl Drop for Last {
            fn drop(&mut self) {
                self.0.send(woken()).expect("the test waits");
            }
        }
        thread_local! {
            static LAST: OnceCell<Last> = const { OnceCell::new() };
        }
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            LAST.with(|last| assert!(last.set(Last(send)).is_ok()));
            // Made after the other, dropped before it.
            assert!(woken() >= 1);
        });
        assert!(receive.recv().expect("it was dropped") >= 1);
    }
}
