//! The lock machines of one client, each state once.
//!
//! A `Lock` cannot be copied, so a state is kept as the inputs that lead to it, and entering it means to feed
//! them to a new lock. That is done once for each pair of state and input: the worlds are many, but they share
//! few machine states, and all that a world needs is the number of one.
//!
//! Two states are one if all that their `Debug` form says is equal, with times counted from now and requests
//! from the next one, and if the tokens that it hides are equal. Times that have passed so long ago that no span
//! in the settings reaches back to them are one time.

use core::fmt::Write;
use core::hash::{Hash, Hasher};
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::rc::Rc;

use redlatch_core::{
    Answer, Event, Instant, Lock, Output, Phase, Refusal, Released, Seat, Settings, Ticket, Token,
};

use super::server::{Reply, Request, TokenId};

/// Number of a machine state.
pub(crate) type Id = u32;

/// Microseconds. Longer than any sum of spans in the settings of these worlds.
const LONG_AGO: u64 = 150_000;
const BEGIN: u64 = 1_000_000;
const FORGOTTEN: usize = 32;
const OUTPUTS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    Acquire,
    Extend,
    Release,
    Abandon,
    /// The clock goes on by so many microseconds; the machine is not told.
    Pass(u64),
    Timeout,
    /// The key may be free.
    Hint,
    /// The answer to the request that was sent so many requests ago; 1 is the last.
    Answer {
        age: u32,
        reply: Reply,
    },
}

/// What the owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Acquired,
    Denied,
    Extended,
    NotExtended,
    Lost,
    Released(Released),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Out {
    Send { server: usize, request: Request },
    Told(Told),
}

/// What comes of an input.
pub(crate) struct Step {
    pub(crate) to: Id,
    pub(crate) outputs: Vec<Out>,
    /// The outputs had no end.
    pub(crate) endless: bool,
}

/// What can be seen of a machine from outside. Times are microseconds from now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    /// The owner believes for so long; 0 is not at all.
    pub(crate) believes: u64,
    /// When it wants to be woken.
    pub(crate) timer: Option<u64>,
    pub(crate) settled: bool,
    /// Token of the current or last attempt.
    pub(crate) token: TokenId,
}

struct Node {
    view: View,
    came: Option<(Id, Input)>,
}

pub(crate) struct Machines {
    client: u8,
    servers: usize,
    settings: Settings,
    nodes: Vec<Node>,
    known: HashMap<(u64, u64), Id>,
    steps: HashMap<(Id, Input), Rc<Step>>,
}

/// A lock that is fed inputs.
struct Bench {
    lock: Lock<&'static str, Vec<Seat>>,
    client: u8,
    clock: u64,
    attempts: u8,
    /// All requests that were sent, with their tickets.
    sent: Vec<(Ticket, Request)>,
    outputs: Vec<Out>,
    endless: bool,
}

impl Machines {
    pub(crate) fn new(client: usize, servers: usize, settings: Settings) -> Self {
        let client = u8::try_from(client).expect("few clients");
        let mut machines = Self {
            client,
            servers,
            settings,
            nodes: Vec::new(),
            known: HashMap::new(),
            steps: HashMap::new(),
        };
        let idle = machines.bench();
        machines.intern(idle, None);
        machines
    }

    pub(crate) const IDLE: Id = 0;

    pub(crate) fn view(&self, id: Id) -> &View {
        &self.nodes[id as usize].view
    }

