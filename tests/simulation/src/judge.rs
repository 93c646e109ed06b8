//! What must hold, with the numbers of the research that it comes from.
//!
//! I2 and I3, fencing, have no judge yet: redlatch gives no fencing tokens.

use core::fmt;

use redlatch_core::{Class, Event, Lease, Loss, Released, Retry, Token, majority};

use crate::node::{owner_of, short, slot_of};
use crate::world::World;

/// Something that must not happen, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// I1: two owners believe in one lock at the same true moment.
    Exclusion(String),
    /// I4: a key was deleted or extended, and its token was not the sender's.
    ForeignRelease(String),
    /// I5: a key is left that nobody takes back.
    Orphan(String),
    /// I6: nobody gets a lock although nothing is wrong any more, or a machine does not come to rest.
    Stuck(String),
    /// I7: a reply was taken for another, or was left over.
    OutOfStep(String),
    /// I8: an owner was told something that the servers' state does not bear out.
    Dishonest(String),
    /// I9: something follows the end of a lock that must not.
    AfterTheEnd(String),
    /// I10: work without bound.
    Unbounded(String),
}

impl Violation {
    /// The number of the invariant.
    #[must_use]
    pub const fn invariant(&self) -> &'static str {
        match self {
            Self::Exclusion(_) => "I1",
            Self::ForeignRelease(_) => "I4",
            Self::Orphan(_) => "I5",
            Self::Stuck(_) => "I6",
            Self::OutOfStep(_) => "I7",
            Self::Dishonest(_) => "I8",
            Self::AfterTheEnd(_) => "I9",
            Self::Unbounded(_) => "I10",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Exclusion(text)
        | Self::ForeignRelease(text)
        | Self::Orphan(text)
        | Self::Stuck(text)
        | Self::OutOfStep(text)
        | Self::Dishonest(text)
        | Self::AfterTheEnd(text)
        | Self::Unbounded(text)) = self;
        write!(f, "{}: {text}", self.invariant())
    }
}

/// Marks a violation in a timeline.
pub(crate) const VIOLATED: &str = "!!!";

/// What servers did with one token.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deeds {
    /// A bit for each server.
    pub(crate) set: u32,
    pub(crate) deleted: u32,
    /// When each server last extended it.
    pub(crate) extended: [u64; 8],
}

impl World {
    pub(crate) fn violate(&mut self, violation: Violation) {
        self.trace.tell(self.now, || format!("{VIOLATED} {violation}"));
        self.violations.push(violation);
    }

    /// The number that stands in the tokens of a client. A client that has died is another one.
    pub(crate) fn owner(&self, client: usize) -> u16 {
        u16::try_from(client).unwrap_or(u16::MAX) << 12 | self.lives[client]
    }

    /// What an owner is told: whether it may be.
    pub(crate) fn judge_event(
        &mut self,
        client: usize,
        slot: usize,
        token: Option<Token>,
        event: Event,
    ) {
        let subject = &self.clients[client].slots[slot];
        let held = subject.holds;
        match event {
            Event::Acquired(lease) => {
                if held {
                    self.violate(Violation::AfterTheEnd(format!("c{client} acquired twice")));
                }
                if !lease.is_valid(self.clients[client].clock.instant(self.now)) {
                    self.violate(Violation::Dishonest(format!(
                        "c{client} has a lease that is over"
                    )));
                }
                self.judge_majority(client, token, "acquired", |deeds| deeds.set);
                self.judge_belief(client, slot, lease);
            }
            Event::Extended(lease) => {
                if !held {
                    self.violate(Violation::AfterTheEnd(format!("c{client} extended a lost lock")));
                }
                let since = self.extension_began(client, lease);
                self.judge_majority(client, token, "extended", |deeds| {
                    let done = (0..).zip(deeds.extended).filter(|(_, at)| *at >= since);
                    done.fold(0, |mask, (server, _)| mask | 1_u32 << server)
                });
                self.judge_belief(client, slot, lease);
            }
            Event::Lost(_) if !held => {
                self.violate(Violation::AfterTheEnd(format!("c{client} lost what it had not")));
            }
            Event::Lost(Loss::Deleted | Loss::Stolen) => {
                self.judge_absence(client, slot, token);
            }
            Event::Denied(tally) => {
                let Retry { retries, deadline, .. } = subject.lock.settings().retry;
                let is_hopeless = tally.refusal.is_some_and(|it| it.class() == Class::Permanent);
                if retries.is_none() && deadline.is_none() && !is_hopeless {
                    self.violate(Violation::Stuck(format!("c{client} has given up too early")));
                }
            }
            Event::Released(Released::Confirmed) => {
                self.judge_majority(client, token, "released", |deeds| deeds.deleted);
            }
            _ => {}
        }
    }

    /// I8.
    fn judge_majority(
        &mut self,
        client: usize,
        token: Option<Token>,
        what: &str,
        mask: impl Fn(&Deeds) -> u32,
    ) {
        let deeds = token.and_then(|token| self.deeds.get(&token)).copied().unwrap_or_default();
        let count = usize::try_from(mask(&deeds).count_ones()).unwrap_or_default();
        if count < majority(self.nodes.len()) {
            let text = format!("c{client} has {what}, and {count} servers did it");
            self.violate(Violation::Dishonest(text));
        }
    }

    /// I8: whoever is told that its key is gone has it on no majority.
    fn judge_absence(&mut self, client: usize, slot: usize, token: Option<Token>) {
        (0..self.nodes.len()).for_each(|server| self.tick(server));
        let left = self
            .nodes
            .iter()
            .filter(|node| token.is_some() && node.token(slot % self.plan.keys) == token);
        let left = left.count();
        if left >= majority(self.nodes.len()) {
            let text =
                format!("c{client} was told that its key is gone, and {left} servers have it");
            self.violate(Violation::Dishonest(text));
        }
    }

