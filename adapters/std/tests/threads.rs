//! Many threads on one client.

mod common;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::thread;

use common::{LONG, client, eventually, is_held, server, urls};
use redlatch_std::{Client, Delay, Retry};

const THREADS: u64 = 32;
const CYCLES: u64 = 50;

/// A counter that is wrong when two threads are inside at once.
#[derive(Default)]
struct Fragile {
    inside: AtomicBool,
    value: AtomicU64,
}

impl Fragile {
    fn add_one(&self) {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "two are inside");
        let value = self.value.load(Ordering::SeqCst);
        thread::yield_now();
        self.value.store(value + 1, Ordering::SeqCst);
        self.inside.store(false, Ordering::SeqCst);
    }
}

fn eager() -> Retry {
    let delay =
        Delay::Exponential { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    Retry { delay, retries: None, deadline: Some(LONG) }
}

fn count_together(client: &Client) {
    let counter = Fragile::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let counter = &counter;
            scope.spawn(move || {
                for cycle in 0..CYCLES {
                    let guard = client.lock_with("key", LONG, eager()).expect("in turn");
                    counter.add_one();
                    // Half of the locks are released by the reaper.
                    if (thread + cycle) % 2 == 0 {
                        assert!(guard.release().expect("answered"));
                    }
                }
            });
        }
    });
    assert_eq!(counter.value.load(Ordering::SeqCst), THREADS * CYCLES);
}

/// Invariant I1: mutual exclusion, one connection shared by all.
#[test]
fn a_counter_under_the_lock_is_exact() {
    let server = server();
    count_together(&client(&server));
    eventually("the last one is released", || !is_held(&server, "key"));
}

#[test]
fn a_counter_under_a_quorum_lock_is_exact() {
    let servers = [server(), server(), server()];
    count_together(&Client::connect(&urls(&servers)).expect("connected"));
    for server in &servers {
        eventually("the last one is released", || !is_held(server, "key"));
    }
}

/// Independent keys: everybody gets through without waiting for the others.
#[test]
fn many_keys_share_one_connection() {
    let server = server();
    let client = client(&server);
    let sessions = server.with(|server| server.sessions().count());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let client = &client;
            scope.spawn(move || {
                for cycle in 0..CYCLES {
                    let key = format!("key:{thread}:{cycle}");
                    let guard = client.try_lock(key, LONG).expect("asked").expect("free");
                    assert!(guard.release().expect("answered"));
                }
            });
        }
    });
    assert_eq!(server.with(|server| server.keys(0).count()), 0);
    assert_eq!(server.with(|server| server.sessions().count()), sessions);
}

/// Guards dropped by threads that panic, while others go on.
#[test]
fn panics_disturb_nobody() {
    let server = server();
    let client = client(&server);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let client = client.clone();
            thread::spawn(move || {
                let guard = client.lock_with("key", LONG, eager()).expect("in turn");
                assert!(thread % 2 == 0, "on purpose");
                guard.release().expect("answered")
            })
        })
        .collect();
    let results: Vec<_> = threads.into_iter().map(thread::JoinHandle::join).collect();
    let panicked = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(panicked, 16);
    assert!(results.into_iter().flatten().all(|ours| ours));
    eventually("the last one is released", || !is_held(&server, "key"));
}
