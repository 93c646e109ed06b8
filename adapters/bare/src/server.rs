//! One server: from a stream to a connection that is ready for locks, and back.
//!
//! ```text
//!          due: Want::Open          opened            quiet              greeted
//!   Down ------------------> Opening ------> Draining ------> Greeting ----------> Up
//!    ^                          |               |                |                 |
//!    +--- Want::Close <---------+-- failed, too late, out of step, silent, closed -+
//! ```
//!
//! # Invariants
//!
//! * Every request that was taken gets one answer, [`Answer::Lost`] if none came.
//! * The driver is told to close a stream before it is told to open the next.
//! * On a line that keeps bytes of an earlier conversation, such as a UART, nothing is sent before it
//!   has been quiet for a while.

use core::fmt;
use core::time::Duration;

use embedded_io::ErrorKind;
use heapless::Deque;
use redlatch_core::{
    Answer, Attempts, Command, Connection, Dialect, Greeting, Handshake, Incoming, Instant,
    Invalidation, Io, Limits, Login, Random, Refusal, Ticket, Tracking,
};

use crate::fault::Fault;
use crate::options::Options;

/// Requests in flight on one connection.
const REQUESTS_MAX: usize = 4;
/// How many of them are claims and what belongs to them: those of one lock. However many locks wait for
/// their turn, those that are held can be extended and given back.
const VOTES_MAX: usize = 2;
/// As many are there when one lock asks to be told of a change.
const EXPIRIES_MAX: usize = 3;
/// The routes are the bound, the connection need not count.
const IN_FLIGHT_MAX: u32 = u32::MAX;

/// One server, and the connection to it. `'a` is how long its login lives, `B` is storage for the
/// bytes of one direction.
pub struct Server<'a, B> {
    login: &'a Login<'a>,
    connection: Connection<B>,
    state: State,
    /// The stream goes on where an earlier one ended: the server may not have noticed a change.
    goes_on: bool,
    /// The driver has been told to open a stream, and not yet to close it.
    streaming: bool,
    /// When the attempt to connect began.
    began: Instant,
    /// The server answered on this connection.
    served: bool,
    attempts: Attempts,
    fault: Option<Fault>,
    /// Who waited for the servers has heard of the fault.
    told: bool,
    /// What the server said of itself last time, and when.
    greeted: Option<(Greeting, Instant)>,
    /// When it turned out last that the server had been started again.
    restarted: Instant,
}

enum State {
    /// Connect again when it is due. First, who asked before is told.
    Down {
        due: Instant,
        routes: Routes,
    },
    Opening,
    Draining {
        quiet: Duration,
        until: Instant,
    },
    Greeting(Handshake),
    Up {
        abstains_until: Instant,
        tracking: Tracking,
        dialect: Dialect,
        routes: Routes,
    },
}

/// What a server wants of the stream. Said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Want {
    /// Open it, then call [`Engine::opened`](crate::Engine::opened) or
    /// [`Engine::failed`](crate::Engine::failed).
    Open,
    /// Close it, or stop opening it.
    Close,
}

/// Who asked, oldest first.
type Routes = Deque<Route, REQUESTS_MAX>;

/// Where the answer to a request goes.
#[derive(Clone, Copy, Debug)]
enum Route {
    Lock {
        slot: u16,
        generation: u16,
        ticket: Ticket,
    },
    /// It was sent in front of the question of a lock that waits.
    Tracking,
}

/// What happened on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Incident {
    /// It is ready for locks.
    Connected,
    /// An answer came for the lock in a slot, or never will.
    Answered { slot: usize, generation: u16, ticket: Ticket, answer: Answer },
}

impl<'a, B: AsRef<[u8]> + AsMut<[u8]>> Server<'a, B> {
    /// A server that wants this login, without a connection. `rx` and `tx` are storage for the bytes
    /// of both directions; the *length* of their slices is the room.
    pub const fn new(login: &'a Login<'a>, rx: B, tx: B) -> Self {
        Self {
            login,
            connection: Connection::new(rx, tx, Limits::EMBEDDED, Duration::ZERO),
            state: State::Down { due: Instant::ZERO, routes: Deque::new() },
            goes_on: false,
            streaming: false,
            began: Instant::ZERO,
            served: false,
            attempts: Attempts::new(Instant::ZERO),
            fault: None,
            told: false,
            greeted: None,
            restarted: Instant::ZERO,
        }
    }

