//! Who takes and releases. All waiters of a process share one client, as they would in a service.

use core::time::Duration;
use std::thread;

use redlatch_tokio::Retry;
use tokio::runtime::Handle;

use crate::Failed;

const TTL: Duration = Duration::from_secs(30);
/// Longer than any round: the pauses stay those of the default.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) trait Contender: Clone + Send + Sync + 'static {
    type Held: Send;

    fn take(&self, key: &str) -> impl Future<Output = Self::Held> + Send;
    fn release(&self, held: Self::Held) -> impl Future<Output = ()> + Send;
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;
    /// Starts a waiter.
    fn spawn(&self, waiter: impl Future<Output = ()> + Send + 'static);
}

#[derive(Clone)]
pub(super) struct RedlatchTokio {
    client: redlatch_tokio::Client,
    runtime: Handle,
}

impl RedlatchTokio {
    pub(super) async fn connect(url: &str) -> Result<Self, Failed> {
        let builder = redlatch_tokio::Client::builder().server(url).retry(Retry::until(PATIENCE));
        Ok(Self { client: builder.connect().await?, runtime: Handle::current() })
    }
}

impl Contender for RedlatchTokio {
    type Held = redlatch_tokio::Guard;

    async fn take(&self, key: &str) -> Self::Held {
        self.client.lock(key, TTL).await.expect("taken")
    }

    async fn release(&self, held: Self::Held) {
        assert!(held.release().await.expect("released"), "ours until now");
    }

    async fn pause(&self, time: Duration) {
        pause_out_of_step(time).await;
    }

    fn spawn(&self, waiter: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(waiter);
    }
}

/// The timers of the runtime tick by milliseconds: a turn that ended with them would end in the very moment when
/// waiters ask again.
async fn pause_out_of_step(time: Duration) {
    tokio::task::spawn_blocking(move || thread::sleep(time)).await.expect("no panic");
}

/// A thread for each waiter.
#[derive(Clone)]
pub(super) struct RedlatchStd(redlatch_std::Client);

impl RedlatchStd {
    pub(super) fn connect(url: &str) -> Result<Self, Failed> {
        let builder = redlatch_std::Client::builder().server(url).retry(Retry::until(PATIENCE));
        Ok(Self(builder.connect()?))
    }
}

impl Contender for RedlatchStd {
    type Held = redlatch_std::Guard;

    async fn take(&self, key: &str) -> Self::Held {
        self.0.lock(key, TTL).expect("taken")
    }

    async fn release(&self, held: Self::Held) {
        assert!(held.release().expect("released"), "ours until now");
    }

    async fn pause(&self, time: Duration) {
        thread::sleep(time);
    }

    fn spawn(&self, waiter: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| smol::block_on(waiter));
    }
}

/// Its own delays: up to 200 ms, at random.
#[derive(Clone)]
pub(super) struct Rslock {
    manager: rslock::LockManager,
    runtime: Handle,
}

impl Rslock {
    pub(super) fn connect(url: &str, runtime: &Handle) -> Self {
        Self { manager: rslock::LockManager::new(vec![url]), runtime: runtime.clone() }
    }
}

impl Contender for Rslock {
    type Held = rslock::Lock;

    async fn take(&self, key: &str) -> Self::Held {
        self.manager.acquire_no_guard(key, TTL).await.expect("taken")
    }

    async fn release(&self, held: Self::Held) {
        self.manager.unlock(&held).await;
    }

    async fn pause(&self, time: Duration) {
        pause_out_of_step(time).await;
    }

    fn spawn(&self, waiter: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(waiter);
    }
}
