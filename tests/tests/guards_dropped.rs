//! Requirement 10 on every asynchronous adapter: a guard may be dropped anywhere, and a runtime may
//! end while locks are held.

mod async_faces;

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic;
use std::thread;
use std::time::Instant;

use async_faces::{
    Face, LONG, Tokio, TokioOnOneThread, eventually, is_held, on_every_face, server, sessions,
    sleep, steal,
};
use redlatch_futures::{Client, Error, Guard, Retry, Runtime};
use redlatch_testkit::model::ModelServer;
use smol::future::FutureExt;

/// A drop that takes longer has waited for somebody.
const AT_ONCE: Duration = Duration::from_millis(50);

on_every_face! {
    a_guard_is_dropped_inside_the_runtime;
    a_guard_is_dropped_outside_the_runtime;
    a_guard_is_dropped_by_a_panic_of_its_task;
    a_guard_is_dropped_by_a_panic_of_a_thread;
    a_guard_is_dropped_during_the_shutdown;
    a_guard_is_dropped_after_the_shutdown;
    a_guard_outlives_its_client;
    a_drop_never_waits_for_a_silent_server;
    shutdown_ends_who_waits_and_who_comes;
    any_executor_can_await;
}

async fn connect<R: Runtime>(server: &ModelServer) -> Client<R> {
    Client::connect(&server.url()).await.expect("connected")
}

async fn held<R: Runtime>(client: &Client<R>, key: &str) -> Guard {
    client.try_lock(key, LONG).await.expect("asked").expect("free")
}

async fn expect_free<R: Runtime>(server: &ModelServer, client: &Client<R>) {
    eventually("the key is given back", || !is_held(server, "key")).await;
    assert!(held(client, "key").await.release().await.expect("answered"));
    assert_eq!(server.with(|server| server.connections()), 1, "over the same connection");
}

fn a_guard_is_dropped_inside_the_runtime<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let guard = held(&client, "key").await;
        face.spawn(async { drop(guard) }).await;
        expect_free(&server, &client).await;
    });
}

/// By a thread that knows nothing of the runtime, while the runtime runs and while it rests.
fn a_guard_is_dropped_outside_the_runtime<F: Face>() {
    let (server, face) = (server(), F::start());
    let client = face.block_on(connect::<F::Runtime>(&server));
    for rests in [false, true] {
        let guard = face.block_on(held(&client, "key"));
        let thread = thread::spawn(move || drop(guard));
        if rests {
            thread.join().expect("a drop never panics");
        }
        face.block_on(expect_free(&server, &client));
    }
}

fn a_guard_is_dropped_by_a_panic_of_its_task<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let guard = held(&client, "key").await;
        let task = AssertUnwindSafe(async move {
            let _guard = guard;
            panic!("on purpose");
        });
        assert!(face.spawn(task.catch_unwind()).await.is_err());
        expect_free(&server, &client).await;
    });
}

fn a_guard_is_dropped_by_a_panic_of_a_thread<F: Face>() {
    let (server, face) = (server(), F::start());
    let client = face.block_on(connect::<F::Runtime>(&server));
    let guard = face.block_on(held(&client, "key"));
    let panicked = thread::spawn(move || {
        let _guard = guard;
        panic!("on purpose");
    })
    .join();
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
    face.block_on(expect_free(&server, &client));
}

/// The shutdown waits for a silent server; what is dropped meanwhile is given back as well.
fn a_guard_is_dropped_during_the_shutdown<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let (first, second) = (held(&client, "first").await, held(&client, "second").await);
        server.pause().expect("a thread");
        drop(first);
        let shutdown = face.spawn(client.shutdown(LONG));
        sleep(Duration::from_millis(20)).await;
        drop(second);
        server.resume().expect("a thread");
        assert!(shutdown.await, "everything is given back");
        eventually("the connection is closed", || sessions(&server) == 0).await;
    });
    assert!(!is_held(&server, "first"));
}

/// Its key is left to the ttl, as is documented, and nothing panics or hangs.
fn a_guard_is_dropped_after_the_shutdown<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let (dropped, mut used) = (held(&client, "key").await, held(&client, "used").await);
        assert!(client.shutdown(LONG).await, "nothing was owed");
        assert!(matches!(used.extend().await, Err(Error::Closed)));
        assert!(matches!(used.release().await, Err(Error::Closed)));
        drop(dropped);
        eventually("the connection is closed", || sessions(&server) == 0).await;
    });
    assert!(is_held(&server, "key"));
}

fn a_guard_outlives_its_client<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let mut guard = held(&client, "key").await;
        drop(client);
        guard.extend().await.expect("ours");
        drop(guard);
        eventually("the key is given back", || !is_held(&server, "key")).await;
        eventually("the connection is closed", || sessions(&server) == 0).await;
    });
}

