//! The reaper: one thread that drives the machines nobody else drives, until they owe nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use redlatch_client::os;
use redlatch_core::Instant;

use crate::session::Session;
use crate::shared::Shared;
use crate::sync::lock;

/// Most machines in its care. Beyond that the one that can wait longest is left to its ttl.
const SESSIONS_MAX: usize = 65_536;

/// How others reach the reaper.
pub(crate) struct Errands {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    visits: Vec<Arc<Session>>,
    poked: bool,
    /// The client is closing: pay what is owed, until then at most.
    close_by: Option<Instant>,
    /// The reaper has ended; whether all was paid.
    paid: Option<bool>,
}

impl Errands {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new() })
    }

    /// Asks the reaper to look at a machine. When it has ended, the machine is left to its ttl.
    pub(crate) fn visit(&self, session: Arc<Session>) {
        let mut state = lock(&self.state);
        if state.paid.is_none() {
            state.visits.push(session);
            self.changed.notify_all();
        }
    }

    /// Asks the reaper to look whether it may end.
    pub(crate) fn poke(&self) {
        lock(&self.state).poked = true;
        self.changed.notify_all();
    }

    /// Asks the reaper to pay what is owed and to end, by this moment at the latest.
    pub(crate) fn close(&self, by: Instant) {
        let mut state = lock(&self.state);
        state.close_by = Some(state.close_by.map_or(by, |earlier| earlier.min(by)));
        self.changed.notify_all();
    }

    /// Waits until the reaper has ended, until the moment at most. Whether all was paid.
    pub(crate) fn wait_closed(&self, until: Instant) -> bool {
        let mut state = lock(&self.state);
        while state.paid.is_none() {
            let left = until.saturating_since(os::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.paid.unwrap_or(false)
    }

    /// Waits for something to do, until the moment at most.
    fn wait(&self, until: Instant) -> (Vec<Arc<Session>>, Option<Instant>) {
        let mut state = lock(&self.state);
        let closing = state.close_by;
        let until = until.min(closing.unwrap_or(Instant::NEVER));
        while state.visits.is_empty() && !state.poked && state.close_by == closing {
            let left = until.saturating_since(os::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.poked = false;
        (core::mem::take(&mut state.visits), state.close_by)
    }

    /// Ends, unless all is paid and just now somebody has brought more.
    fn end(&self, paid: bool) -> bool {
        let mut state = lock(&self.state);
        if paid && !state.visits.is_empty() {
            return false;
        }
        state.paid = Some(paid);
        state.visits.clear();
        self.changed.notify_all();
        true
    }
}

/// The reaper's thread.
pub(crate) fn run(shared: &Shared) {
    let mut rounds = Rounds::new(shared, SESSIONS_MAX);
    loop {
        let (visits, close_by) = shared.errands.wait(rounds.next());
        visits.into_iter().for_each(|session| rounds.visit(session));
        rounds.visit_due();
        shared.flush();
        let Some(by) = close_by else { continue };
        let paid = !shared.waiters.any() && !rounds.owes();
        if (paid || os::now() >= by) && shared.errands.end(paid) {
            return shared.close_links();
        }
    }
}

/// The machines in the reaper's care, by the moment when each wants to be looked at.
struct Rounds<'a> {
    shared: &'a Shared,
    due: BTreeMap<(Instant, u64), Arc<Session>>,
    most: usize,
}

impl<'a> Rounds<'a> {
    const fn new(shared: &'a Shared, most: usize) -> Self {
        Self { shared, due: BTreeMap::new(), most }
    }

    fn next(&self) -> Instant {
        self.due.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at)
    }

    fn visit_due(&mut self) {
        while self.next() <= os::now() {
            if let Some((_, session)) = self.due.pop_first() {
                self.visit(session);
            }
        }
    }

    fn visit(&mut self, session: Arc<Session>) {
        let mut machine = session.machine();
        if let Some(at) = machine.listed.take() {
            self.due.remove(&(at, session.id()));
        }
        if !session.is_reapers() {
            return;
        }
        if session.take_abandoned() {
            machine.lock.abandon(os::now());
        }
        machine.listed = self.shared.attend(&session, &mut machine.lock);
        let listed = machine.listed;
        drop(machine);
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
mod tests {
    use super::Rounds;
    use crate::session::Session;
    use crate::shared::Shared;
    use core::time::Duration;
    use redlatch_client::{Endpoint, Options, os};
    use redlatch_core::{Answer, Output, Retry};
    use std::sync::Arc;

    /// A client without threads: nothing is ever connected.
    fn shared() -> Shared {
        let mut options = Options::default();
        options.endpoints = Endpoint::parse_list("redis://127.0.0.1:1").expect("a URL");
        Shared::new(options)
    }

    fn session(shared: &Shared) -> Arc<Session> {
        let ttl = Duration::from_secs(60);
        let settings = shared.options.settings(b"key", ttl, Retry::NONE).expect("positive");
        let session = Session::new(b"key".to_vec(), 1, settings);
        session.hand_to(&shared.errands);
        session
    }

    /// A session whose claim was sent and whose reply is lost.
    fn owing(shared: &Shared) -> Arc<Session> {
        let session = session(shared);
        let mut machine = session.machine();
        machine.lock.acquire(os::now());
        loop {
            match machine.lock.poll_output() {
                Output::NeedToken => {
                    let token = os::token().expect("randomness");
                    machine.lock.provide(token, os::now()).expect("fresh");
                }
                Output::Send { ticket, .. } => {
                    machine.lock.handle_answer(ticket, Answer::Lost, os::now());
                    machine.lock.abandon(os::now());
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(!machine.lock.is_settled());
        drop(machine);
        session
    }

    #[test]
    fn what_owes_nothing_is_let_go() {
        let shared = shared();
        let mut rounds = Rounds::new(&shared, 3);
        rounds.visit(session(&shared));
        assert!(rounds.due.is_empty() && !rounds.owes());
    }

    #[test]
    fn what_owes_is_kept_once() {
        let shared = shared();
        let mut rounds = Rounds::new(&shared, 3);
        let session = owing(&shared);
        for _ in 0..3 {
            rounds.visit(Arc::clone(&session));
            assert!(rounds.due.len() == 1 && rounds.owes());
        }
        session.take();
        rounds.visit(session);
        assert!(rounds.due.is_empty(), "its owner drives it again");
    }

    /// Requirement 20: a bound on everything that can grow.
    #[test]
    fn no_more_are_kept_than_the_bound() {
        let shared = shared();
        let mut rounds = Rounds::new(&shared, 3);
        for kept in [1, 2, 3, 3, 3] {
            rounds.visit(owing(&shared));
            assert_eq!(rounds.due.len(), kept);
        }
    }
}
