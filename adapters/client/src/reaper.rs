//! The reaper: it drives the machines nobody else drives, until they owe nothing.

use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::Arc;

use redlatch_core::Instant;

use crate::engine::Engine;
use crate::os;
use crate::progress::Progress;
use crate::round::Round;
use crate::session::Session;

/// Most machines in its care. Beyond that the one that can wait longest is left to its ttl.
const SESSIONS_MAX: usize = 65_536;

/// Drives the machines nobody else drives; one for each client, in a thread or a task of its own.
///
/// Dropping it before it is done closes the client; what is owed is left to its ttl.
pub struct Reaper {
    engine: Arc<Engine>,
    rounds: Rounds,
}

impl Reaper {
    /// For the client.
    #[must_use]
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self { engine: Arc::clone(engine), rounds: Rounds::new(SESSIONS_MAX) }
    }

    /// Makes one round. Done when the client is closed and nothing is owed, or no time is left.
    pub fn poll(&mut self, waker: &Waker) -> Progress<()> {
        let Self { engine, rounds } = self;
        let (visits, close_by) = engine.errands.collect();
        for session in visits {
            session.unqueue();
            rounds.visit(engine, session);
        }
        rounds.visit_due(engine);
        engine.flush(os::now());
        if let Some(by) = close_by {
            let paid = !engine.lines.any() && !rounds.owes();
            if (paid || by <= os::now()) && engine.errands.end(paid) {
                engine.close_links();
                return Progress::Done(());
            }
        }
        if engine.errands.is_idle(close_by, waker) {
            let silence = if rounds.is_empty() { Instant::NEVER } else { engine.silence() };
            Progress::Wait(rounds.next().min(silence).min(close_by.unwrap_or(Instant::NEVER)))
        } else {
            Progress::Wait(Instant::ZERO)
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

/// The machines in the reaper's care, by the moment when each wants to be looked at.
struct Rounds {
    due: BTreeMap<(Instant, usize), Arc<Session>>,
    most: usize,
}

impl Rounds {
    const fn new(most: usize) -> Self {
        Self { due: BTreeMap::new(), most }
    }

    fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    fn next(&self) -> Instant {
        self.due.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at)
    }

    fn visit_due(&mut self, engine: &Engine) {
        while self.next() <= os::now() {
            if let Some((_, session)) = self.due.pop_first() {
                self.visit(engine, session);
            }
        }
    }

    fn visit(&mut self, engine: &Engine, session: Arc<Session>) {
        let mut machine = session.machine();
        let listed = machine.listed.take();
        let before = listed.and_then(|at| self.due.remove(&(at, session.id())));
        let Some(mail) = session.reapers_mail() else {
            drop(machine);
            return drop(before);
        };
        let mut round = Round::new(&session, mail, os::now());
        let abandoned = session.take_abandoned();
        if abandoned {
            machine.lock.abandon(round.now);
        }
        machine.listed = engine.attend(&mut machine.lock, &mut round);
        let (listed, holds) = (machine.listed, machine.lock.lease().is_some());
        drop(machine);
        drop(before);
        let left = if abandoned { engine.leave_line(&session, round.now) } else { None };
        let next = left.or_else(|| engine.pass_on(&session, holds, round.now));
        round.keepers.wake();
        if next.is_some() {
            engine.flush_before(next, round.now);
        }
        round.tidings.tell(session.key());
        if let Some(at) = listed {
            self.due.insert((at, session.id()), session);
            if self.due.len() > self.most {
                self.due.pop_last();
            }
        }
    }

    /// Whether a machine that nobody holds any more is not settled.
    fn owes(&self) -> bool {
        self.due.values().any(|session| session.machine().lock.lease().is_none())
    }
}

#[cfg(test)]
#[path = "reaper_tests.rs"]
mod tests;
