//! Those who wait for a lock in this client, in a line for each key.
//!
//! Only the front of a line asks the servers. Who stands behind it waits without a command until the
//! front lets go, and is then begun for, in order of arrival: whoever drives the front queues the claim of
//! the next right behind the release, and wakes it when both have left. A front that has the lock stays
//! the front until it has given it back or lost it.
//!
//! ```text
//!            join                     the front leaves              acquired
//!   outside ------> behind, or ----------------------> trying -------------------> holding
//!                   trying at once   its lease is over    |  denied, cancelled        |  given back, lost
//!                      | deadline                         v                           v
//!                      +--> apart, for a last attempt     outside, the next begins
//! ```
//!
//! Who makes a bounded number of attempts does not stand in line but tries apart: it could not make them
//! there. No waker is touched under the mutex: what is to be woken is given to the caller.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use redlatch_core::{Instant, Invalidation, Pass, Reply, Turns};

use crate::key::Key;
use crate::session::{InLine, Session};
use crate::sync::lock;

/// The lines of one client.
#[derive(Default)]
pub(crate) struct Lines {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where the line for a key is: who stands in it knows that, too.
    by_key: HashMap<Key, usize>,
    /// As many as there were at once.
    lines: Vec<Line>,
    /// Where lines are in which nobody stands.
    free: Vec<usize>,
    /// Those who have asked for a lock and have none.
    waiting: usize,
}

#[derive(Default)]
struct Line {
    /// Tries for the lock, or holds it.
    front: Option<Arc<Session>>,
    /// How the front begins, if its line has just had the lock.
    pass: Option<Pass>,
    behind: VecDeque<Arc<Session>>,
    apart: Vec<Arc<Session>>,
    turns: Turns,
}

/// What one who stands in line is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Ask the servers, in this manner if the line has just had the lock.
    Begin(Option<Pass>),
    /// Look again when woken, and at this moment.
    Wait(Instant),
}

impl Lines {
    /// Joins the line of its key. Whether nobody is before it: it begins.
    #[must_use]
    pub(crate) fn join(&self, session: &Arc<Session>) -> bool {
        self.enter(session, |line| {
            let begins = line.front.is_none();
            if begins {
                session.set_in_line(InLine::Asking);
                line.pass = None;
                line.front = Some(Arc::clone(session));
            } else {
                session.set_in_line(InLine::Behind);
                line.behind.push_back(Arc::clone(session));
            }
            begins
        })
    }

    /// Waits beside the line.
    pub(crate) fn join_apart(&self, session: &Arc<Session>) {
        self.enter(session, |line| line.stand_apart(session));
    }

    fn enter<T>(&self, session: &Session, join: impl FnOnce(&mut Line) -> T) -> T {
        let mut state = self.state();
        state.waiting += 1;
        let at = state.line_of(session.key());
        session.set_line(at);
        join(&mut state.lines[at])
    }

    /// Leaves the line for its last attempt, which nobody behind it waits for. Gives whom to wake.
    #[must_use]
    pub(crate) fn step_aside(&self, session: &Arc<Session>) -> Option<Arc<Session>> {
        let mut state = self.state();
        if session.in_line() != InLine::Behind {
            return None;
        }
        let line = &mut state.lines[session.line()];
        let next = line.remove_behind(session);
        line.stand_apart(session);
        next
    }

    /// What one who stands in line is to do now.
    pub(crate) fn turn(&self, session: &Arc<Session>, now: Instant) -> Turn {
        if session.in_line() == InLine::Outside {
            return Turn::Begin(None);
        }
        self.state().lines[session.line()].turn(session, now)
    }

    /// It has the lock; `refused` says whether somebody else had it first. Gives whom to wake: the next
    /// minds its lease.
    #[must_use]
    pub(crate) fn took(&self, session: &Arc<Session>, refused: bool) -> Option<Arc<Session>> {
        if session.in_line() == InLine::Outside {
            return None;
        }
        let mut state = self.state();
        session.set_in_line(InLine::Holding);
        state.waiting -= 1;
        let line = &mut state.lines[session.line()];
        line.turns.took(refused);
        line.behind.front().map(Arc::clone)
    }

    /// It has not, or no longer, to do with the lock, and what it sent on that account is queued. Gives
    /// whom to wake: the next may begin.
    #[must_use]
    pub(crate) fn leave(&self, session: &Arc<Session>, now: Instant) -> Option<Arc<Session>> {
        let mut state = self.state();
        let before = session.set_in_line(InLine::Outside);
        if matches!(before, InLine::Behind | InLine::Asking) {
            state.waiting -= 1;
        }
        let at = match before {
            InLine::Outside => *state.by_key.get(&**session.key())?,
            _ => session.line(),
        };
        let line = &mut state.lines[at];
        let next = line.leave(session, before, now);
        if line.is_empty() {
            let gone = (core::mem::take(line), state.by_key.remove_entry(&**session.key()));
            state.free.push(at);
            drop(state);
            drop(gone);
        }
        next
    }

