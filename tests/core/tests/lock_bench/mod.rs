//! A lock machine under test: what happens to it is told in words, and so is what it says.
//!
//! Steps are separated by `;`. `0.claim=ok` answers the last claim sent to server 0, `0.claim-old=ok`
//! the one before. Times are in milliseconds. The ttl is 3000, so a lease is 2968; answers are waited
//! for 500.

#![allow(dead_code, reason = "each test program uses its own part")]

use core::time::Duration;
use std::collections::HashMap;

use redlatch_core::{
    Answer, Command, Delay, Denial, Detached, Event, Instant, Lock, Output, Pass, Refusal,
    Released, Retry, Seat, Settings, Ticket, Token, Ttl,
};

/// A machine under test, with everything it asked for so far.
pub(crate) struct Bench {
    pub(crate) lock: Lock<&'static str, Vec<Seat>>,
    pub(crate) now: Instant,
    pub(crate) tokens: u16,
    /// Ticket and token of the last request of each kind to each server.
    pub(crate) sent: HashMap<String, (Ticket, Option<Token>)>,
    pub(crate) detached: Option<Detached>,
    pub(crate) output: Vec<String>,
    pub(crate) event: Option<Event>,
    /// Until when it wants to wait.
    pub(crate) wait: Option<Instant>,
}

pub(crate) const ONCE: Retry = Retry::NONE;
pub(crate) const TWICE_MORE: Retry =
    Retry { delay: Delay::Fixed(Duration::from_millis(100)), retries: Some(2), deadline: None };
pub(crate) const ONE_SECOND: Retry = Retry {
    delay: Delay::Fixed(Duration::from_millis(300)),
    retries: None,
    deadline: Some(Duration::from_secs(1)),
};

impl Bench {
    pub(crate) fn new(servers: usize, retry: Retry) -> Self {
        Self::with(servers, |settings| settings.retry = retry)
    }

    pub(crate) fn with(servers: usize, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(Ttl::from_millis(3000).expect("a good ttl"));
        settings.wake = false;
        change(&mut settings);
        Self {
            lock: Lock::new("k", vec![Seat::default(); servers], settings, 1),
            now: Instant::from_micros(1_000_000),
            tokens: 0,
            sent: HashMap::new(),
            detached: None,
            output: Vec::new(),
            event: None,
            wait: None,
        }
    }

    pub(crate) fn token(&self) -> Token {
        let mut random = [0xaa; 20];
        random[..2].copy_from_slice(&self.tokens.to_le_bytes());
        Token::from_random(random).expect("not constant")
    }

    pub(crate) fn step(&mut self, step: &str) {
        let (verb, argument) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "acquire" => self.lock.acquire(self.now),
            "next" => self.lock.acquire_next(Pass::AtOnce, self.now, self.now),
            "hold-back" => self.lock.acquire_next(Pass::HoldBack, self.now, self.now),
            "provide" => {
                self.tokens += 1;
                let token = self.token();
                self.lock.provide(token, self.now).expect("fresh");
            }
            "reuse" => {
                let token = self.token();
                let refused = self.lock.provide(token, self.now).is_err();
                self.output.push(format!("reuse refused {refused}"));
            }
            "extend" => self.lock.extend(self.now),
            "release" => self.lock.release(self.now),
            "abandon" => self.lock.abandon(self.now),
            "detach" => {
                self.detached = self.lock.detach(self.now);
                let how = if self.detached.is_some() { "detached" } else { "not detached" };
                self.output.push(how.into());
            }
            "adopt" => {
                let detached = self.detached.take().expect("detached before");
                if let Err(detached) = self.lock.adopt(detached, self.now) {
                    self.detached = Some(detached);
                    self.output.push("not adopted".into());
                }
            }
            "hint" => self.lock.hint(self.now),
            "after" => {
                self.now = self.now.saturating_add(millis(argument));
                self.lock.handle_timeout(self.now);
            }
            "lease?" => self.output.push(match self.lock.lease() {
                Some(lease) => format!("lease {}", lease.validity(self.now).as_millis()),
                None => "no lease".into(),
            }),
            "settled?" => {
                let how = if self.lock.is_settled() { "settled" } else { "owes" };
                self.output.push(how.into());
            }
            "late" => self.now = self.now.saturating_add(millis(argument)),
            _ => {
                let (request, answer) = step.split_once('=').expect("a step that is known");
                let (ticket, token) = self.sent[request];
                let answer = self.answer(answer, token);
                self.lock.handle_answer(ticket, answer, self.now);
            }
        }
        self.drain();
    }

    pub(crate) fn answer(&self, text: &str, token: Option<Token>) -> Answer {
        match text {
            "ok" => Answer::Ok,
            "nil" => Answer::Nil,
            "ours" => Answer::Token(token.unwrap_or_else(|| self.token())),
            "other" => Answer::Value,
            "token" => Answer::Token(Token::from_random(*b"somebody else's tokn").expect("ok")),
            "lost" => Answer::Lost,
            "unsent" => Answer::Unreachable,
            "odd" => Answer::Unexpected,
            "0" => Answer::Integer(0),
            "-1" => Answer::Integer(-1),
            "1" => Answer::Integer(1),
            "gone" => Answer::Integer(-2),
            "for ever" => Answer::Integer(-1),
            line if line.ends_with(" ms") => {
                Answer::Integer(line.trim_end_matches(" ms").parse().expect("milliseconds"))
            }
            line => Answer::Refused(Refusal::classify(line.as_bytes())),
        }
    }

    pub(crate) fn drain(&mut self) {
        loop {
            let line = match self.lock.poll_output() {
                Output::NeedToken => return self.output.push("token?".into()),
                Output::Send { ticket, command } => {
                    let (kind, form, token) = describe(&command);
                    let name = format!("{}.{kind}", ticket.server());
                    if let Some(old) = self.sent.insert(name.clone(), (ticket, token)) {
                        self.sent.insert(format!("{name}-old"), old);
                    }
                    format!("{name}{form}")
                }
                Output::Event(event) => {
                    self.event = Some(event);
                    describe_event(event, self.now)
                }
                Output::Wait(until) => return self.wait = until,
            };
            self.output.push(line);
        }
    }
}

