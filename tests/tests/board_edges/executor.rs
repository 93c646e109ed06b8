//! An executor in virtual time, and what a client that is polled needs: time, and streams. Time passes only
//! when no task is awake.

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;

use embedded_io_async::{ErrorType, Read, Write};
use redlatch_embassy::{
    Client, ErrorKind, Fixed, Instant, Login, Options, Runner, Stream, Time, share,
};

use super::world::{MS, Opening, Shared, Tokens, World, Worth, kept, shared};

/// Polls at one moment before it counts as spinning.
const POLLS_MAX: u32 = 400;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task<'t> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 't>>>,
    flag: Arc<Flag>,
    polls: Rc<Cell<u64>>,
}

/// The first task is the runner of the client.
pub(crate) struct Executor<'t> {
    world: Shared,
    tasks: Vec<Task<'t>>,
    busy: u32,
}

/// What a task will have said.
pub(crate) struct Said<T> {
    value: Rc<RefCell<Option<T>>>,
    task: usize,
}

impl<T> Said<T> {
    /// The number of the task.
    pub(crate) const fn task(&self) -> usize {
        self.task
    }
}

impl<'t> Executor<'t> {
    pub(crate) fn new(world: &Shared) -> Self {
        Self { world: Rc::clone(world), tasks: Vec::new(), busy: 0 }
    }

    pub(crate) fn spawn<T: 't>(&mut self, future: impl Future<Output = T> + 't) -> Said<T> {
        let value = Rc::new(RefCell::new(None));
        let said = Said { value: Rc::clone(&value), task: self.tasks.len() };
        let future: Pin<Box<dyn Future<Output = ()> + 't>> = Box::pin(async move {
            let spoken = future.await;
            value.replace(Some(spoken));
        });
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.tasks.push(Task { future: Some(future), flag, polls: Rc::default() });
        said
    }

    /// Drops a task where it stands.
    pub(crate) fn drop_task<T>(&mut self, said: &Said<T>) {
        self.tasks[said.task].future = None;
    }

    pub(crate) fn is_done<T>(&self, said: &Said<T>) -> bool {
        self.tasks[said.task].future.is_none()
    }

    /// How often a task was polled; the runner is the first.
    pub(crate) fn polls(&self, task: usize) -> u64 {
        self.tasks[task].polls.get()
    }

    /// Polls one task that is awake. False when all sleep.
    pub(crate) fn poll_one(&mut self) -> bool {
        let awake = |task: &&mut Task<'t>| {
            task.future.is_some() && task.flag.0.swap(false, Ordering::Relaxed)
        };
        let Some(task) = self.tasks.iter_mut().find(awake) else {
            self.busy = 0;
            return false;
        };
        self.busy += 1;
        assert!(self.busy < POLLS_MAX, "somebody spins");
        task.polls.set(task.polls.get() + 1);
        let waker = Waker::from(Arc::clone(&task.flag));
        let Some(future) = &mut task.future else { return true };
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            task.future = None;
        }
        true
    }

    /// Polls one task, or lets time pass.
    pub(crate) fn step(&mut self) {
        if !self.poll_one() {
            self.world.borrow_mut().pass(u64::MAX);
        }
    }

    /// Until this task is done.
    pub(crate) fn finish<T>(&mut self, said: &Said<T>) -> T {
        while self.tasks[said.task].future.is_some() {
            self.step();
        }
        said.value.take().expect("it was not dropped")
    }

    pub(crate) fn run<T: 't>(&mut self, future: impl Future<Output = T> + 't) -> T {
        let said = self.spawn(future);
        self.finish(&said)
    }

    /// So many milliseconds pass.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.world.borrow().now + millis * MS;
        loop {
            while self.poll_one() {}
            let mut world = self.world.borrow_mut();
            if world.now >= end {
                return;
            }
            world.pass(end);
        }
    }
}

/// The time of the world.
#[derive(Clone)]
pub(crate) struct WorldTime {
    world: Shared,
    /// How often in a row it was waited for something that is due.
    in_vain: Rc<Cell<u32>>,
}

