//! Those who wait for one lock in one client, on every asynchronous adapter: first come, first served, whoever
//! gives up where, and however it ends.

mod async_faces;

use core::pin::Pin;
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_faces::{
    Face, LONG, Tokio, TokioOnOneThread, count, eventually, is_held, on_every_face, server, sleep,
    steal, urls,
};
use redlatch_core::{Random, Renew, Turns};
use redlatch_futures::{Client, Delay, Error, Guard, Retry, Runtime};
use redlatch_testkit::model::{Change, Effect, ModelServer};
use smol::future::{FutureExt, poll_once};

on_every_face! {
    who_comes_first_is_served_first;
    one_that_leaves_anywhere_disturbs_no_order;
    three_commands_pass_a_lock_on_at_each_of_three_servers;
    a_holder_whose_lease_is_over_is_not_waited_for;
    a_holder_that_renews_is_waited_for_without_a_command;
    whoever_gives_up_at_random_loses_nobody_a_turn;
    shutdown_ends_the_whole_line;
}

/// Longer than any test: whoever is not woken fails it.
const NEVER: Retry =
    Retry { delay: Delay::Fixed(LONG), retries: None, deadline: Some(Duration::from_secs(50)) };

type Waiting = Pin<Box<dyn Future<Output = Result<Guard, Error>> + Send>>;

async fn connect<R: Runtime>(servers: &[ModelServer]) -> Client<R> {
    Client::connect(&urls(servers)).await.expect("connected")
}

/// One who has come to the line, and is not served yet.
async fn comes<R: Runtime>(client: &Client<R>) -> Waiting {
    let client = client.clone();
    let mut waiting: Waiting = Box::pin(async move { client.lock_with("key", LONG, NEVER).await });
    assert!(poll_once(&mut waiting).await.is_none(), "the lock is taken");
    waiting
}

/// From now on the servers know the script of a release, which is asked twice where they do not: then the
/// next in line comes in between.
async fn teach<R: Runtime>(client: &Client<R>) {
    assert!(client.lock("key", LONG).await.expect("free").release().await.expect("answered"));
}

/// Waits until somebody sleeps who was refused.
async fn refused(servers: &[ModelServer]) {
    for server in servers {
        eventually("somebody is refused", || count(server, "PTTL") > 0).await;
    }
}

fn free(servers: &[ModelServer]) {
    for server in servers {
        assert!(server.with(|server| server.remove(0, b"key")), "a stranger had it");
    }
}

/// When the lock was taken, in microseconds.
fn claims(server: &ModelServer) -> Vec<u64> {
    let is_claim = |effect: &&Effect| matches!(effect.change, Change::Set(_));
    server.with(|server| server.effects().iter().filter(is_claim).map(|claim| claim.at).collect())
}

/// Lets all have their turn, in tasks of their own. Gives the order in which they had it.
async fn serve<F: Face>(
    face: &F,
    waiting: Vec<(usize, Waiting)>,
) -> impl Future<Output = Vec<usize>> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = waiting
        .into_iter()
        .map(|(number, waiting)| {
            let order = Arc::clone(&order);
            face.spawn(async move {
                let guard = waiting.await.expect("its turn");
                order.lock().expect("no panic").push(number);
                assert!(guard.release().await.expect("answered"), "still ours");
            })
        })
        .collect();
    async move {
        for task in tasks {
            task.await;
        }
        order.lock().expect("no panic").clone()
    }
}

fn who_comes_first_is_served_first<F: Face>() {
    let (servers, face) = ([server()], F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        teach(&client).await;
        let holder = client.lock("key", LONG).await.expect("free");
        let mut waiting = Vec::new();
        for number in 0..40 {
            waiting.push((number, comes(&client).await));
        }
        // However the tasks are started.
        waiting.reverse();
        let served = serve(&face, waiting).await;
        assert!(holder.release().await.expect("answered"));
        assert_eq!(served.await, (0..40).collect::<Vec<_>>());
        assert!(!is_held(&servers[0], "key"));
        assert_eq!(count(&servers[0], "PTTL"), 1, "only who held back has looked");
        // The first was that of `teach`. After so many in a row others could have come in.
        let claims: Vec<_> = claims(&servers[0]).into_iter().skip(1).collect();
        let at = usize::from(Turns::FEWEST);
        let gap = claims[at + 1] - claims[at];
        assert!(gap + 10 >= Turns::HOLD_BACK, "only {gap} microseconds without a claim");
    });
}

