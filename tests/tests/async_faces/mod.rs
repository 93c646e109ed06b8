//! The asynchronous adapters as one type parameter, so that a test is written once for all of them.
#![allow(dead_code, unused_imports, unused_macros, reason = "every test file uses its part")]

use core::future::Future;
use core::time::Duration;
use std::time::Instant;

use redlatch_futures::Runtime;
use redlatch_testkit::model::{ModelServer, Value};

pub(crate) mod conformance;

/// A ttl that no test outlives.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Within this everything that is bound to happen has happened.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands under a key that somebody else has taken.
pub(crate) const STRANGER: &[u8] = b"somebody else";

/// An adapter, and the executor that its users start.
pub(crate) trait Face: Send + Sync + 'static {
    /// What the adapter gives to `redlatch-futures`.
    type Runtime: Runtime;

    /// A new executor, or a handle of the one that every program has.
    fn start() -> Self;

    /// Runs a future to its end.
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Runs a future beside the others; the result waits for it.
    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;
}

/// tokio on two threads.
pub(crate) struct Tokio(pub(crate) tokio::runtime::Runtime);

impl Face for Tokio {
    type Runtime = redlatch_tokio::Tokio;

    fn start() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        Self(builder.worker_threads(2).enable_all().build().expect("threads"))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let task = self.0.spawn(future);
        async { task.await.expect("no panic") }
    }
}

/// tokio on the thread that waits: nothing moves while nobody waits.
pub(crate) struct TokioOnOneThread(pub(crate) tokio::runtime::Runtime);

impl Face for TokioOnOneThread {
    type Runtime = redlatch_tokio::Tokio;

    fn start() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        Self(builder.enable_all().build().expect("a driver"))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let task = self.0.spawn(future);
        async { task.await.expect("no panic") }
    }
}

/// smol with its global executor.
pub(crate) struct Smol;

impl Face for Smol {
    type Runtime = redlatch_smol::Smol;

    fn start() -> Self {
        Self
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(future)
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        smol::spawn(future)
    }
}

/// async-std with its global executor.
pub(crate) struct AsyncStd;

impl Face for AsyncStd {
    type Runtime = redlatch_async_std::AsyncStd;

    fn start() -> Self {
        Self
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        async_std::task::spawn(future)
    }
}

/// Makes tests of functions that are generic over the [`Face`]: `on_tokio::name`, `on_smol::name`
/// and so on.
macro_rules! on_every_face {
    ($($(#[$note:meta])* $test:ident;)+) => {
        on_every_face!(@face on_tokio, Tokio, $($(#[$note])* $test;)+);
        on_every_face!(@face on_tokio_with_one_thread, TokioOnOneThread, $($(#[$note])* $test;)+);
        on_every_face!(@face on_smol, Smol, $($(#[$note])* $test;)+);
        on_every_face!(@face on_async_std, AsyncStd, $($(#[$note])* $test;)+);
    };
    (@face $module:ident, $face:ident, $($(#[$note:meta])* $test:ident;)+) => {
        mod $module {
            $(
                $(#[$note])*
                #[test]
                fn $test() {
                    super::$test::<$crate::async_faces::$face>();
                }
            )+
        }
    };
}
pub(crate) use on_every_face;

/// The same on every runtime; it does not count on the adapter under test.
pub(crate) async fn sleep(time: Duration) {
    smol::Timer::after(time).await;
}

/// Waits for something that another task does; fails when it does not come.
pub(crate) async fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn server() -> ModelServer {
    ModelServer::start().expect("a free port")
}

pub(crate) fn urls(servers: &[ModelServer]) -> String {
    servers.iter().map(ModelServer::url).collect::<Vec<_>>().join(",")
}

/// Whether the key is there.
pub(crate) fn is_held(server: &ModelServer, key: &str) -> bool {
    server.with(|server| server.get(0, key.as_bytes()).is_some())
}

/// How often the server was asked this.
pub(crate) fn count(server: &ModelServer, command: &str) -> u64 {
    server.with(|server| server.command_count(command))
}

/// Open connections.
pub(crate) fn sessions(server: &ModelServer) -> usize {
    server.with(|server| server.sessions().count())
}

/// Somebody else takes the key.
pub(crate) fn steal(server: &ModelServer, key: &str, ttl: Duration) {
    let value = Value::Text(STRANGER.to_vec());
    server.with(|server| server.put(0, key.as_bytes(), value, Some(ttl)));
}
