//! The end of a client.

mod common;

use core::cell::RefCell;
use core::time::Duration;
use std::thread;
use std::time::Instant;

use common::{LONG, client, count, eventually, is_held, server, steal};
use redlatch_std::{Client, Error, Guard};

#[test]
fn shutdown_pays_what_is_owed() {
    let server = server();
    let client = client(&server);
    for number in 0..20 {
        drop(client.lock(format!("key:{number}"), LONG).expect("free"));
    }
    assert!(client.shutdown(Duration::from_secs(10)));
    assert_eq!(server.with(|server| server.keys(0).count()), 0);
}

#[test]
fn shutdown_is_bounded() {
    let server = server();
    let client = client(&server);
    let guard = client.lock("key", LONG).expect("free");
    server.pause().expect("a thread");
    drop(guard);
    let began = Instant::now();
    assert!(!client.shutdown(Duration::from_millis(50)));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    server.resume().expect("a thread");
}

#[test]
fn shutdown_stops_those_who_wait_and_those_who_come() {
    let server = server();
    let client = client(&server);
    let guard = client.lock("mine", LONG).expect("free");
    steal(&server, "key", LONG);
    let waiter = {
        let client = client.clone();
        thread::spawn(move || client.lock_with("key", LONG, redlatch_std::Retry::until(LONG)))
    };
    eventually("the waiter asks", || count(&server, "SET") > 1);
    let late = client.clone();
    let began = Instant::now();
    assert!(client.shutdown(Duration::from_secs(10)));
    assert!(matches!(waiter.join().expect("no panic"), Err(Error::Closed)));
    assert!(matches!(late.try_lock("key", LONG), Err(Error::Closed)));
    assert!(matches!(guard.release(), Err(Error::Closed)));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(late.shutdown(Duration::ZERO), "once more does no harm");
}

/// Requirement 10: the shutdown waits for a silent server; what is dropped meanwhile is given back as
/// well.
#[test]
fn a_guard_dropped_during_the_shutdown_is_given_back() {
    let server = server();
    let client = client(&server);
    let late = client.clone();
    let [first, second] = ["first", "second"].map(|key| client.lock(key, LONG).expect("free"));
    server.pause().expect("a thread");
    drop(first);
    let shutdown = thread::spawn(move || client.shutdown(LONG));
    eventually("it shuts down", || matches!(late.try_lock("late", LONG), Err(Error::Closed)));
    drop(second);
    server.resume().expect("a thread");
    assert!(shutdown.join().expect("no panic"), "everything is given back");
    assert_eq!(server.with(|server| server.keys(0).count()), 0);
}

/// Requirement 10: its key is left to the ttl, as is documented, and nothing panics or hangs.
#[test]
fn a_guard_dropped_after_the_shutdown_is_left_to_its_ttl() {
    let server = server();
    let client = client(&server);
    let [dropped, mut used] = ["key", "used"].map(|key| client.lock(key, LONG).expect("free"));
    assert!(client.shutdown(LONG), "nothing was owed");
    let began = Instant::now();
    assert!(matches!(used.extend(), Err(Error::Closed)));
    assert!(matches!(used.release(), Err(Error::Closed)));
    drop(dropped);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    eventually("the connection is closed", || server.with(|server| server.sessions().count()) == 0);
    assert!(is_held(&server, "key"));
}

/// The last handle is gone: what is owed is paid in the background, also by a guard that outlives
/// the client.
#[test]
fn a_guard_outlives_its_client() {
    let server = server();
    let client = client(&server);
    let dropped = client.lock("dropped", LONG).expect("free");
    let mut kept = client.lock("kept", LONG).expect("free");
    drop(client);
    kept.extend().expect("ours");
    drop(dropped);
    drop(kept);
    eventually("both are released", || server.with(|server| server.keys(0).count()) == 0);
    eventually("the connection is closed", || server.with(|server| server.sessions().count()) == 0);
    assert!(!is_held(&server, "kept"));
}

/// A program that ends must not take the releases of its last guards with it.
#[test]
fn the_last_handle_waits_until_what_was_dropped_is_given_back() {
    for guard_last in [false, true] {
        let server = server();
        let client = client(&server);
        let guard = client.try_lock("key", LONG).expect("asked").expect("free");
        if guard_last {
            drop(client);
            drop(guard);
        } else {
            drop(guard);
            drop(client);
        }
        assert!(!is_held(&server, "key"), "guard last: {guard_last}");
    }
}

/// Requirement 10: the last guard may go with its thread, after what the thread had locally.
#[test]
fn a_guard_in_a_thread_local_is_given_back() {
    thread_local! {
        static GUARD: RefCell<Option<Guard>> = const { RefCell::new(None) };
    }
    let server = server();
    let url = server.url();
    let thread = thread::spawn(move || {
        let guard = Client::connect(&url).expect("connected").lock("key", LONG).expect("free");
        GUARD.set(Some(guard));
    });
    thread.join().expect("no panic");
    assert!(!is_held(&server, "key"), "the last handle waits");
}

/// A detached lock outlives its client; another one, whose server is written in parts, releases it.
#[test]
fn a_detached_lock_is_released_by_another_client() {
    let server = server();
    let first = client(&server);
    let detached = first.lock("key", LONG).expect("free").detach().expect("held");
    assert!(first.shutdown(LONG), "nothing is owed for it");
    assert!(is_held(&server, "key"));

    let port = server.addr().expect("a port").port();
    let endpoint = redlatch_std::Endpoint::tcp("127.0.0.1", port).expect("a host");
    let second = Client::builder().endpoint(endpoint).connect().expect("accepted");
    assert!(second.try_lock("key", LONG).expect("asked").is_none(), "it is still held");
    assert!(second.release_detached(detached).expect("answered"), "ours until now");
    assert!(!is_held(&server, "key"));

    let detached = second.lock("key", LONG).expect("free").detach().expect("held");
    let elsewhere = Client::connect(&format!("{}/1", server.url())).expect("accepted");
    let refused = elsewhere.release_detached(detached);
    assert!(matches!(refused, Err(Error::Config(redlatch_std::ConfigError::OtherServers))));
    assert!(is_held(&server, "key"), "left to its ttl");
}
