//! Who comes first of those who wait for a key in different clients: the longer one has waited, the sooner.
//!
//! All are told at the same time, and nobody knows of the others. With one server:
//!
//! * Who has just come tries, or *looks* first whether the key is gone; it is drawn. Who has come too late
//!   more often tries more often, and so comes a round trip before those who look. In a crowd, mostly
//!   everybody looks: that costs less than an attempt in vain.
//! * Who is *modest*, for his client has had the lock lately, always looks, and if the key is gone, stands
//!   aside for a moment. If somebody takes the key meanwhile, that is told. The moment is shorter for who
//!   has seen it pass more often: clients that pass the lock on among their own get it in turns.
//! * Others need not be modest, and a modest one must not wait for ever. Who often sees the key taken before
//!   anybody who stands aside could, tries at once, too.
//!
//! Who is told again and again although nothing changes, or finds the key gone and does not get it, waits
//! for a random time before each attempt, the longer the more often: nobody spins on a server that tells of
//! changes without end.
//!
//! Several servers may split their votes. So everybody tries after a random time there, the longer the more
//! often the votes were split, and nobody looks.

use crate::defect::{Defect, has};
use crate::random::Random;
use crate::time::Instant;
use crate::turns::Turns;

/// What a lock that waits remembers of the attempts that were not made because its policy wanted them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precedence {
    /// The attempt under way is one.
    woken: bool,
    /// It stood aside before.
    stood_aside: bool,
    /// Its client has had the lock lately.
    modest: bool,
    /// So often somebody else was quicker while it was told, looked or tried.
    lost: u16,
    /// So often the key was gone while it stood aside.
    passed: u16,
    /// So often it was taken before anybody who stands aside could.
    hurried: u8,
    /// So often in a row some servers have granted, and too few.
    split: u8,
    /// So often it was told and nothing had changed, or found the key gone and did not get it.
    vain: u16,
    /// When the key expires, as was last heard.
    expiry: Instant,
    /// When the policy wants the next attempt, if the one under way has cut its pause short.
    resume: Instant,
}

impl Precedence {
    /// Somebody who has just come.
    pub(super) const NEW: Self = Self {
        woken: false,
        stood_aside: false,
        modest: false,
        lost: 0,
        passed: 0,
        hurried: 0,
        split: 0,
        vain: 0,
        expiry: Instant::ZERO,
        resume: Instant::ZERO,
    };
    /// One of a client that has had the lock lately.
    pub(super) const MODEST: Self = Self { modest: true, ..Self::NEW };

    /// Who has come too late so often tries without a look every second time.
    const PATIENCE: u64 = 6;
    /// Who has come too late so often is in a crowd.
    const CROWD: u16 = 32;
    /// In a crowd one of so many tries without a look.
    const RARELY: u64 = 4;
    /// Who is modest is so no longer when the key was taken in a hurry so often.
    const HURRIES: u8 = 8;
    /// The longest to stand aside, in microseconds, and in round trips.
    const ASIDE: u64 = 1_000;
    const ASIDE_TRIPS: u64 = 3;
    /// So much of what was lost counts as much as having seen the key pass: it is lost in every turn of
    /// another client, too.
    const LOST_OF_PASSED: u64 = 64;
    /// What others may take to come first when a client holds back, in round trips.
    const BACK_TRIPS: u64 = 6;
    /// A round trip counts as so long at most, in microseconds: what took longer was a hitch.
    const TRIP_MAX: u64 = 16_000;
    /// What was in vain so often makes one wait for a random time, which grows by this every time, in
    /// microseconds: a round trip of a server in the same data centre, or less.
    const VAIN: u16 = 8;
    const VAIN_STEP: u64 = 100;
    /// Expiries that differ by so little are the same, in microseconds.
    const SAME: u64 = 1_000;
    /// With several servers: by how much the random time grows with every split, in microseconds.
    const SPLIT_STEP: u64 = 1_000;
    /// It does not grow longer than so many steps where there was none. A client holds back for longer.
    const SPLIT_USUAL: u64 = 4;
    /// The longest random time.
    const SPREAD_MAX: u64 = 20_000;

