//! Locks with the sockets, timer and tasks of this runtime.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::net::TcpListener;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use async_std::task::block_on;
use redlatch_async_std::{Cause, Client, Error, Guard, Retry};
use redlatch_testkit::model::{ModelServer, Settings};

/// A ttl that no test outlives.
const LONG: Duration = Duration::from_secs(60);
/// Within this everything that is bound to happen has happened.
const PATIENCE: Duration = Duration::from_secs(10);

fn server() -> ModelServer {
    ModelServer::start().expect("a free port")
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

/// An executor that has nothing of the runtime: this thread.
fn without_runtime<T>(future: impl Future<Output = T>) -> T {
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

#[test]
fn a_client_can_be_shared_and_its_futures_sent() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send>(_: T) {}
    shared::<(Client, Guard, Error)>();
    sent(Client::connect("redis://h"));
    let _never_called = |client: &'static Client, guard: &'static mut Guard, other: Guard| {
        sent(client.lock_with("key", LONG, Retry::NONE));
        sent(client.clone().shutdown(LONG));
        sent(guard.extend());
        sent(other.release());
    };
}

/// Names are resolved, and the futures are awaited on this runtime and on none.
#[test]
fn a_lock_over_tcp() {
    let server = server();
    let port = server.addr().expect("a port").port();
    let url = format!("redis://localhost:{port}");
    let cycle = async || {
        let client = Client::connect(&url).await.expect("accepted");
        let mut guard = client.lock("key", LONG).await.expect("free");
        assert!(guard.extend().await.expect("ours") > Duration::ZERO);
        let short = Retry::until(Duration::from_millis(30));
        let denied = client.lock_with("key", LONG, short).await;
        assert!(matches!(denied, Err(Error::TimedOut { .. })), "{denied:?}");
        assert!(guard.release().await.expect("answered"));
        assert!(client.shutdown(LONG).await);
    };
    block_on(cycle());
    without_runtime(cycle());
    assert!(!is_held(&server, "key"));
}

#[test]
fn a_lock_over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("r.sock");
    let _server = ModelServer::on_unix_socket(&path, Settings::default()).expect("a socket");
    block_on(async {
        let client =
            Client::connect(&format!("unix://{}", path.display())).await.expect("accepted");
        let guard = client.lock("key", LONG).await.expect("free");
        assert!(guard.release().await.expect("answered"));
    });
}

/// The timer of the runtime ends the greeting of a server that says nothing.
#[test]
fn a_silent_server_is_given_up_in_time() {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", deaf.local_addr().expect("bound"));
    let timeout = Duration::from_millis(100);
    let began = Instant::now();
    let connected = block_on(Client::builder().servers(&url).connect_timeout(timeout).connect());
    assert!(matches!(connected, Err(Error::Silent { .. })), "{connected:?}");
    assert!((timeout..timeout * 10).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let error = block_on(Client::connect(&format!("redis://{free}"))).expect_err("nobody");
    assert!(matches!(error, Error::Connect { cause: Cause::Io(_), .. }), "{error}");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}

/// Requirement 10: a guard is dropped by a thread that has nothing to do with the runtime, and the
/// tasks end with the last handle.
#[test]
fn a_guard_dropped_anywhere_is_released() {
    let server = server();
    let client = block_on(Client::connect(&server.url())).expect("accepted");
    let guard = block_on(client.lock("key", LONG)).expect("free");
    thread::spawn(move || drop(guard)).join().expect("no panic");
    eventually("it is released", || !is_held(&server, "key"));
    drop(client);
    eventually("the connection is closed", || server.with(|server| server.sessions().count()) == 0);
}
