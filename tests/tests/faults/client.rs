//! Faults of the client's own process: calls that are cancelled, guards that are dropped or forgotten.

use core::mem;
use core::time::Duration;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use redlatch_std::{Loss, Renew};
use redlatch_testkit::proxy::{Behaviour, Proxy};
use redlatch_tokio::{Error, Guard};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::holder::{self, Holder};
use super::preload::NoRandom;
use super::stand::{LONG, Stand, eventually, everywhere, held, on_every_server, plain};

/// How late replies are, so that there is time to cancel.
const LATE: Duration = Duration::from_millis(30);

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("threads")
}

async fn connect(stand: &Stand, url: &str) -> redlatch_tokio::Client {
    let builder = redlatch_tokio::Client::builder().server(url).protocol(stand.protocol);
    builder.connect().await.expect("connected")
}

/// Cancels an act after ever longer times, each time on something new, up to when it is not cancelled any
/// more. How often it was cancelled.
async fn cancel<S, T>(prepare: impl AsyncFn() -> S, act: impl AsyncFn(S) -> T) -> usize {
    let mut cancelled = 0;
    for millis in (0..).step_by(3) {
        let subject = prepare().await;
        if timeout(Duration::from_millis(millis), act(subject)).await.is_ok() {
            break;
        }
        cancelled += 1;
    }
    cancelled
}

/// Whenever the caller goes away: what was asked for is given back, over the same connection.
#[test]
fn f32_cancelled_while_acquiring() {
    everywhere(|stand| {
        let proxy = Proxy::start(stand.address()).expect("a port");
        runtime().block_on(async {
            let client = connect(stand, &proxy.url()).await;
            proxy.set(Behaviour::late(Duration::ZERO, LATE)).expect("carried out");
            let lock = async |()| client.lock("key", LONG).await.map(drop);
            assert!(cancel(async || (), lock).await > 0);
            assert!(client.shutdown(LONG).await, "everything is given back");
        });
        assert!(stand.is_free("key"));
        assert_eq!(proxy.counters().accepted, 1, "it stayed in step");
    });
}

/// A release goes on without its caller. An extension that nobody waits for changes nothing that
/// was known.
#[test]
fn f33_cancelled_while_extending_or_releasing() {
    everywhere(|stand| {
        let proxy = Proxy::start(stand.address()).expect("a port");
        runtime().block_on(async {
            let client = connect(stand, &proxy.url()).await;
            let mut guard = client.lock("extended", LONG).await.expect("free");
            proxy.set(Behaviour::late(Duration::ZERO, LATE)).expect("carried out");
            for millis in (0..70).step_by(5) {
                let extending = timeout(Duration::from_millis(millis), guard.extend());
                assert!(matches!(extending.await, Err(_) | Ok(Ok(_))));
                assert!(guard.is_valid());
            }
            assert!(guard.release().await.expect("answered"), "still ours");
            let lock = async || client.lock("released", LONG).await.expect("it was given back");
            assert!(cancel(lock, async |guard: Guard| guard.release().await).await > 0);
            assert!(client.shutdown(LONG).await, "everything is given back");
        });
        assert!(stand.is_free("extended") && stand.is_free("released"));
        assert_eq!(proxy.counters().accepted, 1, "it stayed in step");
    });
}

