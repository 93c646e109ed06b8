//! What the owner of a lock gets from the engine: places, errors, tokens and news.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;

use redlatch_bare::{
    Engine, Error, Fault, Instant, Login, Loss, Memory, Options, Parts, PartsRef, Refusal, Retry,
    Seat, Server, Slot,
};
use redlatch_testkit::model::{Fault as Trouble, Rule, Value};

use super::engine::{Bench, TTL, Usual, renewing};
use super::world::{BEGIN, MS, Worth};

const PATIENT: Retry = Retry::until(Duration::from_secs(5));

/// What an owner says of a lock that has left its place changes nothing for the next one.
#[test]
fn an_owner_who_has_gone_is_not_listened_to() {
    let mut bench = Bench::<1, 1, 256>::new(Options::DEFAULT);
    let old = bench.lock("key");
    bench.abandon(&old);
    bench.settle();
    let new = bench.lock("key");
    bench.abandon(&old);
    let now = bench.now();
    bench.engine.extend(&old, now);
    bench.engine.release(&old, now);
    bench.settle();
    assert_eq!(bench.engine.poll_acquired(&old), None);
    assert_eq!(bench.engine.poll_extended(&old), None);
    assert_eq!(bench.engine.poll_released(&old), None);
    assert_eq!(bench.engine.loss(&old), None);
    assert!(bench.engine.validity(&old, now).is_zero());
    assert!(!bench.engine.validity(&new, now).is_zero());
    assert_eq!(bench.release(&new), Ok(true));
}

/// Until the key is given back, or its time is over where nobody can be asked. That is seen when the
/// next release would be due, five seconds later at most.
#[test]
fn a_place_is_taken_until_its_lock_is_settled() {
    for (reachable, frees) in [(true, 0..1), (false, 10_000 * MS..16_000 * MS)] {
        let mut bench = Bench::<1, 1, 256>::new(Options::DEFAULT);
        let lock = bench.lock("key");
        bench.world.servers[0].conditions.silent = !reachable;
        if !reachable {
            bench.world.kill(0);
        }
        let now = bench.now();
        let again = bench.engine.acquire(b"other", TTL, Retry::NONE, now);
        assert_eq!(again, Err(Error::TooManyLocks), "it is held");
        assert!(bench.engine.is_settled(), "nothing is owed for it");
        bench.abandon(&lock);
        assert!(bench.engine.poll_timeout() <= bench.now(), "the release is due");
        assert!(!bench.engine.is_settled());
        let again = bench.engine.acquire(b"other", TTL, Retry::NONE, now);
        assert_eq!(again, Err(Error::TooManyLocks), "it is owed");
        let ((), took) = bench.until(|bench| {
            let now = bench.now();
            let other = bench.engine.acquire(b"other", TTL, Retry::NONE, now);
            other.ok().map(|other| bench.abandon(&other))
        });
        assert!(frees.contains(&took), "{reachable}: {took}");
        assert_eq!(bench.world.holders("key"), 0);
    }
}

/// What was given back, or never had, needs no further step: who has one place can take the next lock in the
/// same breath.
#[test]
fn a_place_is_free_as_soon_as_nothing_is_owed() {
    let mut bench = Bench::<1, 1, 256>::new(Options::DEFAULT);
    bench.world.servers[0].put(0, b"theirs", Value::Text(b"them".to_vec()), None);
    let lock = bench.lock("key");
    assert_eq!(bench.release(&lock), Ok(true));
    bench.denied("theirs");
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.abandon(&lock);
    let lock = bench.lock("other");
    bench.abandon(&lock);
    let now = bench.now();
    let again = bench.engine.acquire(b"key", TTL, Retry::NONE, now);
    assert_eq!(again, Err(Error::TooManyLocks), "this one is owed");
}

#[test]
fn a_ttl_that_cannot_work_is_refused_before_anything_is_sent() {
    let most = Duration::from_millis((1 << 53) - 1);
    let rows = [
        (Duration::ZERO, false),
        (Duration::from_micros(1), false),
        (Duration::from_micros(1_500), false),
        (Duration::from_micros(3_999), true),
        (Duration::from_millis(1), false),
        (Duration::from_millis(2), false),
        (Duration::from_millis(3), true),
        (most, true),
        (most + Duration::from_millis(1), false),
        (Duration::MAX, false),
    ];
    for (ttl, works) in rows {
        let mut bench = Usual::<1>::new(Options::DEFAULT);
        let now = bench.now();
        let begun = bench.engine.acquire(b"key", ttl, Retry::NONE, now);
        assert_eq!(begun.as_ref().err(), (!works).then_some(&Error::InvalidTtl), "{ttl:?}");
        bench.pass(10);
        assert_eq!(bench.world.count("SET"), u64::from(works), "{ttl:?}");
        if let Ok(lock) = begun {
            bench.abandon(&lock);
        }
    }
}

