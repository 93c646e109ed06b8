//! The states of a server, each way out of them, and the way back.

use core::time::Duration;

use redlatch_bare::{
    Error, ErrorKind, Fault, Login, Loss, Options, Reconnect, Refusal, Retry, Want,
};
use redlatch_testkit::model::{Dialect, Fault as Trouble, Role, Rule, Settings};

use super::engine::{Bench, TTL, Usual, renewing};
use super::world::{BEGIN, MS, Opening, World};

/// The longest pause after the first failure, and of all.
const RECONNECT: Reconnect = Options::DEFAULT.reconnect;
const LATEST: u64 = 2_000 * MS;

/// When the next attempt to connect is begun, after the first has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Soon,
    /// No retry can help: only every `cap`.
    Rarely,
}

/// Something that keeps a server from being ready, how it is told, after how many microseconds, and
/// when it is tried again.
struct Row {
    name: &'static str,
    make: fn(&mut Usual<1>),
    fault: fn(Fault) -> bool,
    after: u64,
    again: Again,
}

macro_rules! rows {
    ($($name:literal: $make:expr => $fault:pat, after $after:expr, $again:ident;)*) => {
        [$(Row {
            name: $name,
            make: $make,
            fault: |fault| matches!(fault, $fault),
            after: $after,
            again: Again::$again,
        }),*]
    };
}

fn greeted_with(bench: &mut Usual<1>, trouble: Trouble) {
    bench.world.servers[0].fail(Rule::on("HELLO", trouble));
}

fn errs(bench: &mut Usual<1>, text: &str) {
    greeted_with(bench, Trouble::Error(text.into()));
}

