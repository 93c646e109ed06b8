//! The blocking adapter, as the scenarios want it.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use rand_core::TryCryptoRng;
use redlatch_embedded::{Client, Clock, Error, Loss, Memory, Retry, Streams};
use redlatch_firmware_scenarios as scenarios;

/// A client that blocks.
pub(crate) struct Blocking<'b, 'a, M, S, C, R>(pub(crate) &'b Client<'a, M, S, C, R>);

/// A guard that blocks.
pub(crate) struct Guard<'c>(redlatch_embedded::Guard<'c>);

impl<'a, M: Memory<'a>, S: Streams, C: Clock, R: TryCryptoRng> scenarios::Client
    for Blocking<'_, 'a, M, S, C, R>
{
    type Guard<'c>
        = Guard<'c>
    where
        Self: 'c;

    fn connect(&self) -> impl Future<Output = Result<(), Error>> {
        blocking(|| self.0.connect())
    }

    fn lock(
        &self,
        key: &str,
        ttl: Duration,
        retry: Retry,
    ) -> impl Future<Output = Result<Guard<'_>, Error>> {
        blocking(move || self.0.lock_with(key.as_bytes(), ttl, retry).map(Guard))
    }

    fn wait(&self, time: Duration) -> impl Future<Output = ()> {
        blocking(move || {
            // It fails only inside of a call of the client, and none is under way.
            let _ = self.0.wait(time);
        })
    }
}

impl scenarios::Guard for Guard<'_> {
    fn validity(&self) -> Duration {
        self.0.validity()
    }

    fn loss(&self) -> Option<Loss> {
        self.0.loss()
    }

    fn extend(&mut self) -> impl Future<Output = Result<Duration, Error>> {
        blocking(|| self.0.extend())
    }

    fn release(self) -> impl Future<Output = Result<bool, Error>> {
        let mut guard = Some(self.0);
        // It is polled once: there is nothing to wait for.
        blocking(move || guard.take().map_or(Ok(false), redlatch_embedded::Guard::release))
    }
}

/// A future that is ready when it is first polled. An `async` block would bring a panic for the second time.
fn blocking<T>(mut what: impl FnMut() -> T) -> impl Future<Output = T> {
    poll_fn(move |_| Poll::Ready(what()))
}
