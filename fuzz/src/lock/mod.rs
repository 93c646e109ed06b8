//! A lock under any order of wishes, answers, time and trouble, with servers beside it.
//!
//! The input chooses what happens next. Servers answer honestly, in order on each connection; connections end, with
//! requests that still arrive afterwards within the reply timeout, as the machine assumes. With a leading odd byte the
//! input may also make up answers: then the machine may be fooled about the servers, but it never holds without a
//! majority of answers that show its token, and everything that it sends and tells stays in order.

mod checks;
mod ledger;
mod server;
mod wishes;

use redlatch_core::dialect::Dialect;
use redlatch_core::{
    Answer, Detached, Instant, Lock, Output, Pass, Phase, Refusal, Seat, Settings, Ticket, Token,
};

use self::ledger::Ledger;
use self::server::{Flight, Request, Server, Value};
use self::wishes::settings;
use crate::choices::Choices;

const OPERATIONS_MAX: usize = 400;
/// Answers and wake-ups until a lock that nobody wants has come to rest.
const ROUNDS_MAX: usize = 400;
/// Each seat has at most two debts, a claim, a read, an extension and a question to send at once.
const OUTPUTS_OF_SEAT: usize = 6;

/// Refusals that leave the key as it was, and one that leaves everything open.
const REFUSALS: [Refusal; 8] = [
    Refusal::Loading,
    Refusal::ReadOnly,
    Refusal::NoAuth,
    Refusal::Other,
    Refusal::Busy,
    Refusal::NoPermission,
    Refusal::Moved,
    Refusal::Restarted,
];

/// Runs a sequence of operations that the input chooses.
///
/// # Panics
/// A property does not hold.
pub fn lock(data: &[u8]) {
    let mut choices = Choices::new(data);
    let may_lie = choices.bit();
    let mut world = World::new(&mut choices, data.len());
    for _ in 0..OPERATIONS_MAX {
        if choices.is_empty() {
            break;
        }
        world.step(&mut choices, may_lie);
    }
    world.come_to_rest();
}

struct World {
    lock: Lock<&'static [u8], Vec<Seat>>,
    settings: Settings,
    servers: Vec<Server>,
    ledger: Ledger,
    now: u64,
    /// The moment that the machine was told last.
    heard: u64,
    tokens: u64,
    /// When the machine wants to be woken.
    wake: Option<Instant>,
    detached: Option<(Detached, Token)>,
    /// Tickets that were answered: an answer that comes twice changes nothing.
    answered: Option<Ticket>,
    /// Every answer so far was what a server said.
    is_honest: bool,
    /// Nobody took a key away, and none was left behind on purpose.
    is_untouched: bool,
}

impl World {
    /// `which` decides which servers have a compare-and-delete of their own.
    fn new(choices: &mut Choices<'_>, which: usize) -> Self {
        let seats = 1 + choices.up_to(4);
        let settings = settings(choices);
        Self {
            lock: Lock::new(b"k", vec![Seat::default(); seats], settings, 7),
            settings,
            servers: (0..seats).map(|at| Server::new(dialect(which + at))).collect(),
            ledger: Ledger::new(seats, settings),
            now: 1_000_000,
            heard: 0,
            tokens: 0,
            wake: None,
            detached: None,
            answered: None,
            is_honest: true,
            is_untouched: true,
        }
    }

    /// For a call to the machine.
    fn instant(&mut self) -> Instant {
        self.heard = self.now;
        Instant::from_micros(self.now)
    }

    fn step(&mut self, choices: &mut Choices<'_>, may_lie: bool) {
        self.give_up();
        let choice = choices.byte();
        let at = choices.up_to(self.servers.len() - 1);
        match choice % 16 {
            0..=3 => self.wish(choice / 16, choices),
            4 | 5 => self.servers[at].execute_next(self.now),
            6 | 7 => {
                self.servers[at].execute_next(self.now);
                self.deliver(at);
            }
            8 => self.deliver(at),
            9 => {
                let micros = u64::from(choices.byte()) * u64::from(choice / 32) * 200;
                // A driver may be late to tell that time has passed.
                if choice & 16 == 0 { self.pass(micros) } else { self.now += micros }
            }
            10 => self.wake(),
            11 => self.reset(at),
            12 => self.servers[at].execute_stray(choice >= 128, self.now),
            13 => self.trouble(at, choice / 16, choices),
            14 => self.unreachable(at),
            _ if may_lie => self.lie(at, choices),
            _ => self.repeat(choices),
        }
        self.check();
    }

    /// What the owner decides.
    fn wish(&mut self, what: u8, choices: &mut Choices<'_>) {
        match what {
            13 => self.detach(),
            14 => self.adopt(),
            15 if choices.byte() == 0 => self.forget(),
            15 => {}
            _ => self.wish_for(what),
        }
        self.drive();
    }

