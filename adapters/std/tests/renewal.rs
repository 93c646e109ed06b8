//! Requirement 8: a lock that is extended by itself, and what its holder hears when that fails.

mod common;

use core::time::Duration;
use std::thread;
use std::time::Instant;

use common::{LONG, client, count, eventually, is_held, server, steal, urls};
use redlatch_std::{Client, Error, Loss, Renew};
use redlatch_testkit::model::{Data, ModelServer};

/// Renewed every 100 ms.
const TTL: Duration = Duration::from_millis(300);

fn renewing(server: &ModelServer) -> Client {
    client(server).renewing(Renew::default())
}

/// Renewals are scripts; so are releases.
fn scripts(server: &ModelServer) -> u64 {
    count(server, "EVALSHA") + count(server, "EVAL")
}

#[test]
fn a_renewed_lock_outlives_its_ttl() {
    let server = server();
    let guard = renewing(&server).lock("key", TTL).expect("free");
    let began = Instant::now();
    while began.elapsed() < 3 * TTL {
        assert!(guard.is_valid() && guard.loss().is_none(), "{:?}", guard.loss());
        assert!(is_held(&server, "key"));
        thread::sleep(Duration::from_millis(1));
    }
    assert!(guard.release().expect("answered"), "it was ours");
    assert!(!is_held(&server, "key"));
}

/// Nothing is sent for a lock that is held unless its client was asked to.
#[test]
fn renewing_is_off_unless_asked_for() {
    let server = server();
    let asked = renewing(&server);
    let clients = [client(&server), asked.renewing(None)];
    for client in clients {
        let guard = client.lock("key", TTL).expect("free");
        let sent = client.commands_sent();
        assert_eq!(guard.wait_lost(TTL * 2 / 3), None);
        assert_eq!(client.commands_sent(), sent);
        assert_eq!(guard.wait_lost(LONG), Some(Loss::Expired));
    }
    let all = Client::builder().server(&server.url()).renew(Renew::default());
    let guard = all.connect().expect("connected").lock("key", TTL).expect("free");
    assert_eq!(guard.wait_lost(2 * TTL), None, "the builder turns it on for all");
}

/// In every interleaving of a renewal and a release: the release comes last.
#[test]
fn renewing_stops_with_the_release_and_with_the_guard() {
    let server = server();
    let client = renewing(&server);
    for round in 0..40_u64 {
        let guard = client.lock("key", Duration::from_millis(30)).expect("free");
        // Renewals are due every 10 ms: before, at and after one.
        thread::sleep(Duration::from_micros(8_000 + 100 * round));
        if round % 2 == 0 {
            assert!(guard.release().expect("answered"), "round {round}");
        } else {
            drop(guard);
            eventually("the key is given back", || !is_held(&server, "key"));
        }
    }
    thread::sleep(Duration::from_millis(5));
    let (asked, sent) = (scripts(&server), client.commands_sent());
    thread::sleep(Duration::from_millis(60));
    assert_eq!((scripts(&server), client.commands_sent()), (asked, sent), "nothing is renewed");
    assert!(!is_held(&server, "key"));
}

/// Requirements 3 and 8: the reason is told soon, once and for all; the key is not made again.
#[test]
fn a_key_that_is_gone_or_taken_is_a_loss_with_its_reason() {
    for (stolen, reason) in [(false, Loss::Deleted), (true, Loss::Stolen)] {
        let server = server();
        let mut guard = renewing(&server).lock("key", 10 * TTL).expect("free");
        server.with(|server| server.remove(0, b"key"));
        if stolen {
            steal(&server, "key", LONG);
        }
        let began = Instant::now();
        assert_eq!(guard.wait_lost(LONG), Some(reason));
        assert!(began.elapsed() < 5 * TTL, "long before the lease ends: {:?}", began.elapsed());
        for _ in 0..3 {
            assert_eq!((guard.loss(), guard.wait_lost(LONG)), (Some(reason), Some(reason)));
            assert!(!guard.is_valid() && guard.validity().is_zero());
            let error = guard.extend();
            assert!(matches!(error, Err(Error::Lost(loss)) if loss == reason), "{error:?}");
        }
        assert!(!guard.release().expect("answered"), "it was not ours");
        assert_eq!(is_held(&server, "key"), stolen);
    }
}

