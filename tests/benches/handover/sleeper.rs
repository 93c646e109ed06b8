//! A waiter of redlatch in this process, and others that give a lock back.

use core::time::Duration;
use redlatch_tokio::{Client, Retry};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::Failed;
use crate::clock::now;

const TTL: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(60);

/// A client, whose waiters run in a thread of their own.
pub(crate) struct Sleeper {
    pub(crate) client: Client,
    runtime: Runtime,
}

impl Sleeper {
    pub(crate) fn connect(url: &str) -> Result<Self, Failed> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let builder = Client::builder().server(url).retry(Retry::until(PATIENCE));
        Ok(Self { client: runtime.block_on(builder.connect())?, runtime })
    }

    /// Waits for this lock, and gives it back at once. Tells when it had it.
    pub(crate) fn wait(&self, key: &str) -> JoinHandle<u64> {
        let (client, key) = (self.client.clone(), key.to_owned());
        self.runtime.spawn(async move {
            let guard = client.lock(key, TTL).await.expect("taken");
            let taken = now();
            assert!(guard.release().await.expect("released"), "ours until now");
            taken
        })
    }

    pub(crate) fn join(&self, waiter: JoinHandle<u64>) -> Result<u64, Failed> {
        Ok(self.runtime.block_on(waiter)?)
    }

    /// Waits until it is given up.
    pub(crate) fn wait_for_nothing(&self, key: &str) -> JoinHandle<()> {
        let (client, key) = (self.client.clone(), key.to_owned());
        self.runtime.spawn(async move {
            let taken = client.lock(key, TTL).await;
            panic!("the lock is held by somebody else: {taken:?}");
        })
    }
}
