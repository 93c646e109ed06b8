//! A session in the hands of its owner.

use std::sync::Arc;

use crate::engine::Engine;
use crate::session::Session;

/// A session whose owner is here. Dropped, it leaves to the reaper what is left to do.
pub(crate) struct Owned {
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Arc<Session>,
    pub(crate) leaves: Leaves,
}

/// What is left to do for a session whose owner goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Nothing that the reaper does not know of.
    Nothing,
    /// What was begun is finished.
    Unfinished,
    /// Nobody wants the lock: what is held, or may be, is given back.
    Unwanted,
}

impl Owned {
    pub(crate) fn new(engine: &Arc<Engine>, session: Arc<Session>, leaves: Leaves) -> Self {
        Self { engine: Arc::clone(engine), session, leaves }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        match self.leaves {
            Leaves::Nothing => {}
            Leaves::Unfinished => self.session.hand_to(&self.engine.errands),
            Leaves::Unwanted => self.session.abandon_to(&self.engine.errands),
        }
    }
}
