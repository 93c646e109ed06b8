//! When a lock on a server tries, pauses and stops, by the clock of the model server.

mod subject;

use core::time::Duration;
use std::time::Instant;

use redlatch_component::RedisLock;
use redlatch_testkit::model::{Data, ModelServer};
use subject::{LONG, Subject, at, count, eventually, free_port, is_held, model, steal};

/// What a busy machine may be late.
const LATE: u64 = 400;

/// Milliseconds from the first to each request of this command.
fn moments(server: &ModelServer, command: &str) -> Vec<u64> {
    let moments = server.with(|server| server.command_moments(command));
    moments.iter().map(|at| (at - moments[0]) / 1000).collect()
}

/// Nobody is told that the lock is free.
fn polling(server: &ModelServer, more: &str) -> String {
    format!("{};options.wake=false{more}", at(server))
}

/// Without polling: one try, and the last at the deadline; in between a release is heard of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_is_told() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        steal(&server, "key");
        server.with(|server| server.reset_history());
        subject.acquire("key", 3000, 250).await.expect_err("it is held");
        assert_eq!(moments(&server, "SET").len(), 2);
        let waiter = subject.waiter("key", LONG);
        eventually("it asks to be told", || count(&server, "PTTL") > 1);
        let tries = count(&server, "SET");
        server.with(|server| server.remove(0, b"key"));
        waiter.await.expect("no panic").expect("free");
        assert_eq!(count(&server, "SET"), tries + 1);
        subject.release("key").await.expect("ours");
    }
}

#[tokio::test]
async fn with_retry_timeout_100_and_timeout_1000_eleven_tries_100_ms_apart() {
    let server = model();
    for subject in Subject::both_open(&polling(&server, ";options.retry_timeout=100")).await {
        steal(&server, "key");
        server.with(|server| server.reset_history());
        let begun = Instant::now();
        let error = subject.acquire("key", 3000, 1000).await.expect_err("it is held");
        assert_eq!((error.code(), error.detail("key")), ("LOCK_TIMEOUT", Some("key")));
        assert!(begun.elapsed() >= Duration::from_millis(1000), "{:?}", begun.elapsed());
        let tries = moments(&server, "SET");
        assert!((9..=11).contains(&tries.len()), "{tries:?}");
        for pair in tries[..tries.len() - 1].windows(2) {
            assert!((99..100 + LATE).contains(&(pair[1] - pair[0])), "{tries:?}");
        }
        let last = tries[tries.len() - 1];
        assert!((998..1000 + LATE).contains(&last), "the last is at the deadline: {tries:?}");
    }
}

#[tokio::test]
async fn by_default_the_pause_is_100_ms() {
    let server = model();
    for subject in Subject::both_open(&polling(&server, "")).await {
        steal(&server, "key");
        server.with(|server| server.reset_history());
        subject.acquire("key", 3000, 250).await.expect_err("it is held");
        let tries = moments(&server, "SET");
        assert!((3..=4).contains(&tries.len()) && tries[1] >= 99, "{tries:?}");
    }
}

#[tokio::test]
async fn with_timeout_0_one_try() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        subject.acquire("key", 3000, 0).await.expect("it is free");
        server.with(|server| server.reset_history());
        let error = subject.acquire("key", 3000, 0).await.expect_err("it is held");
        assert_eq!((error.code(), count(&server, "SET")), ("LOCK_TIMEOUT", 1));
        assert!(subject.release("key").await.expect("answered"));
    }
}

/// The server comes up while it is tried: at the third attempt.
#[tokio::test]
async fn retries_are_honoured_when_opening() {
    for subject in Subject::both() {
        let config = format!("host=127.0.0.1;port={}", free_port());
        let options = "options.retries=2;options.retry_timeout=50";
        subject.configure(&format!("{config};{options}")).expect("options");
        let begun = Instant::now();
        let error = subject.open("123").await.expect_err("nothing listens");
        assert_eq!((error.code(), error.detail("attempts")), ("CONNECT_FAILED", Some("3")));
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
        subject.configure(&format!("{config};options.retries=0")).expect("options");
        let error = subject.open("123").await.expect_err("nothing listens");
        assert_eq!(error.detail("attempts"), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_up_meanwhile_is_found() {
    for subject in Subject::both() {
        let server = model();
        server.crash().expect("a thread");
        let options = "options.retries=1000;options.retry_timeout=20";
        subject.configure(&format!("{};{options}", at(&server))).expect("options");
        let late = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(150));
            server.restart(Data::Keep).expect("its port");
            server
        });
        subject.open("123").await.expect("it came up");
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        drop(late.await.expect("no panic"));
    }
}

#[tokio::test]
async fn a_wait_is_cancelled_by_dropping_its_future() {
    let server = model();
    let lock = RedisLock::new();
    lock.configure(&redlatch_component::ConfigParams::from_string(&at(&server))).expect("it");
    lock.open("123").await.expect("a server");
    steal(&server, "key");
    let waiting = lock.acquire_lock("123", "key", LONG, LONG);
    tokio::time::timeout(Duration::from_millis(150), waiting).await.expect_err("it is held");
    server.with(|server| server.remove(0, b"key"));
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert!(!is_held(&server, "key"), "nobody waits any more");
    assert!(lock.try_acquire_lock("123", "key", LONG).await.expect("answered"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_is_cancelled_by_close() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        steal(&server, "key");
        server.with(|server| server.reset_history());
        let waiter = subject.waiter("key", LONG);
        eventually("it waits", || count(&server, "PTTL") > 0);
        let begun = Instant::now();
        subject.close("123").await.expect("open");
        let error = waiter.await.expect("no panic").expect_err("closed");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(
            error.to_string(),
            "Connection is not opened any more: it was closed during the call [NOT_OPENED, \
             correlation id 9]"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_is_cancelled_by_close() {
    for subject in Subject::both() {
        let options = "options.retries=1000;options.retry_timeout=60000;options.timeout=3600000";
        let config = format!("host=127.0.0.1;port={};{options}", free_port());
        subject.configure(&config).expect("options");
        let opener = {
            let subject = subject.clone();
            tokio::spawn(async move { subject.open("9").await })
        };
        tokio::time::sleep(Duration::from_millis(150)).await;
        let begun = Instant::now();
        subject.close("123").await.expect("never an error");
        let error = opener.await.expect("no panic").expect_err("closed");
        assert_eq!((error.code(), error.correlation_id()), ("NOT_OPENED", Some("9")));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(!subject.is_open());
    }
}
