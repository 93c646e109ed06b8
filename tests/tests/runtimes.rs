//! Sockets, timer and tasks of every asynchronous adapter.

mod async_faces;

use core::time::Duration;
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use async_faces::{
    AsyncStd, Face, LONG, Smol, eventually, is_held, on_every_face, server, sessions,
};
use redlatch_futures::{Cause, Client, Detached, Endpoint, Error, Guard, Retry, Runtime};
use redlatch_testkit::model::{ModelServer, Settings};
use smol::future::block_on as without_runtime;

on_every_face! {
    a_client_can_be_shared_and_its_futures_sent;
    a_lock_over_tcp;
    a_detached_lock_is_released_by_another_client;
    a_lock_over_a_unix_socket;
    a_silent_server_is_given_up_in_time;
    a_server_that_is_not_there_is_named;
}

fn a_client_can_be_shared_and_its_futures_sent<F: Face>() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone>() {}
    fn sent<T: Send>(_: T) {}
    shared::<(Client<F::Runtime>, Guard, Error)>();
    cloned::<Client<F::Runtime>>();
    sent(Client::<F::Runtime>::connect("redis://h"));
    let _never_called = |client: &'static Client<F::Runtime>,
                         guard: &'static mut Guard,
                         other: Guard,
                         detached: Detached| {
        sent(client.release_detached(detached));
        sent(client.try_lock("key", LONG));
        sent(client.lock_with("key", LONG, Retry::NONE));
        sent(client.clone().shutdown(LONG));
        sent(guard.lost());
        sent(guard.run(async {}));
        sent(guard.extend());
        sent(other.release());
    };
}

/// Names are resolved, and every future is awaited.
async fn cycle<R: Runtime>(server: &ModelServer) {
    let port = server.addr().expect("a port").port();
    let url = format!("redis://localhost:{port}");
    let client = Client::<R>::connect(&url).await.expect("accepted");
    let mut guard = client.lock("key", LONG).await.expect("free");
    assert!(guard.extend().await.expect("ours") > Duration::ZERO);
    let short = Retry::until(Duration::from_millis(30));
    let denied = client.lock_with("key", LONG, short).await;
    assert!(matches!(denied, Err(Error::TimedOut { .. })), "{denied:?}");
    assert!(guard.release().await.expect("answered"));
    assert!(client.shutdown(LONG).await);
    assert!(!is_held(server, "key"));
}

fn a_lock_over_tcp<F: Face>() {
    F::start().block_on(cycle::<F::Runtime>(&server()));
}

/// It outlives its client, and its runtime's tasks with it.
fn a_detached_lock_is_released_by_another_client<F: Face>() {
    let server = server();
    F::start().block_on(async {
        let first = Client::<F::Runtime>::connect(&server.url()).await.expect("accepted");
        let detached = first.lock("key", LONG).await.expect("free").detach().expect("held");
        assert!(first.shutdown(LONG).await, "nothing is owed for it");
        assert!(is_held(&server, "key"));
        let port = server.addr().expect("a port").port();
        let endpoint = Endpoint::tcp("127.0.0.1", port).expect("a host");
        let second = Client::<F::Runtime>::builder().endpoint(endpoint).connect().await;
        let second = second.expect("accepted");
        assert!(second.release_detached(detached).await.expect("answered"), "ours until now");
        assert!(!is_held(&server, "key"));
    });
}

fn a_lock_over_a_unix_socket<F: Face>() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("r.sock");
    let _server = ModelServer::on_unix_socket(&path, Settings::default()).expect("a socket");
    F::start().block_on(async {
        let url = format!("unix://{}", path.display());
        let client = Client::<F::Runtime>::connect(&url).await.expect("accepted");
        let guard = client.lock("key", LONG).await.expect("free");
        assert!(guard.release().await.expect("answered"));
        assert!(client.shutdown(LONG).await);
    });
}

/// The timer of the runtime ends the greeting of a server that says nothing.
fn a_silent_server_is_given_up_in_time<F: Face>() {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", deaf.local_addr().expect("bound"));
    let timeout = Duration::from_millis(100);
    let (face, began) = (F::start(), Instant::now());
    let builder = Client::<F::Runtime>::builder().server(&url).connect_timeout(timeout);
    let connected = face.block_on(builder.connect());
    assert!(matches!(connected, Err(Error::Silent { .. })), "{connected:?}");
    assert!((timeout..timeout * 10).contains(&began.elapsed()), "{:?}", began.elapsed());
}

fn a_server_that_is_not_there_is_named<F: Face>() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let url = format!("redis://{free}");
    let connected = F::start().block_on(Client::<F::Runtime>::connect(&url));
    let error = connected.expect_err("nobody");
    assert!(matches!(error, Error::Connect { cause: Cause::Io(_), .. }), "{error}");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}

/// Where the executor is everybody's, no thread of the program need run it: not to connect, and not
/// for a guard that is dropped anywhere (requirement 10); its tasks end with the last handle.
fn no_thread_runs_the_runtime<F: Face>() {
    let server = server();
    without_runtime(cycle::<F::Runtime>(&server));
    let client = without_runtime(Client::<F::Runtime>::connect(&server.url())).expect("accepted");
    let guard = without_runtime(client.lock("key", LONG)).expect("free");
    thread::spawn(move || drop(guard)).join().expect("no panic");
    without_runtime(eventually("it is released", || !is_held(&server, "key")));
    drop(client);
    without_runtime(eventually("the connection is closed", || sessions(&server) == 0));
}

#[test]
fn no_thread_runs_smol() {
    no_thread_runs_the_runtime::<Smol>();
}

#[test]
fn no_thread_runs_async_std() {
    no_thread_runs_the_runtime::<AsyncStd>();
}