    /// Whether to look before trying. Every second time at first: then two who take turns mostly do not.
    pub(super) fn looks_first(&self, random: &mut Random) -> bool {
        let lost = u64::from(self.lost);
        let most = lost.saturating_add(Self::PATIENCE).saturating_add(1);
        match lost {
            _ if has(Defect::SpinOnHint) => false,
            _ if self.is_modest() => true,
            0 => random.micros_up_to(1) == 0,
            _ if self.is_crowd() => random.micros_up_to(Self::RARELY - 1) > 0,
            _ => random.micros_up_to(most) > lost,
        }
    }

    /// Whether to look again when told once more while looking, rather than to try.
    pub(super) fn looks_again(&self) -> bool {
        (self.modest || self.is_crowd()) && !has(Defect::SpinOnHint)
    }

    /// Whether to let others come first when the key is gone. In a crowd every second does.
    pub(super) fn stands_aside(&self, random: &mut Random) -> bool {
        let coin = self.is_crowd() && random.micros_up_to(1) == 0;
        (self.is_modest() || coin) && !has(Defect::NobodyStandsAside)
    }

    const fn is_modest(&self) -> bool {
        self.modest && self.hurried < Self::HURRIES
    }

    /// For how long, in microseconds, given what a round trip takes.
    pub(super) fn aside(&self, round_trip: u64, random: &mut Random) -> u64 {
        let longest = Self::ASIDE
            .saturating_add(round_trip.min(Self::TRIP_MAX).saturating_mul(Self::ASIDE_TRIPS));
        let lost = u64::from(self.lost) / Self::LOST_OF_PASSED;
        let seen = u64::from(self.passed).saturating_add(lost);
        // Those who have seen it pass equally often are drawn from the same span.
        let most = part(longest, seen.saturating_add(1));
        let least = part(longest, seen.saturating_add(2));
        least.saturating_add(random.micros_up_to(most.saturating_sub(least)))
    }

    /// How long a client holds back after its turns, in microseconds: longer than others stand aside.
    pub(super) fn hold_back(servers: usize, round_trip: u64) -> u64 {
        match servers {
            0 | 1 => {
                let trips = round_trip.min(Self::TRIP_MAX).saturating_mul(Self::BACK_TRIPS);
                Turns::HOLD_BACK.saturating_add(trips)
            }
            _ => Turns::HOLD_BACK_OF_QUORUM,
        }
    }

    /// Most of the random time before an attempt, in microseconds.
    pub(super) fn spread(&self, servers: usize) -> u64 {
        let vain = u64::from(self.vain).saturating_mul(Self::VAIN_STEP);
        let spread = match servers {
            _ if has(Defect::SpinOnHint) => 0,
            0 | 1 if self.is_vain() => vain,
            0 | 1 => 0,
            _ => {
                let usual = u64::from(self.lost).min(Self::SPLIT_USUAL);
                let steps = usual.max(u64::from(self.split)).saturating_add(1);
                steps.saturating_mul(Self::SPLIT_STEP)
            }
        };
        spread.min(Self::SPREAD_MAX)
    }

    /// An attempt begins. If the policy did not want it, `resume` is when it wants the next, if that is known.
    pub(super) const fn begin(&mut self, woken: bool, stood_aside: bool, resume: Instant) {
        (self.woken, self.stood_aside, self.resume) = (woken, stood_aside, resume);
    }

    /// Whether the attempt is likely to succeed: so its proof is asked for at once.
    pub(super) const fn is_hopeful(&self) -> bool {
        self.woken && !self.is_crowd()
    }

    /// The attempt has failed; `split` says whether some servers had granted. Gives when the policy still
    /// wants another, if that is yet to come.
    pub(super) fn fail(&mut self, split: bool, now: Instant) -> Option<Instant> {
        self.split = if split { self.split.saturating_add(1) } else { self.split / 2 };
        if core::mem::take(&mut self.woken) {
            self.lose();
            self.vain = self.vain.saturating_add(1);
        }
        if core::mem::take(&mut self.stood_aside) {
            self.pass(false);
        }
        Some(core::mem::take(&mut self.resume)).filter(|resume| *resume > now)
    }

