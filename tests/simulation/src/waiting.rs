//! Those who wait: whether they are woken when they must be, and are quiet as long as nothing happens.
//!
//! A lock *sleeps* when every server that has refused it has answered when its key expires, and so has said
//! that it will tell of a change. Of a lock that sleeps:
//!
//! * It tries again soon after its key has become free on a majority, or has been found so: within
//!   [patience](World::patience), counted from when its connections were well and nothing slow was under way
//!   on them. Its retry policy does not matter.
//! * It sends no request but releases, and asks each server once, and once more when it was told: it may look
//!   before it tries.
//! * It tries again only when it was told to, when a key has expired or was found gone, or when its policy
//!   ends the waiting or bounds the attempts.
//!
//! Of any lock that waits: it tries [`RETRIES_MAX`] times in a second at most.

use redlatch_core::{Answer, Instant, Phase, Retry, Ticket, Turns, majority};
use redlatch_model::{Change, Effect};

use crate::client::{Slot, Stage, name};
use crate::judge::Violation;
use crate::plan::Fault;
use crate::world::{Happening, World};

/// Retries of one lock in a second from which on it is said to spin.
pub(crate) const RETRIES_MAX: u64 = 500;
const SECOND: u64 = 1_000_000;
/// The longest random time before an attempt of one who was told, in microseconds.
const SPREAD: u64 = 20_000;
/// What a ttl is cut to, and the allowance for that, in microseconds.
const MARGIN: u64 = 2_000;

/// What one server has said in this pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alert {
    Asked(Ticket, u64),
    /// Its key expires at this moment of the client's clock; the answer took so long.
    Told {
        expires: Instant,
        took: u64,
    },
    Gone {
        took: u64,
    },
    /// It will not tell.
    Deaf,
}

/// What is known of one who waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When it began, by the client's clock.
    began: Instant,
    /// The attempt that was made last: the number of its token.
    attempt: u64,
    /// Retries since then.
    window: (u64, u64),
    alerts: [Option<Alert>; 8],
    /// It was told during this pause that the key may be free.
    is_hinted: bool,
}

impl Waiting {
    pub(crate) const NONE: Self = Self {
        began: Instant::ZERO,
        attempt: 0,
        window: (0, 0),
        alerts: [None; 8],
        is_hinted: false,
    };

    pub(crate) const fn begin(&mut self, now: Instant) {
        let attempt = self.attempt;
        *self = Self { began: now, attempt, ..Self::NONE };
    }

    /// A server is asked to tell. False if it was asked in this pause before, and did not make it look by
    /// telling.
    pub(crate) fn ask(&mut self, ticket: Ticket, now: u64) -> bool {
        match self.alerts[ticket.server()].replace(Alert::Asked(ticket, now)) {
            None => true,
            Some(_) => core::mem::take(&mut self.is_hinted),
        }
    }

    fn sleeps(&self) -> bool {
        let mut alerts = self.alerts.iter().flatten().peekable();
        let is_asked = alerts.peek().is_some();
        is_asked && alerts.all(|it| matches!(it, Alert::Told { .. } | Alert::Gone { .. }))
    }

    /// Whether no answer is to come, and no server will tell.
    fn is_idle(&self) -> bool {
        self.alerts.iter().flatten().all(|alert| *alert == Alert::Deaf)
    }

    /// Whether one who sleeps has a reason to try again.
    fn has_reason(&self, retry: Retry, now: Instant) -> bool {
        let end = retry.deadline.map_or(Instant::NEVER, |span| self.began.saturating_add(span));
        let is_due = self.alerts.iter().flatten().any(|alert| match alert {
            Alert::Told { expires, .. } => *expires <= now,
            Alert::Gone { .. } => true,
            _ => false,
        });
        self.is_hinted || is_due || retry.retries.is_some() || end <= now
    }

    /// How long the slowest answer of this pause took.
    fn slowest(&self) -> u64 {
        let took = self.alerts.iter().flatten().map(|alert| match alert {
            Alert::Told { took, .. } | Alert::Gone { took } => *took,
            _ => 0,
        });
        took.max().unwrap_or(0)
    }
}

impl Slot {
    /// The key may be free. Whether it pauses.
    pub(crate) fn hint(&mut self, now: Instant) -> bool {
        let pauses = self.lock.phase() == Phase::Pausing;
        self.waiting.is_hinted |= pauses;
        self.lock.hint(now);
        pauses
    }
}

