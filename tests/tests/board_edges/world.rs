//! Servers, the lines to them, and time, which passes only when nobody has anything to do.

use core::cell::{Cell, RefCell};
use core::task::Waker;
use core::{fmt, mem};
use std::collections::VecDeque;
use std::rc::Rc;

use rand_core::{TryCryptoRng, TryRng};
use redlatch_bare::{ErrorKind, Instant};
use redlatch_testkit::model::{Flow, Server, SessionId, Settings};

/// One millisecond in microseconds.
pub(crate) const MS: u64 = 1_000;
/// When every world begins.
pub(crate) const BEGIN: u64 = 1_000 * MS;

/// How a line opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    AtOnce,
    /// After so many milliseconds.
    Late(u64),
    Never,
    Fails(ErrorKind),
}

/// A line to one server.
pub(crate) struct Line {
    pub(crate) opening: Opening,
    /// Whoever dials has it open.
    pub(crate) is_open: bool,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    session: Option<SessionId>,
    inbox: VecDeque<u8>,
    /// The server has hung up.
    ended: bool,
    pub(crate) reader: Option<Waker>,
    /// Everything that was sent over it.
    pub(crate) sent: Vec<u8>,
}

impl Line {
    /// Bytes from nobody.
    pub(crate) fn inject(&mut self, bytes: &[u8]) {
        self.inbox.extend(bytes);
        self.wake();
    }

    /// The other end hangs up, whoever that is.
    pub(crate) fn hang_up(&mut self) {
        self.ended = true;
        self.wake();
    }

    /// Whether there is something to read, the end included.
    pub(crate) fn is_readable(&self) -> bool {
        self.ended || !self.inbox.is_empty()
    }

    fn wake(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
}

type Happening = Box<dyn FnOnce(&mut World)>;

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) servers: Vec<Server>,
    pub(crate) lines: Vec<Line>,
    happenings: Vec<(u64, Happening)>,
    timers: Vec<(u64, (u64, Waker))>,
    timers_set: u64,
}

impl World {
    pub(crate) fn new(servers: usize) -> Self {
        Self::of((0..servers).map(|_| Settings::default()).collect())
    }

    pub(crate) fn of(settings: Vec<Settings>) -> Self {
        let line = |_: &Settings| Line {
            opening: Opening::AtOnce,
            is_open: false,
            opened: 0,
            closed: 0,
            session: None,
            inbox: VecDeque::new(),
            ended: false,
            reader: None,
            sent: Vec::new(),
        };
        let lines = settings.iter().map(line).collect();
        let servers = settings.into_iter().map(Server::new).collect();
        Self {
            now: BEGIN,
            servers,
            lines,
            happenings: Vec::new(),
            timers: Vec::new(),
            timers_set: 0,
        }
    }

