//! A thousand tasks over one connection, on every asynchronous adapter.

mod async_faces;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_faces::{Face, LONG, count, eventually, on_every_face, server, sleep};
use redlatch_futures::{Client, Delay, Limits, Retry, Runtime};
use redlatch_testkit::model::{Fault, Rule};
use redlatch_testkit::server::{Kind, Server};

const TASKS: usize = 1_000;
const LOCKS: usize = 100;
/// Two tasks want each key.
const KEYS: usize = TASKS / 2;

on_every_face! {
    a_thousand_tasks_are_exclusive_and_their_memory_is_flat;
    a_full_connection_holds_back_a_thousand_tasks;
}

/// A counter that is wrong when two tasks are inside at once.
#[derive(Default)]
struct Fragile {
    inside: AtomicBool,
    value: AtomicU64,
}

impl Fragile {
    async fn add_one(&self) {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "two are inside");
        let value = self.value.load(Ordering::SeqCst);
        smol::future::yield_now().await;
        self.value.store(value + 1, Ordering::SeqCst);
        self.inside.store(false, Ordering::SeqCst);
    }
}

fn eager() -> Retry {
    let delay =
        Delay::Exponential { base: Duration::from_millis(2), cap: Duration::from_millis(50) };
    Retry { delay, retries: None, deadline: Some(LONG) }
}

/// Requirement 1, on a real server. Every second lock is given back by dropping its guard.
fn a_thousand_tasks_are_exclusive_and_their_memory_is_flat<F: Face>() {
    let _alone = alone();
    let server = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
    let face = F::start();
    face.block_on(async {
        let client = Client::<F::Runtime>::builder()
            .server(&server.url())
            .reply_timeout(Duration::from_secs(10))
            .connect()
            .await
            .expect("connected");
        let counters: Arc<[Fragile]> = (0..KEYS).map(|_| Fragile::default()).collect();
        // The first round warms up: buffers, stacks and the allocator have their size afterwards.
        round(&face, &client, &counters, 2).await;
        let before = resident();
        let begun = Instant::now();
        round(&face, &client, &counters, LOCKS - 2).await;
        let (grown, took) = (resident().saturating_sub(before), begun.elapsed());
        println!("{} locks in {took:?}, {grown} KiB more", TASKS * (LOCKS - 2));
        let counted: u64 = counters.iter().map(|one| one.value.load(Ordering::SeqCst)).sum();
        assert_eq!(counted, (TASKS * LOCKS) as u64);
        assert!(grown < 4 * 1024, "{grown} KiB more after {took:?}");
        assert!(client.shutdown(LONG).await, "everything is given back");
    });
    let keys = server.command(&["DBSIZE"]).expect("an answer");
    assert_eq!(keys.integer(), Some(0));
    let stats = server.command(&["INFO", "commandstats"]).expect("an answer").text();
    assert!(stats.contains("cmdstat_hello:calls=1,"), "one connection: {stats}");
}

async fn round<F: Face>(
    face: &F,
    client: &Client<F::Runtime>,
    counters: &Arc<[Fragile]>,
    locks: usize,
) {
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| face.spawn(cycles(client.clone(), Arc::clone(counters), task % KEYS, locks)))
        .collect();
    for task in tasks {
        task.await;
    }
}

async fn cycles<R: Runtime>(client: Client<R>, counters: Arc<[Fragile]>, key: usize, locks: usize) {
    for lock in 0..locks {
        let guard = client.lock_with(format!("key:{key}"), LONG, eager()).await;
        let guard = guard.expect("in turn");
        counters[key].add_one().await;
        if lock % 2 == 0 {
            assert!(guard.release().await.expect("answered"));
        }
    }
}

/// What this process has in memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().and_then(|size| size.parse().ok()).expect("a number")
}

/// While the server is silent, no more than `in_flight` requests are under way; when it answers,
/// everybody gets through.
fn a_full_connection_holds_back_a_thousand_tasks<F: Face>() {
    const IN_FLIGHT: u32 = 64;
    let _alone = alone();
    let server = server();
    let face = F::start();
    face.block_on(async {
        let client = Client::<F::Runtime>::builder()
            .server(&server.url())
            .reply_timeout(Duration::from_secs(30))
            .limits(Limits { in_flight: IN_FLIGHT, ..Limits::HOSTED })
            .connect()
            .await
            .expect("connected");
        let asked = || count(&server, "SET") + count(&server, "GET") + count(&server, "EVALSHA");
        let silence = Duration::from_millis(300);
        let hold = silence.as_micros().try_into().expect("short");
        server.with(|server| server.fail(Rule::next(Fault::Delay { hold })));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let client = client.clone();
                face.spawn(async move {
                    let guard = client.lock_with(format!("key:{task}"), LONG, eager()).await;
                    guard.expect("free").release().await.expect("answered")
                })
            })
            .collect();
        eventually("the connection is full", || asked() >= u64::from(IN_FLIGHT)).await;
        sleep(silence / 3).await;
        assert_eq!(asked(), u64::from(IN_FLIGHT), "requests while the server is silent");
        for task in tasks {
            assert!(task.await);
        }
        assert_eq!(count(&server, "HELLO"), 1);
        assert!(client.shutdown(LONG).await);
    });
    assert_eq!(server.with(|server| server.keys(0).count()), 0);
}

/// The tests of this file share the machine badly: one at a time. Between processes the test runner
/// sees to it.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