/// Every key either is refused at once or can be claimed, extended and given back, the scripts in full.
fn keys_fit<const BUFFER: usize>(longest: usize) {
    let ttl = Duration::from_millis((1 << 53) - 1);
    for len in 0..=40 {
        let key = "k".repeat(len);
        let mut bench = Bench::<1, 1, BUFFER>::new(Options::DEFAULT);
        bench.connect().expect("a server");
        let now = bench.now();
        match bench.engine.acquire(key.as_bytes(), ttl, Retry::NONE, now) {
            Ok(lock) => {
                assert!(len <= longest, "{BUFFER}, {len}");
                assert_eq!(bench.acquired(&lock), Ok(()));
                assert_eq!(bench.extend(&lock), Ok(()));
                assert_eq!(bench.release(&lock), Ok(true));
                let scripts = |name: &str| bench.world.count(name);
                assert_eq!((scripts("EVAL"), scripts("EVALSHA")), (2, 2), "{BUFFER}, {len}");
            }
            Err(error) => {
                assert_eq!(error, Error::KeyTooLong);
                assert!(len > longest, "{BUFFER}, {len}");
                bench.pass(10);
                assert_eq!(bench.world.count("SET"), 0);
                assert!(bench.engine.is_settled(), "no place is taken");
            }
        }
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused_before_anything_is_sent() {
    keys_fit::<241>(0);
    keys_fit::<251>(9);
    keys_fit::<252>(10);
    keys_fit::<273>(31);
    keys_fit::<274>(32);
    keys_fit::<512>(32);
}

/// Two servers with buffers of different sizes.
struct Uneven([Server<'static, Vec<u8>>; 2], [Slot<Vec<u8>, [Seat; 2]>; 1]);

impl Memory<'static> for Uneven {
    type Buffer = Vec<u8>;
    type Key = Vec<u8>;
    type Seats = [Seat; 2];

    fn parts(&mut self) -> Parts<'_, 'static, Self> {
        (&mut self.0, &mut self.1)
    }

    fn parts_ref(&self) -> PartsRef<'_, 'static, Self> {
        (&self.0, &self.1)
    }
}

#[test]
fn a_key_must_fit_the_buffer_of_every_server() {
    let room = |bytes: usize| vec![0; bytes];
    for sizes in [[512, 250], [250, 512]] {
        let servers = sizes.map(|size| Server::new(&Login::NONE, room(size), room(size)));
        let slots = [Slot::new(room(64), [Seat::default(); 2])];
        let mut engine = Engine::new(Uneven(servers, slots), &Options::DEFAULT, 7);
        let now = Instant::from_micros(BEGIN);
        let long = engine.acquire(&[b'k'; 32], TTL, Retry::NONE, now);
        assert_eq!(long, Err(Error::KeyTooLong), "{sizes:?}");
        let short = engine.acquire(b"k", TTL, Retry::NONE, now).expect("it fits");
        engine.abandon(&short, now);
    }
}

/// A refused key leaves the place free and what was there before forgotten.
#[test]
fn a_shorter_key_in_the_same_place_is_not_mixed_with_the_longer_one() {
    let mut bench = Bench::<1, 1, 256>::new(Options::DEFAULT);
    for key in ["a long key, all of it", "short", ""] {
        let lock = bench.lock(key);
        let keys: Vec<_> = bench.world.servers[0].keys(0).map(<[u8]>::to_vec).collect();
        assert_eq!(keys, [key.as_bytes()]);
        assert_eq!(bench.release(&lock), Ok(true));
    }
}

#[test]
fn a_weak_generator_is_told_and_nothing_is_sent() {
    for worth in [Worth::Fails, Worth::Stuck] {
        let mut bench = Bench::<1, 1, 256>::new(Options::DEFAULT);
        bench.connect().expect("a server");
        bench.tokens.worth.set(worth);
        let lock = bench.begin("key", TTL, PATIENT);
        assert_eq!(bench.acquired(&lock), Err(Error::Random), "{worth:?}");
        assert_eq!(bench.engine.poll_acquired(&lock), Some(Err(Error::Random)), "it stays so");
        let now = bench.now();
        assert!(bench.engine.validity(&lock, now).is_zero());
        bench.pass(10_000);
        assert_eq!((bench.world.count("SET"), bench.tokens.drawn.get()), (0, 1), "{worth:?}");
        bench.abandon(&lock);
        bench.tokens.worth.set(Worth::Sound);
        bench.settle();
        let lock = bench.lock("key");
        assert_eq!(bench.release(&lock), Ok(true), "its place is free, and nothing is remembered");
    }
}

/// Somebody else holds the key, so a second attempt is made, with the same token.
#[test]
fn a_token_is_not_used_twice() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.world.servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None);
    bench.tokens.worth.set(Worth::Repeats);
    let lock = bench.begin("key", TTL, PATIENT);
    assert_eq!(bench.acquired(&lock), Err(Error::Random));
    assert_eq!((bench.world.count("SET"), bench.tokens.drawn.get()), (1, 2));
    bench.abandon(&lock);
    bench.settle();
    assert!(bench.engine.is_settled());
}

/// Each lock of its own accord, though all of them share one generator and one connection.
#[test]
fn every_attempt_has_a_token_of_its_own() {
    let mut bench = Bench::<1, 3, 256>::new(Options::DEFAULT);
    let locks = ["a", "b", "c"].map(|key| bench.lock(key));
    let value = |key: &str| bench.world.servers[0].get(0, key.as_bytes()).cloned();
    let (a, b, c) = (value("a"), value("b"), value("c"));
    assert!(a.is_some() && a != b && b != c && a != c);
    for lock in locks {
        assert_eq!(bench.release(&lock), Ok(true));
    }
}

#[test]
fn a_denial_tells_who_is_to_blame() {
    let held: fn(&mut Usual<1>) = |bench| {
        bench.world.servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None);
    };
    type Row = (fn(&mut Usual<1>), fn(Error) -> bool);
    let rows: [Row; 5] = [
        (held, |error| matches!(error, Error::TimedOut(tally) if tally.held == 1)),
        (
            |bench| bench.world.servers[0].conditions.out_of_memory = true,
            |error| error == Error::Refused(Refusal::OutOfMemory),
        ),
        (
            |bench| bench.world.servers[0].fail(Rule::on("SET", Trouble::Error("NOPERM".into()))),
            |error| error == Error::Refused(Refusal::NoPermission),
        ),
        (
            |bench| bench.world.servers[0].fail(Rule::on("SET", Trouble::HangBefore)),
            |error| matches!(error, Error::Unavailable { tally, .. } if tally.unreachable == 1),
        ),
        (
            |bench| {
                bench.world.servers[0].conditions.silent = true;
                bench.world.kill(0);
            },
            |error| matches!(error, Error::Unavailable { fault: Some((0, Fault::Closed)), .. }),
        ),
    ];
    for (row, (make, expected)) in rows.into_iter().enumerate() {
        let mut bench = Usual::<1>::new(Options::DEFAULT);
        bench.connect().expect("a server");
        make(&mut bench);
        let begun = bench.world.now;
        let error = bench.denied("key");
        assert!(expected(error), "{row}: {error:?}");
        assert!(bench.world.now - begun <= 500 * MS, "{row}: within one reply timeout");
    }
}

