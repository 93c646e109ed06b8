//! What a lane does next. It decides; the lanes of threads and of tasks do it.

use core::time::Duration;

use redlatch_core::{Random, Retry};

use crate::keys::Group;

/// One turn of a lane.
pub(crate) struct Act {
    pub(crate) key: usize,
    /// How long it waits where somebody else has the lock. `None`: it does not.
    pub(crate) patience: Option<Retry>,
    /// The future that waits is dropped after this time.
    pub(crate) cancel: Option<Duration>,
    pub(crate) hold: Hold,
    pub(crate) ending: Ending,
    pub(crate) rest: Duration,
}

/// How a lock is held.
#[derive(Clone, Copy)]
pub(crate) enum Hold {
    /// For one update that takes so long.
    Once(Duration),
    /// For so long, with an extension after every third of the ttl.
    Extending(Duration),
    /// For so long, and it is renewed by itself.
    Renewing(Duration),
}

/// How a lock is left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Release,
    /// The future of the release is dropped after one poll.
    ReleaseAndGo,
    Drop,
    Forget,
}

/// The turns of one lane.
pub(crate) struct Script {
    random: Random,
    group: Group,
    /// Whether it holds for long, a few times a second at most.
    long: bool,
    ttl: Duration,
}

impl Script {
    pub(crate) const fn new(seed: u64, group: Group, long: bool, ttl: Duration) -> Self {
        Self { random: Random::new(seed), group, long, ttl }
    }

    pub(crate) fn next(&mut self) -> Act {
        let keys = self.group.keys();
        let key = keys.start + self.below(keys.len() as u64) as usize;
        let hold = if self.long { self.long_hold() } else { Hold::Once(self.up_to(2)) };
        let waits = self.long || self.one_in(3);
        let (patience, cancels) = (self.up_to(300), self.one_in(6));
        Act {
            key,
            patience: waits.then(|| Retry::until(patience)),
            cancel: cancels.then(|| self.up_to(30)),
            hold,
            ending: self.ending(),
            rest: if self.long { self.random.up_to(self.ttl * 2) } else { self.up_to(30) },
        }
    }

    fn long_hold(&mut self) -> Hold {
        let time = self.ttl / 2 + self.random.up_to(self.ttl * 2);
        if self.one_in(2) { Hold::Renewing(time) } else { Hold::Extending(time) }
    }

    fn ending(&mut self) -> Ending {
        match self.below(1000) {
            0..800 => Ending::Release,
            800..850 => Ending::ReleaseAndGo,
            850..998 => Ending::Drop,
            // A key that nobody gives back is taken for a whole ttl, so this is rare.
            _ => Ending::Forget,
        }
    }

    fn up_to(&mut self, millis: u64) -> Duration {
        self.random.up_to(Duration::from_millis(millis))
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn below(&mut self, count: u64) -> u64 {
        self.random.next_u64() % count
    }
}