    pub(crate) fn states(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn step(&mut self, from: Id, input: Input) -> Rc<Step> {
        if let Some(step) = self.steps.get(&(from, input)) {
            return Rc::clone(step);
        }
        let mut bench = self.enter(from);
        bench.outputs.clear();
        bench.feed(input);
        let (outputs, endless) = (core::mem::take(&mut bench.outputs), bench.endless);
        let to = self.intern(bench, Some((from, input)));
        let step = Rc::new(Step { to, outputs, endless });
        self.steps.insert((from, input), Rc::clone(&step));
        step
    }

    /// A lock that is idle and has sent a few requests in an earlier life, so that it can be brought answers to
    /// requests that it no longer knows: of two states that are one, one may have sent fewer requests.
    fn bench(&self) -> Bench {
        let seats = vec![Seat::default(); self.servers];
        let mut bench = Bench {
            lock: Lock::new("k", seats, self.settings, 1),
            client: self.client,
            clock: BEGIN,
            attempts: 0,
            sent: Vec::new(),
            outputs: Vec::new(),
            endless: false,
        };
        while bench.sent.len() < FORGOTTEN {
            bench.feed(Input::Acquire);
            bench.lock.reset(&self.settings, 1);
            bench.attempts = 0;
        }
        bench.outputs.clear();
        bench
    }

    /// A lock in this state.
    fn enter(&self, id: Id) -> Bench {
        let mut inputs = Vec::new();
        let mut node = &self.nodes[id as usize];
        while let Some((before, input)) = node.came {
            inputs.push(input);
            node = &self.nodes[before as usize];
        }
        let mut bench = self.bench();
        for input in inputs.into_iter().rev() {
            bench.feed(input);
        }
        bench
    }

    fn intern(&mut self, bench: Bench, came: Option<(Id, Input)>) -> Id {
        let view = bench.view();
        let key = bench.key();
        let next = Id::try_from(self.nodes.len()).expect("small worlds");
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.nodes.push(Node { view, came });
        }
        id
    }
}

impl Bench {
    fn now(&self) -> Instant {
        Instant::from_micros(self.clock)
    }

    fn feed(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Pass(micros) => {
                self.clock += micros;
                return;
            }
            Input::Acquire => self.lock.acquire(now),
            Input::Extend => self.lock.extend(now),
            Input::Release => self.lock.release(now),
            Input::Abandon => self.lock.abandon(now),
            Input::Timeout => self.lock.handle_timeout(now),
            Input::Hint => self.lock.hint(now),
            Input::Answer { age, reply } => {
                let number = self.sent.len().checked_sub(age as usize);
                let (ticket, _) = self.sent[number.expect("more forgotten requests")];
                self.lock.handle_answer(ticket, reply.answer(), now);
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..OUTPUTS_MAX {
            let now = self.now();
            match self.lock.poll_output() {
                Output::NeedToken => {
                    self.attempts += 1;
                    let token = TokenId::new(self.client, self.attempts).token();
                    self.lock.provide(token, now).expect("fresh");
                }
                Output::Send { ticket, command } => {
                    let request = Request::of(&command);
                    self.sent.push((ticket, request));
                    self.outputs.push(Out::Send { server: ticket.server(), request });
                }
                Output::Event(event) => self.outputs.push(Out::Told(told(event))),
                Output::Wait(_) => return,
            }
        }
        self.endless = true;
    }

    fn view(&self) -> View {
        let timer = self.lock.poll_timeout();
        let lease = self.lock.lease().map_or(0, |lease| lease.until().as_micros());
        View {
            phase: self.lock.phase(),
            believes: lease.saturating_sub(self.clock),
            timer: (timer < Instant::NEVER).then_some(timer.as_micros().saturating_sub(self.clock)),
            settled: self.lock.is_settled(),
            token: TokenId::new(self.client, self.attempts),
        }
    }

    fn key(mut self) -> (u64, u64) {
        let mut form = String::with_capacity(1024);
        self.relative(&format!("{:?}", self.lock), &mut form);
        // Tokens that `Debug` hides: how many there were, and which of them are still owed.
        write!(form, "|{}", self.attempts).expect("a string takes all");
        self.outputs.clear();
        self.clock += 10_000_000;
        self.lock.abandon(self.now());
        self.drain();
        write!(form, "|{:?}", self.outputs).expect("a string takes all");
        (hash(&form, 1), hash(&form, 2))
    }

    /// The `Debug` form of a lock without the time of its last call, times counted from now, requests from the
    /// next one.
    fn relative(&self, debug: &str, form: &mut String) {
        let debug = self.relevant(debug);
        let mut rest = debug.as_str();
        while let Some((at, mark)) = next_mark(rest) {
            let (before, after) = rest.split_at(at + mark.len());
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (digits, next) = after.split_at(end);
            let number: u64 = digits.parse().expect("digits");
            form.push_str(before);
            match mark {
                "Instant(" => write!(form, "{}", self.since(number)),
                _ => write!(form, "{} {:?}", self.age(number), self.token_of(number)),
            }
            .expect("a string takes all");
            rest = next;
        }
        form.push_str(rest);
    }

    /// Without what no longer counts: the time of the last call; when the attempts began, once they are over; when
    /// to renew, unless the lock is held. All of that is set anew before it is read again.
    fn relevant(&self, debug: &str) -> String {
        let phase = self.lock.phase();
        let tries = matches!(phase, Phase::NeedToken | Phase::Asking | Phase::Pausing);
        let holds = matches!(phase, Phase::Held | Phase::Extending);
        let mut debug = String::from(debug);
        cut(&mut debug, ", now: ", " }", true);
        cut(&mut debug, "attempts: Attempts {", "}", !tries);
        cut(&mut debug, "upkeep: Upkeep {", "}", !holds);
        cut(&mut debug, "precedence: Precedence {", "}", !tries);
        debug
    }

    fn since(&self, micros: u64) -> i64 {
        let ahead = i64::try_from(micros).unwrap_or(i64::MAX);
        let clock = i64::try_from(self.clock).expect("small");
        let long_ago = -i64::try_from(LONG_AGO).expect("small");
        if ahead == i64::MAX { ahead } else { (ahead - clock).max(long_ago) }
    }

    fn age(&self, number: u64) -> i64 {
        let next = i64::try_from(self.sent.len()).expect("small");
        next - i64::try_from(number).expect("small")
    }

    fn token_of(&self, number: u64) -> Option<TokenId> {
        let (_, request) = self.sent.get(usize::try_from(number).ok()?)?;
        request.token()
    }
}

/// Takes the part away that begins and ends like this. It is there exactly once.
fn cut(text: &mut String, begins: &str, ends: &str, really: bool) {
    let parts = text.matches(begins).count();
    assert_eq!(parts, 1, "{begins} in {text}");
    let begin = text.find(begins).expect("once");
    let end = begin + text[begin..].find(ends).expect("an end");
    if really {
        text.replace_range(begin..end, "");
    }
}

/// Where the next number stands that counts from somewhere, and what stands before it.
fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    const MARKS: [&str; 5] = ["Instant(", "Pending(", "Sent(", "Asked(", "number: "];
    MARKS.into_iter().filter_map(|mark| Some((text.find(mark)?, mark))).min()
}

