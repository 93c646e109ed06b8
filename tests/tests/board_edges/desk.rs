//! A client that blocks, on a desk: its clock lets the time of the world pass, its streams are lines of
//! the world.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use redlatch_embedded::{Client, Clock, ErrorKind, Fixed, Guard, Instant, Login, Options, Stream};

use super::world::{Line, MS, Opening, Shared, Tokens, World, Worth, kept, shared};

pub(crate) type DeskClient<S, const N: usize> =
    Client<'static, Fixed<'static, N, 4, 512, 32>, [S; N], Ticker, Tokens>;

/// Lets time pass when the client has nothing to do, and notes until when.
#[derive(Clone)]
pub(crate) struct Ticker {
    world: Shared,
    pub(crate) idled: Rc<RefCell<Vec<u64>>>,
    /// Whether every stream is read whenever it can be.
    eager: bool,
}

impl Ticker {
    pub(crate) fn new(world: &Shared) -> Self {
        Self { world: Rc::clone(world), idled: Rc::default(), eager: true }
    }

    /// For streams that are read only when an answer is awaited.
    pub(crate) fn lazy(world: &Shared) -> Self {
        Self { eager: false, ..Self::new(world) }
    }
}

impl Clock for Ticker {
    fn now(&mut self) -> Instant {
        self.world.borrow().instant()
    }

    fn idle(&mut self, until: Instant) {
        let mut world = self.world.borrow_mut();
        let until = until.as_micros();
        assert!(until > world.now, "it has something to do now");
        let unread = |line: &Line| line.is_open && line.is_readable();
        assert!(!self.eager || !world.lines.iter().any(unread), "it has something to read");
        self.idled.borrow_mut().push(until);
        world.pass(until);
    }
}

/// What a stream does instead of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writes {
    #[default]
    All,
    /// So many bytes at once.
    Some(usize),
    /// There is no room until that moment.
    NotBefore(u64),
    Zero,
    Fails(ErrorKind),
    FlushFails(ErrorKind),
}

/// How often a stream was asked, and what it says.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) opens: Cell<u64>,
    pub(crate) reads: Cell<u64>,
    pub(crate) flushes: Cell<u64>,
    pub(crate) unflushed: Cell<bool>,
    pub(crate) writes: Cell<Writes>,
    pub(crate) breaks: Cell<Option<ErrorKind>>,
    due: Cell<Option<u64>>,
}

/// A stream that can be opened and closed: a line of the world.
pub(crate) struct Wire {
    world: Shared,
    at: usize,
    pub(crate) told: Rc<Told>,
}

impl Stream for Wire {
    fn open(&mut self) -> Result<bool, ErrorKind> {
        self.told.opens.set(self.told.opens.get() + 1);
        let mut world = self.world.borrow_mut();
        let now = world.now;
        let due = match world.lines[self.at].opening {
            Opening::AtOnce => now,
            Opening::Fails(kind) => return Err(kind),
            Opening::Never => u64::MAX,
            Opening::Late(millis) => self.told.due.get().unwrap_or_else(|| {
                // The board is woken when it can be written.
                world.after(millis, |_| {});
                now + millis * MS
            }),
        };
        self.told.due.set(Some(due));
        if due <= now {
            self.told.due.set(None);
            world.open(self.at);
        }
        Ok(due <= now)
    }

    fn close(&mut self) {
        self.told.due.set(None);
        self.world.borrow_mut().close(self.at);
    }

    fn read(&mut self, space: &mut [u8], _: bool) -> Result<Option<usize>, ErrorKind> {
        assert!(!space.is_empty(), "no room to read into");
        self.told.reads.set(self.told.reads.get() + 1);
        match self.told.breaks.take() {
            Some(kind) => Err(kind),
            None => Ok(self.world.borrow_mut().read(self.at, space)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, ErrorKind> {
        assert!(!bytes.is_empty(), "nothing to write");
        let mut world = self.world.borrow_mut();
        let count = match self.told.writes.get() {
            Writes::All | Writes::FlushFails(_) => bytes.len(),
            Writes::Some(most) => bytes.len().min(most),
            Writes::NotBefore(moment) if world.now < moment => return Ok(None),
            Writes::NotBefore(_) => bytes.len(),
            Writes::Zero => 0,
            Writes::Fails(kind) => return Err(kind),
        };
        self.told.unflushed.set(self.told.unflushed.get() || count > 0);
        world.write(self.at, &bytes[..count]);
        Ok(Some(count))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        assert!(self.told.unflushed.replace(false), "nothing was written");
        self.told.flushes.set(self.told.flushes.get() + 1);
        match self.told.writes.get() {
            Writes::FlushFails(kind) => Err(kind),
            _ => Ok(()),
        }
    }
}

/// A client and what it stands on.
pub(crate) struct Desk<const N: usize> {
    pub(crate) world: Shared,
    pub(crate) client: DeskClient<Wire, N>,
    pub(crate) told: [Rc<Told>; N],
    pub(crate) idled: Rc<RefCell<Vec<u64>>>,
    pub(crate) tokens: Tokens,
}

impl<const N: usize> Desk<N> {
    pub(crate) fn new(options: Options) -> Self {
        Self::on(World::new(N), options)
    }

    pub(crate) fn on(world: World, options: Options) -> Self {
        let world = shared(world);
        let told: [Rc<Told>; N] = core::array::from_fn(|_| Rc::default());
        let wires = core::array::from_fn(|at| Wire {
            world: Rc::clone(&world),
            at,
            told: Rc::clone(&told[at]),
        });
        let clock = Ticker::new(&world);
        let idled = Rc::clone(&clock.idled);
        let tokens = Tokens::new(Worth::Sound);
        let memory = Fixed::new([&Login::NONE; N]);
        let client =
            Client::new(memory, wires, clock, tokens.clone(), kept(options)).expect("random");
        Self { world, client, told, idled, tokens }
    }

    pub(crate) fn now(&self) -> u64 {
        self.world.borrow().now
    }

    /// A lock that is free, when all servers are ready.
    pub(crate) fn lock(&self, key: &str) -> Guard<'_> {
        let connected = self.client.connect();
        assert_eq!(connected, Ok(()));
        self.client.lock(key.as_bytes(), Duration::from_secs(10)).expect("free")
    }

    /// Time passes without a call of the client.
    pub(crate) fn sleep(&self, span: Duration) {
        let end = self.now() + u64::try_from(span.as_micros()).expect("short");
        while self.now() < end {
            self.world.borrow_mut().pass(end);
        }
    }

    pub(crate) fn holders(&self, key: &str) -> usize {
        self.world.borrow().holders(key)
    }
}
