//! Every asynchronous adapter on a real server that is in trouble while many locks are held.

mod async_faces;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use async_faces::{Face, LONG, eventually, on_every_face, sleep};
use redlatch_core::{Loss, Renew};
use redlatch_futures::{Client, Delay, Error, Guard, Retry, Runtime};
use redlatch_testkit::server::{Data, Kind, Server};

const GUARDS: usize = 100;

on_every_face! {
    connections_that_are_killed_under_load_cost_nobody_a_lock;
    guards_survive_a_server_that_stops_for_half_a_ttl;
    no_guard_survives_a_server_that_stops_for_two_ttls;
    guards_are_lost_when_their_server_restarts_empty;
    guards_survive_a_server_that_restarts_with_its_data;
}

fn redis() -> Server {
    Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"))
}

fn keys(server: &Server) -> Option<i64> {
    server.command(&["DBSIZE"]).expect("an answer").integer()
}

async fn connect<R: Runtime>(server: &Server) -> Client<R> {
    let (base, cap) = (Duration::from_millis(1), Duration::from_millis(20));
    let builder = Client::<R>::builder().server(&server.url()).reconnect(base, cap);
    builder.connect().await.expect("connected")
}

async fn held<R: Runtime>(client: &Client<R>, ttl: Duration) -> Vec<Guard> {
    let mut guards = Vec::new();
    for number in 0..GUARDS {
        let guard = client.try_lock(format!("key:{number}"), ttl).await.expect("asked");
        guards.push(guard.expect("free"));
    }
    guards
}

/// Requirements 1 and 6: tasks contend while connections are killed again and again.
fn connections_that_are_killed_under_load_cost_nobody_a_lock<F: Face>() {
    const TASKS: usize = 32;
    const KEYS: usize = 8;
    let (server, face) = (redis(), F::start());
    let mut plain = server.inspect().expect("a plain connection");
    let (over, locks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let inside: Arc<[AtomicBool]> = (0..KEYS).map(|_| AtomicBool::new(false)).collect();
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await;
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (over, locks) = (Arc::clone(&over), Arc::clone(&locks));
                let (inside, client) = (Arc::clone(&inside), client.clone());
                face.spawn(async move {
                    while !over.load(Ordering::Relaxed) {
                        let guard = lock(&client, task % KEYS).await;
                        assert!(!inside[task % KEYS].swap(true, Ordering::SeqCst), "two inside");
                        smol::future::yield_now().await;
                        inside[task % KEYS].store(false, Ordering::SeqCst);
                        let released = guard.release().await;
                        let ours = matches!(released, Ok(true) | Err(Error::Unconfirmed));
                        assert!(ours, "{released:?}");
                        locks.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for _ in 0..40 {
            sleep(Duration::from_millis(10)).await;
            plain.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).expect("a count");
        }
        over.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await;
        }
        assert!(client.shutdown(LONG).await, "everything is given back");
    });
    assert!(locks.load(Ordering::Relaxed) >= TASKS as u64, "{locks:?} locks");
    assert_eq!(keys(&server), Some(0));
}

async fn lock<R: Runtime>(client: &Client<R>, key: usize) -> Guard {
    let delay =
        Delay::Exponential { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    let retry = Retry { delay, retries: None, deadline: Some(LONG) };
    client.lock_with(format!("key:{key}"), LONG, retry).await.expect("in turn")
}

/// Requirement 8: guards go on renewing after a silence in which a renewal failed.
fn guards_survive_a_server_that_stops_for_half_a_ttl<F: Face>() {
    const TTL: Duration = Duration::from_millis(2_400);
    let soon = Renew { divisor: 6, most: None };
    let (server, face) = (redis(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await.renewing(soon);
        let guards = held(&client, TTL).await;
        server.pause().expect("stopped");
        sleep(TTL / 2).await;
        assert!(guards.iter().all(Guard::is_valid));
        server.resume().expect("goes on");
        // Without renewing, every lease would be over.
        sleep(TTL).await;
        for guard in guards {
            assert_eq!((guard.is_valid(), guard.loss()), (true, None));
            assert!(guard.release().await.expect("answered"));
        }
    });
}

/// Requirement 8: every guard tells its loss while the server is silent, and none claims validity
/// afterwards, whatever the server says then.
fn no_guard_survives_a_server_that_stops_for_two_ttls<F: Face>() {
    const TTL: Duration = Duration::from_secs(1);
    let (server, face) = (redis(), F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await.renewing(Renew::default());
        let guards = held(&client, TTL).await;
        let begun = Instant::now();
        server.pause().expect("stopped");
        for guard in &guards {
            let loss = guard.lost().await.expect("watched");
            assert!(matches!(loss, Loss::Unreachable | Loss::Expired), "{loss:?}");
        }
        assert!(begun.elapsed() < TTL * 3 / 2, "told after {:?}", begun.elapsed());
        sleep((TTL * 2).saturating_sub(begun.elapsed())).await;
        server.resume().expect("goes on");
        assert!(lock(&client, 0).await.release().await.expect("answered"), "the next lock");
        for mut guard in guards {
            assert!(!guard.is_valid() && guard.validity().is_zero());
            let extended = guard.extend().await;
            assert!(matches!(extended, Err(Error::Lost(_))), "{extended:?}");
            assert!(!guard.is_valid(), "a loss is final");
        }
    });
}

/// Long enough for a server to start on a busy machine.
const RESTART: Duration = Duration::from_secs(10);

/// Every 100 ms, so that a restart is noticed soon.
const OFTEN: Renew = Renew { divisor: 100, most: None };

/// Requirement 8: a hundred guards renew while their server is killed and comes back empty. Each is
/// told, and no key is made again.
fn guards_are_lost_when_their_server_restarts_empty<F: Face>() {
    let (mut server, face) = (redis(), F::start());
    // The number of our connection must be out of reach of the next life of the server.
    for _ in 0..64 {
        server.command(&["PING"]).expect("a connection of its own");
    }
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await.renewing(OFTEN);
        let guards = held(&client, RESTART).await;
        server.kill9().expect("it ran");
        server.restart(Data::Lose).expect("the same port");
        for guard in &guards {
            assert_eq!(guard.lost().await.ok(), Some(Loss::ServerRestarted));
            assert!(!guard.is_valid());
        }
        drop(guards);
        assert!(client.shutdown(LONG).await);
    });
    assert_eq!(keys(&server), Some(0));
}

/// Requirement 8: a hundred guards renew while their server is killed and comes back with what it
/// had written. Each goes on.
fn guards_survive_a_server_that_restarts_with_its_data<F: Face>() {
    let persistent = Server::builder(Kind::Redis7).persistent().start();
    let mut server = persistent.unwrap_or_else(|error| panic!("{error}"));
    let face = F::start();
    face.block_on(async {
        let client = connect::<F::Runtime>(&server).await.renewing(OFTEN);
        let guards = held(&client, RESTART).await;
        server.kill9().expect("it ran");
        server.restart(Data::Keep).expect("the same port");
        let back = Instant::now();
        // What a lease begins with, rounded down.
        let whole = RESTART - RESTART / 100 - Duration::from_millis(3);
        let renewed = |guard: &Guard| guard.validity() + back.elapsed() > whole;
        eventually("all are renewed", || guards.iter().all(renewed)).await;
        for guard in guards {
            assert_eq!((guard.is_valid(), guard.loss()), (true, None));
            assert!(guard.release().await.expect("answered"), "still ours");
        }
    });
    assert_eq!(keys(&server), Some(0));
}
