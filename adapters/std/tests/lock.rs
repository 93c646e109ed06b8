//! Taking, keeping and giving back one lock on one server.

mod common;

use core::time::Duration;
use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use common::{LONG, client, count, eventually, is_held, server, steal};
use redlatch_std::{Client, Delay, Error, Loss, Protocol, Retry};
use redlatch_testkit::model::{Dialect, ModelServer, Settings, Value};

#[test]
fn a_lock_is_exclusive_until_it_is_released() {
    let server = server();
    let (one, other) = (client(&server), client(&server));
    let guard = one.try_lock("key", LONG).expect("asked").expect("free");
    assert_eq!(**guard.key(), *b"key");
    assert!(guard.is_valid());
    let validity = guard.validity();
    assert!(validity <= LONG - LONG / 100 && validity > LONG * 9 / 10, "{validity:?}");
    assert!(other.try_lock("key", LONG).expect("asked").is_none());
    assert!(one.try_lock("key", LONG).expect("asked").is_none(), "locks are not reentrant");
    assert!(guard.release().expect("answered"), "it was ours");
    assert!(!is_held(&server, "key"));
    assert!(other.try_lock("key", LONG).expect("asked").is_some());
}

/// Old servers, RESP2, and databases other than 0.
#[test]
fn every_dialect_and_protocol_works() {
    let dialects = [
        Dialect::Redis5,
        Dialect::Redis6,
        Dialect::Redis7,
        Dialect::Redis8,
        Dialect::Redis8_6,
        Dialect::Valkey9,
    ];
    for dialect in dialects {
        let server = ModelServer::with_settings(Settings::default().dialect(dialect));
        let server = server.expect("a free port");
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let builder = Client::builder().server(&format!("{}/3", server.url()));
            let client = builder.protocol(protocol).name("tests").connect().expect("connected");
            let guard = client.lock(b"\x00any\r\nbytes\xff", LONG).expect("free");
            let held = server.with(|server| server.get(3, guard.key()).is_some());
            assert!(held, "{dialect:?} {protocol:?}");
            assert!(guard.release().expect("answered"));
        }
    }
}

/// The server needs two commands for an acquisition and one for a release.
#[test]
fn a_cycle_costs_three_commands() {
    let server = server();
    let client = client(&server);
    drop(client.lock("warm", LONG).expect("free").release());
    let before = client.commands_sent();
    for _ in 0..10 {
        client.lock("key", LONG).expect("free").release().expect("answered");
    }
    assert_eq!(client.commands_sent() - before, 30);
}

#[test]
fn lock_waits_until_the_holder_releases() {
    let server = server();
    // Of two clients: in one, the waiter would stand in line and not ask before the release.
    let [holder, other] = [(); 2].map(|()| client(&server));
    let guard = holder.lock("key", LONG).expect("free");
    let asked = count(&server, "SET");
    let waiter = thread::spawn(move || other.lock("key", LONG).expect("released soon").validity());
    eventually("the waiter asks", || count(&server, "SET") > asked);
    assert!(guard.release().expect("answered"));
    assert!(waiter.join().expect("no panic") > Duration::ZERO);
}

/// Requirement 9: bounds of the retry policy.
#[test]
fn lock_gives_up_when_its_policy_says_so() {
    let server = server();
    let client = client(&server);
    let _guard = client.lock("key", LONG).expect("free");
    let began = Instant::now();
    let error = client.lock_with("key", LONG, Retry::until(Duration::from_millis(50)));
    let Err(Error::TimedOut { tally, .. }) = &error else { panic!("{error:?}") };
    assert_eq!((tally.configured, tally.held), (1, 1));
    // The last attempt is made at the deadline, not a pause before it.
    assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
    let before = count(&server, "SET");
    let thrice = Retry { delay: Delay::Fixed(Duration::ZERO), retries: Some(2), deadline: None };
    assert!(matches!(client.lock_with("key", LONG, thrice), Err(Error::TimedOut { .. })));
    assert_eq!(count(&server, "SET") - before, 3);
}

#[test]
fn extend_counts_the_ttl_anew() {
    let server = server();
    let client = client(&server);
    let mut guard = client.lock("key", Duration::from_secs(2)).expect("free");
    thread::sleep(Duration::from_millis(100));
    let before = guard.validity();
    let after = guard.extend().expect("ours");
    assert!(after > before, "{before:?} {after:?}");
    let left = server.with(|server| server.remaining(0, b"key")).expect("held");
    assert!(left > Duration::from_millis(1950), "{left:?}");
    assert!(guard.release().expect("answered"));
}

