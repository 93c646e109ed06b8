//! The client that blocks: how long it waits, when it works, what it does with its streams.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::{Rc, Weak};

use redlatch_embedded::{
    Client, Clock, Error, ErrorKind, Fault, Fixed, Instant, Login, Loss, Options, Renew, Retry,
};
use redlatch_testkit::model::{Fault as Trouble, Rule, Value};

use super::desk::{Desk, Ticker, Writes};
use super::world::{BEGIN, MS, Opening, Shared, Tokens, World, Worth};

const TTL: Duration = Duration::from_secs(10);

fn renewing() -> Options {
    Options { renew: Some(Renew::default()), ..Options::default() }
}

fn fault(desk: &Desk<1>) -> Option<Fault> {
    desk.client.fault().map(|(server, fault)| {
        assert_eq!(server, 0);
        fault
    })
}

/// What failed before is no answer: a loop that connects until it can is no busy one.
#[test]
fn connecting_again_waits_for_another_attempt() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    desk.world.borrow_mut().lines[0].opening = Opening::Fails(ErrorKind::ConnectionRefused);
    for attempt in 1..=4 {
        let before = desk.now();
        assert!(desk.client.connect().is_err());
        assert_eq!(desk.told[0].opens.get(), attempt);
        assert_eq!(desk.now() > before, attempt > 1, "{attempt}: it paused");
    }
    desk.world.borrow_mut().lines[0].opening = Opening::AtOnce;
    assert_eq!(desk.client.connect(), Ok(()));
    assert_eq!(desk.client.connect(), Ok(()), "at once");
}

#[test]
fn connect_tells_how_the_stream_opened() {
    let never = Fault::NotOpen;
    let refused = ErrorKind::ConnectionRefused;
    let rows = [
        (Opening::AtOnce, Ok(()), 0, 1),
        (Opening::Late(700), Ok(()), 700, 2),
        (Opening::Late(1_999), Ok(()), 1_999, 2),
        (Opening::Late(2_001), Err(never), 2_000, 2),
        (Opening::Never, Err(never), 2_000, 2),
        (Opening::Fails(refused), Err(Fault::Stream(refused)), 0, 1),
    ];
    for (opening, expected, took, opens) in rows {
        let desk = Desk::<1>::new(Options::DEFAULT);
        desk.world.borrow_mut().lines[0].opening = opening;
        let outcome = desk.client.connect();
        assert_eq!(desk.now() - BEGIN, took * MS, "{opening:?}");
        assert_eq!(desk.told[0].opens.get(), opens, "{opening:?}: asked when it may be open");
        assert_eq!(desk.client.is_connected(), expected.is_ok());
        match (outcome, expected) {
            (Ok(()), Ok(())) => assert_eq!(fault(&desk), None),
            (Err(Error::Unavailable { fault: Some((0, told)), tally }), Err(expected)) => {
                assert_eq!((told, tally.granted, tally.configured), (expected, 0, 1));
                // It is closed before it is opened again.
                desk.world.borrow_mut().lines[0].opening = Opening::AtOnce;
                desk.client.wait(Duration::from_millis(50)).expect("nobody else is in here");
                assert!(desk.client.is_connected());
                assert_eq!(desk.world.borrow().lines[0].closed, 1, "{opening:?}");
            }
            (outcome, expected) => panic!("{opening:?}: {outcome:?} instead of {expected:?}"),
        }
        let guard = desk.lock("key");
        assert_eq!(guard.release(), Ok(true));
    }
}

/// Nothing that is asked of the servers at once takes any time, and the clock is not let idle for it.
#[test]
fn nobody_idles_while_bytes_move() {
    let desk = Desk::<3>::new(Options::DEFAULT);
    let mut guard = desk.lock("key");
    guard.extend().expect("ours");
    assert_eq!(guard.release(), Ok(true));
    assert!(desk.client.settle(TTL));
    assert_eq!((desk.now(), desk.idled.borrow().len()), (BEGIN, 0));
}