#[test]
fn every_way_not_to_become_ready_is_told_in_time_and_tried_again() {
    let rows = rows! {
        "the stream never opens": |bench| bench.world.lines[0].opening = Opening::Never
            => Fault::NotOpen, after LATEST, Soon;
        "the stream cannot be opened":
            |bench| bench.world.lines[0].opening = Opening::Fails(ErrorKind::ConnectionRefused)
            => Fault::Stream(ErrorKind::ConnectionRefused), after 0, Soon;
        "the line is never quiet": |bench| {
            bench.quiet = Duration::from_millis(20);
            chatter(&mut bench.world);
        } => Fault::Noise, after LATEST, Soon;
        "the stream ends while it is drained": |bench| {
            bench.quiet = Duration::from_millis(20);
            bench.world.after(7, |world| world.lines[0].hang_up());
        } => Fault::Closed, after 7 * MS, Soon;
        "the server is silent": |bench| bench.world.servers[0].conditions.silent = true
            => Fault::Silent, after LATEST, Soon;
        "the server hangs with the greeting": |bench| greeted_with(bench, Trouble::HangAfter)
            => Fault::Silent, after LATEST, Soon;
        "the greeting drips": |bench| greeted_with(bench, Trouble::Drip { interval: 100 * MS })
            => Fault::Silent, after LATEST, Soon;
        "the server closes instead of greeting": |bench| greeted_with(bench, Trouble::CloseBefore)
            => Fault::Closed, after 0, Soon;
        "the greeting is cut": |bench| greeted_with(bench, Trouble::Cut(9))
            => Fault::Closed, after 0, Soon;
        "the peer speaks HTTP": |bench| {
            greeted_with(bench, Trouble::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
        } => Fault::Malformed(_), after 0, Soon;
        "the greeting is no greeting": |bench| greeted_with(bench, Trouble::Raw(b":1\r\n".to_vec()))
            => Fault::NotRedis, after 0, Soon;
        "the greeting is followed by another": |bench| {
            greeted_with(bench, Trouble::Surplus(b"+OK\r\n".to_vec()));
        } => Fault::OutOfStep, after 0, Soon;
        "the server is a replica": |bench| {
            bench.world.servers[0].conditions.role = Role::Replica { linked: true };
        } => Fault::Replica, after 0, Rarely;
        "the server wants a password": |bench| errs(bench, "NOAUTH Authentication required.")
            => Fault::Refused(Refusal::NoAuth), after 0, Rarely;
        "the password is wrong": |bench| errs(bench, "WRONGPASS invalid username-password pair")
            => Fault::Refused(Refusal::WrongPassword), after 0, Rarely;
        "the server loads its data": |bench| {
            errs(bench, "LOADING Redis is loading the dataset in memory");
        } => Fault::Refused(Refusal::Loading), after 0, Soon;
        "the server has no connection left": |bench| {
            bench.world.servers[0].conditions.max_clients = 0;
        } => Fault::Refused(Refusal::TooManyClients), after 0, Soon;
    };
    for Row { name, make, fault, after, again } in rows {
        let mut bench = Usual::<1>::new(Options::DEFAULT);
        make(&mut bench);
        let (told, took) = bench.fault();
        assert!(fault(told), "{name}: {told:?}");
        assert_eq!(took, after, "{name}");
        let error = bench.connect().expect_err("it is not ready");
        assert!(
            matches!(error, Error::Unavailable { fault: Some((0, same)), .. } if same == told),
            "{name}: {error:?}"
        );

        let ((), pause) = bench.until(|bench| (bench.world.lines[0].opened == 2).then_some(()));
        match again {
            Again::Soon => assert!(pause <= micros(RECONNECT.base), "{name}: {pause}"),
            Again::Rarely => assert_eq!(pause, micros(RECONNECT.cap), "{name}"),
        }
        heal(&mut bench.world);
        let ((), _) = bench.until(|bench| bench.engine.is_connected().then_some(()));
        assert_eq!(bench.engine.fault(), None, "{name}: nothing is wrong any more");
        let lock = bench.lock("key");
        assert_eq!(bench.release(&lock), Ok(true), "{name}");
    }
}

fn heal(world: &mut World) {
    world.lines[0].opening = Opening::AtOnce;
    world.servers[0].conditions = Default::default();
    world.servers[0].heal();
}

/// Talks every ten milliseconds, for two and a half seconds.
fn chatter(world: &mut World) {
    for at in 0..250 {
        world.after(at * 10 + 3, |world| world.lines[0].inject(b"#"));
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).expect("short")
}

#[test]
fn a_login_that_cannot_be_sent_is_told_and_nothing_is_sent() {
    let password: &[u8] = &[b'p'; 300];
    let login = Login { password: Some(password), ..Login::default() };
    let mut bench = Usual::<1>::on(World::new(1), login, Options::DEFAULT);
    assert_eq!(bench.fault().0, Fault::LoginTooLong);
    let ((), pause) = bench.until(|bench| (bench.world.lines[0].opened == 2).then_some(()));
    assert_eq!((pause, bench.world.lines[0].sent.len()), (micros(RECONNECT.cap), 0));
}

#[test]
fn a_login_is_used() {
    let settings = Settings::with_password("open sesame");
    let login = Login { password: Some(b"open sesame"), ..Login::default() };
    let mut bench = Usual::<1>::on(World::of(vec![settings]), login, Options::DEFAULT);
    assert_eq!(bench.connect(), Ok(()));
}

/// Something that ends a connection that was ready, while a lock asks.
#[test]
fn every_way_to_end_is_told_and_the_next_connection_works() {
    let rows = rows! {
        "the server closes before": |bench| asked_with(bench, Trouble::CloseBefore)
            => Fault::Closed, after 0, Soon;
        "the server closes after": |bench| asked_with(bench, Trouble::CloseAfter)
            => Fault::Closed, after 0, Soon;
        "the reply is cut": |bench| asked_with(bench, Trouble::Cut(2))
            => Fault::Closed, after 0, Soon;
        "the server hangs": |bench| asked_with(bench, Trouble::HangBefore)
            => Fault::Silent, after 500 * MS, Soon;
        "the server hangs after it has set the key": |bench| asked_with(bench, Trouble::HangAfter)
            => Fault::Silent, after 500 * MS, Soon;
        "the reply is lost, the next one comes": |bench| asked_with(bench, Trouble::DropReply)
            => Fault::OutOfStep, after 0, Soon;
        "the reply answers another question": |bench| {
            asked_with(bench, Trouble::Raw(b":1\r\n".to_vec()));
        } => Fault::OutOfStep, after 0, Soon;
        "a reply too many": |bench| asked_with(bench, Trouble::Surplus(b"+OK\r\n".to_vec()))
            => Fault::OutOfStep, after 0, Soon;
        "an error too many": |bench| {
            let surplus = Trouble::Surplus(b"-LOADING soon\r\n".to_vec());
            bench.world.servers[0].fail(Rule::on("GET", surplus));
        } => Fault::Refused(Refusal::Loading), after 0, Soon;
        "no RESP": |bench| asked_with(bench, Trouble::Raw(b"\r\n".to_vec()))
            => Fault::Malformed(_), after 0, Soon;
    };
    for Row { name, make, fault, after, .. } in rows {
        let mut bench = Usual::<1>::new(Options::DEFAULT);
        bench.connect().expect("a server");
        make(&mut bench);
        let lock = bench.begin("key", Duration::from_secs(30), Retry::until(TTL));
        let (told, took) = bench.fault();
        assert!(fault(told), "{name}: {told:?}");
        // The watch of a connection allows for up to two reply timeouts.
        assert!((after..=2 * after).contains(&took), "{name}: {took}");
        assert_eq!(bench.acquired(&lock), Ok(()), "{name}: the next connection works");
        bench.pass(100);
        assert_eq!(bench.release(&lock), Ok(true), "{name}");
        assert_eq!(bench.world.lines[0].opened, 2, "{name}");
        // A claim that a dead connection left behind may still come: the release is repeated for it.
        let ((), took) = bench.until(|bench| bench.engine.is_settled().then_some(()));
        assert!(took <= 600 * MS && bench.world.holders("key") == 0, "{name}: {took}");
    }
}

fn asked_with(bench: &mut Usual<1>, trouble: Trouble) {
    bench.world.servers[0].fail(Rule::on("SET", trouble));
}

#[test]
fn a_broken_stream_ends_every_state_but_down() {
    type State = (&'static str, fn(&mut Usual<1>), bool);
    let states: [State; 5] = [
        ("down", |bench| bench.world.lines[0].opening = Opening::Fails(ErrorKind::NotFound), false),
        ("opening", |bench| bench.world.lines[0].opening = Opening::Never, true),
        ("draining", |bench| bench.quiet = Duration::from_millis(20), true),
        ("greeting", |bench| bench.world.servers[0].conditions.silent = true, true),
        ("up", |_| {}, true),
    ];
    for (name, make, ends) in states {
        let mut bench = Usual::<1>::new(Options::DEFAULT);
        make(&mut bench);
        bench.settle();
        let before = bench.engine.servers()[0].fault();
        let due = bench.engine.poll_timeout();
        let now = bench.now();
        bench.engine.failed(0, ErrorKind::BrokenPipe, now);
        let server = &bench.engine.servers()[0];
        let expected = if ends { Some(Fault::Stream(ErrorKind::BrokenPipe)) } else { before };
        assert_eq!(server.fault(), expected, "{name}");
        assert!(!server.is_connected() && !server.is_awaited() && !server.is_opening(), "{name}");
        if ends {
            assert!(bench.engine.poll_timeout() <= now, "{name}: the stream is to be closed now");
        } else {
            assert_eq!(bench.engine.poll_timeout(), due, "{name}");
        }
        assert!(bench.engine.io(0).space.is_empty() && bench.engine.io(0).pending.is_empty());
        heal(&mut bench.world);
        let ((), _) = bench.until(|bench| bench.engine.is_connected().then_some(()));
    }
}

/// What a confused driver says of a stream that is not open, or of a server that is not there.
#[test]
fn what_cannot_be_is_ignored() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.world.lines[0].opening = Opening::Never;
    bench.settle();
    let now = bench.now();
    bench.engine.received(0, 0, now);
    bench.engine.received(0, 5, now);
    bench.engine.wrote(0, 5);
    assert_eq!(bench.engine.servers()[0].fault(), None);
    assert!(bench.engine.servers()[0].is_opening());
    bench.engine.opened(1, Duration::ZERO, now);
    bench.engine.failed(1, ErrorKind::Other, now);
    bench.engine.received(1, 1, now);
    bench.engine.wrote(1, 1);
    assert_eq!(bench.engine.poll_stream(1, now), None);
    assert!(bench.engine.io(1).space.is_empty());

    bench.world.lines[0].opening = Opening::AtOnce;
    bench.connect().expect_err("the stream did not open in time");
    let ((), _) = bench.until(|bench| bench.engine.is_connected().then_some(()));
    let now = bench.now();
    bench.engine.opened(0, Duration::from_secs(9), now);
    assert!(bench.engine.is_connected(), "it is open already");
}

#[test]
fn what_is_awaited_of_a_server_is_told() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    assert!(!bench.engine.servers()[0].is_awaited(), "down");
    bench.quiet = Duration::from_millis(20);
    bench.settle();
    assert!(bench.engine.servers()[0].is_awaited(), "draining");
    assert!(bench.engine.io(0).pending.is_empty(), "nothing is sent before the line is quiet");
    bench.world.servers[0].fail(Rule::on("HELLO", Trouble::Delay { hold: 30 * MS }));
    bench.pass(20);
    assert!(bench.engine.servers()[0].is_awaited(), "greeting");
    bench.pass(30);
    assert!(bench.engine.is_connected() && !bench.engine.servers()[0].is_awaited(), "up");
    bench.world.servers[0].fail(Rule::on("SET", Trouble::Delay { hold: 30 * MS }));
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.settle();
    assert!(bench.engine.servers()[0].is_awaited(), "asked");
    bench.acquired(&lock).expect("free");
    assert!(!bench.engine.servers()[0].is_awaited(), "answered");
}