/// A stranger has the key, or the client itself; each of five gives up at its place.
fn one_that_leaves_anywhere_disturbs_no_order<F: Face>() {
    let (servers, face) = ([server()], F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        for (ours, victim) in [true, false].iter().flat_map(|ours| (0..5).map(|at| (*ours, at))) {
            let holder = match ours {
                true => Some(client.lock("key", LONG).await.expect("free")),
                false => {
                    steal(&servers[0], "key", LONG);
                    None
                }
            };
            servers[0].with(|server| server.reset_history());
            let mut waiting = Vec::new();
            for number in 0..5 {
                waiting.push((number, comes(&client).await));
            }
            let (_, gone) = waiting.remove(victim);
            if !ours && victim % 2 == 0 {
                // It is polled for a while longer: it asks, or sleeps.
                let a_while = async {
                    sleep(Duration::from_millis(2)).await;
                    Err(Error::Closed)
                };
                gone.or(a_while).await.expect_err("a stranger has it");
            } else {
                drop(gone);
            }
            let expected: Vec<_> = (0..5).filter(|number| *number != victim).collect();
            let served = serve(&face, waiting).await;
            match holder {
                Some(holder) => assert!(holder.release().await.expect("answered")),
                None => {
                    refused(&servers).await;
                    free(&servers);
                }
            }
            assert_eq!(served.await, expected, "{victim} left, {ours}");
            eventually("the key is free", || !is_held(&servers[0], "key")).await;
        }
    });
}

/// `SET`, `GET` and the release, which is a script on these servers.
fn three_commands_pass_a_lock_on_at_each_of_three_servers<F: Face>() {
    let (servers, face) = ([server(), server(), server()], F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        // Two are enough to connect.
        eventually("all are connected", || client.servers().iter().all(|one| one.connected)).await;
        teach(&client).await;
        // Two are enough to confirm it, and whoever asks the third before it has the script is refused.
        eventually("all know the script", || {
            servers.iter().all(|one| count(one, "EVAL") > 0 && !is_held(one, "key"))
        })
        .await;
        let holder = client.lock("key", LONG).await.expect("free");
        let mut waiting = Vec::new();
        for number in 0..10 {
            waiting.push((number, comes(&client).await));
        }
        eventually("it is held everywhere", || servers.iter().all(|one| is_held(one, "key"))).await;
        let before = client.commands_sent();
        let served = serve(&face, waiting).await;
        assert!(holder.release().await.expect("answered"));
        assert_eq!(served.await, (0..10).collect::<Vec<_>>());
        eventually("all is given back", || servers.iter().all(|server| !is_held(server, "key")))
            .await;
        let sent = client.commands_sent() - before;
        assert!(sent <= 3 * (3 * 10 + 1), "{sent} commands for ten turns at three servers");
    });
}

/// Its owner forgets it, and the next in line does not wait for a release that never comes.
fn a_holder_whose_lease_is_over_is_not_waited_for<F: Face>() {
    let (servers, face) = ([server()], F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        let ttl = Duration::from_millis(150);
        let late = client.lock("key", ttl).await.expect("free");
        let (first, second) = (comes(&client).await, comes(&client).await);
        let begun = Instant::now();
        let guard = first.await.expect("its turn");
        assert!(begun.elapsed() < LONG / 4, "{:?}", begun.elapsed());
        assert!(!late.is_valid(), "two have it");
        assert!(matches!(late.release().await, Ok(false)), "not ours any more");
        assert!(guard.is_valid(), "a late release is nobody else's");
        assert!(guard.release().await.expect("answered"));
        assert!(second.await.expect("its turn").release().await.expect("answered"));
    });
}

