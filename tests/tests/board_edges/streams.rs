//! Streams that are open for good, made of drivers that poll and drivers that block.

use core::cell::Cell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use redlatch_embedded::{Client, Fault, Fixed, Login, Options, Polled, Stream, Timed};

use super::desk::{DeskClient, Ticker};
use super::world::{BEGIN, MS, Shared, Tokens, World, Worth, shared};

const TTL: Duration = Duration::from_secs(10);

/// A driver that says what it is told to.
#[derive(Default)]
struct Scripted {
    says: VecDeque<Result<usize, ErrorKind>>,
    ready: VecDeque<Result<bool, ErrorKind>>,
    asked: usize,
}

impl Scripted {
    fn says(says: Result<usize, ErrorKind>) -> Self {
        Self { says: VecDeque::from([says]), ready: VecDeque::from([Ok(true)]), asked: 0 }
    }

    fn is_ready(ready: Result<bool, ErrorKind>) -> Self {
        Self { ready: VecDeque::from([ready]), ..Self::default() }
    }

    fn next(&mut self) -> Result<usize, ErrorKind> {
        self.asked += 1;
        self.says.pop_front().expect("it is asked once")
    }
}

impl ErrorType for Scripted {
    type Error = ErrorKind;
}

impl Read for Scripted {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        self.next()
    }
}

impl Write for Scripted {
    fn write(&mut self, _: &[u8]) -> Result<usize, ErrorKind> {
        self.next()
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.next().map(|_| ())
    }
}

impl ReadReady for Scripted {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        self.ready.pop_front().expect("it is asked once")
    }
}

impl WriteReady for Scripted {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        self.ready.pop_front().expect("it is asked once")
    }
}

/// What a driver says, and what that is to the client.
type Answer = (Result<usize, ErrorKind>, Result<Option<usize>, ErrorKind>);

const ANSWERS: [Answer; 6] = [
    (Ok(3), Ok(Some(3))),
    (Ok(0), Ok(Some(0))),
    (Err(ErrorKind::TimedOut), Ok(None)),
    (Err(ErrorKind::Interrupted), Ok(None)),
    (Err(ErrorKind::Other), Err(ErrorKind::Other)),
    (Err(ErrorKind::ConnectionReset), Err(ErrorKind::ConnectionReset)),
];

#[test]
fn what_a_driver_says_is_understood() {
    for (says, expected) in ANSWERS {
        let driver = || Scripted::says(says);
        for awaited in [false, true] {
            assert_eq!(Polled::new(driver()).read(&mut [0; 9], awaited), expected, "{says:?}");
        }
        assert_eq!(Timed::new(driver()).read(&mut [0; 9], true), expected, "{says:?}");
        assert_eq!(Polled::new(driver()).write(&[0; 9]), expected, "{says:?}");
        assert_eq!(Timed::new(driver()).write(&[0; 9]), expected, "{says:?}");
        let flushed = Timed::new(driver()).flush();
        assert_eq!(flushed, expected.map(|_| ()), "{says:?}");
    }
}

/// A driver that blocks is not asked for what nobody awaits; one that polls is not asked unless it is ready,
/// and never flushed, because that would wait.
#[test]
fn a_driver_is_not_asked_in_vain() {
    let none = Scripted::default;
    assert_eq!(Timed::new(none()).read(&mut [0; 9], false), Ok(None));
    assert_eq!(Polled::new(none()).flush(), Ok(()));
    for ready in [Ok(false), Err(ErrorKind::Other)] {
        let expected = ready.map(|_| None);
        assert_eq!(Polled::new(Scripted::is_ready(ready)).read(&mut [0; 9], true), expected);
        assert_eq!(Polled::new(Scripted::is_ready(ready)).write(&[0; 9]), expected);
    }
}

#[test]
fn a_serial_line_is_always_open_and_must_be_quiet() {
    let span = Duration::from_millis(3);
    let mut polled = Polled::new(Scripted::default());
    let mut timed = Timed::new(Scripted::default());
    assert_eq!((polled.open(), timed.open()), (Ok(true), Ok(true)));
    polled.close();
    timed.close();
    assert_eq!((polled.open(), timed.open()), (Ok(true), Ok(true)));
    assert_eq!(polled.quiet(), Duration::from_millis(20));
    assert_eq!(timed.quiet(), Duration::from_millis(20));
    assert_eq!((polled.with_quiet(span).quiet(), timed.with_quiet(span).quiet()), (span, span));
}

