//! The client that is polled: futures that are dropped anywhere, tasks that share a client, and nobody who
//! is polled in vain.

use core::cell::Cell;
use core::future::pending;
use core::time::Duration;
use std::rc::Rc;

use embassy_futures::join::join;
use redlatch_embassy::{Error, Fault, Guard, Loss, Options, Renew, Retry};
use redlatch_testkit::model::{Fault as Trouble, Rule, Value};

use super::executor::{Executor, Ground, Handle, sleep_until};
use super::world::{BEGIN, MS, Opening, World, Worth};

const TTL: Duration = Duration::from_secs(10);
const PATIENT: Retry = Retry::until(Duration::from_secs(5));

fn ground<const N: usize>() -> Ground<N> {
    Ground::new(World::new(N))
}

fn renewing() -> Options {
    Options { renew: Some(Renew::default()), ..Options::default() }
}

/// A lock that is free, when the servers are ready.
fn locked<'s, const N: usize>(
    client: Handle<'s, N>,
    executor: &mut Executor<'s>,
    key: &'static [u8],
) -> Guard<'s> {
    executor.run(async move { client.connect().await }).expect("servers");
    executor.run(async move { client.lock(key, TTL).await }).expect("free")
}

/// What is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Connection,
    Lock,
    Extension,
    Release,
    Work,
}

/// How the servers behave meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Calm,
    /// Answers take three milliseconds.
    Late,
    /// Somebody else has the key for forty milliseconds.
    Held,
}

impl Weather {
    fn sets_in(self, world: &mut World) {
        let late = Trouble::Delay { hold: 3 * MS };
        match self {
            Self::Calm => {}
            Self::Late => {
                for server in &mut world.servers {
                    for command in ["SET", "GET", "EVALSHA", "EVAL"] {
                        server.fail(Rule::on(command, late.clone()).forever());
                    }
                }
            }
            Self::Held => {
                for server in &mut world.servers {
                    let theirs = Value::Text(b"them".to_vec());
                    server.put(0, b"other", theirs, Some(Duration::from_millis(40)));
                }
            }
        }
    }
}

/// Does `what` for so many steps of the world, then drops it. Whether it was done before that.
fn drop_after<const N: usize>(what: What, weather: Weather, steps: u32) -> bool {
    let row = format!("{what:?}, {weather:?}, {N} servers, after {steps} steps");
    let ground = ground::<N>();
    let mut done = false;
    ground.with_client(Options::default(), |client, executor| {
        let guard = (what != What::Connection).then(|| locked(client, executor, b"key"));
        weather.sets_in(&mut ground.world.borrow_mut());
        let said = executor.spawn(async move {
            match (what, guard) {
                (What::Connection, _) => client.connect().await.expect("servers"),
                (What::Lock, _) => {
                    drop(client.lock_with(b"other", TTL, PATIENT).await.expect("in time"));
                }
                (What::Extension, Some(mut guard)) => drop(guard.extend().await.expect("ours")),
                (What::Release, Some(guard)) => assert_eq!(guard.release().await, Ok(true)),
                (What::Work, Some(guard)) => guard.run(async {}).await.expect("ours"),
                (_, None) => unreachable!("{what:?} needs a guard"),
            }
        });
        for _ in 0..steps {
            if !executor.is_done(&said) {
                executor.step();
            }
        }
        done = executor.is_done(&said);
        executor.drop_task(&said);
        let dropped = ground.now();
        loop {
            executor.pass(1);
            let theirs = weather == Weather::Held && ground.now() <= BEGIN + 60 * MS;
            if client.is_settled() && !theirs {
                break;
            }
            assert!(ground.now() - dropped < 100 * MS, "{row}: long before the ttl ends");
        }
        assert_eq!(ground.holders("key") + ground.holders("other"), 0, "{row}");
        let again = executor.run(async move { client.lock(b"key", TTL).await?.release().await });
        assert_eq!(again, Ok(true), "{row}");
        assert!(ground.world.borrow().lines.iter().all(|line| line.opened == 1), "{row}");
    });
    done
}