/// Bytes of an earlier conversation, whole replies among them.
#[test]
fn what_comes_before_the_line_is_quiet_is_not_read() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.quiet = Duration::from_millis(20);
    for at in 0..5 {
        bench.world.after(at * 15, |world| world.lines[0].inject(b"-ERR old\r\n+OK\r\n$5\r\nol"));
    }
    bench.settle();
    let ((), took) = bench.until(|bench| bench.engine.is_connected().then_some(()));
    assert_eq!(took, (4 * 15 + 20) * MS, "quiet for twenty milliseconds after the last");
    assert_eq!(bench.world.lines[0].opened, 1);
}

/// The pauses double up to the cap, and no further. That an earlier connection was of use counts once.
#[test]
fn pauses_grow_to_the_cap() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.lock("key");
    bench.release(&lock).expect("answered");
    bench.world.lines[0].opening = Opening::Fails(ErrorKind::ConnectionRefused);
    bench.world.kill(0);
    let mut longest = 0;
    for attempt in 1..60 {
        let ((), pause) =
            bench.until(|bench| (bench.world.lines[0].opened > attempt).then_some(()));
        let bound = micros(RECONNECT.base) << attempt.min(10);
        assert!(pause <= bound.min(micros(RECONNECT.cap)), "{attempt}: {pause}");
        assert!(pause >= MS, "{attempt}: {pause}");
        longest = longest.max(pause);
    }
    assert!(longest > micros(RECONNECT.cap) / 2, "{longest}");
}