/// The moments until which it idles are those at which something is due, and no others.
#[test]
fn nobody_spins_while_nothing_happens() {
    let micros = |span: Duration| u64::try_from(span.as_micros()).expect("short");
    let hour = Duration::from_secs(3_600);
    let third = micros(TTL) / 3;

    let desk = Desk::<1>::new(Options::DEFAULT);
    let guard = desk.lock("key");
    let end = BEGIN + micros(guard.validity());
    assert_eq!(desk.client.poll_timeout().as_micros(), end);
    desk.client.wait(hour).expect("nobody else is in here");
    assert_eq!(*desk.idled.borrow(), [end, BEGIN + micros(hour)]);
    assert_eq!(guard.loss(), Some(Loss::Expired));
    assert_eq!(desk.client.poll_timeout(), Instant::NEVER);
    drop(guard);

    let desk = Desk::<1>::new(renewing());
    let guard = desk.lock("key");
    desk.client.wait(TTL).expect("nobody else is in here");
    let idled = desk.idled.borrow().clone();
    let thirds: Vec<_> = (1..=3).map(|times| BEGIN + times * third).collect();
    assert_eq!(idled[..3], thirds, "{idled:?}");
    assert!(idled.len() <= 4, "{idled:?}");
    assert!(guard.is_valid());
    assert_eq!(desk.world.borrow().count("EVALSHA"), 3);
}

/// A timer that is set to the past may not ring for an hour. A stream that is to be closed is due at once, and
/// so is one that is to be opened.
#[test]
fn a_clock_is_not_let_idle_until_a_moment_that_has_passed() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    let guard = desk.lock("key");
    desk.world.borrow_mut().servers[0].fail(Rule::on("EVALSHA", Trouble::HangBefore));
    assert_eq!(guard.release(), Err(Error::Unconfirmed));
    desk.client.wait(Duration::from_secs(5)).expect("nobody else is in here");
    assert_eq!(desk.holders("key"), 0);
    assert!(desk.idled.borrow().iter().is_sorted() && desk.world.borrow().lines[0].opened == 2);
}

/// Nothing happens between two calls.
#[test]
fn locks_are_renewed_by_polling_and_waiting_only() {
    for (sleep, lives) in [(9, true), (10, false)] {
        let desk = Desk::<1>::new(renewing());
        let guard = desk.lock("key");
        desk.sleep(Duration::from_secs(sleep));
        assert_eq!(desk.world.borrow().count("EVALSHA"), 0, "nobody called");
        let reads = desk.told[0].reads.get();
        assert_eq!(guard.validity().is_zero(), !lives);
        assert_eq!(desk.told[0].reads.get(), reads, "a look reads nothing");
        for _ in 0..4 {
            desk.client.poll().expect("nobody else is in here");
        }
        assert_eq!(guard.loss(), (!lives).then_some(Loss::Expired));
        assert_eq!(guard.validity() > Duration::from_secs(9), lives);
        assert!(desk.idled.borrow().is_empty(), "polling never waits");
    }
}

/// Who asks whether a lock is lost need not poll for it.
#[test]
fn a_lease_that_has_ended_is_a_loss_without_polling() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    let guard = desk.lock("key");
    desk.sleep(Duration::from_secs(9));
    assert_eq!(guard.loss(), None);
    desk.sleep(Duration::from_secs(1));
    let reads = desk.told[0].reads.get();
    assert_eq!(guard.loss(), Some(Loss::Expired));
    assert_eq!((desk.told[0].reads.get(), desk.idled.borrow().len()), (reads, 0));
}

#[test]
fn a_loss_is_seen_with_its_reason() {
    type Row = (&'static str, fn(&mut World), Options, Loss);
    let capped = Renew { most: Some(Duration::from_secs(5)), ..Renew::default() };
    let capped = Options { renew: Some(capped), ..Options::default() };
    let rows: [Row; 7] = [
        ("nobody asks", |_| {}, Options::default(), Loss::Expired),
        ("it is renewed for as long as allowed", |_| {}, capped, Loss::Capped),
        ("deleted", |world| world.delete("key"), renewing(), Loss::Deleted),
        (
            "stolen",
            |world| world.servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None),
            renewing(),
            Loss::Stolen,
        ),
        ("restarted", |world| world.restart(0, false), renewing(), Loss::ServerRestarted),
        ("refused", |world| world.servers[0].conditions.loading = true, renewing(), Loss::Refused),
        (
            "silent",
            |world| world.servers[0].fail(Rule::on("EVALSHA", Trouble::HangBefore).forever()),
            renewing(),
            Loss::Unreachable,
        ),
    ];
    for (name, what, options, expected) in rows {
        let desk = Desk::<1>::new(options);
        let mut guard = desk.lock("key");
        assert_eq!(guard.loss(), None);
        what(&mut desk.world.borrow_mut());
        desk.client.wait(Duration::from_secs(20)).expect("nobody else is in here");
        assert_eq!(guard.loss(), Some(expected), "{name}");
        assert!(!guard.is_valid(), "{name}");
        assert_eq!(guard.extend(), Err(Error::Lost(expected)), "{name}: for ever");
    }
}