impl WorldTime {
    pub(crate) fn new(world: &Shared) -> Self {
        Self { world: Rc::clone(world), in_vain: Rc::default() }
    }
}

impl Time for WorldTime {
    fn now(&self) -> Instant {
        self.world.borrow().instant()
    }

    /// Does not wait at all for a moment that has come.
    async fn wait_until(&self, at: Instant) {
        if at <= self.now() {
            self.in_vain.set(self.in_vain.get() + 1);
            assert!(self.in_vain.get() < POLLS_MAX, "somebody spins inside of one poll");
            return;
        }
        self.in_vain.set(0);
        sleep_until(&self.world, at.as_micros()).await;
    }
}

/// A timer that is set, and taken back when it is dropped.
struct Timer<'w> {
    world: &'w Shared,
    set: Option<u64>,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        if let Some(set) = self.set {
            self.world.borrow_mut().wake_not(set);
        }
    }
}

pub(crate) async fn sleep_until(world: &Shared, at: u64) {
    let mut timer = Timer { world, set: None };
    poll_fn(|context| {
        let mut world = timer.world.borrow_mut();
        if at <= world.now {
            return Poll::Ready(());
        }
        if let Some(set) = timer.set {
            world.wake_not(set);
        }
        timer.set = Some(world.wake_at(at, context.waker()));
        Poll::Pending
    })
    .await;
}

/// How a stream writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writes {
    #[default]
    All,
    Some(usize),
    Zero,
    Fails(ErrorKind),
    FlushFails(ErrorKind),
    Never,
}

/// What was seen of a stream, and what it does.
#[derive(Default)]
pub(crate) struct Seen {
    /// Opening was dropped before it was done.
    pub(crate) given_up: Cell<u64>,
    /// A read was dropped, and the stream used on.
    pub(crate) reads_dropped: Cell<u64>,
    pub(crate) flushes: Cell<u64>,
    pub(crate) writes: Cell<Writes>,
    pub(crate) breaks: Cell<Option<ErrorKind>>,
}

/// A stream that can be opened: a line of the world.
pub(crate) struct AsyncWire {
    pub(crate) world: Shared,
    pub(crate) at: usize,
    pub(crate) seen: Rc<Seen>,
}

/// It is closed when both halves are dropped.
struct Open {
    world: Shared,
    at: usize,
    seen: Rc<Seen>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.world.borrow_mut().close(self.at);
    }
}

pub(crate) struct Reader {
    open: Rc<Open>,
    dropped: bool,
}

pub(crate) struct Writer {
    open: Rc<Open>,
}

/// Counts what ends before its time.
struct Unfinished<F: FnMut()>(bool, F);

impl<F: FnMut()> Drop for Unfinished<F> {
    fn drop(&mut self) {
        if self.0 {
            (self.1)();
        }
    }
}

impl Stream for AsyncWire {
    type Reader<'s> = Reader;
    type Writer<'s> = Writer;

    async fn open(&mut self) -> Result<(Reader, Writer), ErrorKind> {
        let given_up = &self.seen.given_up;
        let mut unfinished = Unfinished(true, || given_up.set(given_up.get() + 1));
        let (opening, now) = {
            let world = self.world.borrow();
            (world.lines[self.at].opening, world.now)
        };
        match opening {
            Opening::AtOnce => {}
            Opening::Late(millis) => sleep_until(&self.world, now + millis * MS).await,
            Opening::Never => core::future::pending().await,
            Opening::Fails(kind) => {
                unfinished.0 = false;
                return Err(kind);
            }
        }
        unfinished.0 = false;
        self.world.borrow_mut().open(self.at);
        let (world, seen) = (Rc::clone(&self.world), Rc::clone(&self.seen));
        let open = Rc::new(Open { world, at: self.at, seen });
        Ok((Reader { open: Rc::clone(&open), dropped: false }, Writer { open }))
    }
}

