//! The blocking adapter on a real server that is in trouble while many locks are held.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use redlatch_std::{Client, Delay, Error, Guard, Loss, Renew, Retry};
use redlatch_testkit::server::{Data, Kind, Server};

const GUARDS: usize = 100;

/// A ttl that no test outlives.
const LONG: Duration = Duration::from_secs(60);

fn redis() -> Server {
    Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"))
}

fn keys(server: &Server) -> Option<i64> {
    server.command(&["DBSIZE"]).expect("an answer").integer()
}

fn connect(server: &Server) -> Client {
    let (base, cap) = (Duration::from_millis(1), Duration::from_millis(20));
    Client::builder().server(&server.url()).reconnect(base, cap).connect().expect("connected")
}

fn held(client: &Client, ttl: Duration) -> Vec<Guard> {
    let key = |number| format!("key:{number}");
    (0..GUARDS).map(|it| client.try_lock(key(it), ttl).expect("asked").expect("free")).collect()
}

fn lock(client: &Client, key: usize) -> Guard {
    let delay =
        Delay::Exponential { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    let retry = Retry { delay, retries: None, deadline: Some(LONG) };
    client.lock_with(format!("key:{key}"), LONG, retry).expect("in turn")
}

/// Requirements 1 and 6: threads contend while connections are killed again and again.
#[test]
fn connections_that_are_killed_under_load_cost_nobody_a_lock() {
    const THREADS: usize = 32;
    const KEYS: usize = 8;
    let server = redis();
    let client = connect(&server);
    let mut plain = server.inspect().expect("a plain connection");
    let (over, locks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let inside: Arc<[AtomicBool]> = (0..KEYS).map(|_| AtomicBool::new(false)).collect();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (over, locks) = (Arc::clone(&over), Arc::clone(&locks));
            let (inside, client) = (Arc::clone(&inside), client.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let guard = lock(&client, thread % KEYS);
                    assert!(!inside[thread % KEYS].swap(true, Ordering::SeqCst), "two inside");
                    thread::yield_now();
                    inside[thread % KEYS].store(false, Ordering::SeqCst);
                    let released = guard.release();
                    let ours = matches!(released, Ok(true) | Err(Error::Unconfirmed));
                    assert!(ours, "{released:?}");
                    locks.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..40 {
        thread::sleep(Duration::from_millis(10));
        plain.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).expect("a count");
    }
    over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert!(client.shutdown(LONG), "everything is given back");
    assert!(locks.load(Ordering::Relaxed) >= THREADS as u64, "{locks:?} locks");
    assert_eq!(keys(&server), Some(0));
}

/// Requirement 8: guards go on renewing after a silence in which a renewal failed.
#[test]
fn guards_survive_a_server_that_stops_for_half_a_ttl() {
    const TTL: Duration = Duration::from_millis(2_400);
    let soon = Renew { divisor: 6, most: None };
    let server = redis();
    let client = connect(&server).renewing(soon);
    let guards = held(&client, TTL);
    server.pause().expect("stopped");
    thread::sleep(TTL / 2);
    assert!(guards.iter().all(Guard::is_valid));
    server.resume().expect("goes on");
    // Without renewing, every lease would be over.
    thread::sleep(TTL);
    for guard in guards {
        assert_eq!((guard.is_valid(), guard.loss()), (true, None));
        assert!(guard.release().expect("answered"));
    }
}

/// Requirement 8: every guard tells its loss while the server is silent, and none claims validity
/// afterwards, whatever the server says then.
#[test]
fn no_guard_survives_a_server_that_stops_for_two_ttls() {
    const TTL: Duration = Duration::from_secs(1);
    let server = redis();
    let client = connect(&server).renewing(Renew::default());
    let guards = held(&client, TTL);
    let begun = Instant::now();
    server.pause().expect("stopped");
    for guard in &guards {
        let loss = guard.wait_lost(LONG);
        assert!(matches!(loss, Some(Loss::Unreachable | Loss::Expired)), "{loss:?}");
    }
    assert!(begun.elapsed() < TTL * 3 / 2, "told after {:?}", begun.elapsed());
    thread::sleep((TTL * 2).saturating_sub(begun.elapsed()));
    server.resume().expect("goes on");
    assert!(lock(&client, 0).release().expect("answered"), "the next lock");
    for mut guard in guards {
        assert!(!guard.is_valid() && guard.validity().is_zero());
        let extended = guard.extend();
        assert!(matches!(extended, Err(Error::Lost(_))), "{extended:?}");
        assert!(!guard.is_valid(), "a loss is final");
    }
}

/// Long enough for a server to start on a busy machine.
const RESTART: Duration = Duration::from_secs(10);

/// Every 100 ms, so that a restart is noticed soon.
const OFTEN: Renew = Renew { divisor: 100, most: None };

/// Requirement 8: a hundred guards renew while their server is killed and comes back empty. Each is
/// told, and no key is made again.
#[test]
fn guards_are_lost_when_their_server_restarts_empty() {
    let mut server = redis();
    let client = connect(&server).renewing(OFTEN);
    let guards = held(&client, RESTART);
    server.kill9().expect("it ran");
    server.restart(Data::Lose).expect("the same port");
    for guard in &guards {
        assert_eq!(guard.wait_lost(LONG), Some(Loss::ServerRestarted));
        assert!(!guard.is_valid());
    }
    drop(guards);
    assert!(client.shutdown(LONG));
    assert_eq!(keys(&server), Some(0));
}

/// Requirement 8: a hundred guards renew while their server is killed and comes back with what it
/// had written. Each goes on.
#[test]
fn guards_survive_a_server_that_restarts_with_its_data() {
    let persistent = Server::builder(Kind::Redis7).persistent().start();
    let mut server = persistent.unwrap_or_else(|error| panic!("{error}"));
    let client = connect(&server).renewing(OFTEN);
    let guards = held(&client, RESTART);
    server.kill9().expect("it ran");
    server.restart(Data::Keep).expect("the same port");
    let back = Instant::now();
    // What a lease begins with, rounded down.
    let whole = RESTART - RESTART / 100 - Duration::from_millis(3);
    let renewed = |guard: &Guard| guard.validity() + back.elapsed() > whole;
    while !guards.iter().all(renewed) {
        assert!(back.elapsed() < LONG && guards.iter().all(Guard::is_valid), "all are renewed");
        thread::sleep(Duration::from_millis(1));
    }
    for guard in guards {
        assert_eq!((guard.is_valid(), guard.loss()), (true, None));
        assert!(guard.release().expect("answered"), "still ours");
    }
    assert_eq!(keys(&server), Some(0));
}

/// A server that was started late in a second says soon afterwards that it has been up for one. It has
/// no vote all the same: `restart_delay` counts from its real start.
#[test]
fn a_server_that_overstates_its_uptime_has_no_vote() {
    const DELAY: Duration = Duration::from_secs(1);
    let info = |server: &Server| server.command(&["INFO", "server"]).expect("an answer").text();
    let says = |server: &Server, uptime| info(server).contains(uptime);
    let (mut server, begun) = (redis(), Instant::now());
    let until = loop {
        // Its clock is the one of this machine: a second is almost over.
        let date = SystemTime::now().duration_since(UNIX_EPOCH).expect("a date");
        let millis = u64::from(date.subsec_millis());
        thread::sleep(Duration::from_millis((1850 - millis) % 1000));
        server.kill9().expect("it ran");
        let started = Instant::now();
        server.restart(Data::Lose).expect("the same port");
        while started.elapsed() < DELAY * 3 / 4 && !says(&server, "uptime_in_seconds:1") {
            thread::sleep(Duration::from_millis(5));
        }
        if started.elapsed() < DELAY * 3 / 4 {
            break started + DELAY;
        }
        assert!(begun.elapsed() < LONG, "it never overstates its uptime");
    };
    let client = Client::builder().server(&server.url()).restart_delay(DELAY).connect();
    let client = client.expect("connected");
    let tried = client.try_lock("key", LONG);
    assert!(Instant::now() >= until || tried.is_err(), "{tried:?}");
    drop(tried);
    let retry = Retry {
        delay: Delay::Fixed(Duration::from_millis(5)),
        retries: None,
        deadline: Some(LONG),
    };
    let guard = client.lock_with("key", LONG, retry).expect("in the end");
    assert!(Instant::now() >= until, "a vote before its time");
    assert!(guard.release().expect("answered"));
}