#[test]
fn a_dropped_guard_is_given_back_in_the_drop_without_reading() {
    let desk = Desk::<3>::new(Options::DEFAULT);
    let first = desk.lock("first");
    assert_eq!(first.release(), Ok(true), "the scripts are known");
    let guard = desk.lock("key");
    let reads = || desk.told.iter().map(|told| told.reads.get()).sum::<u64>();
    let (before, idled) = (reads(), desk.idled.borrow().len());
    assert_eq!(desk.holders("key"), 3);
    drop(guard);
    assert_eq!(desk.holders("key"), 0);
    assert_eq!((reads(), desk.idled.borrow().len()), (before, idled));
    desk.client.poll().expect("nobody else is in here");
    desk.client.poll().expect("nobody else is in here");
    assert!(desk.client.settle(Duration::ZERO), "two looks are enough");
}

#[test]
fn settling_ends_when_all_is_given_back_or_the_time_is_over() {
    for (silent, settles, took) in [(false, true, 0), (true, false, 300)] {
        let desk = Desk::<1>::new(Options::DEFAULT);
        let guard = desk.lock("key");
        if silent {
            let hang = Rule::on("EVALSHA", Trouble::HangBefore).forever();
            desk.world.borrow_mut().servers[0].fail(hang);
        }
        drop(guard);
        assert_eq!(desk.client.settle(Duration::from_millis(300)), settles);
        assert_eq!(desk.now() - BEGIN, took * MS);
        assert_eq!(desk.holders("key"), usize::from(silent));
    }
}

#[test]
fn what_is_owed_at_the_end_is_left_to_its_ttl_and_all_parts_come_back() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    desk.client.connect().expect("a server");
    desk.told[0].writes.set(Writes::NotBefore(u64::MAX));
    assert!(matches!(desk.client.try_lock(b"key", TTL), Err(Error::Unavailable { .. })));
    desk.told[0].writes.set(Writes::All);
    desk.client.wait(Duration::from_secs(1)).expect("nobody else is in here");
    let guard = desk.lock("key");
    desk.told[0].writes.set(Writes::NotBefore(u64::MAX));
    drop(guard);
    let Desk { world, client, tokens, .. } = desk;
    let (streams, mut clock, rng) = client.free();
    assert_eq!(clock.now(), world.borrow().instant());
    assert!(Rc::ptr_eq(&rng.drawn, &tokens.drawn));
    drop(streams);
    assert_eq!(world.borrow().holders("key"), 1);
}

#[test]
fn several_locks_at_once_share_one_stream() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    let keys: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
    let mut guards: Vec<_> =
        keys.iter().map(|key| desk.client.lock(key, TTL).expect("free")).collect();
    assert_eq!(desk.client.lock(b"e", TTL).err(), Some(Error::TooManyLocks));
    assert!(matches!(desk.client.try_lock(b"a", TTL), Err(Error::TooManyLocks)));
    assert!(guards.iter_mut().all(|guard| guard.extend().is_ok()));
    let first = guards.remove(0);
    assert_eq!(first.release(), Ok(true));
    assert!(matches!(desk.client.try_lock(b"b", TTL), Ok(None)), "its holder is on this board");
    let again = desk.client.try_lock(b"a", TTL).expect("asked").expect("free");
    drop((guards, again));
    assert!(desk.client.settle(TTL));
    assert_eq!(desk.world.borrow().lines[0].opened, 1);
    assert_eq!(desk.world.borrow().servers[0].keys(0).count(), 0);
}