/// A connection that answered a lock, or stood for longer than the cap, starts the count again; one that
/// died at once does not.
#[test]
fn only_a_connection_that_was_of_use_starts_the_count_again() {
    for (use_, resets) in [("none", false), ("an answer", true), ("standing", true)] {
        let mut pauses = Vec::new();
        for round in 0..8 {
            let mut bench = Usual::<1>::new(Options::DEFAULT);
            bench.world.now += round;
            bench.world.lines[0].opening = Opening::Fails(ErrorKind::ConnectionRefused);
            let seed = round + 12;
            let ((), _) = bench.until(|bench| (bench.world.lines[0].opened == seed).then_some(()));
            heal(&mut bench.world);
            let ((), _) = bench.until(|bench| bench.engine.is_connected().then_some(()));
            match use_ {
                "an answer" => {
                    let lock = bench.lock("key");
                    bench.release(&lock).expect("answered");
                }
                "standing" => bench.pass(5_001),
                _ => {}
            }
            let opened = bench.world.lines[0].opened;
            bench.world.kill(0);
            let ((), pause) =
                bench.until(|bench| (bench.world.lines[0].opened > opened).then_some(()));
            pauses.push(pause);
        }
        let soon = pauses.iter().all(|pause| *pause <= micros(RECONNECT.base));
        assert_eq!(soon, resets, "{use_}: {pauses:?}");
    }
}

/// Every request that was sent gets an answer, also when its connection ends: without one a lock would
/// never repeat its release, and the key would stay until its ttl ends.
#[test]
fn requests_on_a_connection_that_ends_are_repeated_on_the_next() {
    let mut bench = Bench::<1, 6, 256>::new(Options::DEFAULT);
    let keys = ["a", "b", "c", "d", "e", "f"];
    let locks = keys.map(|key| bench.lock(key));
    bench.world.servers[0].fail(Rule::next(Trouble::HangBefore));
    for lock in &locks {
        bench.abandon(lock);
    }
    bench.settle();
    let now = bench.now();
    bench.engine.failed(0, ErrorKind::BrokenPipe, now);
    assert!(!bench.engine.is_settled());
    let ((), took) = bench.until(|bench| bench.engine.is_settled().then_some(()));
    assert!(took <= 500 * MS, "{took}: long before the ttl ends");
    assert!(keys.iter().all(|key| bench.world.holders(key) == 0));
    assert_eq!(bench.world.lines[0].opened, 2);
}

