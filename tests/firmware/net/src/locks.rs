//! The adapter for embassy, as the scenarios want it.

use core::time::Duration;

use embassy_time::Timer;
use redlatch_embassy::{Client, Error, Guard, Loss, Memory, Retry, Time};
use redlatch_firmware_scenarios as scenarios;

/// A client that is driven elsewhere in the same task.
pub(crate) struct Locks<'s, 'a, M, T>(pub(crate) Client<'s, 'a, M, T>);

/// A guard of it.
pub(crate) struct Held<'s>(Guard<'s>);

impl<'s, 'a, M: Memory<'a>, T: Time> scenarios::Client for Locks<'s, 'a, M, T> {
    type Guard<'c>
        = Held<'s>
    where
        Self: 'c;

    async fn connect(&self) -> Result<(), Error> {
        self.0.connect().await
    }

    async fn lock(&self, key: &str, ttl: Duration, retry: Retry) -> Result<Held<'s>, Error> {
        self.0.lock_with(key.as_bytes(), ttl, retry).await.map(Held)
    }

    async fn wait(&self, time: Duration) {
        let micros = time.subsec_micros().into();
        Timer::after_secs(time.as_secs()).await;
        Timer::after_micros(micros).await;
    }
}

impl scenarios::Guard for Held<'_> {
    fn validity(&self) -> Duration {
        self.0.validity()
    }

    fn loss(&self) -> Option<Loss> {
        self.0.loss()
    }

    async fn extend(&mut self) -> Result<Duration, Error> {
        self.0.extend().await
    }

    async fn release(self) -> Result<bool, Error> {
        self.0.release().await
    }
}