/// With one place, each attempt has it again.
#[test]
fn an_attempt_that_failed_leaves_its_place() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    desk.world.borrow_mut().servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None);
    for _ in 0..9 {
        assert!(matches!(desk.client.try_lock(b"key", TTL), Ok(None)));
    }
    let retry = Retry::until(Duration::from_millis(300));
    let begun = desk.now();
    let error = desk.client.lock_with(b"key", TTL, retry).expect_err("theirs");
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
    assert_eq!(desk.now() - begun, 300 * MS);
    desk.world.borrow_mut().after(200, |world| world.delete("key"));
    let begun = desk.now();
    let guard = desk.client.lock(b"key", TTL).expect("in time");
    assert!((200 * MS..=300 * MS).contains(&(desk.now() - begun)), "{}", desk.now() - begun);
    drop(guard);
}

#[test]
fn options_say_how_long_a_lock_waits() {
    let retry = Retry::until(Duration::from_millis(70));
    let desk = Desk::<1>::new(Options { retry, ..Options::default() });
    desk.world.borrow_mut().servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None);
    assert!(matches!(desk.client.lock(b"key", TTL), Err(Error::TimedOut(_))));
    assert_eq!(desk.now() - BEGIN, 70 * MS);
}

#[test]
fn a_majority_locks_while_a_server_is_away() {
    let desk = Desk::<3>::new(Options::DEFAULT);
    desk.world.borrow_mut().lines[1].opening = Opening::Never;
    desk.client.poll().expect("nobody else is in here");
    desk.client.poll().expect("nobody else is in here");
    assert!(desk.client.is_connected(), "two of three");
    let guard = desk.client.lock(b"key", TTL).expect("two of three");
    assert_eq!((desk.now(), desk.holders("key")), (BEGIN, 2));
    assert_eq!(guard.release(), Ok(true));
    desk.world.borrow_mut().kill(0);
    desk.world.borrow_mut().lines[0].opening = Opening::Never;
    let error = desk.client.try_lock(b"key", TTL).expect_err("one of three");
    assert!(matches!(error, Error::Unavailable { fault: Some((0, Fault::Closed)), .. }));
}

#[test]
fn a_generator_that_fails_is_told() {
    let world = super::world::shared(World::new(1));
    let clock = Ticker::new(&world);
    let memory = Fixed::<1, 1, 256, 32>::new([&Login::NONE]);
    let streams: [super::desk::Wire; 0] = [];
    let made = Client::new(memory, streams, clock, Tokens::new(Worth::Fails), &Options::DEFAULT);
    assert_eq!(made.err(), Some(Error::Random));

    let desk = Desk::<1>::new(Options::DEFAULT);
    desk.tokens.worth.set(Worth::Fails);
    assert_eq!(desk.client.lock(b"key", TTL).err(), Some(Error::Random));
    assert_eq!(desk.world.borrow().count("SET"), 0);
    desk.tokens.worth.set(Worth::Sound);
    desk.lock("key").release().expect("answered");
}

/// What a stream does with bytes, and what is told of it.
#[test]
fn every_way_to_write_is_followed_or_told() {
    let broken = ErrorKind::BrokenPipe;
    let rows = [
        (Writes::All, None, 0),
        (Writes::Some(1), None, 0),
        (Writes::Some(7), None, 0),
        (Writes::NotBefore(BEGIN + 90 * MS), None, 90),
        (Writes::NotBefore(u64::MAX), Some(Fault::Silent), 2_000),
        (Writes::Zero, Some(Fault::Stream(ErrorKind::WriteZero)), 0),
        (Writes::Fails(broken), Some(Fault::Stream(broken)), 0),
        (Writes::FlushFails(broken), Some(Fault::Stream(broken)), 0),
    ];
    for (writes, expected, took) in rows {
        let desk = Desk::<1>::new(Options::DEFAULT);
        desk.told[0].writes.set(writes);
        desk.world.borrow_mut().after(90, |_| {}); // A byte can be sent.
        let outcome = desk.client.connect();
        assert_eq!(desk.now() - BEGIN, took * MS, "{writes:?}");
        assert_eq!(fault(&desk), expected, "{writes:?}");
        assert_eq!(outcome.is_ok(), expected.is_none(), "{writes:?}");
        assert!(!desk.told[0].unflushed.get(), "{writes:?}: what was written is flushed");
        desk.told[0].writes.set(Writes::All);
        let guard = desk.client.lock(b"key", TTL).expect("free");
        let flushes = desk.told[0].flushes.get();
        assert_eq!(guard.release(), Ok(true), "{writes:?}");
        assert_eq!(desk.told[0].flushes.get(), flushes + 2, "one for each script");
    }
}

