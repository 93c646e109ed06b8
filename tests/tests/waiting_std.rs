//! Those who wait for one lock with threads, and how soon a stranger's lock is had when it has expired.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Instant;

use redlatch_core::Random;
use redlatch_std::{Client, Delay, Error, Retry};
use redlatch_testkit::model::{Fault, ModelServer, Rule, Value};
use redlatch_testkit::server::{Kind, Server};

const LONG: Duration = Duration::from_secs(60);

/// Longer than any test: whoever is not woken fails it.
const NEVER: Retry =
    Retry { delay: Delay::Fixed(LONG), retries: None, deadline: Some(Duration::from_secs(50)) };

/// Threads give up at deadlines of up to three milliseconds, wherever they stand then; one of them is patient.
#[test]
fn deadlines_anywhere_in_the_line_lose_nobody_a_turn() {
    let server = ModelServer::start().expect("a free port");
    let client = Client::connect(&server.url()).expect("connected");
    let seed = getrandom::u64().expect("randomness");
    println!("seed {seed}");
    let (holders, late) = (Mutex::new(()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..8 {
            let (client, holders, late) = (&client, &holders, &late);
            scope.spawn(move || {
                let mut random = Random::new(seed.wrapping_add(number));
                for _ in 0..40 {
                    let deadline = Duration::from_micros(random.next_u64() % 3_000);
                    let retry = if number == 0 {
                        NEVER
                    } else {
                        Retry { deadline: Some(deadline), ..NEVER }
                    };
                    match client.lock_with("key", LONG, retry) {
                        Ok(guard) => {
                            drop(holders.try_lock().expect("one at a time"));
                            assert!(guard.release().expect("answered"));
                        }
                        Err(Error::TimedOut { waited, .. }) => {
                            assert!(number != 0 && waited >= deadline, "{waited:?}");
                            late.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    println!("{} were late", late.load(Ordering::Relaxed));
    assert!(server.with(|server| server.get(0, b"key").is_none()));
    assert!(client.shutdown(LONG), "nobody is left in line");
}

/// However long a round trip is against the pauses of the policy: 100 ms at most by default.
#[test]
fn one_that_waits_sleeps_although_a_round_trip_takes_longer_than_the_pauses() {
    const NIGHT: Duration = Duration::from_millis(600);
    let server = ModelServer::start().expect("a free port");
    let client = Client::connect(&server.url()).expect("connected");
    server.with(|server| {
        server.put(0, b"key", Value::Text(b"foreign".to_vec()), Some(LONG));
        server.fail(Rule::next(Fault::Delay { hold: 150_000 }).forever());
    });
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.lock_with("key", LONG, Retry::until(LONG)));
        let begun = Instant::now();
        loop {
            let before = client.commands_sent();
            thread::sleep(NIGHT);
            if before > 0 && client.commands_sent() == before {
                break;
            }
            if begun.elapsed() > Duration::from_secs(10) {
                let _ = client.clone().shutdown(Duration::ZERO);
                panic!("it never falls asleep");
            }
        }
        assert!(client.commands_sent() <= 9, "{} commands", client.commands_sent());
        assert!(server.with(|server| server.remove(0, b"key")));
        let guard = waiting.join().expect("no panic").expect("its turn");
        assert!(guard.release().expect("answered"));
    });
}

#[test]
fn shutdown_ends_the_whole_line() {
    let server = ModelServer::start().expect("a free port");
    let client = Client::connect(&server.url()).expect("connected");
    let holder = client.lock("key", LONG).expect("free");
    let come = Arc::new(Barrier::new(6));
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let (client, come) = (client.clone(), Arc::clone(&come));
            thread::spawn(move || {
                come.wait();
                client.lock_with("key", LONG, NEVER).map(drop)
            })
        })
        .collect();
    come.wait();
    let begun = Instant::now();
    assert!(client.shutdown(LONG), "nothing is owed");
    for waiting in waiting {
        let ended = waiting.join().expect("no panic");
        assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");
    }
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    drop(holder);
}

/// Servers look for keys that have expired ten times a second, and at a part of them only. Whoever waits does not
/// depend on that: it comes when the time is over.
#[test]
fn a_foreign_lock_is_had_as_soon_as_it_has_expired_among_thousands() {
    const TTL: Duration = Duration::from_millis(120);
    const SOON: Duration = Duration::from_millis(5);
    /// So many of so many tries are in time: the machine may be busy. A server that comes by every 100 ms
    /// is in time once in twenty.
    const IN_TIME: usize = 5;
    const TRIES: usize = 40;
    for kind in Kind::ALL {
        let server = Server::builder(kind).arguments(["--hz", "10"]).start().expect("a server");
        let client = Client::connect(&server.url()).expect("connected");
        let crowd =
            "for i = 1, 20000 do redis.call('SET', 'other' .. i, 'x', 'PX', 100 + i % 5000) end";
        let filled = server.command(&["EVAL", crowd, "0"]).expect("answered");
        assert_eq!(filled.text(), "", "{kind}");
        let mut stranger = server.inspect().expect("a connection");
        let mut late = Vec::new();
        while late.len() < TRIES && late.iter().filter(|late| **late < SOON).count() < IN_TIME {
            let begun = Instant::now();
            let millis = TTL.as_millis().to_string();
            let taken = stranger.command(&["SET", "key", "foreign", "PX", &millis]);
            assert_eq!(taken.expect("answered").text(), "OK", "{kind}");
            let before = client.commands_sent();
            let guard = client.lock_with("key", LONG, NEVER).expect("its turn");
            let waited = begun.elapsed();
            // In vain, with a question, and when the time is over; once more where that was early.
            let sent = client.commands_sent() - before;
            assert!(sent <= 9, "{kind}: {sent} commands");
            assert!(guard.release().expect("answered"));
            assert!(waited + Duration::from_millis(1) >= TTL, "{kind}: {waited:?}");
            late.push(waited.saturating_sub(TTL));
        }
        late.sort();
        println!("{kind}: after the expiry {late:?}");
        let in_time = late.get(IN_TIME - 1).is_some_and(|late| *late < SOON);
        assert!(in_time, "{kind}: after the expiry {late:?}");
    }
}
