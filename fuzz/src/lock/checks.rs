//! What must hold after every step.

use redlatch_core::{Instant, Token, majority};

use super::World;
use super::ledger::Ledger;
use super::server::{Server, Value};

/// The longest that one lets others come first who was told, in microseconds.
const ASIDE: u64 = 49_000;
/// The longest that one holds back whose client has had the lock, in microseconds.
const HOLD_BACK: u64 = 98_000;

impl World {
    pub(super) fn check(&mut self) {
        let (heard, lease) = (Instant::from_micros(self.heard), self.lock.lease());
        self.ledger.check_belief(self.lock.phase(), lease, heard);
        if !self.is_honest {
            return;
        }
        let ours = self.count(|token, ledger| ledger.ours.contains(&token));
        assert!(!self.lock.is_settled() || ours == 0, "I5: settled, and {ours} keys are left");
        let now = Instant::from_micros(self.now);
        if self.is_untouched && lease.is_some_and(|lease| lease.is_valid(now)) {
            let held = self.count(|token, ledger| ledger.token == Some(token));
            assert!(held >= majority(self.servers.len()), "I1: believes, and has {held} keys");
        }
        self.check_sleep();
    }

    /// I6: whoever all servers have told what there was to tell does not sleep while the key is free.
    fn check_sleep(&mut self) {
        let now = self.now;
        let free =
            self.servers.iter_mut().filter_map(|server| server.value(now).is_none().then_some(()));
        let is_free = free.count() >= majority(self.servers.len());
        let is_quiet = self.servers.iter().all(Server::is_quiet);
        if is_free && is_quiet && self.ledger.sleeps(self.lock.phase()) {
            let until = self.wake.map_or(u64::MAX, Instant::as_micros);
            let longest = if self.ledger.is_modest { HOLD_BACK } else { ASIDE };
            assert!(until <= now.saturating_add(longest), "I6: sleeps, and the key is free");
        }
    }

    fn count(&mut self, is_meant: impl Fn(Token, &Ledger) -> bool) -> usize {
        let (now, ledger) = (self.now, &self.ledger);
        let values = self.servers.iter_mut().filter_map(|server| server.value(now));
        values
            .filter(|value| matches!(value, Value::Token(token) if is_meant(*token, ledger)))
            .count()
    }
}