fn a_drop_never_waits_for_a_silent_server<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let (first, last) = (held(&client, "first").await, held(&client, "last").await);
        server.pause().expect("a thread");
        let begun = Instant::now();
        drop(first);
        drop(client);
        drop(last);
        let took = begun.elapsed();
        server.resume().expect("a thread");
        assert!(took < AT_ONCE, "{took:?}");
        eventually("both are given back", || server.with(|server| server.keys(0).count()) == 0)
            .await;
    });
}

fn shutdown_ends_who_waits_and_who_comes<F: Face>() {
    let (server, face) = (server(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        steal(&server, "key", LONG);
        let waits = client.clone();
        let waits =
            face.spawn(async move { waits.lock_with("key", LONG, Retry::until(LONG)).await });
        eventually("somebody waits", || server.with(|server| server.command_count("PTTL")) > 0)
            .await;
        let comes = client.clone();
        let begun = Instant::now();
        assert!(client.shutdown(LONG).await);
        assert!(matches!(waits.await, Err(Error::Closed)));
        assert!(matches!(comes.try_lock("key", LONG).await, Err(Error::Closed)));
        assert!(comes.shutdown(Duration::ZERO).await, "once more does no harm");
        assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    });
}

/// The futures need nothing of the runtime, as long as it runs somewhere.
fn any_executor_can_await<F: Face>() {
    let (server, face) = (server(), F::start());
    let client = face.block_on(connect::<F::Runtime>(&server));
    let (done, runs) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        let stranger = scope.spawn(|| {
            let _done = done;
            smol::block_on(async {
                let mut guard = client.lock("key", LONG).await.expect("free");
                guard.extend().await.expect("ours");
                guard.release().await.expect("answered")
            })
        });
        // One thread has to drive what the client does in the background.
        let ended = face.block_on(runs.recv());
        assert!(ended.is_err() && stranger.join().expect("no panic"));
    });
}

/// A runtime that ends takes its tasks with it: no panic, nobody hangs, keys are left to their ttl.
fn a_runtime_ends_while_locks_are_held<F: Face>(end: impl FnOnce(F)) {
    let (server, face) = (server(), F::start());
    let client = face.block_on(connect::<F::Runtime>(&server));
    let [mut used, dropped, ended] =
        ["used", "dropped", "ended"].map(|key| face.block_on(held(&client, key)));
    steal(&server, "stolen", LONG);
    let waiter = client.clone();
    let waiter =
        thread::spawn(move || smol::block_on(waiter.lock_with("stolen", LONG, Retry::until(LONG))));
    // A task that has a guard when the runtime ends.
    drop(face.spawn(async move {
        let _ended = ended;
        core::future::pending::<()>().await;
    }));
    face.block_on(eventually("somebody waits", || {
        server.with(|server| server.command_count("PTTL")) > 0
    }));
    let begun = Instant::now();
    end(face);

    assert!(matches!(waiter.join().expect("no panic"), Err(Error::Closed)));
    assert!(matches!(smol::block_on(used.extend()), Err(Error::Closed)));
    assert!(matches!(smol::block_on(used.release()), Err(Error::Closed)));
    assert!(matches!(smol::block_on(client.try_lock("next", LONG)), Err(Error::Closed)));
    assert!(dropped.is_valid(), "its ttl still stands");
    drop(dropped);
    let _ = smol::block_on(client.shutdown(LONG));
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    smol::block_on(eventually("the connection is closed", || sessions(&server) == 0));
    for key in ["used", "dropped", "ended"] {
        let left = server.with(|server| server.remaining(0, key.as_bytes()));
        assert!(left.is_some_and(|left| left <= LONG), "{key}: {left:?}");
    }
}

#[test]
fn a_runtime_of_tokio_ends_while_locks_are_held() {
    a_runtime_ends_while_locks_are_held::<Tokio>(|face| drop(face.0));
}

#[test]
fn a_runtime_of_tokio_is_shut_down_in_the_background_while_locks_are_held() {
    a_runtime_ends_while_locks_are_held::<Tokio>(|face| face.0.shutdown_background());
}

#[test]
fn a_runtime_of_tokio_on_one_thread_ends_while_locks_are_held() {
    a_runtime_ends_while_locks_are_held::<TokioOnOneThread>(|face| drop(face.0));
}

/// A panic that is on its way must not meet a second one, which would abort the process.
#[test]
fn a_guard_is_dropped_by_a_panic_after_its_runtime_ended() {
    let (server, face) = (server(), Tokio::start());
    let client = face.block_on(connect::<redlatch_tokio::Tokio>(&server));
    let guard = face.block_on(held(&client, "key"));
    drop(face);
    let panicked = panic::catch_unwind(AssertUnwindSafe(move || {
        let _held = (guard, client);
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(is_held(&server, "key"));
}
