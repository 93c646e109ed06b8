//! What happened to the keys, and how often each command was asked.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::SessionId;

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was written, with this ttl.
    Set(Option<Duration>),
    /// Its ttl was changed to this.
    Extended(Duration),
    /// It was deleted by a request.
    Deleted,
    /// Its time was over.
    Expired,
    /// It was lost: all keys were flushed, or the server restarted without its data.
    Lost,
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// When, in microseconds on the clock of the caller.
    pub at: u64,
    /// The connection that asked; none when a key expired or was lost.
    pub session: Option<SessionId>,
    /// The number of the database.
    pub database: usize,
    /// The key.
    pub key: Vec<u8>,
    /// The string that stands there, or stood there when it ended; empty for another type.
    pub token: Vec<u8>,
    /// The token that the sender showed, when a script did it. It must equal `token`: no foreign
    /// release.
    pub shown: Option<Vec<u8>>,
    /// What happened.
    pub change: Change,
}

/// The newest effects and all counters.
#[derive(Clone, Debug)]
pub(crate) struct History {
    effects: VecDeque<Effect>,
    capacity: usize,
    forgotten: u64,
    commands: BTreeMap<&'static str, u64>,
    requests: VecDeque<(u64, &'static str)>,
}

impl History {
    pub(crate) fn new(capacity: usize) -> Self {
        let (effects, commands, requests) = Default::default();
        Self { effects, capacity, forgotten: 0, commands, requests }
    }

    pub(crate) fn record(&mut self, effect: Effect) {
        self.effects.push_back(effect);
        if self.effects.len() > self.capacity {
            self.effects.pop_front();
            self.forgotten += 1;
        }
    }

    pub(crate) fn count(&mut self, command: &'static str, at: u64) {
        *self.commands.entry(command).or_default() += 1;
        self.requests.push_back((at, command));
        if self.requests.len() > self.capacity {
            self.requests.pop_front();
        }
    }

    /// The newest moments at which this was asked.
    pub(crate) fn moments(&self, command: &str) -> Vec<u64> {
        let asked = self.requests.iter().filter(|(_, asked)| *asked == command);
        asked.map(|(at, _)| *at).collect()
    }

    pub(crate) fn effects(&self) -> &VecDeque<Effect> {
        &self.effects
    }

    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(crate) fn commands(&self) -> &BTreeMap<&'static str, u64> {
        &self.commands
    }

    pub(crate) fn reset(&mut self) {
        self.effects.clear();
        self.forgotten = 0;
        self.commands.clear();
        self.requests.clear();
    }
}