    fn wish_for(&mut self, what: u8) {
        let (before, now) = (self.lock.phase(), self.instant());
        match what {
            0..=2 => {
                self.want(before, false);
                self.lock.acquire(now);
            }
            3 | 4 => {
                self.want(before, true);
                let pass = if what == 3 { Pass::AtOnce } else { Pass::HoldBack };
                self.lock.acquire_next(pass, now, now);
            }
            5..=7 => {
                self.lock.extend(now);
                self.note_extension(before);
            }
            8..=10 => {
                self.ledger.let_go(true);
                self.lock.release(now);
            }
            11 => {
                self.ledger.let_go(false);
                self.lock.abandon(now);
            }
            _ => self.hint(),
        }
    }

    fn want(&mut self, before: Phase, is_modest: bool) {
        if before == Phase::Idle {
            self.ledger.want(is_modest);
        }
    }

    fn detach(&mut self) {
        let now = self.instant();
        let Some(detached) = self.lock.detach(now) else { return };
        let ttl = self.settings.ttl.as_duration();
        assert!(detached.expiry() >= now.saturating_add(ttl) || self.now == u64::MAX);
        self.ledger.let_go(false);
        let token = self.ledger.token.expect("held under a token");
        self.ledger.ours.remove(&token);
        self.detached = Some((detached, token));
    }

    /// Where a seat owes too much the key is left to its ttl, so it does not count as ours again.
    fn adopt(&mut self) {
        let Some((detached, token)) = self.detached.take() else { return };
        let was_idle = self.lock.phase() == Phase::Idle;
        let now = self.instant();
        match self.lock.adopt(detached, now) {
            Ok(()) => {
                assert!(was_idle, "only an idle lock adopts");
                self.ledger.token = Some(token);
                self.ledger.let_go(true);
            }
            Err(detached) => {
                assert!(!was_idle, "an idle lock adopts");
                self.detached = Some((detached, token));
            }
        }
    }

    /// Whoever resets a machine gives its keys to their ttl.
    fn forget(&mut self) {
        self.lock.reset(&self.settings, 8);
        self.ledger.let_go(false);
        self.ledger.ours.clear();
        self.ledger.token = None;
        self.is_untouched = false;
        assert!(self.lock.is_settled());
    }

    fn note_extension(&mut self, before: Phase) {
        if before != Phase::Extending && self.lock.phase() == Phase::Extending {
            self.ledger.begin_extension();
        }
    }

    /// What comes next on this server's connection: that the key has changed, or the answer of the oldest request
    /// that was executed.
    fn deliver(&mut self, at: usize) {
        if self.servers[at].take_push() {
            return self.hint();
        }
        if let Some(Flight { ticket, answer: Some(answer), .. }) = self.servers[at].take_answer() {
            assert!(ticket.fits(answer), "{answer:?} is one that a server gives");
            self.hand_in(ticket, answer);
        }
    }

    fn hint(&mut self) {
        let now = self.instant();
        self.ledger.told();
        self.lock.hint(now);
        self.drive();
    }

    fn hand_in(&mut self, ticket: Ticket, answer: Answer) {
        let answer = ticket.hear(answer, &mut self.servers[ticket.server()].dialect);
        self.ledger.answered(ticket, answer);
        self.answered = Some(ticket);
        let now = self.instant();
        self.lock.handle_answer(ticket, answer, now);
        self.drive();
    }

    fn pass(&mut self, micros: u64) {
        self.now += micros;
        let before = self.lock.phase();
        let now = self.instant();
        self.lock.handle_timeout(now);
        self.note_extension(before);
        self.drive();
        let spins = self.wake.is_some_and(|wake| wake <= now);
        let phase = self.lock.phase();
        assert!(!spins, "I10: does not wait in {phase:?}: {:?} at {}", self.wake, self.now);
    }

    fn wake(&mut self) {
        let wake = self.wake.map_or(self.now, Instant::as_micros);
        self.pass(wake.saturating_sub(self.now));
    }

    /// Connections whose server is silent for two reply timeouts are given up. A driver that is late with
    /// that changes nothing on the wire: what is out comes within a third, or never.
    fn give_up(&mut self) {
        let timeout = self.settings.reply_timeout.as_micros() as u64;
        for at in 0..self.servers.len() {
            let since = self.servers[at].silent_since();
            if let Some(since) = since.filter(|since| self.now > since + 2 * timeout) {
                self.end(at, since + 3 * timeout);
            }
        }
    }

    /// The connection ends.
    fn reset(&mut self, at: usize) {
        let timeout = self.settings.reply_timeout.as_micros() as u64;
        self.end(at, self.now + timeout);
    }

    /// All that is out on the connection is in doubt; some may come until `late`.
    fn end(&mut self, at: usize, late: u64) {
        for ticket in self.servers[at].reset(late) {
            self.hand_in(ticket, Answer::Lost);
        }
        // It is connected again: nobody knows what has changed meanwhile.
        self.hint();
    }

