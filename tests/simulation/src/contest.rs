//! Owners that do nothing but contend for one key, and how fair that is. Nothing goes wrong.
//!
//! What must hold:
//!
//! * No client is shut out, whatever the others are: each has its part of all grants.
//! * Where every client passes the lock on among its own, and one server decides, each has it again after the
//!   others have had their turns, about once each.

use redlatch_core::{Event, Phase, Retry, Settings, Turns};

use crate::judge::Violation;
use crate::plan::Plan;
use crate::world::{Happening, World};

/// How long a lock is held, in microseconds.
const HOLD: u64 = 1_000;
/// The longest until somebody wants it again who had it.
const PAUSE: u64 = 20;
/// The least part of all grants, in percent of an equal one; with several servers it is left to chance.
const SHARE_LEAST: u64 = 20;
const SHARE_LEAST_OF_QUORUM: u64 = 10;
/// Others may have so many times the turns that they would have if all took turns.
const ROUNDS_MOST: u64 = 4;

/// How a client fares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    grants: u64,
    /// Grants to others since, while it waits.
    passed_over: u64,
}

/// Nobody gives up.
pub(crate) fn settings(plan: &Plan, settings: Settings) -> Settings {
    if plan.contest.is_none() {
        return settings;
    }
    let retry = Retry { retries: None, deadline: None, ..settings.retry };
    Settings { retry, wake: true, ..settings }
}

impl World {
    /// Gives the lock back, or wants it.
    pub(crate) fn contend(&mut self, client: usize, slot: usize) {
        let is_alone = self.plan.contest.is_some_and(|alone| client < alone);
        if is_alone && slot > 0 {
            return;
        }
        let now = self.clients[client].clock.instant(self.now);
        let subject = &mut self.clients[client].slots[slot];
        match subject.lock.phase() {
            Phase::Idle if !subject.queued => {
                self.clients[client].join(slot, now, self.plan.keys);
            }
            Phase::Held => {
                subject.let_go();
                subject.lock.release(now);
            }
            _ => {}
        }
        self.drive(client);
    }

    /// When the owner acts next.
    pub(crate) fn go_on(&mut self, client: usize, slot: usize, event: Event) {
        if self.plan.contest.is_none() {
            return;
        }
        let span = match event {
            Event::Acquired(_) => HOLD,
            Event::Lost(_) | Event::Denied(_) | Event::Released(_) => 1 + self.dice.below(PAUSE),
            _ => return,
        };
        self.schedule(self.now + span, Happening::Act { client, slot });
    }

    /// A client has taken the key.
    pub(crate) fn note_grant(&mut self, client: usize) {
        if self.plan.contest.is_none() {
            return;
        }
        for other in 0..self.clients.len() {
            let waits = self.clients[other].slots.iter().any(|slot| slot.wants && !slot.holds);
            let standing = &mut self.standings[other];
            let is_passed_over = other != client && waits;
            standing.passed_over = if is_passed_over { standing.passed_over + 1 } else { 0 };
            self.judge_passing_over(other);
        }
        self.standings[client].grants += 1;
    }

    fn judge_passing_over(&mut self, client: usize) {
        let passed_over = self.standings[client].passed_over;
        self.tally.passed_over_most = self.tally.passed_over_most.max(passed_over);
        let others = self.clients.len() as u64 - 1;
        let most = ROUNDS_MOST * others * (u64::from(Turns::FEWEST) + 1);
        if self.plan.is_orderly() && passed_over == most {
            let text = format!("c{client} waits, and others have had the lock {passed_over} times");
            self.violate(Violation::Stuck(text));
        }
    }

    /// Nobody is shut out.
    pub(crate) fn judge_shares(&mut self) {
        if self.plan.contest.is_none() {
            return;
        }
        let grants = self.standings.iter().map(|standing| standing.grants);
        let (all, least) = (grants.clone().sum::<u64>(), grants.min().unwrap_or(0));
        let share = 100 * least * self.standings.len() as u64 / all.max(1);
        self.tally.share_least = Some(share);
        let least_share = if self.plan.servers > 1 { SHARE_LEAST_OF_QUORUM } else { SHARE_LEAST };
        if share < least_share {
            let text =
                format!("one of {} clients had {least} of {all} grants", self.standings.len());
            self.violate(Violation::Stuck(text));
        }
    }
}