/// The answer comes when nothing is left of the ttl.
#[test]
fn a_grant_that_comes_too_late_is_none() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.connect().expect("a server");
    bench.world.servers[0].fail(Rule::on("SET", Trouble::Delay { hold: 60 * MS }));
    let lock = bench.begin("key", Duration::from_millis(50), Retry::NONE);
    let error = bench.acquired(&lock).expect_err("too late");
    assert!(matches!(error, Error::TimedOut(tally) if tally.granted == 1), "{error:?}");
    assert!(error.to_string().contains("longer"), "{error}");
}

#[test]
fn what_is_not_held_is_neither_extended_nor_ours_when_it_is_given_back() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.begin("key", TTL, Retry::NONE);
    assert!(matches!(bench.extend(&lock), Ok(()) | Err(Error::NotExtended(_))));
    bench.abandon(&lock);

    let lock = bench.lock("other");
    assert!(bench.world.servers[0].remove(0, b"other"));
    assert_eq!(bench.extend(&lock), Err(Error::Lost(Loss::Deleted)));
    assert_eq!(bench.engine.loss(&lock), Some(Loss::Deleted));
    assert_eq!(bench.release(&lock), Ok(false));
}

#[test]
fn an_extension_in_vain_leaves_the_lease() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.lock("key");
    bench.pass(1_000);
    bench.world.servers[0].conditions.loading = true;
    let extended = bench.extend(&lock);
    assert!(matches!(extended, Err(Error::NotExtended(tally)) if tally.refused == 1));
    let left = bench.engine.validity(&lock, bench.now());
    assert!(left > Duration::from_secs(8) && left < Duration::from_secs(9), "{left:?}");
    assert_eq!(bench.engine.loss(&lock), None);
    bench.world.servers[0].conditions.loading = false;
    assert_eq!(bench.extend(&lock), Ok(()));
    assert!(bench.engine.validity(&lock, bench.now()) > Duration::from_secs(9));
}

