//! An engine and its world. Whatever a test does, the driver is told to open and to close in turn, and
//! time never has to pass for something that is due.

use core::time::Duration;

use rand_core::TryRng;
use redlatch_bare::{Engine, Error, Fault, Fixed, Instant, LockId, Login, Options, Retry, Want};

use super::world::{MS, Opening, Tokens, World, Worth, kept};

/// Turns at one moment before it counts as spinning.
const TURNS_MAX: u32 = 50;

pub(crate) const TTL: Duration = Duration::from_secs(10);

/// The usual engine, for so many servers.
pub(crate) type Usual<const N: usize> = Bench<N, 2, 256>;

pub(crate) struct Bench<const N: usize, const LOCKS: usize, const BUFFER: usize> {
    pub(crate) engine: Engine<'static, Fixed<'static, N, LOCKS, BUFFER, 32>>,
    pub(crate) world: World,
    pub(crate) tokens: Tokens,
    /// What is told of each line when it is open.
    pub(crate) quiet: Duration,
}

impl<const N: usize, const LOCKS: usize, const BUFFER: usize> Bench<N, LOCKS, BUFFER> {
    pub(crate) fn new(options: Options) -> Self {
        Self::on(World::new(N), Login::default(), options)
    }

    pub(crate) fn on(world: World, login: Login<'static>, options: Options) -> Self {
        let engine = Engine::new(Fixed::new([kept(login); N]), kept(options), 7);
        let tokens = Tokens::new(Worth::Sound);
        Self { engine, world, tokens, quiet: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Instant {
        self.world.instant()
    }

    /// What a driver does, once. Whether a byte has moved.
    fn turn(&mut self) -> bool {
        let (now, mut moved) = (self.now(), false);
        for at in 0..N {
            while let Some(want) = self.engine.poll_stream(at, now) {
                self.obey(at, want);
            }
            if self.world.lines[at].is_open {
                moved |= self.read(at);
            }
        }
        let tokens = &mut self.tokens;
        self.engine.step(now, &mut |token| tokens.try_fill_bytes(token).is_ok());
        for at in 0..N {
            let pending = self.engine.io(at).pending.to_vec();
            if !pending.is_empty() {
                self.engine.wrote(at, pending.len());
                self.world.write(at, &pending);
                moved = true;
            }
        }
        moved
    }

    fn obey(&mut self, at: usize, want: Want) {
        let now = self.now();
        let line = &self.world.lines[at];
        match (want, line.opening) {
            (Want::Close, _) => {
                assert_eq!(line.closed + 1, self.asked(at), "a close for each open, after it");
                self.world.close(at);
            }
            (Want::Open, opening) => {
                assert_eq!(line.closed, self.asked(at), "no open before the close");
                match opening {
                    Opening::AtOnce | Opening::Late(_) => {
                        self.world.open(at);
                        self.engine.opened(at, self.quiet, now);
                    }
                    Opening::Never => self.world.lines[at].opened += 1,
                    Opening::Fails(kind) => {
                        self.world.lines[at].opened += 1;
                        self.engine.failed(at, kind, now);
                    }
                }
            }
        }
    }

    fn asked(&self, at: usize) -> u64 {
        self.world.lines[at].opened
    }

    fn read(&mut self, at: usize) -> bool {
        let now = self.now();
        let space = self.engine.io(at).space;
        if space.is_empty() {
            return false;
        }
        let count = self.world.read(at, space);
        if let Some(count) = count {
            self.engine.received(at, count, now);
        }
        count.is_some_and(|count| count > 0)
    }

    /// Everything that is to be done at this moment.
    pub(crate) fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            if !self.turn() && self.engine.poll_timeout() > self.now() {
                return;
            }
        }
        panic!("it spins: {:?}, due {:?}", self.engine, self.engine.poll_timeout());
    }

    /// Time passes until something comes to pass, for a minute at most. Gives what did, and how many
    /// microseconds it took.
    pub(crate) fn until<T>(&mut self, mut what: impl FnMut(&mut Self) -> Option<T>) -> (T, u64) {
        let begun = self.world.now;
        loop {
            self.settle();
            if let Some(done) = what(self) {
                return (done, self.world.now - begun);
            }
            assert!(self.world.now < begun + 60_000 * MS, "never: {:?}", self.engine);
            let due = self.engine.poll_timeout().as_micros();
            self.world.pass(due.min(begun + 60_000 * MS));
        }
    }

    /// So many milliseconds pass.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.world.now + millis * MS;
        loop {
            self.settle();
            if self.world.now >= end {
                return;
            }
            self.world.pass(self.engine.poll_timeout().as_micros().min(end));
        }
    }

    pub(crate) fn connect(&mut self) -> Result<(), Error> {
        self.until(|bench| bench.engine.poll_connected()).0
    }

    /// Why the first server is not connected, and when that turned out.
    pub(crate) fn fault(&mut self) -> (Fault, u64) {
        self.until(|bench| bench.engine.servers()[0].fault())
    }

    pub(crate) fn begin(&mut self, key: &str, ttl: Duration, retry: Retry) -> LockId {
        let now = self.now();
        self.engine.acquire(key.as_bytes(), ttl, retry, now).expect("a place")
    }

    pub(crate) fn acquired(&mut self, lock: &LockId) -> Result<(), Error> {
        self.until(|bench| bench.engine.poll_acquired(lock)).0
    }

    /// One attempt, which must succeed.
    pub(crate) fn lock(&mut self, key: &str) -> LockId {
        let lock = self.begin(key, TTL, Retry::NONE);
        self.acquired(&lock).expect("free");
        lock
    }

    /// One attempt that must fail, and why it did.
    pub(crate) fn denied(&mut self, key: &str) -> Error {
        let lock = self.begin(key, TTL, Retry::NONE);
        let error = self.acquired(&lock).expect_err("not to be had");
        self.abandon(&lock);
        error
    }

    pub(crate) fn extend(&mut self, lock: &LockId) -> Result<(), Error> {
        let now = self.now();
        self.engine.extend(lock, now);
        self.until(|bench| bench.engine.poll_extended(lock)).0
    }

    pub(crate) fn release(&mut self, lock: &LockId) -> Result<bool, Error> {
        let now = self.now();
        self.engine.release(lock, now);
        let released = self.until(|bench| bench.engine.poll_released(lock)).0;
        self.abandon(lock);
        released
    }

    pub(crate) fn abandon(&mut self, lock: &LockId) {
        let now = self.now();
        self.engine.abandon(lock, now);
    }
}

/// Options that renew.
pub(crate) fn renewing() -> Options {
    Options { renew: Some(redlatch_bare::Renew::default()), ..Options::default() }
}