/// A server that stops for longer than the lease: the loss comes with its end, not later, and
/// stands when the server goes on.
#[test]
fn a_silent_server_is_a_loss_when_the_lease_ends() {
    let server = server();
    let guard = renewing(&server).lock("key", TTL).expect("free");
    server.pause().expect("a thread");
    let validity = guard.validity();
    let began = Instant::now();
    assert_eq!(guard.wait_lost(LONG), Some(Loss::Unreachable));
    let waited = began.elapsed();
    assert!(waited >= validity && waited < validity + TTL / 2, "{validity:?} {waited:?}");
    assert!(!guard.is_valid());
    server.resume().expect("a thread");
    thread::sleep(TTL / 2);
    assert_eq!((guard.is_valid(), guard.loss()), (false, Some(Loss::Unreachable)));
}

/// A server that stops for half a ttl loses nothing.
#[test]
fn a_short_silence_is_survived() {
    let server = server();
    let guard = renewing(&server).lock("key", 2 * TTL).expect("free");
    for _ in 0..3 {
        server.pause().expect("a thread");
        assert_eq!(guard.wait_lost(TTL), None);
        server.resume().expect("a thread");
        assert_eq!(guard.wait_lost(TTL), None);
    }
    assert!(guard.release().expect("answered"));
}

/// A lost reply and a new connection are survived while the lease lasts: 100 locks, one connection.
#[test]
fn renewals_survive_connections_that_are_killed() {
    let server = server();
    let pauses = Duration::from_millis(10);
    let builder = Client::builder().server(&server.url()).reconnect(pauses, pauses);
    let client = builder.renew(Renew::default()).connect().expect("connected");
    let guards: Vec<_> =
        (0..100).map(|key| client.lock(format!("key:{key}"), 2 * TTL).expect("free")).collect();
    let began = Instant::now();
    while began.elapsed() < 4 * TTL {
        server.kill_connections();
        thread::sleep(Duration::from_millis(50));
    }
    for guard in guards {
        assert_eq!(guard.loss(), None);
        assert!(guard.release().expect("answered"), "still ours");
    }
}

/// A holder that hangs does not hold for ever.
#[test]
fn renewing_has_a_bound() {
    let server = server();
    let bounded = Renew { most: Some(2 * TTL), ..Renew::default() };
    let began = Instant::now();
    let guard = client(&server).renewing(bounded).lock("key", TTL).expect("free");
    assert_eq!(guard.wait_lost(LONG), Some(Loss::Capped));
    let held = began.elapsed();
    assert!(held > TTL && held < 2 * TTL + TTL / 4, "{held:?}");
    eventually("the key is given back", || !is_held(&server, "key"));
}

#[test]
fn waiting_for_a_loss_ends_in_time_and_wakes_every_thread() {
    let server = server();
    let guard = renewing(&server).lock("key", TTL).expect("free");
    let began = Instant::now();
    assert_eq!(guard.wait_lost(TTL / 3), None);
    assert!(began.elapsed() >= TTL / 3 && began.elapsed() < TTL, "{:?}", began.elapsed());
    thread::scope(|scope| {
        let waiting = [0; 4].map(|_| scope.spawn(|| guard.wait_lost(LONG)));
        thread::sleep(TTL / 6);
        server.with(|server| server.remove(0, b"key"));
        for thread in waiting {
            assert_eq!(thread.join().expect("no panic"), Some(Loss::Deleted));
        }
    });
}