/// Inside and outside of the runtime, and by a panic: given back, without blocking.
#[test]
fn f44_a_guard_is_dropped() {
    everywhere(|stand| {
        let runtime = runtime();
        let client = runtime.block_on(connect(stand, &stand.url()));
        let lock = || runtime.block_on(client.lock("key", LONG)).expect("free");
        let free = || eventually("it is given back", || stand.is_free("key"));
        let guard = lock();
        runtime.block_on(async { drop(guard) });
        free();
        drop(lock());
        free();
        let guard = lock();
        let panicked = thread::spawn(move || {
            let _guard = guard;
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        free();
        let guard = lock();
        stand.pause().expect("it runs");
        let begun = Instant::now();
        drop(guard);
        assert!(begun.elapsed() < LONG / 60, "a silent server is not waited for");
        stand.resume().expect("it is there");
        free();
    });
}

/// The runtime ends while locks are held: they are left to their ttl, and nobody hangs.
#[test]
fn f45_the_runtime_ends_while_locks_are_held() {
    const TTL: Duration = Duration::from_millis(800);
    everywhere(|stand| {
        let runtime = runtime();
        let client = runtime.block_on(connect(stand, &stand.url()));
        let guard = runtime.block_on(client.lock("key", TTL)).expect("free");
        let begun = Instant::now();
        drop(runtime);
        let outcome = smol::block_on(client.try_lock("other", LONG));
        assert!(matches!(outcome, Err(Error::Closed)), "{outcome:?}");
        drop(guard);
        assert!(begun.elapsed() < LONG / 2, "nobody hangs");
        eventually("its ttl is over", || stand.is_free("key"));
    });
}

/// A process that is started gets none of our sockets, so it cannot keep our connections open, read
/// our replies or write into them. A `fork` alone cannot be tried here: it is unsafe code, and what
/// the child may not do is said in the documentation of the client.
#[test]
fn f46_a_child_inherits_no_connection() {
    everywhere(|stand| {
        let client = stand.client();
        let guard = held(&client, "key");
        let list = |folder: &str| {
            let list = Command::new("ls").args(["-l", folder]).stdin(Stdio::null()).output();
            String::from_utf8(list.expect("it runs").stdout).expect("text")
        };
        let ours = list(&format!("/proc/{}/fd", std::process::id()));
        assert!(ours.contains("socket:"), "we have some: {ours}");
        let theirs = list("/proc/self/fd");
        assert!(theirs.contains("pipe:") && !theirs.contains("socket:"), "{theirs}");
        assert!(guard.release().expect("answered"));
    });
}

/// A guard that nobody will ever drop is renewed for as long as was allowed, and no longer.
#[test]
fn f47_a_guard_is_forgotten() {
    const TTL: Duration = Duration::from_millis(400);
    const MOST: Duration = Duration::from_millis(600);
    everywhere(|stand| {
        let client = stand.client().renewing(Renew { divisor: 4, most: Some(MOST) });
        let begun = Instant::now();
        mem::forget(client.lock("forgotten", TTL).expect("free"));
        let leaked = Box::leak(Box::new(client.lock("leaked", TTL).expect("free")));
        assert_eq!(leaked.wait_lost(LONG), Some(Loss::Capped));
        assert!(begun.elapsed() > TTL, "it was renewed: {:?}", begun.elapsed());
        eventually("both are free", || stand.is_free("forgotten") && stand.is_free("leaked"));
    });
}

/// Renewals as often as can be, and a release at any moment: no renewal comes behind the release.
#[test]
fn f48_a_renewal_races_the_release() {
    const TTL: Duration = Duration::from_secs(2);
    everywhere(|stand| {
        let client = stand.client().renewing(Renew { divisor: 2000, most: None });
        for round in 0..60_u64 {
            let guard = client.lock("key", TTL).expect("free");
            thread::sleep(Duration::from_micros(round * 53 % 3000));
            assert!(guard.release().expect("answered"));
            assert!(stand.is_free("key"), "round {round}");
        }
        let renewed = stand.calls("pexpire");
        assert!(renewed > 10, "{renewed} renewals");
        assert!(client.shutdown(LONG));
        assert_eq!((stand.calls("pexpire"), stand.deletions()), (renewed, 60));
    });
}

/// The operating system has no random numbers to give: an error, and nothing that can be guessed.
#[test]
fn f51_randomness_fails() {
    let (hold, no_random) = (holder::build("std"), NoRandom::build());
    on_every_server(plain, |stand| {
        let (program, url) = (hold.to_str().expect("text"), stand.url());
        let arguments = [program, &url, "key", "1000", "100"];
        let (lines, status, said) = Holder::start(&no_random.program(), &arguments).end();
        let told = lines.iter().any(|line| line.event.contains("randomness"));
        assert!(told && status == 3, "{lines:?} {status} {said}");
        assert!(stand.is_free("key") && stand.calls("set") == 0);
        let (lines, status, said) = Holder::start(&hold, &arguments[1..]).end();
        assert_eq!(status, 0, "it works without: {lines:?} {said}");
    });
}
