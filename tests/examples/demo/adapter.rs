//! The clients that the demo can use.

use core::time::Duration;

use clap::ValueEnum;
use redlatch_std::{Client, Error, Guard, Retry};

use crate::asynchronous::{self, AsyncStd, Smol, Tokio};

/// Which client the workers use.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Adapter {
    /// redlatch-std: blocking
    Std,
    /// redlatch-tokio
    Tokio,
    /// redlatch-smol
    Smol,
    /// redlatch-async-std
    AsyncStd,
}

/// A client.
pub(crate) trait Locker: Send {
    /// Takes the lock, waiting for it at most `patience`. `None`: somebody else had it all the
    /// time.
    fn lock(
        &self,
        key: &str,
        ttl: Duration,
        patience: Duration,
    ) -> Result<Option<Box<dyn Held>>, String>;
    /// The same client, for another worker.
    fn share(&self) -> Box<dyn Locker>;
    /// Commands sent until now.
    fn commands_sent(&self) -> u64;
}

/// A lock that is held.
pub(crate) trait Held {
    /// What is left of it.
    fn validity(&self) -> Duration;
    /// Extends it to its full ttl.
    fn extend(&mut self) -> Result<(), String>;
    /// Gives it back. `false`: it was no longer ours.
    fn release(self: Box<Self>) -> Result<bool, String>;
}

/// Connects a client; with `wake` it is told when the lock was given back.
pub(crate) fn connect(adapter: Adapter, urls: &str, wake: bool) -> Result<Box<dyn Locker>, String> {
    match adapter {
        Adapter::Std => Client::builder()
            .servers(urls)
            .wake(wake)
            .connect()
            .map(|client| Box::new(client) as Box<dyn Locker>)
            .map_err(|error| error.to_string()),
        Adapter::Tokio => asynchronous::connect(Tokio::start()?, urls, wake),
        Adapter::Smol => asynchronous::connect(Smol, urls, wake),
        Adapter::AsyncStd => asynchronous::connect(AsyncStd, urls, wake),
    }
}

impl Locker for Client {
    fn lock(
        &self,
        key: &str,
        ttl: Duration,
        patience: Duration,
    ) -> Result<Option<Box<dyn Held>>, String> {
        match self.lock_with(key, ttl, Retry::until(patience)) {
            Ok(guard) => Ok(Some(Box::new(guard))),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn share(&self) -> Box<dyn Locker> {
        Box::new(self.clone())
    }

    fn commands_sent(&self) -> u64 {
        Self::commands_sent(self)
    }
}

impl Held for Guard {
    fn validity(&self) -> Duration {
        Self::validity(self)
    }

    fn extend(&mut self) -> Result<(), String> {
        Self::extend(self).map(|_| ()).map_err(|error| error.to_string())
    }

    fn release(self: Box<Self>) -> Result<bool, String> {
        Self::release(*self).map_err(|error| error.to_string())
    }
}