/// Requirement 10, wherever the future stands, whatever the runner and the servers have done of it.
#[test]
fn a_future_that_is_dropped_anywhere_leaves_no_key() {
    let whats = [What::Connection, What::Lock, What::Extension, What::Release, What::Work];
    for what in whats {
        for weather in [Weather::Calm, Weather::Late, Weather::Held] {
            let ends = [
                (0..).find(|steps| drop_after::<1>(what, weather, *steps)),
                (0..).find(|steps| drop_after::<3>(what, weather, *steps)),
            ];
            for steps in ends {
                let steps = steps.expect("it ends");
                let fewest = if what == What::Work { 1 } else { 2 };
                assert!((fewest..200).contains(&steps), "{what:?}, {weather:?}: {steps}");
            }
        }
    }
}

/// Dropped before it is done, an extension is either made or not, and the lock is ours.
#[test]
fn a_dropped_extension_leaves_the_lock() {
    for steps in 0..9 {
        let ground = ground::<1>();
        ground.with_client(Options::default(), |client, executor| {
            let guard = Rc::new(core::cell::RefCell::new(locked(client, executor, b"key")));
            executor.pass(1_000);
            let mut taken = Some(Rc::clone(&guard));
            #[allow(clippy::await_holding_refcell_ref)]
            // Nobody else borrows it until it is dropped.
            let said = executor.spawn(async move {
                let guard = taken.take().expect("once");
                let mut guard = guard.borrow_mut();
                guard.extend().await
            });
            for _ in 0..steps {
                executor.poll_one();
            }
            executor.drop_task(&said);
            executor.pass(100);
            assert!(guard.borrow().is_valid() && guard.borrow().loss().is_none());
            let guard = Rc::into_inner(guard).expect("the other is dropped").into_inner();
            assert_eq!(executor.run(guard.release()), Ok(true), "after {steps} steps");
        });
    }
}

