//! The runner and its streams: what it does when they fail, when it is dropped and made anew, how long it
//! lingers, and what it asks of a clock.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{ErrorType, Read, Write};
use redlatch_embassy::{
    Delays, Error, ErrorKind, Fault, Fixed, Halves, Login, Options, Stream, Time, share,
};
use redlatch_testkit::model::{Fault as Trouble, Rule};

use super::executor::{Executor, Ground, Seen, WorldTime, Writes, sleep_until};
use super::world::{BEGIN, MS, Shared, Tokens, World, Worth, kept, shared};

const TTL: Duration = Duration::from_secs(10);

fn ground() -> Ground<1> {
    Ground::new(World::new(1))
}

#[test]
fn every_way_to_write_is_followed_or_told() {
    let broken = ErrorKind::BrokenPipe;
    let rows = [
        (Writes::All, None, 0),
        (Writes::Some(1), None, 0),
        (Writes::Some(50), None, 0),
        (Writes::Never, Some(Fault::Silent), 2_000),
        (Writes::Zero, Some(Fault::Stream(ErrorKind::WriteZero)), 0),
        (Writes::Fails(broken), Some(Fault::Stream(broken)), 0),
        (Writes::FlushFails(broken), Some(Fault::Stream(broken)), 0),
    ];
    for (writes, expected, took) in rows {
        let ground = ground();
        ground.with_client(Options::default(), |client, executor| {
            ground.seen[0].writes.set(writes);
            let _ = executor.run(async move { client.connect().await });
            assert_eq!(ground.now() - BEGIN, took * MS, "{writes:?}");
            assert_eq!(client.fault().map(|(_, fault)| fault), expected, "{writes:?}");
            ground.seen[0].writes.set(Writes::All);
            let guard = executor.run(async move { client.lock(b"key", TTL).await });
            let flushes = ground.seen[0].flushes.get();
            assert_eq!(executor.run(guard.expect("free").release()), Ok(true), "{writes:?}");
            let flushed = ground.seen[0].flushes.get() - flushes;
            assert_eq!(flushed, 2, "{writes:?}: once for each script, however many pieces");
        });
    }
}

#[test]
fn a_stream_that_breaks_or_ends_is_told_and_opened_again() {
    let aborted = ErrorKind::ConnectionAborted;
    type Row = (fn(&Ground<1>), Fault);
    let rows: [Row; 3] = [
        (|ground| ground.world.borrow_mut().kill(0), Fault::Closed),
        (|ground| ground.world.borrow_mut().restart(0, true), Fault::Closed),
        (
            |ground| {
                ground.seen[0].breaks.set(Some(ErrorKind::ConnectionAborted));
                ground.world.borrow_mut().lines[0].inject(b"");
            },
            Fault::Stream(aborted),
        ),
    ];
    for (what, expected) in rows {
        let ground = ground();
        ground.with_client(Options::default(), |client, executor| {
            let guard = executor.run(async move { client.lock(b"key", TTL).await }).expect("free");
            what(&ground);
            while executor.poll_one() {}
            assert_eq!(client.fault(), Some((0, expected)));
            assert!(guard.is_valid(), "a lock outlives its connection");
            executor.pass(20);
            assert!(client.is_connected(), "opened again without being asked");
            assert_eq!(executor.run(guard.release()), Ok(true));
            let world = ground.world.borrow();
            assert_eq!((world.lines[0].opened, world.lines[0].closed), (2, 1));
        });
    }
}

/// More than the room of the client, and more than it moves at once.
#[test]
fn a_server_that_talks_much_is_read_in_pieces() {
    let ground = ground();
    let push = [b"$3000\r\n".as_slice(), &[b'a'; 3_000], b"\r\n"].concat();
    ground.world.borrow_mut().servers[0]
        .fail(Rule::on("SET", Trouble::Before([b">1\r\n".as_slice(), &push].concat())));
    ground.with_client(Options::default(), |client, executor| {
        let guard = executor.run(async move { client.lock(b"key", TTL).await }).expect("free");
        assert_eq!(executor.run(guard.release()), Ok(true));
        assert_eq!(ground.world.borrow().lines[0].opened, 1);
    });
}