#[test]
fn a_stream_that_breaks_or_ends_while_it_is_read_is_told_and_opened_again() {
    let aborted = ErrorKind::ConnectionAborted;
    type Row = (fn(&Desk<1>), Fault);
    let rows: [Row; 2] = [
        (|desk| desk.world.borrow_mut().kill(0), Fault::Closed),
        (
            |desk| desk.told[0].breaks.set(Some(ErrorKind::ConnectionAborted)),
            Fault::Stream(aborted),
        ),
    ];
    for (what, expected) in rows {
        let desk = Desk::<1>::new(Options::DEFAULT);
        let guard = desk.lock("key");
        what(&desk);
        desk.client.poll().expect("nobody else is in here");
        assert_eq!(fault(&desk), Some(expected));
        assert!(guard.is_valid(), "a lock outlives its connection");
        assert_eq!(guard.release(), Ok(true));
        let world = desk.world.borrow();
        assert_eq!((world.lines[0].opened, world.lines[0].closed), (2, 1));
        assert_eq!(world.servers[0].sessions().count(), 1);
    }
}

/// A clock that calls the client it belongs to.
struct Nosy {
    ticker: Ticker,
    client: Rc<RefCell<Weak<NosyClient>>>,
    heard: Rc<RefCell<Vec<Error>>>,
}

type NosyClient =
    Client<'static, Fixed<'static, 1, 2, 512, 32>, [super::desk::Wire; 1], Nosy, Tokens>;

impl Clock for Nosy {
    fn now(&mut self) -> Instant {
        let client = self.client.borrow().upgrade();
        if let Some(client) = client {
            let outcomes = [
                client.poll().err(),
                client.wait(TTL).err(),
                client.connect().err(),
                client.lock(b"inner", TTL).err(),
                client.try_lock(b"inner", TTL).err(),
                client.lock_with(b"inner", TTL, Retry::NONE).err(),
            ];
            self.heard.borrow_mut().extend(outcomes.map(|heard| heard.expect("it is busy")));
            assert_eq!(client.poll_timeout(), Instant::ZERO);
            assert!(!client.is_connected() && client.fault().is_none());
            assert!(!client.settle(TTL));
        }
        self.ticker.now()
    }

    fn idle(&mut self, until: Instant) {
        self.ticker.idle(until);
    }
}

#[test]
fn a_clock_that_calls_its_client_is_told_and_disturbs_nobody() {
    let Desk { world, client, .. } = Desk::<1>::new(Options::DEFAULT);
    let (streams, ticker, rng) = client.free();
    let (asked, heard) = (Rc::<RefCell<Weak<NosyClient>>>::default(), Rc::default());
    let clock = Nosy { ticker, client: Rc::clone(&asked), heard: Rc::clone(&heard) };
    let memory = Fixed::new([&Login::NONE]);
    let client =
        Rc::new(NosyClient::new(memory, streams, clock, rng, &Options::DEFAULT).expect("random"));
    asked.replace(Rc::downgrade(&client));
    let mut guard = client.lock(b"key", TTL).expect("free");
    assert!(guard.extend().expect("ours") > Duration::from_secs(9));
    assert!(guard.is_valid());
    assert_eq!(guard.release(), Ok(true));
    assert!(heard.borrow().len() > 20);
    assert!(heard.borrow().iter().all(|heard| *heard == Error::Reentered), "{heard:?}");
    let world: Shared = world;
    assert_eq!(world.borrow().count("SET"), 1, "nobody inside got a lock");
}

#[test]
fn neither_a_client_nor_a_guard_shows_a_secret() {
    let desk = Desk::<1>::new(Options::DEFAULT);
    let guard = desk.client.lock(b"sentinel", TTL).expect("free");
    let shown = format!("{:?} {guard:?} {:#?} {guard:#?}", desk.client, desk.client);
    for secret in ["5a5a", "90, 90", "sentinel"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Guard") && shown.contains("validity"), "{shown}");
}