/// Requirements 3 and 7: what is not ours is not touched, and a loss has a reason and is final.
#[test]
fn a_lost_lock_stays_lost_and_the_thief_keeps_it() {
    for (stolen, reason) in [(false, Loss::Deleted), (true, Loss::Stolen)] {
        let server = server();
        let client = client(&server);
        let mut guard = client.lock("key", LONG).expect("free");
        server.with(|server| server.remove(0, b"key"));
        if stolen {
            steal(&server, "key", LONG);
        }
        for _ in 0..2 {
            let error = guard.extend();
            assert!(matches!(error, Err(Error::Lost(loss)) if loss == reason), "{error:?}");
            assert!(!guard.is_valid() && guard.validity().is_zero());
        }
        assert!(!guard.release().expect("answered"), "it was not ours");
        assert_eq!(is_held(&server, "key"), stolen);
    }
}

#[test]
fn a_lease_runs_out_by_the_clock() {
    let server = server();
    let client = client(&server);
    let mut guard = client.lock("key", Duration::from_millis(30)).expect("free");
    eventually("the lease runs out", || !guard.is_valid());
    assert!(matches!(guard.extend(), Err(Error::Lost(Loss::Expired))));
    assert!(!guard.release().expect("answered"));
}

#[test]
fn dropping_a_guard_releases_without_waiting() {
    let server = server();
    let client = client(&server);
    drop(client.lock("key", LONG).expect("free"));
    eventually("the key is given back", || !is_held(&server, "key"));
    server.pause().expect("a thread");
    let guard = client.lock_with("key", LONG, Retry::NONE);
    assert!(guard.is_err());
    server.resume().expect("a thread");
}

/// Drop never blocks, whatever the server does.
#[test]
fn dropping_a_guard_of_a_frozen_server_does_not_block() {
    let server = server();
    let client = client(&server);
    let guard = client.lock("key", LONG).expect("free");
    server.pause().expect("a thread");
    let began = Instant::now();
    drop(guard);
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    server.resume().expect("a thread");
    eventually("the key is given back", || !is_held(&server, "key"));
}

/// Requirement 10: a panic while holding releases.
#[test]
fn a_guard_dropped_by_a_panic_releases() {
    let server = server();
    let client = client(&server);
    let panicking = client.clone();
    let thread = thread::spawn(move || {
        let _guard = panicking.lock("key", LONG).expect("free");
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    eventually("the key is given back", || !is_held(&server, "key"));
    let guard = client.lock("key", LONG).expect("the client still works");
    assert!(guard.release().expect("answered"));
}

/// Requirement 10: while its own thread still has the client, and when nobody has it any more.
#[test]
fn a_guard_dropped_by_another_thread_releases() {
    let server = server();
    for client_first in [false, true] {
        let client = client(&server);
        let guard = client.lock("key", LONG).expect("free");
        let client = (!client_first).then_some(client);
        thread::spawn(move || drop(guard)).join().expect("a drop never panics");
        eventually("the key is given back", || !is_held(&server, "key"));
        drop(client);
    }
}

#[test]
fn a_release_in_another_thread_works() {
    let server = server();
    let client = client(&server);
    let mut guard = client.lock("key", LONG).expect("free");
    let released = thread::spawn(move || {
        guard.extend().expect("ours");
        guard.release().expect("answered")
    });
    assert!(released.join().expect("no panic"));
}

/// Requirement 11: a value of another type is somebody's lock, and is left alone.
#[test]
fn a_foreign_type_is_held_by_somebody() {
    let server = server();
    let client = client(&server);
    server.with(|server| server.put(0, b"key", Value::Hash(BTreeMap::default()), None));
    assert!(client.try_lock("key", LONG).expect("asked").is_none());
    assert!(is_held(&server, "key"));
}

/// Requirement 5 of the API: errors of the caller are found before anything is sent.
#[test]
fn arguments_that_cannot_work_send_nothing() {
    let server = server();
    let client = client(&server);
    let too_long = vec![b'k'; 64 * 1024 + 1];
    let results = [
        client.try_lock("key", Duration::ZERO),
        client.try_lock("key", Duration::from_millis(1)),
        client.try_lock("key", Duration::MAX),
        client.try_lock(too_long, LONG),
    ];
    for result in results {
        assert!(matches!(result, Err(Error::Config(_))), "{result:?}");
    }
    assert_eq!(client.commands_sent(), 0);
    let longest = client.lock(vec![b'k'; 64 * 1024], LONG).expect("fits");
    assert!(longest.release().expect("answered"));
}

#[test]
fn handles_can_be_shared_and_sent() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send + Sync>() {}
    shared::<Client>();
    sent::<redlatch_std::Guard>();
}