    pub(crate) fn instant(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    /// Something happens by itself after so many milliseconds.
    pub(crate) fn after(&mut self, millis: u64, what: impl FnOnce(&mut Self) + 'static) {
        self.happenings.push((self.now + millis * MS, Box::new(what)));
    }

    pub(crate) fn open(&mut self, at: usize) {
        let line = &mut self.lines[at];
        assert!(!line.is_open, "line {at} was opened twice");
        (line.is_open, line.ended) = (true, false);
        line.opened += 1;
        line.session = Some(self.servers[at].connect(self.now));
        self.collect(at);
    }

    pub(crate) fn close(&mut self, at: usize) {
        let line = &mut self.lines[at];
        line.closed += 1;
        line.is_open = false;
        line.inbox.clear();
        if let Some(session) = line.session.take() {
            self.servers[at].disconnect(session);
        }
    }

    /// `None` when nothing is there, zero at the end.
    pub(crate) fn read(&mut self, at: usize, space: &mut [u8]) -> Option<usize> {
        let line = &mut self.lines[at];
        let count = space.len().min(line.inbox.len());
        for (to, from) in space.iter_mut().zip(line.inbox.drain(..count)) {
            *to = from;
        }
        (count > 0 || line.ended).then_some(count)
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        let line = &mut self.lines[at];
        assert!(line.is_open, "line {at} is not open");
        line.sent.extend_from_slice(bytes);
        if let Some(session) = line.session {
            self.servers[at].receive(session, bytes, self.now);
        }
        self.collect(at);
    }

    /// Somebody deletes a key that is there.
    pub(crate) fn delete(&mut self, key: &str) {
        let deleted = self.servers.iter_mut().map(|server| server.remove(0, key.as_bytes()));
        assert!(deleted.fold(false, |any, deleted| any | deleted), "{key} is there");
    }

    /// The server ends all its connections.
    pub(crate) fn kill(&mut self, at: usize) {
        self.servers[at].kill_all();
        self.collect(at);
    }

    /// The server is started again.
    pub(crate) fn restart(&mut self, at: usize, keeps_data: bool) {
        self.servers[at].restart(keeps_data, self.now);
        self.collect(at);
    }

    /// Brings what the server says to the line.
    fn collect(&mut self, at: usize) {
        let (line, server) = (&mut self.lines[at], &mut self.servers[at]);
        let Some(session) = line.session else { return };
        let mut bytes = Vec::new();
        if server.take_output(session, &mut bytes) == Flow::Close {
            (line.session, line.ended) = (None, true);
        }
        line.inbox.extend(&bytes);
        if line.is_readable() {
            line.wake();
        }
    }

    /// Wakes at a moment, unless that is never. Gives what takes it back.
    pub(crate) fn wake_at(&mut self, at: u64, waker: &Waker) -> u64 {
        self.timers_set += 1;
        if at < u64::MAX {
            self.timers.push((at, (self.timers_set, waker.clone())));
        }
        self.timers_set
    }

    pub(crate) fn wake_not(&mut self, timer: u64) {
        self.timers.retain(|(_, (set, _))| *set != timer);
    }

    /// When something happens next by itself.
    pub(crate) fn next(&self) -> Option<u64> {
        let happenings = self.happenings.iter().map(|(at, _)| *at);
        let servers = self.servers.iter().filter_map(Server::next_wake);
        let timers = self.timers.iter().map(|(at, _)| *at);
        happenings.chain(servers).chain(timers).min()
    }

    /// Time passes, to `until` or to the first thing that happens before it.
    pub(crate) fn pass(&mut self, until: u64) {
        let next = self.next().unwrap_or(u64::MAX).min(until);
        assert!(next < u64::MAX, "everybody waits for ever");
        self.now = self.now.max(next);
        for at in 0..self.servers.len() {
            self.servers[at].advance(self.now);
            self.collect(at);
        }
        let now = self.now;
        let due = self.happenings.extract_due(now);
        due.into_iter().for_each(|what| what(self));
        // What happened may have been told to clients.
        (0..self.servers.len()).for_each(|at| self.collect(at));
        self.timers.extract_due(now).into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// All that holds `key`.
    pub(crate) fn holders(&self, key: &str) -> usize {
        self.servers.iter().filter(|server| server.get(0, key.as_bytes()).is_some()).count()
    }

    /// How many requests of this kind the servers have seen.
    pub(crate) fn count(&self, command: &str) -> u64 {
        self.servers.iter().map(|server| server.command_count(command)).sum()
    }
}

trait ExtractDue<T> {
    fn extract_due(&mut self, now: u64) -> Vec<T>;
}

impl<T> ExtractDue<T> for Vec<(u64, T)> {
    fn extract_due(&mut self, now: u64) -> Vec<T> {
        let (due, rest) = mem::take(self).into_iter().partition(|(at, _)| *at <= now);
        *self = rest;
        let due: Vec<(u64, T)> = due;
        due.into_iter().map(|(_, what)| what).collect()
    }
}

pub(crate) type Shared = Rc<RefCell<World>>;

pub(crate) fn shared(world: World) -> Shared {
    Rc::new(RefCell::new(world))
}

/// What a random generator is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    Sound,
    Fails,
    /// Twenty equal bytes.
    Stuck,
    /// The same twenty bytes.
    Repeats,
}

/// A random generator; all copies are one.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) worth: Rc<Cell<Worth>>,
    pub(crate) drawn: Rc<Cell<u64>>,
}

impl Tokens {
    pub(crate) fn new(worth: Worth) -> Self {
        Self { worth: Rc::new(Cell::new(worth)), drawn: Rc::new(Cell::new(0)) }
    }
}

impl TryRng for Tokens {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, fmt::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, fmt::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), fmt::Error> {
        self.drawn.set(self.drawn.get() + 1);
        let number = match self.worth.get() {
            Worth::Sound => self.drawn.get(),
            Worth::Fails => {
                // As far as it came.
                bytes.iter_mut().step_by(2).for_each(|byte| *byte = 0x5a);
                return Err(fmt::Error);
            }
            Worth::Stuck => {
                bytes.fill(0xff);
                return Ok(());
            }
            Worth::Repeats => 0,
        };
        bytes.fill(0x5a);
        bytes.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

impl TryCryptoRng for Tokens {}

/// For ever: what a board of a test borrows is never given back.
pub(crate) fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
