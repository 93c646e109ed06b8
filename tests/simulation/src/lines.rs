//! Those who want the same key of one client stand in line, by the rules of the hosted adapters: only the front
//! asks the servers, the others begin in order of arrival when the front leaves, and after some turns in a row
//! the client holds back for a moment. Who makes a bounded number of attempts tries apart from the line.
//!
//! What must hold:
//!
//! * Nobody who stands in line begins before one who has come earlier, unless his time is over.
//! * A line has a front, and the front acts: it asks, holds, or holds back. Whoever is cancelled, and
//!   wherever he stands, leaves nobody behind who is not told.
//! * A client takes 16 turns in a row without holding back if others were seen, and 256 at most.

use std::collections::VecDeque;

use redlatch_core::{Instant, Pass, Phase, Turns};

use crate::client::{Client, Slot};
use crate::judge::Violation;
use crate::world::World;

/// Where an owner stands in the line for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Outside,
    /// Nothing is asked for it.
    Behind,
    /// In front or apart.
    Asking,
    Holding,
}

/// One key of one client.
#[derive(Debug, Default)]
pub(crate) struct Line {
    front: Option<usize>,
    /// How the front begins.
    pass: Option<Pass>,
    behind: VecDeque<usize>,
    turns: Turns,
    /// Turns in a row without holding back, and how often nobody came when it did.
    in_a_row: u32,
    alone: u32,
    held_back: bool,
}

impl Line {
    fn promote(&mut self, pass: Option<Pass>) -> Option<usize> {
        self.pass = pass;
        self.front = self.behind.pop_front();
        self.front
    }

    /// Most turns in a row by now.
    fn allowed(&self) -> u32 {
        (u32::from(Turns::FEWEST) << self.alone.min(8)).min(Turns::MOST.into())
    }
}

impl Slot {
    /// Whether somebody is asked for it.
    pub(crate) fn is_asking(&self) -> bool {
        self.place == Place::Asking
    }

    /// Its deadline, by the client's clock.
    fn deadline(&self) -> Instant {
        let span = self.lock.settings().retry.deadline;
        span.map_or(Instant::NEVER, |span| self.joined.saturating_add(span))
    }

    fn wants_no_more(&self) -> bool {
        !matches!(self.lock.phase(), Phase::NeedToken | Phase::Asking | Phase::Pausing)
    }
}

impl Client {
    /// The owner wants the lock from now on.
    pub(crate) fn join(&mut self, slot: usize, now: Instant, keys: usize) {
        let subject = &mut self.slots[slot];
        (subject.wants, subject.queued, subject.joined) = (true, true, now);
        let line = &mut self.lines[slot % keys];
        subject.place = match subject.lock.settings().retry.retries {
            Some(0) => Place::Outside,
            Some(_) => Place::Asking,
            None if line.front.is_some() => {
                line.behind.push_back(slot);
                Place::Behind
            }
            None => {
                (line.front, line.pass) = (Some(slot), None);
                Place::Asking
            }
        };
    }

    /// When one who stands in line wants to look again.
    pub(crate) fn poll_lines(&self, keys: usize) -> Instant {
        let queued = (0..self.slots.len()).filter(|slot| self.slots[*slot].queued);
        let moments = queued.map(|slot| {
            let (subject, line) = (&self.slots[slot], &self.lines[slot % keys]);
            let turn = match subject.place {
                Place::Behind if line.behind.front() == Some(&slot) => self.lease_of(line),
                Place::Behind => Instant::NEVER,
                _ => Instant::ZERO,
            };
            turn.min(subject.deadline())
        });
        moments.min().unwrap_or(Instant::NEVER)
    }

    /// Until when the front has the lock.
    fn lease_of(&self, line: &Line) -> Instant {
        let front = line.front.map(|front| &self.slots[front]);
        let holder = front.filter(|front| front.place == Place::Holding);
        holder.map_or(Instant::NEVER, |it| it.believes.map_or(Instant::ZERO, |it| it.until()))
    }

    /// Whether one who is queued may begin. One whose time is over leaves the line for his last attempt.
    fn may_begin(&mut self, slot: usize, now: Instant, keys: usize) -> bool {
        let lease = self.lease_of(&self.lines[slot % keys]);
        let (line, subject) = (&mut self.lines[slot % keys], &mut self.slots[slot]);
        if subject.place != Place::Behind {
            return true;
        }
        let is_next = line.behind.front() == Some(&slot);
        if is_next && lease <= now {
            line.promote(Some(Pass::AtOnce));
            subject.place = Place::Asking;
            return true;
        }
        if subject.deadline() <= now {
            line.behind.retain(|other| *other != slot);
            subject.place = Place::Asking;
            return true;
        }
        false
    }

    /// It has not, or no longer, to do with the lock.
    pub(crate) fn leave(&mut self, slot: usize, now: Instant, keys: usize) {
        let before = core::mem::replace(&mut self.slots[slot].place, Place::Outside);
        self.slots[slot].queued = false;
        let line = &mut self.lines[slot % keys];
        if before == Place::Behind {
            return line.behind.retain(|other| *other != slot);
        }
        if line.front == Some(slot) {
            let mut pass = line.pass;
            if before == Place::Holding && !line.behind.is_empty() {
                let next = line.turns.pass(now);
                line.held_back |= next == Pass::HoldBack;
                line.in_a_row = if next == Pass::HoldBack { 0 } else { line.in_a_row + 1 };
                pass = Some(next);
            }
            if let Some(next) = line.promote(pass) {
                self.slots[next].place = Place::Asking;
            }
            return;
        }
        let front = line.front.filter(|_| before == Place::Holding);
        if let Some(front) = front.filter(|front| self.slots[*front].is_asking()) {
            self.slots[front].hint(now);
        }
    }

