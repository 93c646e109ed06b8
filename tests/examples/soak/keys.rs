//! The keys: the first ones are locks on the single server, the others on the majority of three.

use core::ops::Range;

pub(crate) const PREFIX: &str = "soak:";
pub(crate) const KEYS: usize = 20;
const SINGLE: Range<usize> = 0..10;
const QUORUM: Range<usize> = 10..KEYS;

/// Which servers hold a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Single,
    Quorum,
}

impl Group {
    pub(crate) const BOTH: [Self; 2] = [Self::Single, Self::Quorum];

    pub(crate) const fn keys(self) -> Range<usize> {
        match self {
            Self::Single => SINGLE,
            Self::Quorum => QUORUM,
        }
    }
}

pub(crate) fn name(key: usize) -> String {
    format!("{PREFIX}{key}")
}