fn hash(text: &str, salt: u8) -> u64 {
    let mut hasher = DefaultHasher::new();
    (salt, text).hash(&mut hasher);
    hasher.finish()
}

fn told(event: Event) -> Told {
    match event {
        Event::Acquired(_) => Told::Acquired,
        Event::Denied(_) => Told::Denied,
        Event::Extended(_) => Told::Extended,
        Event::NotExtended(_) => Told::NotExtended,
        Event::Lost(_) => Told::Lost,
        Event::Released(how) => Told::Released(how),
        other => unreachable!("no such event: {other:?}"),
    }
}

impl Reply {
    fn answer(self) -> Answer {
        match self {
            Self::Ok => Answer::Ok,
            Self::Nil => Answer::Nil,
            Self::Nothing => Answer::Integer(0),
            Self::Theirs => Answer::Integer(-1),
            Self::Shows(token) => Answer::Token(token.token()),
            Self::Left(millis) => Answer::Integer(i64::try_from(millis).expect("small")),
            Self::Gone => Answer::Integer(-2),
            Self::Push => unreachable!("it answers nothing"),
            Self::NoScript => Answer::Refused(Refusal::NoScript),
            Self::Loading => Answer::Refused(Refusal::Loading),
            Self::NoAuth => Answer::Refused(Refusal::NoAuth),
            Self::Other => Answer::Refused(Refusal::Other),
            Self::Unreachable => Answer::Unreachable,
            Self::Lost => Answer::Lost,
        }
    }
}

impl TokenId {
    fn token(self) -> Token {
        let mut bytes = [0xaa; Token::RANDOM_LEN];
        bytes[0] = self.0;
        Token::from_random(bytes).expect("not constant")
    }
}
