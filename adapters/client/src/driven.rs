//! One lock machine, and what those who drive it in turn leave to each other.

use redlatch_core::{Event, Instant, Lock, Pass};

use crate::error::Error;
use crate::key::Key;
use crate::seats::Seats;

/// The machine itself.
pub(crate) type Machine = Lock<Key, Seats>;

/// What is only touched by the current driver.
pub(crate) struct Driven {
    pub(crate) lock: Machine,
    /// Under which moment the reaper has it in its list.
    pub(crate) listed: Option<Instant>,
    /// The lock was asked for, by its owner or by [who made room](crate::lines) for it.
    begun: bool,
    /// What came of that at once, for its owner.
    said: Option<Box<Result<Event, Error>>>,
}

impl Driven {
    pub(crate) const fn new(lock: Machine) -> Self {
        Self { lock, listed: None, begun: false, said: None }
    }

    /// Begins to take the lock, for somebody who has asked for it then, and whose client may just have had
    /// it. Whether that was not done already.
    pub(crate) fn begin(&mut self, pass: Option<Pass>, asked: Instant, now: Instant) -> bool {
        if core::mem::replace(&mut self.begun, true) {
            return false;
        }
        match pass {
            None => self.lock.acquire_since(asked, now),
            Some(pass) => self.lock.acquire_next(pass, asked, now),
        }
        true
    }

    /// Keeps for the owner what the machine has said in its absence.
    pub(crate) fn keep(&mut self, said: Result<Event, Error>) {
        self.said = Some(Box::new(said));
    }

    /// What was kept for the owner.
    pub(crate) fn take_said(&mut self) -> Option<Result<Event, Error>> {
        self.said.take().map(|said| *said)
    }
}