    /// Gives whether it has held back for that.
    fn took(&mut self, slot: usize, keys: usize) -> bool {
        self.slots[slot].place = Place::Holding;
        let refused = self.slots[slot].lock.has_failed();
        let line = &mut self.lines[slot % keys];
        let held_back = core::mem::take(&mut line.held_back);
        line.turns.took(refused);
        match (refused, held_back) {
            (true, _) => (line.alone, line.in_a_row) = (0, 0),
            (false, true) => line.alone += 1,
            _ => {}
        }
        held_back
    }
}

impl World {
    /// Lets those begin whose turn it is, and follows what has become of the others.
    pub(crate) fn tend_lines(&mut self, client: usize) {
        let now = self.clients[client].clock.instant(self.now);
        loop {
            self.follow(client, now);
            let Some(slot) = self.begin_next(client, now) else { break };
            self.drive_lock(client, slot);
        }
        self.judge_lines(client, now);
    }

    /// Who has got the lock, and who has no more to do with it.
    fn follow(&mut self, client: usize, now: Instant) {
        let keys = self.plan.keys;
        for slot in 0..self.clients[client].slots.len() {
            let subject = &self.clients[client].slots[slot];
            let holds = subject.lock.lease().is_some();
            match subject.place {
                Place::Asking if subject.queued => {}
                Place::Asking if holds => {
                    let held_back = self.clients[client].took(slot, keys);
                    self.tally.held_back += u64::from(held_back);
                }
                Place::Asking if subject.wants_no_more() => {
                    self.clients[client].leave(slot, now, keys);
                }
                Place::Holding if !holds => self.clients[client].leave(slot, now, keys),
                _ => {}
            }
        }
    }

    /// Begins for one who was queued.
    fn begin_next(&mut self, client: usize, now: Instant) -> Option<usize> {
        let (keys, subject) = (self.plan.keys, &mut self.clients[client]);
        let queued = (0..subject.slots.len()).filter(|slot| subject.slots[*slot].queued);
        let queued: Vec<_> = queued.collect();
        let slot = queued.into_iter().find(|slot| subject.may_begin(*slot, now, keys))?;
        let line = &subject.lines[slot % keys];
        let pass = line.pass.filter(|_| line.front == Some(slot));
        let began = &mut subject.slots[slot];
        if began.lock.is_settled() {
            // As a fresh lock.
            let settings = *began.lock.settings();
            began.lock.reset(&settings, self.dice.seed());
        }
        let (joined, is_over) = (began.joined, began.deadline() <= now);
        began.queued = false;
        began.waiting.begin(joined);
        match pass {
            Some(pass) => began.lock.acquire_next(pass, joined, now),
            None => began.lock.acquire_since(joined, now),
        }
        let earlier = |other: &Slot| other.place == Place::Behind && other.joined < joined;
        let others = || subject.slots.iter().skip(slot % keys).step_by(keys);
        let in_line = began_in_line(&subject.lines[slot % keys], slot);
        if in_line && !is_over && others().any(earlier) {
            let text = format!("c{client}: slot {slot} begins before one who came earlier");
            self.violate(Violation::Stuck(text));
        }
        self.trace.tell(self.now, || format!("c{client}: slot {slot} begins"));
        Some(slot)
    }

    /// A client has taken a key.
    pub(crate) fn note_run(&mut self, client: usize, key: usize) {
        let keys = self.plan.keys;
        let asks = |slot: &Slot| slot.is_asking() && !slot.queued;
        let is_wanted = (0..self.clients.len())
            .filter(|other| *other != client)
            .any(|other| self.clients[other].slots.iter().skip(key).step_by(keys).any(asks));
        let (before, run) = self.runs[key];
        let run = if is_wanted && before == client { run + 1 } else { u64::from(is_wanted) };
        self.runs[key] = (client, run);
        self.tally.bypassed_most = self.tally.bypassed_most.max(run);
        self.note_grant(client);
    }

    fn judge_lines(&mut self, client: usize, now: Instant) {
        for key in 0..self.plan.keys {
            let subject = &self.clients[client];
            let line = &subject.lines[key];
            self.tally.turns_most = self.tally.turns_most.max(line.in_a_row.into());
            let (in_a_row, allowed) = (line.in_a_row, line.allowed());
            let stands = match line.front.map(|front| &subject.slots[front]) {
                None => !line.behind.is_empty(),
                Some(front) if front.queued => true,
                Some(front) if front.place == Place::Holding => {
                    !line.behind.is_empty() && subject.lease_of(line) <= now
                }
                Some(front) => front.place != Place::Asking,
            };
            if stands {
                let text = format!("c{client}: the line for key {key} stands still: {line:?}");
                self.violate(Violation::Stuck(text));
            }
            if in_a_row > allowed {
                let text = format!("c{client} takes {in_a_row} turns in a row with key {key}");
                self.violate(Violation::Stuck(text));
            }
        }
    }
}

fn began_in_line(line: &Line, slot: usize) -> bool {
    line.front == Some(slot)
}
