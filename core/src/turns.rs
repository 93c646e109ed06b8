//! Whose turn it is, when those who wait for a lock in one client meet those of other clients.

use crate::defect::{Defect, has};
use crate::time::Instant;

/// How the next in line of a client claims the lock that its client has just had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Right behind the release.
    AtOnce,
    /// When nobody else has come for a moment.
    HoldBack,
}

/// How often in a row, and how long, a client passes a lock on among its own.
///
/// The next in line of the same client always wins: its claim leaves together with the release. So that
/// others are not shut out, the client holds back after some turns, or some time if turns are long: those
/// who were told of the release come first then. If nobody came, it holds back less often, up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// Turns in a row.
    allowed: u16,
    left: u16,
    /// When the lock was passed on for the first time since then.
    began: Instant,
    /// The present turn began with holding back.
    held_back: bool,
}

impl Turns {
    /// Turns in a row where others want the lock, too.
    pub const FEWEST: u16 = 16;
    /// Turns in a row where nobody else has been seen.
    pub const MOST: u16 = 256;
    /// So long, in microseconds, is a turn at most, on average, where as many are taken as are allowed.
    pub const LENGTH: u64 = 2_000;
    /// How long a client holds back at least, in microseconds, if the key stays free. It looks whether it
    /// does, and adds some round trips: others need them to come first.
    pub const HOLD_BACK: u64 = 2_000;
    /// The same where several servers vote: others try after a random time there. Nobody looks.
    pub const HOLD_BACK_OF_QUORUM: u64 = 8_000;

    /// A client that has had no turn.
    #[must_use]
    pub const fn new() -> Self {
        let began = Instant::ZERO;
        Self { allowed: Self::FEWEST, left: Self::FEWEST, began, held_back: false }
    }

    /// The lock is passed on. Gives how the next in line may claim it.
    #[must_use]
    pub fn pass(&mut self, now: Instant) -> Pass {
        if self.left == self.allowed {
            self.began = now;
        }
        let end = self.began.plus(Self::LENGTH.saturating_mul(self.allowed.into()));
        match self.left.checked_sub(1) {
            Some(left) if now < end || has(Defect::TurnsWithoutEnd) => {
                self.left = left;
                Pass::AtOnce
            }
            _ => {
                self.left = self.allowed;
                self.held_back = true;
                Pass::HoldBack
            }
        }
    }

    /// The next in line has it; `refused` says whether somebody else had it first.
    pub fn took(&mut self, refused: bool) {
        let held_back = core::mem::take(&mut self.held_back);
        if has(Defect::TurnsWithoutEnd) {
            self.left = u16::MAX;
            return;
        }
        if refused {
            (self.allowed, self.left) = (Self::FEWEST, Self::FEWEST);
        } else if held_back {
            self.allowed = self.allowed.saturating_mul(2).min(Self::MOST);
            self.left = self.allowed;
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Pass, Turns};
    use crate::time::Instant;
    use std::vec::Vec;

    /// How many turns in a row end with holding back, of turns of so many microseconds.
    fn runs(length: u64, refused: impl Fn(usize) -> bool) -> Vec<u16> {
        let (mut turns, mut now) = (Turns::new(), Instant::from_micros(7));
        let (mut runs, mut run) = (Vec::new(), 0_u16);
        while runs.len() < 7 {
            now = now.plus(length);
            match turns.pass(now) {
                Pass::AtOnce => {
                    run = run.saturating_add(1);
                    turns.took(false);
                }
                Pass::HoldBack => {
                    turns.took(refused(runs.len()));
                    runs.push(core::mem::take(&mut run));
                }
            }
        }
        runs
    }

    #[test]
    fn where_nobody_comes_it_holds_back_less_often_up_to_a_bound() {
        assert_eq!(runs(0, |_| false), [16, 32, 64, 128, 256, 256, 256]);
    }

    #[test]
    fn where_somebody_comes_it_goes_on_holding_back() {
        assert_eq!(runs(0, |_| true), [16; 7]);
        assert_eq!(runs(0, |run| run == 2), [16, 32, 64, 16, 32, 64, 128]);
    }

    #[test]
    fn where_turns_are_long_it_holds_back_sooner() {
        assert_eq!(runs(Turns::LENGTH - 1, |_| true), [16; 7]);
        assert_eq!(runs(4 * Turns::LENGTH, |_| true), [4; 7]);
        assert_eq!(runs(4 * Turns::LENGTH, |_| false), [4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(runs(1_000_000, |_| true), [1; 7]);
    }

    #[test]
    fn a_refusal_in_between_starts_the_count_again() {
        let (mut turns, now) = (Turns::new(), Instant::ZERO);
        for _ in 0..10 {
            assert_eq!(turns.pass(now), Pass::AtOnce);
        }
        turns.took(true);
        let in_a_row = (0..100).take_while(|_| turns.pass(now) == Pass::AtOnce).count();
        assert_eq!(in_a_row, usize::from(Turns::FEWEST));
    }
}
