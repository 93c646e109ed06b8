//! Lock clients of all makes behind one face, so that one test is about any two of them.

use core::future::Future;
use core::time::Duration;

use redlatch_std::{Delay, Error, Retry};
use rslock::{Lock, LockError, LockManager};
use tokio::runtime::{self, Runtime};

/// Longer than any of these steps takes; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long ours and rslock wait between two attempts, so that none of five clients starves.
const PAUSE: Duration = Duration::from_millis(5);

/// One client with at most one lock. Answers are words: each make has its own for a lock that it no
/// longer has.
pub(crate) trait Party: Send {
    /// One attempt. Whoever is refused keeps what it had before, to release it.
    fn try_lock(&mut self, key: &str, ttl: Duration) -> bool;
    /// Waits for it as users of this client do.
    fn wait_lock(&mut self, key: &str, ttl: Duration);
    /// `extended`, or why not. The lock then ends this long from now.
    fn extend(&mut self, ttl: Duration) -> String;
    /// `released`, or why not.
    fn release(&mut self) -> String;
}

fn patiently() -> Retry {
    Retry { delay: Delay::Fixed(PAUSE), retries: None, deadline: Some(PATIENCE) }
}

fn told(released: bool) -> String {
    if released { "released" } else { "not ours" }.to_owned()
}

/// Ours extend by the ttl that they were taken with.
fn told_of_extension(extended: Result<Duration, Error>) -> String {
    match extended {
        Ok(_) => "extended".to_owned(),
        Err(Error::Lost(_)) => "lost".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

struct Blocking {
    client: redlatch_std::Client,
    guard: Option<redlatch_std::Guard>,
}

/// The blocking client.
pub(crate) fn redlatch_std(url: &str) -> Box<dyn Party> {
    let client = redlatch_std::Client::connect(url).expect("connected");
    Box::new(Blocking { client, guard: None })
}

impl Party for Blocking {
    fn try_lock(&mut self, key: &str, ttl: Duration) -> bool {
        let guard = self.client.try_lock(key, ttl).expect("answered");
        let held = guard.is_some();
        self.guard = guard.or(self.guard.take());
        held
    }

    fn wait_lock(&mut self, key: &str, ttl: Duration) {
        self.guard = Some(self.client.lock_with(key, ttl, patiently()).expect("in time"));
    }

    fn extend(&mut self, _: Duration) -> String {
        told_of_extension(self.guard.as_mut().expect("held before").extend())
    }

    fn release(&mut self) -> String {
        told(self.guard.take().expect("held before").release().expect("answered"))
    }
}

fn tokio_runtime() -> Runtime {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a runtime")
}

struct Async {
    // Before the runtime: a guard is given back by a task of it.
    guard: Option<redlatch_tokio::Guard>,
    client: redlatch_tokio::Client,
    runtime: Runtime,
}

/// The client on tokio.
pub(crate) fn redlatch_tokio(url: &str) -> Box<dyn Party> {
    let runtime = tokio_runtime();
    let client = runtime.block_on(redlatch_tokio::Client::connect(url)).expect("connected");
    Box::new(Async { guard: None, client, runtime })
}

impl Party for Async {
    fn try_lock(&mut self, key: &str, ttl: Duration) -> bool {
        let guard = self.runtime.block_on(self.client.try_lock(key, ttl)).expect("answered");
        let held = guard.is_some();
        self.guard = guard.or(self.guard.take());
        held
    }

    fn wait_lock(&mut self, key: &str, ttl: Duration) {
        let locked = self.client.lock_with(key, ttl, patiently());
        self.guard = Some(self.runtime.block_on(locked).expect("in time"));
    }

    fn extend(&mut self, _: Duration) -> String {
        let guard = self.guard.as_mut().expect("held before");
        told_of_extension(self.runtime.block_on(guard.extend()))
    }

    fn release(&mut self) -> String {
        let guard = self.guard.take().expect("held before");
        told(self.runtime.block_on(guard.release()).expect("answered"))
    }
}

struct Rslock {
    manager: LockManager,
    lock: Option<Lock>,
    runtime: Runtime,
}

/// rslock, on the redis crate.
pub(crate) fn rslock(url: &str) -> Box<dyn Party> {
    let mut manager = LockManager::new(vec![url]);
    manager.set_retry(1, PAUSE);
    Box::new(Rslock { manager, lock: None, runtime: tokio_runtime() })
}

impl Rslock {
    fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let bounded = async { tokio::time::timeout(PATIENCE, what).await };
        self.runtime.block_on(bounded).expect("in time")
    }

    fn held(&self) -> &Lock {
        self.lock.as_ref().expect("held before")
    }
}

impl Party for Rslock {
    fn try_lock(&mut self, key: &str, ttl: Duration) -> bool {
        match self.wait(self.manager.lock(key, ttl)) {
            Ok(lock) => self.lock = Some(lock),
            Err(LockError::Unavailable) => return false,
            Err(other) => panic!("{other}"),
        }
        true
    }

    /// Its own `acquire` pauses only between the retries that it is given, and else asks without a pause.
    fn wait_lock(&mut self, key: &str, ttl: Duration) {
        let mut patient = self.manager.clone();
        patient.set_retry(u32::MAX, PAUSE);
        self.lock = Some(self.wait(patient.acquire(key, ttl)).expect("acquired").lock);
    }

    fn extend(&mut self, ttl: Duration) -> String {
        match self.wait(self.manager.extend(self.held(), ttl)) {
            Ok(lock) => {
                self.lock = Some(lock);
                "extended".to_owned()
            }
            Err(LockError::Unavailable) => "Unavailable".to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    /// A release tells nothing, so it is asked before whether it still has the lock.
    fn release(&mut self) -> String {
        let told = match self.wait(self.manager.is_freed(self.held())) {
            Ok(freed) => told(!freed),
            Err(LockError::RedisKeyMismatch) => "RedisKeyMismatch".to_owned(),
            Err(LockError::RedisKeyNotFound) => "RedisKeyNotFound".to_owned(),
            Err(other) => panic!("{other}"),
        };
        let lock = self.lock.take().expect("held before");
        self.wait(lock.release());
        told
    }
}
