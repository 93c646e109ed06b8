//! What only tokio can show: runtimes that begin and end, and the lack of one.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use redlatch_testkit::model::{ModelServer, Value};
use redlatch_tokio::{Builder, Client, Error, Guard, Loss, Renew, Retry, Tokio};
use tokio::runtime::{self, Runtime};

/// A ttl that no test outlives.
const LONG: Duration = Duration::from_secs(60);
/// Within this everything that is bound to happen has happened.
const PATIENCE: Duration = Duration::from_secs(10);

fn server() -> ModelServer {
    ModelServer::start().expect("a free port")
}

fn runtime() -> Runtime {
    runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
}

fn one_thread() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().expect("a driver")
}

fn is_held(server: &ModelServer, key: &str) -> bool {
    server.with(|server| server.get(0, key.as_bytes()).is_some())
}

#[track_caller]
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// An executor that has nothing of tokio: this thread.
fn without_tokio<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (began, mut future) = (Instant::now(), pin!(future));
    loop {
        assert!(began.elapsed() < PATIENCE, "never ready");
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}

async fn locked(server: &ModelServer) -> (Client, Guard) {
    let client = Client::connect(&server.url()).await.expect("the model server accepts");
    let guard = client.try_lock("key", LONG).await.expect("asked").expect("free");
    (client, guard)
}

#[test]
fn connecting_outside_a_runtime_is_an_error() {
    let error = without_tokio(Client::connect("redis://127.0.0.1:1")).expect_err("no runtime");
    assert!(matches!(error, Error::NoRuntime), "{error}");
}

/// The tasks live on the runtime that is named, the futures wherever they are awaited.
#[test]
fn futures_need_no_runtime() {
    let (server, runtime) = (server(), runtime());
    let tokio = Tokio::from(runtime.handle().clone());
    without_tokio(async {
        let connecting = Builder::servers(Client::builder(), &server.url()).connect_on(tokio);
        let client = connecting.await.expect("connected");
        let mut guard = client.lock("key", LONG).await.expect("free");
        let short = Retry::until(Duration::from_millis(50));
        let denied = client.lock_with("key", LONG, short).await;
        assert!(matches!(denied, Err(Error::TimedOut { .. })), "{denied:?}");
        assert!(guard.extend().await.expect("ours") > Duration::ZERO);
        assert!(guard.release().await.expect("answered"));
        assert!(client.shutdown(LONG).await);
    });
    assert!(!is_held(&server, "key"));
}

/// Requirement 10: a guard is dropped where there is no runtime.
#[test]
fn a_guard_dropped_outside_the_runtime_is_released() {
    let (server, runtime) = (server(), runtime());
    let (client, guard) = runtime.block_on(locked(&server));
    drop(guard);
    eventually("it is released", || !is_held(&server, "key"));
    drop(client);
    eventually("the connection is closed", || server.with(|server| server.sessions().count()) == 0);
}

/// Requirement 10: the runtime is dropped while a lock is held. Nothing panics, nothing hangs, and
/// the key is left to its ttl.
#[test]
fn a_runtime_dropped_under_a_guard_closes_the_client() {
    for runtime in [runtime(), one_thread()] {
        let server = server();
        let (client, mut guard) = runtime.block_on(locked(&server));
        drop(runtime);
        without_tokio(async {
            assert!(matches!(guard.extend().await, Err(Error::Closed)));
            assert!(matches!(guard.lost().await, Err(Error::Closed)));
            assert!(matches!(client.try_lock("other", LONG).await, Err(Error::Closed)));
            assert!(guard.is_valid(), "the lease still stands");
            assert!(matches!(guard.release().await, Err(Error::Closed)));
            assert!(!client.shutdown(LONG).await, "something may be left");
        });
        assert!(is_held(&server, "key"));
    }
}

/// Requirement 10: the runtime is dropped while futures wait for a lock and for an answer.
#[test]
fn a_runtime_dropped_under_a_future_ends_it() {
    let (server, runtime) = (server(), runtime());
    let (client, mut guard) = runtime.block_on(locked(&server));
    server.pause().expect("a thread");
    let (watcher, sent) = (client.clone(), client.commands_sent());
    let waiter =
        thread::spawn(move || without_tokio(client.lock_with("key", LONG, Retry::until(LONG))));
    let extender = thread::spawn(move || without_tokio(guard.extend()));
    eventually("they have asked", || watcher.commands_sent() >= sent + 2);
    let began = Instant::now();
    drop(runtime);
    assert!(matches!(waiter.join().expect("no panic"), Err(Error::Closed)));
    assert!(matches!(extender.join().expect("no panic"), Err(Error::Closed)));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    server.resume().expect("a thread");
}

/// A runtime without timers: its tasks panic, and the caller is told.
#[test]
fn a_runtime_that_cannot_tell_the_time_is_an_error() {
    let server = server();
    let runtime = runtime::Builder::new_current_thread().enable_io().build().expect("a driver");
    let connected = runtime.block_on(Client::connect(&server.url()));
    assert!(matches!(connected, Err(Error::Closed)), "{connected:?}");
}

/// Requirement 8: a lock that is renewed outlives its ttl, and its holder is told when it is lost.
#[test]
fn work_under_a_renewed_lock_is_dropped_when_the_lock_is_stolen() {
    let (server, runtime) = (server(), runtime());
    let ttl = Duration::from_millis(300);
    runtime.block_on(async {
        let client = Client::connect(&server.url()).await.expect("accepted");
        let client = client.renewing(Renew::default());
        let guard = client.lock("key", ttl).await.expect("free");
        let slept = guard.run(tokio::time::sleep(ttl * 3)).await;
        slept.expect("it was renewed meanwhile");
        let value = Value::Text(b"somebody else".to_vec());
        server.with(|server| server.put(0, b"key", value, Some(LONG)));
        let work = guard.run(core::future::pending::<()>());
        let lost = tokio::time::timeout(PATIENCE, work).await.expect("it ends");
        assert!(matches!(lost, Err(Error::Lost(Loss::Stolen))), "{lost:?}");
        assert!(!guard.is_valid());
        assert_eq!(guard.loss(), Some(Loss::Stolen));
    });
    assert!(is_held(&server, "key"), "what others hold is not released");
}

/// Back-pressure: one request at a time on the connection, and everybody gets through.
#[test]
fn a_full_connection_holds_back_and_loses_nothing() {
    let (server, runtime) = (server(), runtime());
    let mut limits = redlatch_tokio::Limits::HOSTED;
    limits.in_flight = 1;
    let connecting =
        Client::builder().servers(&server.url()).limits(limits).reply_timeout(PATIENCE);
    let client = runtime.block_on(async { connecting.connect().await.expect("accepted") });
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let client = client.clone();
            runtime.spawn(async move {
                let guard = client.lock(format!("key:{task}"), LONG).await.expect("free");
                guard.release().await.expect("answered")
            })
        })
        .collect();
    for task in tasks {
        assert!(runtime.block_on(task).expect("no panic"));
    }
    assert_eq!(server.with(|server| server.keys(0).count()), 0);
}