/// A loss comes with its reason at the moment at which it is known.
#[test]
fn a_loss_is_told_with_its_reason() {
    type Row = (&'static str, fn(&mut World), Options, Loss);
    let rows: [Row; 5] = [
        ("nobody asks", |_| {}, Options::default(), Loss::Expired),
        ("deleted", |world| world.delete("key"), renewing(), Loss::Deleted),
        (
            "stolen",
            |world| world.servers[0].put(0, b"key", Value::Text(b"them".to_vec()), None),
            renewing(),
            Loss::Stolen,
        ),
        ("restarted", |world| world.restart(0, false), renewing(), Loss::ServerRestarted),
        ("refused", |world| world.servers[0].conditions.loading = true, renewing(), Loss::Refused),
    ];
    for (name, what, options, expected) in rows {
        let ground = ground::<1>();
        ground.with_client(options, |client, executor| {
            let guard = locked(client, executor, b"key");
            let by = ground.now() + u64::try_from(guard.validity().as_micros()).expect("short");
            what(&mut ground.world.borrow_mut());
            let (loss, mut guard) = executor.run(async move { (guard.lost().await, guard) });
            assert_eq!(loss, expected, "{name}");
            assert!(ground.now() <= by, "{name}: {}", ground.now());
            assert_eq!(guard.loss(), Some(expected), "{name}");
            assert!(!guard.is_valid(), "{name}");
            let extended = executor.run(async move { guard.extend().await });
            assert_eq!(extended, Err(Error::Lost(expected)), "{name}: for ever");
        });
    }
}

/// Counts when it is dropped.
struct Dropped(Rc<Cell<u32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn work_ends_with_its_result_or_where_the_lock_is_lost() {
    for (takes, lost) in [(9_000, false), (11_000, true)] {
        let ground = ground::<1>();
        ground.with_client(Options::default(), |client, executor| {
            let guard = locked(client, executor, b"key");
            let dropped = Rc::<Cell<u32>>::default();
            let (world, inside) = (Rc::clone(&ground.world), Dropped(Rc::clone(&dropped)));
            let until = ground.now() + takes * MS;
            let worked = executor.run(async move {
                let work = async move {
                    let _inside = inside;
                    sleep_until(&world, until).await;
                    7
                };
                guard.run(work).await
            });
            assert_eq!(worked, if lost { Err(Error::Lost(Loss::Expired)) } else { Ok(7) });
            assert_eq!(dropped.get(), 1);
            assert_eq!(ground.now() < until, lost);
        });
    }
}

#[test]
fn work_that_ends_with_the_lock_tells_why() {
    let ground = ground::<1>();
    ground.with_client(renewing(), |client, executor| {
        let guard = locked(client, executor, b"key");
        ground.world.borrow_mut().delete("key");
        let worked = executor.run(async move { guard.run(pending::<()>()).await });
        assert_eq!(worked, Err(Error::Lost(Loss::Deleted)));
    });
}

#[test]
fn two_tasks_share_a_client_and_exclude_each_other() {
    let ground = ground::<3>();
    let inside = Rc::<Cell<u32>>::default();
    ground.with_client(Options::default(), |client, executor| {
        let work = |_| {
            let (inside, world) = (Rc::clone(&inside), Rc::clone(&ground.world));
            async move {
                for _ in 0..5 {
                    let guard = client.lock(b"key", TTL).await?;
                    assert_eq!(inside.replace(1), 0, "nobody else is inside");
                    let until = world.borrow().now + 5 * MS;
                    sleep_until(&world, until).await;
                    inside.set(0);
                    assert_eq!(guard.release().await, Ok(true));
                }
                Ok::<(), Error>(())
            }
        };
        let tasks = [0, 1].map(|task| executor.spawn(work(task)));
        for task in tasks {
            assert_eq!(executor.finish(&task), Ok(()));
        }
    });
    assert_eq!(ground.world.borrow().lines.iter().map(|line| line.opened).sum::<u64>(), 3);
}

/// A lock that was given back, denied or dropped leaves its place at once: with two places, any number of
/// locks one after the other.
#[test]
fn places_are_free_again_without_a_pause() {
    let ground = ground::<1>();
    ground.world.borrow_mut().servers[0].put(0, b"theirs", Value::Text(b"them".to_vec()), None);
    ground.with_client(Options::default(), |client, executor| {
        let _kept = locked(client, executor, b"kept");
        let done = executor.run(async move {
            for _ in 0..5 {
                assert!(client.try_lock(b"theirs", TTL).await?.is_none());
                assert_eq!(client.lock(b"key", TTL).await?.release().await, Ok(true));
                drop(client.lock_with(b"never polled", TTL, PATIENT));
            }
            let full = client.lock(b"key", TTL).await?;
            assert!(matches!(client.try_lock(b"more", TTL).await, Err(Error::TooManyLocks)));
            drop(full);
            Ok::<(), Error>(())
        });
        assert_eq!(done, Ok(()));
    });
}

/// Of one task, any number of futures wait for the same lock; of two tasks, who comes later is served and
/// who waited before looks again at once.
#[test]
fn who_waits_for_the_same_lock_is_told() {
    let ground = ground::<1>();
    ground.with_client(Options::default(), |client, executor| {
        let guard = Rc::new(locked(client, executor, b"key"));
        let first = Rc::clone(&guard);
        let first = executor.spawn(async move { first.lost().await });
        while executor.poll_one() {}
        let looked = executor.polls(first.task());
        let second = Rc::clone(&guard);
        let second = executor.spawn(async move { join(second.lost(), second.lost()).await });
        executor.poll_one();
        executor.poll_one();
        assert!(executor.polls(first.task()) > looked, "it was replaced, so it looks again");
        executor.drop_task(&first);
        assert_eq!(executor.finish(&second), (Loss::Expired, Loss::Expired));
    });
}

#[test]
fn connect_tells_how_the_streams_opened() {
    let rows: [(Opening, Result<(), Fault>, u64); 5] = [
        (Opening::AtOnce, Ok(()), 0),
        (Opening::Late(700), Ok(()), 700),
        (Opening::Late(2_001), Err(Fault::NotOpen), 2_000),
        (Opening::Never, Err(Fault::NotOpen), 2_000),
        (
            Opening::Fails(redlatch_embassy::ErrorKind::ConnectionRefused),
            Err(Fault::Stream(redlatch_embassy::ErrorKind::ConnectionRefused)),
            0,
        ),
    ];
    for (opening, expected, took) in rows {
        let ground = ground::<1>();
        ground.world.borrow_mut().lines[0].opening = opening;
        ground.with_client(Options::default(), |client, executor| {
            let outcome = executor.run(async move { client.connect().await });
            assert_eq!(ground.now() - BEGIN, took * MS, "{opening:?}");
            assert_eq!(client.is_connected(), expected.is_ok());
            assert_eq!(client.fault(), expected.err().map(|fault| (0, fault)), "{opening:?}");
            assert_eq!(outcome.is_err(), expected.is_err(), "{opening:?}");
            let given_up = u64::from(matches!(expected, Err(Fault::NotOpen)));
            ground.world.borrow_mut().lines[0].opening = Opening::AtOnce;
            executor.pass(20);
            assert_eq!(ground.seen[0].given_up.get(), given_up, "{opening:?}: dropped when late");
            assert!(client.is_connected(), "{opening:?}: it is tried again");
        });
    }
}

/// A wait for a moment that has come is over at once, and the streams are polled all the same.
#[test]
fn a_clock_that_does_not_wait_for_the_past_starves_no_stream() {
    let ground = ground::<3>();
    ground.with_client(Options::default(), |client, executor| {
        assert_eq!(executor.run(async move { client.connect().await }), Ok(()));
        ground.world.borrow_mut().kill(1);
        executor.pass(100);
        let opened = ground.world.borrow().lines[1].opened;
        assert_eq!((client.fault(), opened), (None, 2), "opened again when that was due");
        assert!(executor.polls(0) < 30, "{}", executor.polls(0));
    });
}

/// For one task at a time: who comes later is served, and who waited before looks again at once.
#[test]
fn who_waits_for_the_servers_is_told() {
    let ground = ground::<1>();
    ground.world.borrow_mut().lines[0].opening = Opening::Late(300);
    ground.with_client(Options::default(), |client, executor| {
        let first = executor.spawn(async move { client.connect().await });
        while executor.poll_one() {}
        let looked = executor.polls(first.task());
        let second = executor.spawn(async move { client.connect().await });
        executor.poll_one();
        executor.poll_one();
        assert!(executor.polls(first.task()) > looked, "it was replaced, so it looks again");
        executor.drop_task(&first);
        assert_eq!(executor.finish(&second), Ok(()));
    });
}

/// Somebody who waits for servers is told when the last has been tried, also when most are ready before.
#[test]
fn connect_waits_for_the_last() {
    let ground = ground::<3>();
    ground.world.borrow_mut().lines[2].opening = Opening::Late(300);
    ground.with_client(Options::default(), |client, executor| {
        assert_eq!(executor.run(async move { client.connect().await }), Ok(()));
        assert_eq!(ground.now() - BEGIN, 300 * MS);
    });
}

/// The runner sleeps until something is due, and the others until there is news.
#[test]
fn nobody_is_polled_in_vain() {
    let ground = ground::<3>();
    ground.with_client(Options::default(), |client, executor| {
        let guard = locked(client, executor, b"key");
        let waits = executor.spawn(async move { guard.lost().await });
        executor.pass(1);
        let polls = |executor: &Executor<'_>| (executor.polls(0), executor.polls(waits.task()));
        let before = polls(executor);
        executor.pass(9_800);
        assert_eq!(polls(executor), before, "until the lease ends");
        executor.pass(200);
        let after = polls(executor);
        assert_eq!(after.1, before.1 + 1, "one look at the news");
        assert!(after.0 > before.0 && after.0 <= before.0 + 12, "{}", after.0 - before.0);
        assert!(executor.is_done(&waits));
        executor.pass(3_600_000);
        assert_eq!(polls(executor), after, "nobody holds anything");
    });

    let ground = self::ground::<1>();
    ground.with_client(renewing(), |client, executor| {
        let _guard = locked(client, executor, b"key");
        executor.pass(60_000);
        let renewed = ground.world.borrow().count("EVALSHA");
        assert!((17..=18).contains(&renewed), "{renewed}: every third of the ttl");
        let per_renewal = executor.polls(0) / renewed;
        assert!(per_renewal <= 5, "{per_renewal}");
    });
}

#[test]
fn a_generator_that_fails_is_told() {
    for worth in [Worth::Fails, Worth::Stuck] {
        let ground = ground::<1>();
        ground.with_client(Options::default(), |client, executor| {
            ground.tokens.worth.set(worth);
            let outcome = executor.run(async move { client.lock(b"key", TTL).await.map(drop) });
            assert_eq!(outcome, Err(Error::Random));
            assert_eq!(ground.world.borrow().count("SET"), 0);
        });
    }
}

#[test]
fn neither_a_client_nor_a_guard_shows_a_secret() {
    let ground = ground::<1>();
    ground.with_client(Options::default(), |client, executor| {
        let guard = locked(client, executor, b"sentinel");
        let shown = format!("{client:?} {guard:?} {client:#?} {guard:#?}");
        for secret in ["5a5a", "90, 90", "sentinel"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("Guard") && shown.contains("validity"), "{shown}");
        let forever = executor.spawn(pending::<()>());
        executor.drop_task(&forever);
    });
}
