//! Majority arithmetic over the configured number of servers.

use crate::answer::{Class, Refusal};

/// The least number of servers out of `configured` that no two winners can both have. Zero servers
/// have no majority: the result is then one, which nobody reaches.
#[must_use]
pub const fn majority(configured: usize) -> usize {
    (configured / 2).saturating_add(1)
}

/// How the configured servers voted. Servers that have not answered yet are in no count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Servers that were configured.
    pub configured: usize,
    /// They showed our token.
    pub granted: usize,
    /// They have the key with another value.
    pub held: usize,
    /// They answered with an error and surely did nothing.
    pub refused: usize,
    /// They could not be asked, or did not answer in time.
    pub unreachable: usize,
    /// One of the errors, the gravest if there are several.
    pub refusal: Option<Refusal>,
}

/// Where a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Votes that are still out can turn it either way.
    Undecided,
    /// A majority of the configured servers granted it.
    Carried,
    /// No majority can come together any more.
    Failed,
}

/// Why a lock was denied, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Enough servers answered, and somebody else has it.
    Held,
    /// Servers refused; [`Tally::refusal`] says why.
    Refused,
    /// Too few servers answered to tell.
    Unreachable,
    /// A majority granted it, so late that nothing of the ttl was left.
    TooLate,
}

/// One server's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ballot {
    /// It showed our token.
    Granted,
    /// It has the key with another value.
    Held,
    /// It answered with an error.
    Refused(Refusal),
    /// It could not be asked, or did not answer in time.
    Unreachable,
}

impl Tally {
    /// Counts one vote.
    pub fn add(&mut self, ballot: Ballot) {
        let count = match ballot {
            Ballot::Granted => &mut self.granted,
            Ballot::Held => &mut self.held,
            Ballot::Refused(refusal) => {
                let graver = refusal.class() == Class::Permanent;
                self.refusal = if graver { Some(refusal) } else { self.refusal.or(Some(refusal)) };
                &mut self.refused
            }
            Ballot::Unreachable => &mut self.unreachable,
        };
        *count = count.saturating_add(1);
    }

    /// Time is up: whoever has not voted could not be reached.
    pub const fn close(&mut self) {
        let voted = self.granted.saturating_add(self.held).saturating_add(self.refused);
        self.unreachable = self.configured.saturating_sub(voted);
    }

    /// Where the vote stands.
    #[must_use]
    // The lock asks in three places.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub const fn verdict(&self) -> Verdict {
        let needed = majority(self.configured);
        let lost = self.held.saturating_add(self.refused).saturating_add(self.unreachable);
        if self.granted >= needed {
            Verdict::Carried
        } else if self.configured.saturating_sub(lost) < needed {
            Verdict::Failed
        } else {
            Verdict::Undecided
        }
    }

    /// Why a failed vote failed. Held when somebody else has the key somewhere, and the servers that
    /// refused or could not be reached left enough others for a majority. Votes that are still out
    /// count as others: a tie settles before all have voted. Otherwise the reason that weighs more.
    #[must_use]
    pub const fn denial(&self) -> Denial {
        let out = self.refused.saturating_add(self.unreachable);
        let left = self.configured.saturating_sub(out);
        if self.granted >= majority(self.configured) {
            Denial::TooLate
        } else if self.held > 0 && left >= majority(self.configured) {
            Denial::Held
        } else if self.refused > 0 && self.refused >= self.unreachable {
            Denial::Refused
        } else {
            Denial::Unreachable
        }
    }
}
