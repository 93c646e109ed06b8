//! Both faces of the lock on a server as one, so that a test is written once for both.
#![allow(dead_code, reason = "every test file uses its part")]

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use redlatch_component::{ConfigParams, Error, Lock, RedisLock, References, blocking};
use redlatch_testkit::model::{ModelServer, Settings, Value};

/// A ttl in milliseconds that no test outlives.
pub(crate) const LONG: i64 = 60_000;

/// Within this everything that is bound to happen has happened.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One face. The blocking one blocks the thread that polls.
#[derive(Clone)]
pub(crate) enum Subject {
    Async(Arc<RedisLock>),
    Blocking(Arc<blocking::RedisLock>),
}

impl Subject {
    pub(crate) fn both() -> [Self; 2] {
        [Self::Async(Arc::default()), Self::Blocking(Arc::default())]
    }

    /// Both faces, configured and open.
    pub(crate) async fn both_open(config: &str) -> [Self; 2] {
        let both = Self::both();
        for subject in &both {
            subject.configure(config).expect(config);
            subject.open("123").await.expect("a server");
        }
        both
    }

    pub(crate) fn configure(&self, config: &str) -> Result<(), Error> {
        self.configure_with(&ConfigParams::from_string(config))
    }

    pub(crate) fn configure_with(&self, config: &ConfigParams) -> Result<(), Error> {
        match self {
            Self::Async(lock) => lock.configure(config),
            Self::Blocking(lock) => lock.configure(config),
        }
    }

    pub(crate) fn set_references(&self, references: &References) {
        let set = match self {
            Self::Async(lock) => lock.set_references(references),
            Self::Blocking(lock) => lock.set_references(references),
        };
        set.expect("never an error");
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Async(lock) => lock.is_open(),
            Self::Blocking(lock) => lock.is_open(),
        }
    }

    pub(crate) async fn open(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::Async(lock) => lock.open(id).await,
            Self::Blocking(lock) => lock.open(id),
        }
    }

    pub(crate) async fn close(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::Async(lock) => lock.close(id).await,
            Self::Blocking(lock) => lock.close(id),
        }
    }

    pub(crate) async fn attempt(&self, key: &str, ttl: i64) -> Result<bool, Error> {
        match self {
            Self::Async(lock) => lock.try_acquire_lock("123", key, ttl).await,
            Self::Blocking(lock) => lock.try_acquire_lock("123", key, ttl),
        }
    }

    pub(crate) async fn acquire(&self, key: &str, ttl: i64, timeout: i64) -> Result<(), Error> {
        match self {
            Self::Async(lock) => lock.acquire_lock("123", key, ttl, timeout).await,
            Self::Blocking(lock) => lock.acquire_lock("123", key, ttl, timeout),
        }
    }

    pub(crate) async fn release(&self, key: &str) -> Result<bool, Error> {
        match self {
            Self::Async(lock) => lock.release_lock_outcome("123", key).await,
            Self::Blocking(lock) => lock.release_lock_outcome("123", key),
        }
    }

    /// Acquires in the background.
    pub(crate) fn waiter(&self, key: &'static str, timeout: i64) -> Waiter {
        match self.clone() {
            Self::Async(lock) => tokio::spawn(async move {
                Lock::acquire_lock(&*lock, "9".into(), key, LONG, timeout).await
            }),
            Self::Blocking(lock) => {
                tokio::task::spawn_blocking(move || lock.acquire_lock("9", key, LONG, timeout))
            }
        }
    }
}

pub(crate) type Waiter = tokio::task::JoinHandle<Result<(), Error>>;

pub(crate) fn model() -> ModelServer {
    ModelServer::start().expect("a free port")
}

pub(crate) fn model_with(settings: Settings) -> ModelServer {
    ModelServer::with_settings(settings).expect("a free port")
}

/// `connection.host` and `connection.port` of a server.
pub(crate) fn at(server: &ModelServer) -> String {
    format!("connection.host=127.0.0.1;connection.port={}", port(server))
}

pub(crate) fn port(server: &ModelServer) -> u16 {
    server.addr().expect("a port").port()
}

/// A port where nothing listens.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

pub(crate) fn is_held(server: &ModelServer, key: &str) -> bool {
    server.with(|server| server.get(0, key.as_bytes()).is_some())
}

/// How often the server was asked this.
pub(crate) fn count(server: &ModelServer, command: &str) -> u64 {
    server.with(|server| server.command_count(command))
}

/// Somebody else takes the key.
pub(crate) fn steal(server: &ModelServer, key: &str) {
    let value = Value::Text(b"somebody else".to_vec());
    server.with(|server| server.put(0, key.as_bytes(), value, Some(Duration::from_secs(60))));
}

/// Waits for something that others do.
#[track_caller]
pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