    /// Somebody else was quicker.
    pub(super) const fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// Somebody has the key until it is given back or expires at this moment.
    pub(super) const fn hear_of(&mut self, expiry: Instant) {
        let (before, after) = (self.expiry.as_micros(), expiry.as_micros());
        let is_same = before.abs_diff(after) <= Self::SAME;
        self.vain = if is_same { self.vain.saturating_add(1) } else { self.vain / 2 };
        self.expiry = expiry;
    }

    /// Somebody else has taken the key while one stood aside, or was quicker when that was over.
    pub(super) fn pass(&mut self, in_a_hurry: bool) {
        self.passed = self.passed.saturating_add(1);
        self.hurried = self.hurried.saturating_add(u8::from(in_a_hurry));
    }

    /// Whether somebody else was quicker.
    pub(super) const fn has_lost(&self) -> bool {
        self.lost > 0 || self.passed > 0
    }

    /// Whether to wait for a random time before looking.
    pub(super) const fn is_vain(&self) -> bool {
        self.vain >= Self::VAIN
    }

    const fn is_crowd(&self) -> bool {
        self.lost >= Self::CROWD
    }
}

/// One of so many equal parts.
fn part(whole: u64, parts: u64) -> u64 {
    whole.checked_div(parts).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Precedence;
    use crate::random::Random;
    use crate::time::Instant;
    use std::vec::Vec;

    /// For how long all of many stand aside that have seen the key pass so often: the least and the most.
    fn spans(passed: u16, round_trip: u64) -> (u64, u64) {
        let one = Precedence { passed, ..Precedence::MODEST };
        let spans = (0..200).map(|seed| one.aside(round_trip, &mut Random::new(seed)));
        let spans: Vec<_> = spans.collect();
        (spans.iter().min().copied().unwrap_or(0), spans.iter().max().copied().unwrap_or(0))
    }

    #[test]
    fn whoever_has_waited_longer_comes_first() {
        for round_trip in [0, 100, 5_000] {
            for passed in 0..12 {
                let (junior, senior) = (spans(passed, round_trip), spans(passed + 1, round_trip));
                assert!(senior.1 <= junior.0, "{passed}, {round_trip}: {senior:?} {junior:?}");
            }
            assert!(spans(0, round_trip).0 < spans(0, round_trip).1, "equals are told apart");
            // Told, looking and claiming take two round trips and a half.
            let (others, back) = (spans(0, round_trip).1, Precedence::hold_back(1, round_trip));
            assert!(others + round_trip * 5 / 2 < back, "{round_trip}: {others}, {back}");
        }
    }

    #[test]
    fn a_hitch_is_no_round_trip() {
        assert_eq!(Precedence::hold_back(1, 1_000_000), 98_000);
        assert!(spans(0, 1_000_000).1 <= 49_000);
    }

    #[test]
    fn modesty_ends_where_the_others_are_in_a_hurry() {
        let mut one = Precedence::MODEST;
        for hurries in 0..8 {
            assert!(one.stands_aside(&mut Random::new(hurries)), "{hurries}");
            one.pass(false);
            one.pass(true);
        }
        assert!(!one.stands_aside(&mut Random::new(1)));
    }

    #[test]
    fn what_is_in_vain_makes_one_wait_until_something_changes() {
        let (mut one, mut expiry) = (Precedence::NEW, Instant::from_micros(9_000_000));
        for vain in 0..300 {
            one.hear_of(expiry);
            let spread = if vain < 8 { 0 } else { (100 * vain).min(20_000) };
            assert_eq!(one.spread(1), spread, "{vain}");
            expiry = expiry.plus(if vain % 2 == 0 { 900 } else { 0 });
        }
        for _ in 0..6 {
            expiry = expiry.plus(1_001);
            one.hear_of(expiry);
        }
        assert_eq!(one.spread(1), 0, "it changes again and again");
    }
}