/// Until when each server has one key, in true time, as far as its own clock decides.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    until: Vec<u64>,
    /// Since when a majority has not.
    free_since: Option<u64>,
}

impl Presence {
    pub(crate) fn new(servers: usize) -> Self {
        Self { until: vec![0; servers], free_since: Some(0) }
    }
}

/// Which keys are free.
impl World {
    pub(crate) fn note_presence(&mut self, server: usize, effect: &Effect) {
        let Some(key) = (0..self.plan.keys).find(|key| name(*key) == effect.key) else { return };
        let clock = self.nodes[server].clock;
        let until = match effect.change {
            Change::Set(None) => u64::MAX,
            Change::Set(Some(ttl)) | Change::Extended(ttl) => {
                let left = u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX);
                clock.when(Instant::from_micros(clock.at(self.now).saturating_add(left)))
            }
            Change::Deleted | Change::Expired | Change::Lost => 0,
        };
        self.presence[key].until[server] = until;
        if until > self.now {
            self.schedule(until, Happening::Lapse { key });
        }
        self.review_presence(key);
    }

    pub(crate) fn review_presence(&mut self, key: usize) {
        let (now, presence) = (self.now, &mut self.presence[key]);
        let free = presence.until.iter().filter(|until| **until <= now).count();
        if free < majority(presence.until.len()) {
            presence.free_since = None;
        } else if presence.free_since.is_none() {
            presence.free_since = Some(now);
            for client in 0..self.clients.len() {
                for slot in 0..self.clients[client].slots.len() {
                    if self.key_of(slot) == key {
                        self.arm(client, slot, now);
                    }
                }
            }
        }
    }

    fn key_of(&self, slot: usize) -> usize {
        slot % self.plan.keys
    }
}

/// Who waits.
impl World {
    /// Something was, or is until then, in the way of what servers tell a client.
    pub(crate) fn unrest(&mut self, client: usize, until: u64) {
        let subject = &mut self.clients[client];
        subject.unrest_until = subject.unrest_until.max(until);
    }

    pub(crate) fn note_answer(
        &mut self,
        client: usize,
        slot: usize,
        ticket: Ticket,
        answer: Answer,
    ) {
        if !ticket.asks_expiry() {
            return;
        }
        let now = self.clients[client].clock.instant(self.now);
        let waiting = &mut self.clients[client].slots[slot].waiting;
        let alert = &mut waiting.alerts[ticket.server()];
        let Some(Alert::Asked(asked, at)) = *alert else { return };
        if asked != ticket {
            return;
        }
        let took = self.now - at;
        *alert = Some(match answer {
            Answer::Integer(-2) => Alert::Gone { took },
            Answer::Integer(-1) => Alert::Told { expires: Instant::NEVER, took },
            Answer::Integer(millis) => {
                let micros = u64::try_from(millis).unwrap_or(0).saturating_mul(1000);
                let expires = Instant::from_micros(now.as_micros().saturating_add(micros));
                Alert::Told { expires, took }
            }
            _ => Alert::Deaf,
        });
        self.tally.gone += u64::from(matches!(alert, Some(Alert::Gone { .. })));
        if waiting.sleeps() {
            self.tally.sleeps += 1;
            self.arm(client, slot, self.now);
        }
    }

    /// An attempt begins.
    pub(crate) fn note_attempt(&mut self, client: usize, slot: usize) {
        let (number, at) = (self.tokens + 1, self.now);
        let now = self.clients[client].clock.instant(at);
        let subject = &mut self.clients[client].slots[slot];
        let retry = subject.lock.settings().retry;
        let waiting = &mut subject.waiting;
        let restless = waiting.sleeps() && !waiting.has_reason(retry, now);
        (waiting.attempt, waiting.alerts, waiting.is_hinted) = (number, [None; 8], false);
        if !subject.lock.has_failed() {
            return;
        }
        let (since, retries) = waiting.window;
        waiting.window = if at - since < SECOND { (since, retries + 1) } else { (at, 1) };
        let retries = waiting.window.1;
        self.tally.retries += 1;
        self.tally.retries_most = self.tally.retries_most.max(retries);
        if retries == RETRIES_MAX {
            let text = format!("c{client} tries {retries} times in a second for slot {slot}");
            self.violate(Violation::Unbounded(text));
        }
        if restless {
            let text = format!("c{client} wakes up for nothing and tries again, slot {slot}");
            self.violate(Violation::Unbounded(text));
        }
    }

