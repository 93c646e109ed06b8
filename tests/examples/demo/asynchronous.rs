//! The clients of the asynchronous runtimes. A worker is a thread, so each call blocks.

use core::future::Future;
use core::time::Duration;
use std::sync::OnceLock;

use redlatch_futures::{Client, Error, Guard, Retry, Runtime};
use tokio::runtime;

use crate::adapter::{Held, Locker};

/// Runs a future to its end, with what its client does in the background.
pub(crate) trait Executor: Copy + Send + 'static {
    type Runtime: Runtime;

    fn block_on<F: Future>(self, future: F) -> F::Output;
}

/// One runtime for all workers.
#[derive(Clone, Copy)]
pub(crate) struct Tokio(&'static runtime::Runtime);

impl Tokio {
    pub(crate) fn start() -> Result<Self, String> {
        static RUNTIME: OnceLock<Result<runtime::Runtime, String>> = OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| {
            let mut builder = runtime::Builder::new_multi_thread();
            builder.enable_all().build().map_err(|error| error.to_string())
        });
        runtime.as_ref().map(Self).map_err(Clone::clone)
    }
}

impl Executor for Tokio {
    type Runtime = redlatch_tokio::Tokio;

    fn block_on<F: Future>(self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Smol;

impl Executor for Smol {
    type Runtime = redlatch_smol::Smol;

    fn block_on<F: Future>(self, future: F) -> F::Output {
        smol::block_on(future)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AsyncStd;

impl Executor for AsyncStd {
    type Runtime = redlatch_async_std::AsyncStd;

    fn block_on<F: Future>(self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }
}

/// Connects a client.
pub(crate) fn connect<E: Executor>(
    executor: E,
    urls: &str,
    wake: bool,
) -> Result<Box<dyn Locker>, String> {
    let builder = Client::<E::Runtime>::builder().servers(urls).wake(wake);
    match executor.block_on(builder.connect()) {
        Ok(client) => Ok(Box::new(Blocking { executor, value: client })),
        Err(error) => Err(error.to_string()),
    }
}

struct Blocking<E, T> {
    executor: E,
    value: T,
}

impl<E: Executor> Locker for Blocking<E, Client<E::Runtime>> {
    fn lock(
        &self,
        key: &str,
        ttl: Duration,
        patience: Duration,
    ) -> Result<Option<Box<dyn Held>>, String> {
        let locking = self.value.lock_with(key, ttl, Retry::until(patience));
        match self.executor.block_on(locking) {
            Ok(guard) => Ok(Some(Box::new(Blocking { executor: self.executor, value: guard }))),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn share(&self) -> Box<dyn Locker> {
        Box::new(Self { executor: self.executor, value: self.value.clone() })
    }

    fn commands_sent(&self) -> u64 {
        self.value.commands_sent()
    }
}

impl<E: Executor> Held for Blocking<E, Guard> {
    fn validity(&self) -> Duration {
        self.value.validity()
    }

    fn extend(&mut self) -> Result<(), String> {
        let extended = self.executor.block_on(self.value.extend());
        extended.map(|_| ()).map_err(|error| error.to_string())
    }

    fn release(self: Box<Self>) -> Result<bool, String> {
        self.executor.block_on(self.value.release()).map_err(|error| error.to_string())
    }
}