/// A runner that was dropped has closed its streams. The next one opens them again at once: nobody waits for
/// an answer on a connection that is not there.
#[test]
fn a_runner_that_is_run_again_opens_its_streams_again() {
    let ground = ground();
    ground.with_parts(Options::default(), |client, mut runner, executor| {
        executor.run(async move {
            for round in 1..4 {
                let work = async {
                    let mut guard = client.lock(b"key", TTL).await.expect("free");
                    guard.extend().await.expect("ours");
                    guard
                };
                let guard = match select(runner.run(), work).await {
                    Either::First(never) => never,
                    Either::Second(guard) => guard,
                };
                assert!(guard.is_valid(), "nobody runs, and it is held all the same");
                let release = async { guard.release().await };
                let released = runner.run_while(TTL, release).await;
                assert_eq!(released, Ok(true), "round {round}");
            }
        });
        let took = ground.now() - BEGIN;
        assert!(took <= 200 * MS, "{took}: six times a pause and no reply timeout");
    });
    assert_eq!(ground.world.borrow().count("SET"), 3);
}

#[test]
fn a_client_is_split_again() {
    let ground = ground();
    let memory = Fixed::<1, 2, 512, 32>::new([&Login::NONE]);
    let mut rng = ground.tokens.clone();
    let time = WorldTime::new(&ground.world);
    let mut shared = share(memory, time, &mut rng, &Options::DEFAULT).expect("random");
    for _ in 0..3 {
        let (client, mut runner) = shared.split(ground.wires(), ground.tokens.clone());
        let mut executor = Executor::new(&ground.world);
        let done = executor.run(async move {
            let work = async { client.lock(b"key", TTL).await?.release().await };
            runner.run_while(TTL, work).await
        });
        assert_eq!(done, Ok(true));
    }
    assert!(ground.now() - BEGIN <= 100 * MS, "{}", ground.now() - BEGIN);
}

/// How long `run_while` goes on when the work is done: until all is given back, and no longer than it was
/// told. Whatever kind of time it has.
fn lingers<T: Time>(make: impl Fn(&Shared) -> T) {
    let rows = [(None, 300, 0), (Some(45), 300, 40), (Some(1_000), 300, 300), (Some(45), 0, 0)];
    for (answers_after, linger, took) in rows {
        let ground = ground();
        let memory = Fixed::<1, 2, 512, 32>::new([&Login::NONE]);
        let time = make(&ground.world);
        let options = Options { reply_timeout: Duration::from_secs(2), ..Options::default() };
        let mut shared =
            share(memory, time, &mut ground.tokens.clone(), kept(options)).expect("random");
        let (client, mut runner) = shared.split(ground.wires(), ground.tokens.clone());
        let mut executor = Executor::new(&ground.world);
        let world = Rc::clone(&ground.world);
        let lingered = executor.run(async move {
            let work = async {
                let guard = client.lock(b"key", TTL).await.expect("free");
                if let Some(millis) = answers_after {
                    let late = Trouble::Delay { hold: millis * MS };
                    world.borrow_mut().servers[0].fail(Rule::on("EVALSHA", late));
                }
                drop(guard);
                let now = world.borrow().now;
                sleep_until(&world, now + 5 * MS).await;
                world.borrow().instant().as_micros()
            };
            let linger = Duration::from_millis(linger);
            let done_at = runner.run_while(linger, work).await;
            let end = world.borrow().now;
            // Nothing of it is left for the next run, which lasts beyond that moment.
            runner.run_while(linger, sleep_until(&world, end + 2_000 * MS)).await;
            end - done_at
        });
        assert_eq!(lingered, took * MS, "{answers_after:?}, {linger}");
        drop(executor);
    }
}

#[test]
fn a_runner_lingers_until_all_is_given_back_and_no_longer() {
    lingers(WorldTime::new);
}

/// Delays of the world, one at a time.
struct WorldDelay(Shared, u32);

impl DelayNs for WorldDelay {
    async fn delay_ns(&mut self, ns: u32) {
        self.1 = if ns == 0 { self.1 + 1 } else { 0 };
        assert!(self.1 < 400, "somebody spins inside of one poll");
        let until = self.0.borrow().now + u64::from(ns.div_ceil(1_000));
        sleep_until(&self.0, until).await;
    }
}

fn delays(world: &Shared) -> Delays<WorldDelay, impl Fn() -> u64 + use<>> {
    let clock = Rc::clone(world);
    Delays::new(WorldDelay(Rc::clone(world), 0), move || clock.borrow().now)
}