impl ErrorType for Reader {
    type Error = ErrorKind;
}

impl Read for Reader {
    /// Loses bytes when it is dropped, as many drivers do.
    async fn read(&mut self, space: &mut [u8]) -> Result<usize, ErrorKind> {
        let Self { open, dropped } = self;
        if *dropped {
            open.seen.reads_dropped.set(open.seen.reads_dropped.get() + 1);
        }
        let mut unfinished = Unfinished(true, || *dropped = true);
        let count = poll_fn(|context| {
            if let Some(kind) = open.seen.breaks.take() {
                return Poll::Ready(Err(kind));
            }
            let mut world = open.world.borrow_mut();
            match world.read(open.at, space) {
                Some(count) => Poll::Ready(Ok(count)),
                None => {
                    world.lines[open.at].reader = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        unfinished.0 = false;
        count
    }
}

impl ErrorType for Writer {
    type Error = ErrorKind;
}

impl Write for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let count = match self.open.seen.writes.get() {
            Writes::All | Writes::FlushFails(_) => bytes.len(),
            Writes::Some(most) => bytes.len().min(most),
            Writes::Zero => 0,
            Writes::Fails(kind) => return Err(kind),
            Writes::Never => core::future::pending().await,
        };
        self.open.world.borrow_mut().write(self.open.at, &bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.open.seen.flushes.set(self.open.seen.flushes.get() + 1);
        match self.open.seen.writes.get() {
            Writes::FlushFails(kind) => Err(kind),
            _ => Ok(()),
        }
    }
}

pub(crate) type Handle<'s, const N: usize> =
    Client<'s, 'static, Fixed<'static, N, 2, 500, 32>, WorldTime>;
pub(crate) type Driver<'s, const N: usize> =
    Runner<'s, 'static, Fixed<'static, N, 2, 500, 32>, WorldTime, AsyncWire, Tokens, N>;

/// What a client stands on.
pub(crate) struct Ground<const N: usize> {
    pub(crate) world: Shared,
    pub(crate) seen: [Rc<Seen>; N],
    pub(crate) tokens: Tokens,
}

impl<const N: usize> Ground<N> {
    pub(crate) fn new(world: World) -> Self {
        let seen = core::array::from_fn(|_| Rc::default());
        Self { world: shared(world), seen, tokens: Tokens::new(Worth::Sound) }
    }

    pub(crate) fn now(&self) -> u64 {
        self.world.borrow().now
    }

    pub(crate) fn holders(&self, key: &str) -> usize {
        self.world.borrow().holders(key)
    }

    pub(crate) fn wires(&self) -> [AsyncWire; N] {
        core::array::from_fn(|at| {
            let (world, seen) = (Rc::clone(&self.world), Rc::clone(&self.seen[at]));
            AsyncWire { world, at, seen }
        })
    }

    /// A client, and an executor whose first task is its runner.
    pub(crate) fn with_client(
        &self,
        options: Options,
        test: impl for<'s> FnOnce(Handle<'s, N>, &mut Executor<'s>),
    ) {
        self.with_parts(options, |client, mut runner, executor| {
            executor.spawn(async move { runner.run().await });
            test(client, executor);
        });
        for seen in &self.seen {
            assert_eq!(seen.reads_dropped.get(), 0, "no read is dropped while its stream is used");
        }
    }

    /// A client that nobody drives yet.
    pub(crate) fn with_parts(
        &self,
        options: Options,
        test: impl for<'s> FnOnce(Handle<'s, N>, Driver<'s, N>, &mut Executor<'s>),
    ) {
        let memory = Fixed::new([&Login::NONE; N]);
        let time = WorldTime::new(&self.world);
        let mut shared =
            share(memory, time, &mut self.tokens.clone(), kept(options)).expect("random");
        let (client, runner) = shared.split(self.wires(), self.tokens.clone());
        let mut executor = Executor::new(&self.world);
        test(client, runner, &mut executor);
    }
}