    /// What others and accidents do to a server.
    fn trouble(&mut self, at: usize, what: u8, choices: &mut Choices<'_>) {
        let (now, server) = (self.now, &mut self.servers[at]);
        match what {
            0..=3 => {
                let applied = what == 3;
                server.refuse_next(choices.pick(&REFUSALS), applied, now);
            }
            4..=6 => server.forget_scripts(),
            7 | 8 if server.value(now).is_none() => server.put(Value::Foreign, now + 50_000),
            9 if server.value(now).is_none() => server.put(Value::Hash, now + 50_000),
            10 | 11 => {
                self.is_untouched = false;
                server.delete();
            }
            12 => {
                self.is_untouched = false;
                server.put(Value::Foreign, now + 50_000);
            }
            _ => {}
        }
    }

    /// The newest request to this server never left.
    fn unreachable(&mut self, at: usize) {
        let flights = &mut self.servers[at].flights;
        if let Some(flight) = flights.pop_back_if(|flight| flight.answer.is_none()) {
            self.hand_in(flight.ticket, Answer::Unreachable);
        }
    }

    /// An answer that no server gave.
    fn lie(&mut self, at: usize, choices: &mut Choices<'_>) {
        let Some(flight) = self.servers[at].flights.pop_front() else { return };
        self.is_honest = false;
        let other = token(u64::MAX);
        let own = self.ledger.token.unwrap_or(other);
        let answers = [
            Answer::Ok,
            Answer::Nil,
            Answer::Integer(0),
            Answer::Integer(-1),
            Answer::Integer(1),
            Answer::Token(own),
            Answer::Token(other),
            Answer::Value,
            Answer::Refused(Refusal::NoScript),
            Answer::Refused(Refusal::WrongType),
            Answer::Refused(choices.pick(&REFUSALS)),
            Answer::Unexpected,
            Answer::Lost,
        ];
        self.hand_in(flight.ticket, choices.pick(&answers));
    }

    /// An answer that was given before counts for nothing. It comes with another meaning.
    fn repeat(&mut self, choices: &mut Choices<'_>) {
        let Some(ticket) = self.answered else { return };
        let answers = [Answer::Ok, Answer::Nil, Answer::Integer(0), Answer::Lost, Answer::Value];
        // What time alone does is done before.
        self.pass(0);
        let (phase, now) = (self.lock.phase(), self.instant());
        self.lock.handle_answer(ticket, choices.pick(&answers), now);
        assert_eq!(self.lock.phase(), phase, "an answer that came before changes nothing");
        self.drive();
    }

    /// Does what the machine says until it says to wait.
    fn drive(&mut self) {
        let seats = self.servers.len();
        for _ in 0..seats * OUTPUTS_OF_SEAT + 3 {
            let (phase, now) = (self.lock.phase(), Instant::from_micros(self.heard));
            match self.lock.poll_output() {
                Output::NeedToken => self.provide(),
                Output::Send { ticket, command } => {
                    self.ledger.send(ticket, &command, phase, now);
                    let dialect = self.servers[ticket.server()].dialect;
                    let (ticket, command) = ticket.say(command, dialect);
                    let request = Request::of(&command);
                    let flight = Flight { ticket, request, sent: self.now, answer: None };
                    self.servers[ticket.server()].flights.push_back(flight);
                }
                Output::Event(event) => self.ledger.event(event, now),
                Output::Wait(wake) => {
                    self.wake = wake;
                    return;
                }
            }
        }
        panic!("I10: more outputs for one event than there can be");
    }

    fn provide(&mut self) {
        let now = self.instant();
        if let Some(used) = self.ledger.token {
            assert!(self.lock.provide(used, now).is_err(), "a token is used once");
        }
        self.tokens += 1;
        let token = token(self.tokens);
        self.ledger.begin(token);
        self.lock.provide(token, now).expect("a fresh token");
    }

    /// Nobody wants it any more. With servers that answer, or never again, it settles.
    fn come_to_rest(&mut self) {
        self.ledger.let_go(false);
        let now = self.instant();
        self.lock.abandon(now);
        self.drive();
        for _ in 0..ROUNDS_MAX {
            if self.lock.is_settled() {
                self.check();
                return;
            }
            for at in 0..self.servers.len() {
                self.servers[at].execute_next(self.now);
                if self.is_honest {
                    self.deliver(at)
                } else {
                    self.reset(at)
                }
                self.check();
            }
            self.wake();
            self.check();
        }
        panic!("I5: does not come to rest");
    }
}

/// Tokens that differ.
fn token(number: u64) -> Token {
    let mut bytes = [0xab; Token::RANDOM_LEN];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Token::from_random(bytes).expect("not all alike")
}

/// One of three: scripts only, Valkey's and Redis's own command.
fn dialect(which: usize) -> Dialect {
    match which % 3 {
        0 => Dialect::SCRIPTS,
        1 => Dialect::of(b"valkey", b"9.1.2"),
        _ => Dialect::of(b"redis", b"8.6.2"),
    }
}