    /// For a server that is not connected yet.
    pub(crate) const fn set_login(&mut self, login: &'a Login<'a>) {
        self.login = login;
    }

    /// Whether there is a connection that is ready for locks.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Whether its stream is to be opened, and is not open yet.
    #[must_use]
    pub const fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening)
    }

    /// Whether bytes are expected of it.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        match self.state {
            State::Draining { .. } | State::Greeting(_) => true,
            State::Up { ref routes, .. } => !routes.is_empty(),
            State::Down { .. } | State::Opening => false,
        }
    }

    /// Why there is no connection; `None` while there is one, and before the first attempt failed.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Whether it has failed to connect, and that was not told.
    pub(crate) const fn has_news(&self) -> bool {
        self.fault.is_some() && !self.told
    }

    pub(crate) const fn tell_news(&mut self) {
        self.told = true;
    }

    /// What the server said of itself when it was greeted last.
    #[must_use]
    pub fn greeting(&self) -> Option<Greeting> {
        self.greeted.map(|(greeting, _)| greeting)
    }

    pub(crate) fn has_restarted_since(&self, moment: Instant) -> bool {
        moment < self.restarted
    }

    /// Whether every request with this key and token would fit.
    pub(crate) fn fits(&self, command: &Command<'_>) -> bool {
        self.connection.fits(command)
    }
}

/// For the driver.
impl<B: AsRef<[u8]> + AsMut<[u8]>> Server<'_, B> {
    pub(crate) fn poll_stream(&mut self, options: &Options, now: Instant) -> Option<Want> {
        let State::Down { due, ref routes } = self.state else { return None };
        if self.streaming {
            self.streaming = false;
            return Some(Want::Close);
        }
        if now < due || !routes.is_empty() {
            return None;
        }
        self.reset(options);
        self.streaming = true;
        self.served = false;
        self.began = now;
        self.state = State::Opening;
        Some(Want::Open)
    }

    pub(crate) fn opened(&mut self, quiet: Duration, options: &Options, now: Instant) {
        if let State::Opening = self.state {
            self.goes_on = !quiet.is_zero();
            self.state = State::Draining { quiet, until: now.saturating_add(quiet) };
            if quiet.is_zero() {
                // Nothing old comes: what comes first is the server's, which may turn us away unasked.
                self.greet(options);
            }
        }
    }

    pub(crate) fn failed(
        &mut self,
        kind: ErrorKind,
        options: &Options,
        random: &mut Random,
        now: Instant,
    ) {
        if !matches!(self.state, State::Down { .. }) {
            self.end(Fault::Stream(kind), options, random, now);
        }
    }

    /// Lends nothing to send while the line is drained, and no room while there is no stream.
    pub(crate) fn io(&mut self) -> Io<'_> {
        match self.state {
            State::Down { .. } | State::Opening => Io { space: &mut [], pending: &[] },
            _ => self.connection.io(),
        }
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.connection.wrote(count);
    }

    pub(crate) fn received(
        &mut self,
        count: usize,
        options: &Options,
        random: &mut Random,
        now: Instant,
    ) {
        match self.state {
            State::Draining { .. } if count == 0 => self.end(Fault::Closed, options, random, now),
            State::Draining { quiet, .. } => {
                self.state = State::Draining { quiet, until: now.saturating_add(quiet) };
            }
            State::Greeting(_) | State::Up { .. } => self.connection.received(count),
            State::Down { .. } | State::Opening => {}
        }
    }

    /// When [`Server::poll`] has something to do although no byte came.
    pub(crate) fn poll_timeout(&self, options: &Options) -> Instant {
        let deadline = self.began.saturating_add(options.connect_timeout);
        match self.state {
            // Before the stream is opened it is closed, and that is due at once.
            State::Down { .. } if self.streaming => Instant::ZERO,
            State::Down { due, .. } => due,
            State::Opening | State::Greeting(_) => deadline,
            State::Draining { until, .. } => until.min(deadline),
            State::Up { .. } => self.connection.poll_timeout().unwrap_or(Instant::NEVER),
        }
    }
}