/// Extending a lock that is being renewed is extending it.
#[test]
fn the_owner_may_extend_meanwhile() {
    let server = server();
    let mut guard = renewing(&server).lock("key", Duration::from_millis(60)).expect("free");
    for _ in 0..200 {
        let validity = guard.extend().expect("ours");
        assert!(validity > Duration::ZERO);
        thread::sleep(Duration::from_micros(700));
    }
    assert!(guard.release().expect("answered"));
}

/// A client that is shut down renews no more; the guard says so, at the latest with its lease.
#[test]
fn renewing_ends_with_the_client() {
    let server = server();
    let client = renewing(&server);
    let guard = client.lock("key", TTL).expect("free");
    assert!(client.shutdown(LONG), "what is held is not owed");
    let began = Instant::now();
    assert!(guard.wait_lost(LONG).is_some());
    assert!(began.elapsed() < 3 * TTL, "{:?}", began.elapsed());
    assert!(matches!(guard.release(), Err(Error::Closed)));
}

/// 100 locks are renewed while their server crashes and comes back: with its keys all are kept,
/// without them all are lost, each with the reason, and none is made again.
#[test]
fn a_restart_keeps_what_the_server_keeps() {
    for (data, lost) in [(Data::Keep, None), (Data::Lose, Some(Loss::ServerRestarted))] {
        let server = server();
        let pauses = Duration::from_millis(10);
        let builder = Client::builder().server(&server.url()).reconnect(pauses, pauses);
        let client = builder.renew(Renew::default()).connect().expect("connected");
        let lock = |key| client.lock(format!("key:{key}"), 4 * TTL).expect("free");
        let guards: Vec<_> = (0..100).map(lock).collect();
        server.crash().expect("a thread");
        thread::sleep(TTL / 3);
        server.restart(data).expect("a thread");
        for guard in &guards {
            let waited = if lost.is_some() { LONG } else { TTL / 30 };
            assert_eq!(guard.wait_lost(waited), lost);
        }
        for guard in guards {
            assert_eq!(guard.is_valid(), lost.is_none());
            assert_eq!(guard.release().expect("answered"), lost.is_none());
        }
        assert_eq!(server.with(|server| server.keys(0).count()), 0);
    }
}

/// Servers that forgot are named as the reason only when they alone cost the majority, and only when
/// they were started again after the lock was taken.
#[test]
fn a_loss_is_put_down_to_restarts_only_where_they_explain_it() {
    let restart = |server: &ModelServer| {
        server.crash().expect("a thread");
        server.restart(Data::Lose).expect("a thread");
    };
    let delete = |server: &ModelServer| {
        assert!(server.with(|server| server.remove(0, b"key")), "it had the key");
    };
    let cases: [(usize, usize, usize, Loss); 4] = [
        (0, 2, 0, Loss::ServerRestarted),
        (0, 1, 1, Loss::Deleted),
        (0, 0, 2, Loss::Deleted),
        (2, 0, 2, Loss::Deleted),
    ];
    for (before, restarted, deleted, expected) in cases {
        let servers = [server(), server(), server()];
        let pauses = Duration::from_millis(5);
        let builder = Client::builder().servers(&urls(&servers)).reconnect(pauses, pauses);
        let client = builder.connect().expect("connected");
        let connected = || client.servers().iter().all(|server| server.connected);
        let restart_all = |servers: &[ModelServer]| {
            for server in servers {
                let greeted = count(server, "HELLO");
                restart(server);
                eventually("it is greeted again", || count(server, "HELLO") > greeted);
            }
            eventually("the client is back", connected);
        };
        restart_all(&servers[..before]);
        let mut guard = client.lock("key", LONG).expect("free");
        eventually("all have it", || servers.iter().all(|server| is_held(server, "key")));
        restart_all(&servers[..restarted]);
        servers[restarted..][..deleted].iter().for_each(delete);
        let lost = guard.extend();
        let case = (before, restarted, deleted);
        assert!(matches!(lost, Err(Error::Lost(loss)) if loss == expected), "{case:?}: {lost:?}");
    }
}