/// A serial port to a bridge, which dials again by itself. A read gives up after so many milliseconds.
struct Port {
    world: Shared,
    patience: u64,
    reads: Rc<Cell<u64>>,
}

impl Port {
    fn new(world: &Shared, patience: u64) -> Self {
        world.borrow_mut().open(0);
        Self { world: Rc::clone(world), patience, reads: Rc::default() }
    }

    fn dial_again(&mut self) {
        let mut world = self.world.borrow_mut();
        if world.read(0, &mut []).is_some() {
            world.close(0);
            world.open(0);
        }
    }
}

impl ErrorType for Port {
    type Error = ErrorKind;
}

impl Read for Port {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, ErrorKind> {
        self.reads.set(self.reads.get() + 1);
        self.dial_again();
        let mut world = self.world.borrow_mut();
        let end = world.now + self.patience * MS;
        while world.now < end && !world.lines[0].is_readable() {
            world.pass(end);
        }
        world.read(0, space).ok_or(ErrorKind::TimedOut)
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.dial_again();
        self.world.borrow_mut().write(0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        self.dial_again();
        Ok(self.world.borrow().lines[0].is_readable())
    }
}

impl WriteReady for Port {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

fn client<S: Stream>(world: &Shared, stream: S) -> DeskClient<S, 1> {
    let memory = Fixed::new([&Login::NONE]);
    let clock = Ticker::lazy(world);
    Client::new(memory, [stream], clock, Tokens::new(Worth::Sound), &Options::DEFAULT)
        .expect("random")
}

/// Everything a lock does, on a line that the client can neither open nor close. The first time takes as
/// long as the line must be quiet, and one more look of a driver that blocks.
fn works<S: Stream>(make: impl FnOnce(&Shared) -> S, slowest: u64) {
    let world = shared(World::new(1));
    let client = client(&world, make(&world));
    world.borrow_mut().lines[0].inject(b"-ERR of an earlier conversation\r\n");
    assert_eq!(client.connect(), Ok(()));
    let took = world.borrow().now - BEGIN;
    assert!((20 * MS..=(20 + slowest) * MS).contains(&took), "{took}");
    let mut guard = client.lock(b"key", TTL).expect("free");
    guard.extend().expect("ours");
    world.borrow_mut().kill(0);
    client.wait(Duration::from_millis(10)).expect("nobody else is in here");
    guard.extend().expect("the bridge has dialled again");
    assert_eq!(guard.release(), Ok(true));
    assert!(client.settle(TTL));
}

#[test]
fn a_lock_works_over_a_driver_that_polls() {
    works(|world| Polled::new(Port::new(world, 0)), 0);
}

#[test]
fn a_lock_works_over_a_driver_that_blocks() {
    works(|world| Timed::new(Port::new(world, 5)), 5);
}

/// While nothing is on its way, a call takes no time.
#[test]
fn a_driver_that_blocks_is_not_read_while_a_lock_is_only_held() {
    let world = shared(World::new(1));
    let port = Port::new(&world, 5);
    let reads = Rc::clone(&port.reads);
    let client = client(&world, Timed::new(port));
    let guard = client.lock(b"key", TTL).expect("free");
    let (before, begun) = (reads.get(), world.borrow().now);
    for _ in 0..50 {
        client.poll().expect("nobody else is in here");
    }
    client.wait(Duration::from_secs(5)).expect("nobody else is in here");
    assert_eq!(reads.get(), before);
    assert_eq!(world.borrow().now - begun, 5_000 * MS);
    drop(guard);
    assert_eq!(reads.get(), before, "nor in a drop");
    assert!(client.settle(TTL) && reads.get() > before);
}

#[test]
fn a_line_that_is_never_quiet_is_told() {
    for blocks in [false, true] {
        let world = shared(World::new(1));
        for at in 0..300 {
            world.borrow_mut().after(at * 10, |world| world.lines[0].inject(b"#"));
        }
        let fault = if blocks {
            let client = client(&world, Timed::new(Port::new(&world, 5)));
            assert!(client.connect().is_err());
            client.fault()
        } else {
            let client = client(&world, Polled::new(Port::new(&world, 0)));
            assert!(client.connect().is_err());
            client.fault()
        };
        assert_eq!(fault, Some((0, Fault::Noise)));
        let took = world.borrow().now - BEGIN;
        assert!((2_000 * MS..=2_005 * MS).contains(&took), "{took}");
    }
}