/// For the engine.
impl<B: AsRef<[u8]> + AsMut<[u8]>> Server<'_, B> {
    /// Queues a request of the lock in a slot.
    ///
    /// # Errors
    /// The answer, when it was not queued.
    pub(crate) fn submit(
        &mut self,
        (slot, generation): (usize, u16),
        ticket: Ticket,
        command: &Command<'_>,
        now: Instant,
    ) -> Result<(), Answer> {
        let State::Up { abstains_until, ref tracking, dialect, ref mut routes } = self.state else {
            return Err(Answer::Unreachable);
        };
        let slot = u16::try_from(slot).map_err(|_| Answer::Unreachable)?;
        let (before, most): (&[Command<'_>], _) = match command {
            Command::Expiry { .. } => (tracking.before_expiry()?, EXPIRIES_MAX),
            Command::Claim { .. } | Command::Read { .. } => (&[], VOTES_MAX),
            _ => (&[], REQUESTS_MAX),
        };
        if ticket.is_stale(now) || routes.len().saturating_add(before.len()) >= most {
            return Err(Answer::Unreachable);
        }
        if now < abstains_until && is_vote(command) {
            return Err(Answer::Refused(Refusal::Restarted));
        }
        let (ticket, command) = ticket.say(*command, dialect);
        let own = Route::Lock { slot, generation, ticket };
        let routed = before.iter().map(|command| (command, Route::Tracking));
        for (command, route) in routed.chain([(&command, own)]) {
            self.connection.submit(command, now).map_err(|_| Answer::Unreachable)?;
            routes.push_back(route).map_err(|_| Answer::Unreachable)?;
        }
        Ok(())
    }

    /// What happened next. Bytes that came are looked at before the time is.
    /// What the server tells of keys goes to `told`.
    pub(crate) fn poll(
        &mut self,
        options: &Options,
        random: &mut Random,
        now: Instant,
        told: &mut dyn FnMut(Invalidation<'_>),
    ) -> Option<Incident> {
        loop {
            let late = self.began.saturating_add(options.connect_timeout) <= now;
            match self.state {
                State::Down { ref mut routes, .. } => {
                    while let Some(route) = routes.pop_front() {
                        if let Some(incident) = route.deliver(Answer::Lost) {
                            return Some(incident);
                        }
                    }
                    return None;
                }
                State::Opening if late => self.end(Fault::NotOpen, options, random, now),
                State::Opening => return None,
                State::Draining { until, .. } if until <= now => self.greet(options),
                State::Draining { .. } if late => self.end(Fault::Noise, options, random, now),
                State::Draining { .. } => return None,
                State::Greeting(_) => match self.listen(options, now) {
                    Ok(true) if self.is_connected() => return Some(Incident::Connected),
                    Ok(true) => {}
                    Ok(false) if late => self.end(Fault::Silent, options, random, now),
                    Ok(false) => return None,
                    Err(fault) => self.end(fault, options, random, now),
                },
                State::Up { .. } => match self.answer(now, told) {
                    Ok(incident) => return incident,
                    Err(fault) => self.end(fault, options, random, now),
                },
            }
        }
    }

    fn reset(&mut self, options: &Options) {
        let limits = Limits { in_flight: IN_FLIGHT_MAX, ..options.limits };
        self.connection.reset(limits, options.reply_timeout);
    }

    fn greet(&mut self, options: &Options) {
        // What came on the old conversation is not read: the room to read into was scratch.
        self.reset(options);
        self.state = State::Greeting(Handshake::new(options.restart_delay.is_some()));
    }

    /// One step of the greeting. Whether there may be another at once.
    fn listen(&mut self, options: &Options, now: Instant) -> Result<bool, Fault> {
        let State::Greeting(handshake) = &mut self.state else { return Ok(true) };
        if let Some(command) = handshake.poll_command(self.login) {
            self.connection.submit(&command, now).map_err(|_| Fault::LoginTooLong)?;
        }
        match self.connection.poll()? {
            Some(Incoming::Reply { reply, .. }) => handshake.handle_reply(self.login, reply)?,
            Some(_push) => {}
            None => return Ok(false),
        }
        if let Some(greeting) = handshake.finished() {
            self.up(greeting, options, now);
        }
        Ok(true)
    }

    fn up(&mut self, greeting: Greeting, options: &Options, now: Instant) {
        let delay = options.restart_delay.map(|longest| greeting.abstains_for(longest));
        let abstains_until = now.saturating_add(delay.unwrap_or_default());
        let (tracking, dialect) = (Tracking::new(greeting.protocol), greeting.dialect);
        self.state = State::Up { abstains_until, tracking, dialect, routes: Deque::new() };
        self.fault = None;
        let Some((then, at)) = self.greeted.replace((greeting, now)) else { return };
        // The same number again is the same connection, where that can have lasted.
        let lasts = self.goes_on && greeting.id.is_some() && greeting.id == then.id;
        if !lasts && greeting.proves_restart(&then, now.saturating_since(at)) {
            self.restarted = now;
        }
    }

    fn answer(
        &mut self,
        now: Instant,
        told: &mut dyn FnMut(Invalidation<'_>),
    ) -> Result<Option<Incident>, Fault> {
        let State::Up { tracking, dialect, routes, .. } = &mut self.state else { return Ok(None) };
        loop {
            let reply = match self.connection.poll()? {
                Some(Incoming::Reply { reply, .. }) => reply,
                Some(Incoming::Push(push)) => {
                    Invalidation::read(push).into_iter().for_each(&mut *told);
                    continue;
                }
                Some(_) => continue,
                None => break,
            };
            let answer = Answer::from(reply);
            self.served = true;
            match routes.pop_front() {
                Some(Route::Tracking) if tracking.heard(answer) => {}
                Some(route @ Route::Lock { ticket, .. }) if ticket.fits(answer) => {
                    let answer = ticket.hear(answer, dialect);
                    let answer = if ticket.asks_expiry() { tracking.told(answer) } else { answer };
                    return Ok(route.deliver(answer));
                }
                // It is lost like all the others.
                Some(route) => {
                    let _ = routes.push_front(route);
                    return Err(Fault::OutOfStep);
                }
                None => return Err(Fault::OutOfStep),
            }
        }
        self.connection.handle_timeout(now);
        self.connection.ended().map_or(Ok(None), |error| Err(error.into()))
    }

    fn end(&mut self, fault: Fault, options: &Options, random: &mut Random, now: Instant) {
        let cap = options.reconnect.cap;
        // A connection that was of use, or held for a while, starts the count again.
        if self.served || now.saturating_since(self.began) > cap {
            self.attempts = Attempts::new(now);
        }
        let due = self.attempts.next(&options.reconnecting(), now, random);
        let due = due.filter(|_| !fault.is_permanent());
        let routes = match &mut self.state {
            State::Up { routes, .. } => core::mem::take(routes),
            _ => Deque::new(),
        };
        self.state = State::Down { due: due.unwrap_or_else(|| now.saturating_add(cap)), routes };
        (self.fault, self.told) = (Some(fault), false);
    }
}

impl Route {
    fn deliver(self, answer: Answer) -> Option<Incident> {
        match self {
            Self::Lock { slot, generation, ticket } => {
                Some(Incident::Answered { slot: slot.into(), generation, ticket, answer })
            }
            Self::Tracking => None,
        }
    }
}

/// Whether the request is part of a vote. A release or an extension is none.
const fn is_vote(command: &Command<'_>) -> bool {
    matches!(command, Command::Claim { .. } | Command::Read { .. })
}

/// Shows no bytes and no login: they may be secret.
impl<B> fmt::Debug for Server<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("connection", &self.connection)
            .field("fault", &self.fault)
            .field("greeted", &self.greeted)
            .finish_non_exhaustive()
    }
}