/// There is one delay, and two who wait: for what is due, and for the end of lingering.
#[test]
fn a_runner_lingers_with_a_single_delay_as_well() {
    lingers(delays);
}

#[test]
fn delays_tell_the_time_and_wait_for_moments() {
    let world = shared(World::new(0));
    let time = Rc::new(delays(&world));
    let mut executor = Executor::new(&world);
    let moment = time.now();
    assert_eq!(moment.as_micros(), BEGIN);
    let waits = Rc::clone(&time);
    executor.run(async move {
        let span = Duration::from_millis(70);
        waits.wait_until(moment.saturating_add(span)).await;
        waits.wait_until(moment).await;
    });
    assert_eq!(time.now().as_micros(), BEGIN + 70 * MS);
    let for_ever = Rc::clone(&time);
    let waits =
        executor.spawn(async move { for_ever.wait_until(redlatch_embassy::Instant::NEVER).await });
    executor.pass(3_600_000);
    assert!(!executor.is_done(&waits), "an hour is not for ever");
}

/// The halves of a serial line to a bridge: never closed, and what is read is lost if a read is dropped.
struct Line(Shared);

impl ErrorType for Line {
    type Error = ErrorKind;
}

impl Read for Line {
    async fn read(&mut self, space: &mut [u8]) -> Result<usize, ErrorKind> {
        core::future::poll_fn(|context| {
            let mut world = self.0.borrow_mut();
            match world.read(0, space) {
                Some(count) => core::task::Poll::Ready(Ok(count)),
                None => {
                    world.lines[0].reader = Some(context.waker().clone());
                    core::task::Poll::Pending
                }
            }
        })
        .await
    }
}

impl Write for Line {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.borrow_mut().write(0, bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[test]
fn a_lock_works_over_the_halves_of_a_serial_line() {
    for quiet in [20, 3] {
        let world = shared(World::new(1));
        world.borrow_mut().open(0);
        world.borrow_mut().lines[0].inject(b"-ERR of an earlier conversation\r\n");
        let halves = || Halves::new(Line(Rc::clone(&world)), Line(Rc::clone(&world)));
        assert_eq!(halves().quiet(), Duration::from_millis(20));
        let halves = halves().with_quiet(Duration::from_millis(quiet));
        let memory = Fixed::<1, 1, 512, 32>::new([&Login::NONE]);
        let mut rng = Tokens::new(Worth::Sound);
        let time = WorldTime::new(&world);
        let mut shared = share(memory, time, &mut rng, &Options::DEFAULT).expect("random");
        let (client, mut runner) = shared.split([halves], rng);
        let mut executor = Executor::new(&world);
        let done = executor.run(async move {
            let work = async {
                client.connect().await?;
                let connected = client.is_connected();
                let mut guard = client.lock(b"key", TTL).await?;
                guard.extend().await?;
                guard.release().await.map(|ours| ours && connected)
            };
            runner.run_while(TTL, work).await
        });
        assert_eq!(done, Ok(true));
        assert_eq!(world.borrow().now - BEGIN, quiet * MS, "the line was quiet for so long");
    }
}

/// What is told about a read that is dropped: the check that the others rely on can fail.
#[test]
fn a_dropped_read_is_noticed() {
    let ground = ground();
    let seen: Rc<Seen> = Rc::clone(&ground.seen[0]);
    let [mut wire] = ground.wires();
    let mut executor = Executor::new(&ground.world);
    let reads = Rc::<Cell<u32>>::default();
    let counted = Rc::clone(&reads);
    executor.run(async move {
        let (mut reader, _writer) = wire.open().await.expect("it opens");
        for _ in 0..2 {
            let mut space = [0; 9];
            let Either::Second(()) = select(reader.read(&mut space), async {}).await else {
                panic!("nothing is there");
            };
            counted.set(counted.get() + 1);
        }
    });
    assert_eq!((reads.get(), seen.reads_dropped.get()), (2, 1));
}

#[test]
fn a_generator_that_fails_makes_no_client() {
    let world = shared(World::new(1));
    let memory = Fixed::<1, 1, 256, 32>::new([&Login::NONE]);
    let mut rng = Tokens::new(Worth::Fails);
    let made = share(memory, WorldTime::new(&world), &mut rng, &Options::DEFAULT);
    assert_eq!(made.err(), Some(Error::Random));
}