    /// Looks later whether one who sleeps has woken up.
    fn arm(&mut self, client: usize, slot: usize, since: u64) {
        let is_free = self.presence[self.key_of(slot)].free_since.is_some();
        let waiting = &self.clients[client].slots[slot].waiting;
        if waiting.sleeps() && is_free && self.plan.broken.is_none() {
            let at = since + self.patience(waiting);
            let attempt = waiting.attempt;
            self.schedule(at, Happening::Watch { client, slot, attempt, since });
        }
    }

    /// The longest from the moment when a key is free on a majority until one who sleeps tries to take it.
    /// Whoever lets others come first does so for two milliseconds and six round trips. The push is under way
    /// for as long as anything may be. Whoever is not told waits until the key expires as it was told, which
    /// is late by as long as that answer took, and by what the clocks differ.
    fn patience(&self, waiting: &Waiting) -> u64 {
        let drift = 2 * self.plan.drift * self.plan.ttl / 1_000_000;
        let slowest = waiting.slowest();
        let round_trip = slowest.max(2 * self.usual_latency()).min(16_000);
        let held_back = Turns::HOLD_BACK + 6 * round_trip;
        SPREAD.max(held_back) + MARGIN + drift + slowest + 2 * self.usual_latency()
    }

    /// I6: who pauses for longer than its policy wants, or an answer may take, has been told why.
    pub(crate) fn judge_pauses(&mut self, client: usize) {
        let subject = &self.clients[client];
        let now = subject.clock.instant(self.now);
        let longest = (self.plan.ttl / 3).max(self.plan.reply_timeout).max(SPREAD) + MARGIN;
        let stuck = subject.slots.iter().position(|slot| {
            let pauses = slot.lock.phase() == Phase::Pausing && slot.waiting.is_idle();
            let left = slot.lock.poll_timeout().saturating_since(now).as_micros();
            pauses && left > u128::from(longest)
        });
        if let Some(slot) = stuck {
            let text = format!("c{client} waits for nothing, slot {slot}");
            self.violate(Violation::Stuck(text));
        }
    }

    /// I6: nobody sleeps while the key is free.
    pub(crate) fn watch(&mut self, client: usize, slot: usize, attempt: u64, since: u64) {
        let subject = &self.clients[client];
        let sleeper = &subject.slots[slot];
        let sleeps = sleeper.wants
            && sleeper.waiting.attempt == attempt
            && sleeper.lock.phase() == Phase::Pausing;
        let free_since = self.presence[self.key_of(slot)].free_since;
        if !sleeps || free_since.is_none_or(|at| at > since) {
            return;
        }
        let well = subject.links.iter().all(|link| match link.stage {
            Stage::Ready(id) => !self.connections[id].is_silent,
            _ => false,
        });
        let unrest_until = subject.unrest_until;
        if !well || unrest_until >= since {
            return self.arm(client, slot, self.now.max(unrest_until + 1));
        }
        let waited = self.now - since;
        let text = format!("c{client} sleeps, and slot {slot} has been free for {waited} us");
        self.violate(Violation::Stuck(text));
    }
}

/// Pushes that say nothing new.
impl World {
    /// Tells every client of a change that the server has just told of.
    pub(crate) fn echo_pushes(&mut self, server: usize, changed: &[usize]) {
        for key in changed {
            if self.strikes(Fault::Double) {
                self.push_to_all(server, &push(*key));
            }
        }
    }

    pub(crate) fn storm(&mut self, server: usize, until: u64) {
        if self.now > until || self.is_healed {
            return;
        }
        let key = self.dice.index(self.plan.keys);
        self.push_to_all(server, &push(key));
        let next = self.now + 100 + self.dice.below(1000);
        self.schedule(next, Happening::Storm { server, until });
    }

    fn push_to_all(&mut self, server: usize, push: &[u8]) {
        for client in 0..self.clients.len() {
            let link = &self.clients[client].links[server];
            let Stage::Ready(id) = link.stage else { continue };
            if link.can_push && self.connections[id].session.is_some() {
                self.send(id, push, false);
            }
        }
    }
}

fn push(key: usize) -> Vec<u8> {
    let name = name(key);
    let mut push = format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n", name.len()).into_bytes();
    push.extend(name);
    push.extend(b"\r\n");
    push
}