fn a_holder_that_renews_is_waited_for_without_a_command<F: Face>() {
    let (servers, face) = ([server()], F::start());
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        let renewing = client.renewing(Renew::default());
        let holder = renewing.lock("key", Duration::from_millis(300)).await.expect("free");
        let waiting = comes(&client).await;
        let served = serve(&face, vec![(0, waiting)]).await;
        let renewed = || count(&servers[0], "EVALSHA");
        eventually("it is renewed past its first ttl", || renewed() >= 5).await;
        assert!(holder.is_valid(), "the lease is renewed");
        assert_eq!(count(&servers[0], "SET"), 1, "the one that waits asks nothing");
        assert!(holder.release().await.expect("answered"));
        assert_eq!(served.await, [0]);
    });
}

/// Tasks give up after a random time, wherever they stand then. One waits patiently, again and again.
fn whoever_gives_up_at_random_loses_nobody_a_turn<F: Face>() {
    let (servers, face) = ([server()], F::start());
    let seed = getrandom::u64().expect("randomness");
    println!("seed {seed}");
    face.block_on(async {
        let client = connect::<F::Runtime>(&servers).await;
        let holders = Arc::new(Mutex::new(()));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (client, holders) = (client.clone(), Arc::clone(&holders));
                let mut random = Random::new(seed.wrapping_add(task));
                face.spawn(async move {
                    for _ in 0..30 {
                        let micros = random.next_u64() % 3_000;
                        let patience = async {
                            match task {
                                0 => core::future::pending().await,
                                _ => sleep(Duration::from_micros(micros)).await,
                            }
                            None
                        };
                        let lock = async { Some(client.lock_with("key", LONG, NEVER).await) };
                        let Some(guard) = lock.or(patience).await else { continue };
                        let guard = guard.expect("its turn");
                        drop(holders.try_lock().expect("one at a time"));
                        match micros % 3 {
                            0 => drop(guard),
                            _ => assert!(guard.release().await.expect("answered")),
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        eventually("the key is given back", || !is_held(&servers[0], "key")).await;
        let guard = client.lock_with("key", LONG, NEVER).await.expect("nobody is in line");
        assert!(guard.release().await.expect("answered"));
        assert!(client.shutdown(LONG).await, "nobody is left in line");
    });
}

fn shutdown_ends_the_whole_line<F: Face>() {
    for ours in [true, false] {
        let (servers, face) = ([server()], F::start());
        face.block_on(async {
            let client = connect::<F::Runtime>(&servers).await;
            let holder = match ours {
                true => Some(client.lock("key", LONG).await.expect("free")),
                false => None,
            };
            if !ours {
                steal(&servers[0], "key", LONG);
            }
            let mut waiting = Vec::new();
            for _ in 0..5 {
                waiting.push(face.spawn(comes(&client).await));
            }
            let begun = Instant::now();
            let shutdown = face.spawn(client.shutdown(LONG));
            for waiting in waiting {
                assert!(matches!(waiting.await, Err(Error::Closed)), "{ours}");
            }
            assert!(shutdown.await, "{ours}: nothing is owed");
            assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
            drop(holder);
        });
    }
}

/// A runtime that ends takes the line with it: whoever is awaited elsewhere is told.
fn a_runtime_ends<F: Face>(end: impl FnOnce(F)) {
    let (servers, face) = ([server()], F::start());
    let client = face.block_on(connect::<F::Runtime>(&servers));
    let holder = face.block_on(client.lock("key", LONG)).expect("free");
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let waits = face.block_on(comes(&client));
        waiting.push(std::thread::spawn(move || smol::block_on(waits)));
    }
    let begun = Instant::now();
    end(face);
    for waiting in waiting {
        let ended = waiting.join().expect("no panic");
        assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");
    }
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    assert!(holder.is_valid(), "its ttl still stands");
}

#[test]
fn a_runtime_of_tokio_ends_with_a_line() {
    a_runtime_ends::<Tokio>(|face| drop(face.0));
}

#[test]
fn a_runtime_of_tokio_on_one_thread_ends_with_a_line() {
    a_runtime_ends::<TokioOnOneThread>(|face| drop(face.0));
}
