//! One server with one key, and what is on its way to it and back.

use std::collections::VecDeque;

use redlatch_core::dialect::Dialect;
use redlatch_core::{Answer, Command, Form, Refusal, Ticket, Token};

const MILLI: u64 = 1_000;

/// What stands under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Token(Token),
    /// A text of somebody else.
    Foreign,
    /// A value of another type.
    Hash,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Claim(Token, u64),
    Read,
    Extend(Token, u64, Form),
    Release(Token, Form),
    /// With the server's own command.
    Delete(Token),
    /// And to be told of the next change.
    Expiry,
}

impl Request {
    pub(super) fn of(command: &Command<'_>) -> Self {
        match *command {
            Command::Claim { token, ttl, .. } => Self::Claim(*token, ttl.as_millis() * MILLI),
            Command::Read { .. } => Self::Read,
            Command::Extend { token, ttl, form, .. } => {
                Self::Extend(*token, ttl.as_millis() * MILLI, form)
            }
            Command::Release { token, form, .. } => Self::Release(*token, form),
            Command::Delete { token, .. } => Self::Delete(*token),
            Command::Expiry { .. } => Self::Expiry,
            ref other => panic!("a lock asks for nothing else: {other:?}"),
        }
    }
}

/// A request that was sent and not answered. It has its answer once the server has executed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) ticket: Ticket,
    pub(super) request: Request,
    pub(super) sent: u64,
    pub(super) answer: Option<Answer>,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    entry: Option<(Value, u64)>,
    has_scripts: bool,
    /// What it tells of itself on each new connection.
    greets: Dialect,
    /// What is said on the connection.
    pub(super) dialect: Dialect,
    /// It will tell of the next change.
    will_tell: bool,
    /// It has told: so many answers come before each.
    pushes: VecDeque<usize>,
    /// In the order in which they were sent; those that were executed stand first.
    pub(super) flights: VecDeque<Flight>,
    /// What a dead connection left behind, and until when it may still come.
    stray: VecDeque<(Request, u64)>,
}

impl Server {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { greets: dialect, dialect, ..Self::default() }
    }

    pub(super) fn value(&mut self, now: u64) -> Option<Value> {
        if self.entry.is_some_and(|(_, expires)| expires <= now) {
            self.delete();
        }
        self.entry.map(|(value, _)| value)
    }

    pub(super) fn put(&mut self, value: Value, expires: u64) {
        self.entry = Some((value, expires));
        self.tell();
    }

    pub(super) fn delete(&mut self) {
        self.entry = None;
        self.tell();
    }

    fn tell(&mut self) {
        if core::mem::take(&mut self.will_tell) {
            self.pushes.push_back(self.answers());
        }
    }

    /// Answers that are on their way.
    fn answers(&self) -> usize {
        self.flights.iter().filter(|flight| flight.answer.is_some()).count()
    }

    /// Whether the next that arrives says that the key has changed.
    pub(super) fn take_push(&mut self) -> bool {
        self.pushes.pop_front_if(|ahead| *ahead == 0).is_some()
    }

    /// Whether nothing is on its way to it or back.
    pub(super) fn is_quiet(&self) -> bool {
        self.flights.is_empty() && self.pushes.is_empty()
    }

    pub(super) fn forget_scripts(&mut self) {
        self.has_scripts = false;
    }

    /// Executes the oldest request that was not.
    pub(super) fn execute_next(&mut self, now: u64) {
        let Some(at) = self.flights.iter().position(|flight| flight.answer.is_none()) else {
            return;
        };
        let told = self.pushes.len();
        let answer = self.execute(self.flights[at].request, now);
        self.flights[at].answer = Some(answer);
        // Whoever changes the key is told behind the answer.
        self.pushes.iter_mut().skip(told).for_each(|ahead| *ahead += 1);
    }

    /// Refuses it instead. `applied` has a meaning only where the refusal leaves that open.
    pub(super) fn refuse_next(&mut self, refusal: Refusal, applied: bool, now: u64) {
        let Some(at) = self.flights.iter().position(|flight| flight.answer.is_none()) else {
            return;
        };
        if applied && refusal == Refusal::Other {
            self.execute(self.flights[at].request, now);
        }
        self.flights[at].answer = Some(Answer::Refused(refusal));
    }

    /// The answer that comes next, if its request was executed.
    pub(super) fn take_answer(&mut self) -> Option<Flight> {
        let flight = self.flights.pop_front_if(|flight| flight.answer.is_some());
        if flight.is_some() {
            self.pushes.iter_mut().for_each(|ahead| *ahead = ahead.saturating_sub(1));
        }
        flight
    }

    /// When the oldest request was sent that the server has not executed.
    pub(super) fn silent_since(&self) -> Option<u64> {
        self.flights.iter().find(|flight| flight.answer.is_none()).map(|flight| flight.sent)
    }

    /// The connection ends. Requests that were not executed may come until `late`.
    pub(super) fn reset(&mut self, late: u64) -> Vec<Ticket> {
        self.dialect = self.greets;
        self.will_tell = false;
        self.pushes.clear();
        let flights: Vec<_> = self.flights.drain(..).collect();
        let open = flights.iter().filter(|flight| flight.answer.is_none());
        self.stray.extend(open.map(|flight| (flight.request, late)));
        flights.into_iter().map(|flight| flight.ticket).collect()
    }

    /// One request of a dead connection arrives after all, or is lost for good.
    pub(super) fn execute_stray(&mut self, is_lost: bool, now: u64) {
        let Some((request, late)) = self.stray.pop_front() else { return };
        // On a dead connection nobody is told.
        if now < late && !is_lost && !matches!(request, Request::Expiry) {
            self.execute(request, now);
        }
    }

    fn execute(&mut self, request: Request, now: u64) -> Answer {
        let value = self.value(now);
        match request {
            Request::Claim(token, ttl) => match value {
                Some(_) => Answer::Nil,
                None => {
                    self.put(Value::Token(token), now.saturating_add(ttl));
                    Answer::Ok
                }
            },
            Request::Read => match value {
                None => Answer::Nil,
                Some(Value::Token(token)) => Answer::Token(token),
                Some(Value::Foreign) => Answer::Value,
                Some(Value::Hash) => Answer::Refused(Refusal::WrongType),
            },
            Request::Extend(token, ttl, form) => self.compare(token, form, now, |server| {
                server.put(Value::Token(token), now.saturating_add(ttl));
            }),
            Request::Release(token, form) => self.compare(token, form, now, Self::delete),
            Request::Delete(token) => match value {
                Some(Value::Hash) => Answer::Refused(Refusal::WrongType),
                Some(Value::Token(found)) if found == token => {
                    self.delete();
                    Answer::Integer(1)
                }
                _ => Answer::Integer(0),
            },
            Request::Expiry => {
                self.will_tell = true;
                let left = self.entry.map(|(_, expires)| (expires - now) / MILLI);
                Answer::Integer(left.map_or(-2, |left| i64::try_from(left).unwrap_or(i64::MAX)))
            }
        }
    }

    fn compare(
        &mut self,
        token: Token,
        form: Form,
        now: u64,
        change: impl FnOnce(&mut Self),
    ) -> Answer {
        self.has_scripts |= form == Form::Source;
        if !self.has_scripts {
            return Answer::Refused(Refusal::NoScript);
        }
        match self.value(now) {
            None => Answer::Integer(0),
            Some(Value::Hash) => Answer::Refused(Refusal::WrongType),
            Some(Value::Token(found)) if found == token => {
                change(self);
                Answer::Token(token)
            }
            Some(_) => Answer::Integer(-1),
        }
    }
}