    /// The true moment before which an extension that gives this lease had not begun.
    fn extension_began(&self, client: usize, lease: Lease) -> u64 {
        let settings = *self.clients[client].slots[0].lock.settings();
        let whole = Lease::new(settings.ttl, settings.drift, redlatch_core::Instant::ZERO);
        let since = lease.until().as_micros() - whole.until().as_micros();
        self.clients[client]
            .clock
            .when(redlatch_core::Instant::from_micros(since))
            .saturating_sub(1)
    }

    /// I1: whoever believes now.
    fn judge_belief(&mut self, client: usize, slot: usize, lease: Lease) {
        let believes = |other: usize| {
            let rival = &self.clients[other];
            let now = rival.clock.instant(self.now);
            let others = (0..rival.slots.len()).filter(|it| (other, *it) != (client, slot));
            let mut same = others.filter(|it| it % self.plan.keys == slot % self.plan.keys);
            same.any(|it| rival.slots[it].believes.is_some_and(|lease| lease.is_valid(now)))
        };
        let mine = lease.is_valid(self.clients[client].clock.instant(self.now));
        if let Some(other) = (0..self.clients.len()).find(|other| mine && believes(*other)) {
            let text = format!("c{client} holds key {slot} while c{other} believes that it does");
            self.violate(Violation::Exclusion(text));
        }
    }

    /// I9: a lease is what its owner was told, and grows only with an extension.
    pub(crate) fn judge_leases(&mut self, client: usize) {
        for slot in 0..self.plan.slots() {
            let subject = &self.clients[client].slots[slot];
            let lease = subject.lock.lease();
            if lease.is_some() && subject.holds && lease != subject.believes {
                let text = format!("c{client} was not told of its lease of key {slot}");
                self.violate(Violation::AfterTheEnd(text));
            }
        }
    }

    /// I5: a lock that has come to rest has left nothing.
    pub(crate) fn judge_settled(&mut self, client: usize) {
        for slot in 0..self.plan.slots() {
            let settled = self.clients[client].slots[slot].is_settled();
            let before = core::mem::replace(&mut self.clients[client].slots[slot].settled, settled);
            for server in (0..self.nodes.len()).filter(|_| settled && !before) {
                self.tick(server);
                let left = self.nodes[server].token(slot % self.plan.keys);
                let owner = (self.owner(client), slot);
                let left = left.filter(|it| {
                    (owner_of(it), slot_of(it)) == owner && !self.excused.contains(it)
                });
                if let Some(token) = left {
                    let text =
                        format!("c{client} is settled, and s{server} has its {}", short(&token));
                    self.violate(Violation::Orphan(text));
                }
            }
        }
    }

    /// I5: nor does anything come after it.
    pub(crate) fn judge_set(&mut self, server: usize, key: &[u8], token: &Token) {
        let owner = owner_of(token);
        let lives = |client: &usize| self.owner(*client) == owner;
        let Some(client) = (0..self.clients.len()).find(lives) else { return };
        let slot = &self.clients[client].slots[slot_of(token)];
        if slot.lock.key() != key {
            let text = format!("s{server} sets {} under another key", short(token));
            self.violate(Violation::Dishonest(text));
        } else if slot.settled && !self.excused.contains(token) {
            let text = format!("c{client} is settled, and s{server} sets its {}", short(token));
            self.violate(Violation::Orphan(text));
        }
    }

    /// I5: what a client that died has left is gone in time.
    pub(crate) fn judge_orphans(&mut self) {
        let due: Vec<u16> = self
            .orphans
            .iter()
            .filter(|(at, _)| *at <= self.now)
            .map(|(_, owner)| *owner)
            .collect();
        if due.is_empty() {
            return;
        }
        self.orphans.retain(|(at, _)| *at > self.now);
        for server in 0..self.nodes.len() {
            self.tick(server);
            for slot in 0..self.plan.keys {
                let token = self.nodes[server].token(slot);
                if let Some(token) = token.filter(|token| due.contains(&owner_of(token))) {
                    let text =
                        format!("s{server} still has {} of a client that died", short(&token));
                    self.violate(Violation::Orphan(text));
                }
            }
        }
    }

    /// I6.
    pub(crate) fn judge_progress(&mut self) {
        for slot in 0..self.plan.keys {
            if self.had_at[slot] < self.healed_at {
                self.violate(Violation::Stuck(format!("nobody has key {slot} any more")));
            }
        }
    }

    /// I5: in a quiet world everything is given back at once.
    pub(crate) fn judge_clean_up(&mut self) {
        for server in 0..self.nodes.len() {
            self.tick(server);
            for slot in 0..self.plan.keys {
                if let Some(token) = self.nodes[server].token(slot) {
                    let text =
                        format!("s{server} still has {} after all have released", short(&token));
                    self.violate(Violation::Orphan(text));
                }
            }
        }
    }

    /// I6, I7: in the end nobody has anything to do, and nothing is left to read.
    pub(crate) fn judge_rest(&mut self) {
        for client in 0..self.clients.len() {
            let subject = &self.clients[client];
            let restless = subject.slots.iter().any(|slot| !slot.is_settled());
            let waiting = subject.links.iter().any(|link| link.wire.in_flight() > 0);
            if restless {
                self.violate(Violation::Stuck(format!("c{client} does not come to rest")));
            }
            if waiting {
                self.violate(Violation::OutOfStep(format!("c{client} waits for a reply for ever")));
            }
        }
    }
}