/// Nobody waits for the answer any more, and the server is given up all the same.
#[test]
fn a_server_that_is_silent_is_given_up_though_nothing_else_is_due() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    let lock = bench.lock("key");
    bench.world.servers[0].fail(Rule::on("EVALSHA", Trouble::HangBefore));
    bench.abandon(&lock);
    let (fault, took) = bench.fault();
    assert_eq!(fault, Fault::Silent);
    assert!((500 * MS..=1_000 * MS).contains(&took), "{took}");
}

/// A driver that was away for long is not told to open a stream before the answers of the last one are out.
#[test]
fn a_stream_is_opened_when_the_requests_on_the_last_one_are_answered() {
    let mut bench = Usual::<1>::new(Options::DEFAULT);
    bench.connect().expect("a server");
    bench.world.servers[0].fail(Rule::on("SET", Trouble::HangBefore));
    let lock = bench.begin("key", TTL, Retry::NONE);
    bench.settle();
    let now = bench.now();
    bench.engine.failed(0, ErrorKind::BrokenPipe, now);
    let later = now.saturating_add(RECONNECT.base);
    assert_eq!(bench.engine.poll_stream(0, later), Some(Want::Close));
    bench.world.close(0);
    assert_eq!(bench.engine.poll_stream(0, later), None, "two requests are not answered");
    bench.world.now = later.as_micros();
    assert_eq!(bench.acquired(&lock), Ok(()));
    assert_eq!(bench.world.lines[0].opened, 2);
}

/// However many locks wait for their turn, what is held can be extended and given back. The first attempt of
/// each asks two things at once.
#[test]
fn claims_leave_room_for_releases() {
    let mut bench = Bench::<1, 8, 1024>::new(Options::DEFAULT);
    let first = bench.lock("x");
    assert_eq!(bench.release(&first), Ok(true), "the server knows the script");
    let held = ["x", "y", "z"].map(|key| bench.lock(key));
    let votes = |bench: &Bench<1, 8, 1024>| (bench.world.count("SET"), bench.world.count("GET"));
    let before = votes(&bench);
    bench.world.servers[0].fail(Rule::on("SET", Trouble::Delay { hold: 100 * MS }));
    let claims = ["a", "b", "c"].map(|key| bench.begin(key, TTL, Retry::NONE));
    bench.settle();
    assert_eq!(votes(&bench), (before.0 + 1, before.1 + 1), "those of one lock at a time");
    for lock in &held {
        bench.abandon(lock);
    }
    bench.settle();
    let left = |bench: &Bench<1, 8, 1024>| {
        ["x", "y", "z"].iter().map(|key| bench.world.holders(key)).sum::<usize>()
    };
    assert_eq!(left(&bench), 1, "two were sent beside them");
    bench.until(|bench| (left(bench) == 0).then_some(()));
    for lock in &claims {
        assert_eq!(bench.acquired(lock), Ok(()), "within the reply timeout there is room");
        bench.abandon(lock);
    }
    bench.until(|bench| bench.engine.is_settled().then_some(()));
    assert_eq!(bench.world.lines[0].opened, 1);
}