    /// Whether anybody waits.
    pub(crate) fn any(&self) -> bool {
        self.state().waiting > 0
    }

    /// All who wait.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        let mut all = Vec::new();
        for line in &self.state().lines {
            line.tell_asking(&mut |session| all.push(Arc::clone(session)));
            line.behind.iter().for_each(|session| all.push(Arc::clone(session)));
        }
        all
    }

    /// All who wait and ask the servers.
    pub(crate) fn asking(&self) -> Vec<Arc<Session>> {
        let mut asking = Vec::new();
        for line in &self.state().lines {
            line.tell_asking(&mut |session| asking.push(Arc::clone(session)));
        }
        asking
    }

    /// Those who ask the servers for one of these keys.
    pub(crate) fn concerned(&self, changed: Invalidation<'_>, mut tell: impl FnMut(&Arc<Session>)) {
        let state = self.state();
        match changed {
            Invalidation::All => {
                state.lines.iter().for_each(|line| line.tell_asking(&mut tell));
            }
            Invalidation::Keys(keys) => {
                for key in keys {
                    let Reply::Bulk(key) = key else { continue };
                    if let Some(at) = state.by_key.get(key) {
                        state.lines[*at].tell_asking(&mut tell);
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        let unused = self.free.len() == self.lines.len();
        self.by_key.is_empty() && unused && self.lines.iter().all(Line::is_empty)
    }

    /// Where the line for this key is from now on.
    fn line_of(&mut self, key: &Key) -> usize {
        let Self { by_key, lines, free, .. } = self;
        *by_key.entry(key.clone()).or_insert_with(|| {
            free.pop().unwrap_or_else(|| {
                lines.push(Line::default());
                lines.len() - 1
            })
        })
    }
}

impl Line {
    fn turn(&mut self, session: &Arc<Session>, now: Instant) -> Turn {
        if session.in_line() != InLine::Behind {
            return Turn::Begin(self.pass.filter(|_| is(self.front.as_ref(), session)));
        }
        if !is(self.behind.front(), session) {
            return Turn::Wait(Instant::NEVER);
        }
        let front = self.front.as_ref().filter(|front| front.in_line() == InLine::Holding);
        match front.map(|front| front.standing(now)) {
            // Its owner has not given it back, and cannot hold it any more.
            Some(Some(Err(_)) | None) => {
                self.promote(Some(Pass::AtOnce));
                Turn::Begin(self.pass)
            }
            Some(Some(Ok(lease))) => Turn::Wait(lease.until()),
            None => Turn::Wait(Instant::NEVER),
        }
    }

    /// Gives whom to wake.
    fn leave(
        &mut self,
        session: &Arc<Session>,
        before: InLine,
        now: Instant,
    ) -> Option<Arc<Session>> {
        if before == InLine::Behind {
            return self.remove_behind(session);
        }
        if is(self.front.as_ref(), session) {
            let passed = before == InLine::Holding && !self.behind.is_empty();
            // Who gives up while the line holds back does not end that.
            let pass = if passed { Some(self.turns.pass(now)) } else { self.pass };
            self.promote(pass);
            return self.front.clone();
        }
        self.apart.retain(|other| !Arc::ptr_eq(other, session));
        // It was held apart from the line: whoever asks for it may try now.
        let free = before != InLine::Asking;
        let front =
            self.front.as_ref().filter(|front| free && front.in_line() == InLine::Asking)?;
        // It is woken by the caller.
        front.put_hint();
        Some(Arc::clone(front))
    }

    /// The next comes to the front, and begins in this manner.
    fn promote(&mut self, pass: Option<Pass>) {
        self.pass = pass;
        self.front = self.behind.pop_front();
        if let Some(front) = &self.front {
            front.set_in_line(InLine::Asking);
        }
    }

    fn stand_apart(&mut self, session: &Arc<Session>) {
        session.set_in_line(InLine::Asking);
        self.apart.push(Arc::clone(session));
    }

    /// Gives who minds the lease of the front from now on.
    fn remove_behind(&mut self, session: &Arc<Session>) -> Option<Arc<Session>> {
        let at = self.behind.iter().position(|other| Arc::ptr_eq(other, session))?;
        self.behind.remove(at);
        self.behind.front().filter(|_| at == 0).map(Arc::clone)
    }

    fn tell_asking(&self, tell: &mut dyn FnMut(&Arc<Session>)) {
        for session in self.front.iter().chain(&self.apart) {
            if session.in_line() == InLine::Asking {
                tell(session);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.front.is_none() && self.behind.is_empty() && self.apart.is_empty()
    }
}

fn is(one: Option<&Arc<Session>>, other: &Arc<Session>) -> bool {
    one.is_some_and(|one| Arc::ptr_eq(one, other))
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "lines_stress.rs"]
mod stress;