pub(crate) fn millis(text: &str) -> Duration {
    Duration::from_millis(text.parse().expect("milliseconds"))
}

pub(crate) fn describe(command: &Command<'_>) -> (&'static str, &'static str, Option<Token>) {
    use redlatch_core::Form::Source;
    match *command {
        Command::Claim { token, .. } => ("claim", "", Some(*token)),
        Command::Read { .. } => ("read", "", None),
        Command::Expiry { .. } => ("expiry", "", None),
        Command::Extend { token, form, .. } => {
            ("extend", if form == Source { " in full" } else { "" }, Some(*token))
        }
        Command::Release { token, form, .. } => {
            ("release", if form == Source { " in full" } else { "" }, Some(*token))
        }
        _ => ("?", "", None),
    }
}

pub(crate) fn describe_event(event: Event, now: Instant) -> String {
    match event {
        Event::Acquired(lease) => format!("acquired {}", lease.validity(now).as_millis()),
        Event::Extended(lease) => format!("extended {}", lease.validity(now).as_millis()),
        Event::Denied(tally) => match tally.denial() {
            Denial::Refused => format!("denied refused {:?}", tally.refusal.expect("a reason")),
            denial => format!("denied {denial:?}").to_lowercase(),
        },
        Event::NotExtended(_) => "not extended".into(),
        Event::Lost(loss) => format!("lost {loss:?}").to_lowercase(),
        Event::Released(released) => match released {
            Released::Confirmed => "released".into(),
            Released::NotHeld => "released not held".into(),
            Released::Unconfirmed => "released unconfirmed".into(),
        },
        other => format!("{other:?}"),
    }
}

/// How to get to the states that rows begin in.
pub(crate) const ASKING: &str = "acquire;provide";
pub(crate) const ASKING_AGAIN: &str = "acquire;provide;0.claim=nil;0.read=other;after 100;provide";
pub(crate) const PAUSING: &str = "acquire;provide;0.claim=nil;0.read=other";
pub(crate) const HELD: &str = "acquire;provide;0.claim=ok;0.read=ours";
pub(crate) const EXTENDING: &str = "acquire;provide;0.claim=ok;0.read=ours;extend";
pub(crate) const RELEASING: &str = "acquire;provide;0.claim=ok;0.read=ours;release";
pub(crate) const DETACHED: &str = "acquire;provide;0.claim=ok;0.read=ours;detach";
pub(crate) const ADOPTED: &str = "acquire;provide;0.claim=ok;0.read=ours;detach;adopt";
pub(crate) const HELD_3: &str = "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours";
pub(crate) const HELD_ALL_3: &str =
    "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours";