#[test]
fn a_majority_that_is_ready_is_enough_and_the_first_fault_is_told() {
    for (down, connected) in [(vec![], true), (vec![1], true), (vec![1, 2], false)] {
        let mut bench = Usual::<3>::new(Options::DEFAULT);
        for at in &down {
            bench.world.lines[*at].opening = Opening::Never;
        }
        bench.settle();
        let early = bench.engine.poll_connected();
        assert_eq!(early.is_none(), !down.is_empty(), "{down:?}: told when each has been tried");
        let outcome = bench.connect();
        assert_eq!(bench.world.now - BEGIN, if down.is_empty() { 0 } else { LATEST });
        assert_eq!(bench.engine.is_connected(), connected);
        match outcome {
            Ok(()) => assert!(connected),
            Err(Error::Unavailable { tally, fault }) => {
                assert_eq!((tally.configured, tally.granted), (3, 1));
                assert_eq!(fault, Some((1, Fault::NotOpen)));
                assert!(!connected);
            }
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(bench.engine.fault().map(|(at, _)| at), down.first().copied());
    }
}

/// Which servers forgot the key, which of them by a restart, and how the loss is told.
#[test]
fn a_restart_explains_a_key_that_is_gone_only_where_it_can() {
    let rows: [(&[usize], &[usize], Loss); 4] = [
        (&[], &[0, 1, 2], Loss::Deleted),
        (&[0], &[1, 2], Loss::Deleted),
        (&[0, 1], &[], Loss::ServerRestarted),
        (&[0, 1, 2], &[], Loss::ServerRestarted),
    ];
    for (restarted, deleted, expected) in rows {
        let mut bench = Usual::<3>::new(renewing());
        let lock = bench.lock("key");
        bench.pass(1_000);
        restarted.iter().for_each(|at| bench.world.restart(*at, false));
        for at in deleted {
            assert!(bench.world.servers[*at].remove(0, b"key"));
        }
        let (loss, _) = bench.until(|bench| bench.engine.loss(&lock));
        assert_eq!(loss, expected, "{restarted:?} {deleted:?}");
        assert_eq!(bench.extend(&lock), Err(Error::Lost(expected)), "a loss is final");
    }
}

#[test]
fn a_restart_before_the_lock_was_taken_explains_nothing() {
    let mut bench = Usual::<1>::new(renewing());
    bench.connect().expect("a server");
    bench.pass(1_000);
    bench.world.restart(0, false);
    bench.pass(1_000);
    let lock = bench.lock("key");
    assert!(bench.world.servers[0].remove(0, b"key"));
    assert_eq!(bench.until(|bench| bench.engine.loss(&lock)).0, Loss::Deleted);
}

/// Nor does a connection that was lost.
#[test]
fn a_new_connection_is_no_restart() {
    let mut bench = Usual::<1>::new(renewing());
    let lock = bench.lock("key");
    bench.world.kill(0);
    bench.pass(1_000);
    assert!(bench.engine.is_connected() && bench.engine.servers()[0].greeting().is_some());
    assert!(bench.world.servers[0].remove(0, b"key"));
    assert_eq!(bench.until(|bench| bench.engine.loss(&lock)).0, Loss::Deleted);
}

#[test]
fn a_server_that_was_started_lately_has_no_vote_and_gives_back_and_extends() {
    let options = Options { restart_delay: Some(TTL), ..Options::default() };
    let mut bench = Bench::<1, 2, 1024>::new(options);
    let restarted = Error::Refused(Refusal::Restarted);
    bench.connect().expect("a server");
    assert_eq!(
        bench.denied("key"),
        restarted,
        "it may have been up for no time, and says a second"
    );
    bench.pass(9_999);
    assert_eq!(bench.denied("key"), restarted);
    bench.pass(1);
    assert_eq!(bench.world.count("SET"), 0, "it was not asked");
    let lock = bench.lock("key");

    bench.world.restart(0, true);
    bench.pass(100);
    assert!(bench.engine.is_connected());
    assert_eq!(bench.denied("other"), restarted);
    assert_eq!(bench.extend(&lock), Ok(()));
    assert_eq!(bench.release(&lock), Ok(true));
    bench.pass(10_000);
    let lock = bench.lock("other");
    assert_eq!(bench.release(&lock), Ok(true));
}

/// Where a server has a command of its own that compares and deletes, it is used; once that is refused,
/// never again on that connection.
#[test]
fn a_release_is_the_command_of_the_server_until_it_refuses_that() {
    for (dialect, command) in [(Dialect::Valkey9, "DELIFEQ"), (Dialect::Redis8_6, "DELEX")] {
        let world = World::of(vec![Settings::default().dialect(dialect)]);
        let mut bench = Usual::<1>::on(world, Login::default(), Options::DEFAULT);
        let twice = |bench: &mut Usual<1>| {
            for _ in 0..2 {
                let lock = bench.lock("key");
                assert_eq!(bench.release(&lock), Ok(true));
            }
            [command, "EVALSHA", "EVAL"].map(|command| bench.world.count(command))
        };
        assert_eq!(twice(&mut bench), [2, 0, 0]);
        let refusal = Trouble::Error("NOPERM no permissions to run the command".into());
        bench.world.servers[0].fail(Rule::on(command, refusal));
        assert_eq!(twice(&mut bench), [3, 1, 1]);
        assert_eq!(bench.world.holders("key"), 0);
        bench.world.kill(0);
        let again = twice(&mut bench);
        assert!(again[0] > 3, "a new connection asks anew: {again:?}");
    }
}