/// A renewal that came before is not the answer to what is asked now.
#[test]
fn an_extension_is_not_answered_by_an_earlier_renewal() {
    let mut bench = Usual::<1>::new(renewing());
    let lock = bench.lock("key");
    bench.pass(5_000);
    assert!(bench.world.count("EVALSHA") > 0, "it was renewed");
    bench.world.servers[0].conditions.loading = true;
    let now = bench.now();
    bench.engine.extend(&lock, now);
    assert_eq!(bench.engine.poll_extended(&lock), None);
    assert!(bench.engine.poll_timeout() <= now, "what was begun is due");
    let (extended, _) = bench.until(|bench| bench.engine.poll_extended(&lock));
    assert!(matches!(extended, Err(Error::NotExtended(_))), "{extended:?}");

    bench.world.servers[0].conditions.loading = false;
    bench.pass(5_000);
    let now = bench.now();
    bench.engine.release(&lock, now);
    assert_eq!(bench.engine.poll_released(&lock), None);
    assert!(bench.engine.poll_timeout() <= now);
    assert_eq!(bench.until(|bench| bench.engine.poll_released(&lock)).0, Ok(true));
}

/// Its owner may hear of it late: an answer is kept, and given to the question it belongs to only.
#[test]
fn an_answer_waits_for_its_owner() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.pass(100);
    assert_eq!(bench.engine.poll_acquired(&lock), Some(Ok(())));
    assert_eq!(bench.engine.poll_acquired(&lock), None, "told once");
    let now = bench.now();
    bench.engine.release(&lock, now);
    bench.pass(100);
    assert_eq!(bench.engine.poll_released(&lock), Some(Ok(true)));
    bench.abandon(&lock);
}

#[test]
fn a_release_that_nobody_answers_is_unconfirmed_and_repeated() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.lock("key");
    bench.world.servers[0].fail(Rule::on("EVALSHA", Trouble::HangBefore));
    let begun = bench.world.now;
    assert_eq!(bench.release(&lock), Err(Error::Unconfirmed));
    assert_eq!(bench.world.now - begun, 500 * MS, "after one reply timeout");
    let ((), took) = bench.until(|bench| bench.engine.is_settled().then_some(()));
    assert!(took < 2_000 * MS && bench.world.holders("key") == 0, "{took}");
}

#[test]
fn a_lease_that_ends_is_a_loss_at_that_moment() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.lock("key");
    let left = bench.engine.validity(&lock, bench.now());
    let (loss, took) = bench.until(|bench| bench.engine.loss(&lock));
    assert_eq!((loss, Duration::from_micros(took)), (Loss::Expired, left));
    assert_eq!(bench.engine.poll_acquired(&lock), None);
    assert!(bench.engine.validity(&lock, bench.now()).is_zero());
}

/// Counts.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn woken() -> (Arc<Woken>, Waker) {
    let woken = Arc::new(Woken::default());
    (Arc::clone(&woken), Waker::from(woken))
}

#[test]
fn who_waits_is_woken_once_by_news_and_at_once_when_replaced() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let ((first, one), (second, two)) = (woken(), woken());
    let counts = || (first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed));
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.engine.register(&lock, &one);
    bench.engine.register(&lock, &one);
    assert_eq!(counts(), (0, 0), "the same task again");
    bench.engine.register(&lock, &two);
    assert_eq!(counts(), (1, 0), "whoever is replaced looks again");
    bench.acquired(&lock).expect("free");
    assert_eq!(counts(), (1, 1));
    bench.pass(100);
    bench.extend(&lock).expect("ours");
    assert_eq!(counts(), (1, 1), "it did not ask again");
    bench.engine.register(&lock, &one);
    bench.until(|bench| bench.engine.loss(&lock));
    assert_eq!(counts(), (2, 1), "a loss is news");
}

#[test]
fn a_generator_that_fails_wakes_who_waits() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let (first, waker) = woken();
    bench.tokens.worth.set(Worth::Stuck);
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.engine.register(&lock, &waker);
    bench.settle();
    assert_eq!(first.0.load(Ordering::Relaxed), 1);
    assert_eq!(bench.engine.poll_acquired(&lock), Some(Err(Error::Random)));
}

/// A lock that waits between two attempts tries at once when its server is back.
#[test]
fn who_waits_tries_as_soon_as_a_connection_is_back() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.connect().expect("a server");
    bench.world.servers[0].conditions.silent = true;
    bench.world.kill(0);
    let hour = redlatch_bare::Delay::Fixed(Duration::from_secs(3_600));
    let lock = bench.begin("key", TTL, Retry { delay: hour, retries: None, deadline: None });
    bench.pass(1_000);
    assert_eq!(bench.engine.poll_acquired(&lock), None);
    bench.world.servers[0].conditions.silent = false;
    assert_eq!(bench.acquired(&lock), Ok(()));
    assert_eq!(bench.release(&lock), Ok(true));
}
