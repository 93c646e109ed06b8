//! Whose turn it is, when those who wait for a lock in one client meet those of other clients.

use crate::defect::{Defect, has};
use crate::time::Instant;

/// How often in a row a client passes a lock on among its own.
///
/// The next in line of the same client always wins: its claim leaves together with the release. So that
/// others are not shut out, the client holds back for a moment after some turns: those who were told of
/// the release come first then. If nobody came, it holds back less often, up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// Turns in a row.
    allowed: u16,
    left: u16,
    /// The present turn began with holding back.
    held_back: bool,
}

impl Turns {
    /// Turns in a row where others want the lock, too.
    pub const FEWEST: u16 = 16;
    /// Turns in a row where nobody else has been seen.
    pub const MOST: u16 = 256;
    /// How long a client holds back, in microseconds: some round trips of a server near by.
    pub const HOLD_BACK: u64 = 2_000;

    /// A client that has had no turn.
    #[must_use]
    pub const fn new() -> Self {
        Self { allowed: Self::FEWEST, left: Self::FEWEST, held_back: false }
    }

    /// The lock is passed on. Gives when the next in line may claim it: now, or a moment later.
    #[must_use]
    pub const fn pass(&mut self, now: Instant) -> Instant {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                now
            }
            None => {
                self.left = self.allowed;
                self.held_back = true;
                now.plus(Self::HOLD_BACK)
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
    use super::Turns;
    use crate::time::Instant;
    use std::vec::Vec;

    /// How many turns in a row end with holding back.
    fn runs(refused: impl Fn(usize) -> bool) -> Vec<u16> {
        let (mut turns, now, mut runs, mut run) = (Turns::new(), Instant::ZERO, Vec::new(), 0_u16);
        while runs.len() < 7 {
            if turns.pass(now) == now {
                run = run.saturating_add(1);
                turns.took(false);
            } else {
                turns.took(refused(runs.len()));
                runs.push(core::mem::take(&mut run));
            }
        }
        runs
    }

    #[test]
    fn where_nobody_comes_it_holds_back_less_often_up_to_a_bound() {
        assert_eq!(runs(|_| false), [16, 32, 64, 128, 256, 256, 256]);
    }

    #[test]
    fn where_somebody_comes_it_goes_on_holding_back() {
        assert_eq!(runs(|_| true), [16; 7]);
        assert_eq!(runs(|run| run == 2), [16, 32, 64, 16, 32, 64, 128]);
    }

    #[test]
    fn a_refusal_in_between_starts_the_count_again() {
        let (mut turns, now) = (Turns::new(), Instant::ZERO);
        for _ in 0..10 {
            assert_eq!(turns.pass(now), now);
        }
        turns.took(true);
        let in_a_row = (0..100).take_while(|_| turns.pass(now) == now).count();
        assert_eq!(in_a_row, usize::from(Turns::FEWEST));
    }

    #[test]
    fn holding_back_lasts_two_milliseconds() {
        let (mut turns, now) = (Turns::new(), Instant::from_micros(7));
        let moments = (0..17).map(|_| turns.pass(now)).filter(|at| *at != now);
        assert_eq!(moments.collect::<Vec<_>>(), [Instant::from_micros(2_007)]);
    }
}
