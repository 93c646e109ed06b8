//! The time in which a lane has a lock: what it believes, and what it does meanwhile.

use core::time::Duration;

use redlatch_core::Loss;

use super::lane::Shared;
use crate::clock;
use crate::counters::Counter;
use crate::keys::Group;
use crate::line::{Held, Line, Wrote};

/// A lock that is held, seen from its holder.
pub(crate) struct Stay<'a> {
    shared: &'a Shared,
    held: Held,
    /// The last look that found it valid, and until when it was then believed.
    seen: (u64, u64),
    lines: Vec<Line>,
}

impl<'a> Stay<'a> {
    /// Begins as soon as the lock is had.
    pub(crate) fn begin(shared: &'a Shared, key: usize, asked: u64, waited: bool) -> Self {
        let from = clock::now();
        let took = Line::Took { contended: waited, nanos: from.saturating_sub(asked) };
        let held = Held { key, asked, from, until: from, lease: from, waited };
        Self { shared, held, seen: (0, from), lines: vec![took] }
    }

    /// Looks whether the lock is valid for another `margin`.
    pub(crate) fn look(&mut self, margin: Duration, validity: impl FnOnce() -> Duration) -> bool {
        // First the time, then what is left: so nothing is believed that the guard does not say.
        let at = clock::now();
        let left = validity();
        if !left.is_zero() {
            self.seen = (at, at.saturating_add(nanos(left)));
        }
        left > margin
    }

    pub(crate) fn read(&self) -> Option<Counter> {
        self.shared.counters.read(self.held.key).ok()
    }

    /// Raises the counter if the lock is valid for long enough. False where it is not.
    pub(crate) fn write(
        &mut self,
        lane: u64,
        read: Counter,
        validity: impl Fn() -> Duration,
    ) -> bool {
        if !self.look(self.shared.margin(), &validity) {
            return false;
        }
        let next =
            Counter { version: read.version.saturating_add(1), writer: self.shared.id(lane) };
        if self.shared.counters.write(self.held.key, next).is_err() {
            self.count("unexpected");
            return false;
        }
        let late = !self.look(Duration::ZERO, &validity);
        self.lines.push(Line::Wrote(Wrote {
            key: self.held.key,
            parent: read.writer,
            id: next.writer,
            version: next.version,
            late,
        }));
        !late
    }

    pub(crate) fn count(&mut self, word: &str) {
        self.lines.push(Line::Count(word.to_owned()));
    }

    /// The lane lets go. To be called before it does, with the last look at the guard.
    pub(crate) fn leave(&mut self, validity: impl FnOnce() -> Duration, loss: Option<Loss>) {
        let at = clock::now();
        let valid = self.look(Duration::ZERO, validity);
        self.held.lease = self.seen.1;
        self.held.until = match loss {
            // A loss is final: what is valid now was valid all the time.
            _ if valid => at,
            None | Some(Loss::Expired) => self.seen.1.min(at),
            // It was told at some moment after the last look, and what is lost is given back at once.
            Some(_) => self.seen.0.max(self.held.from),
        };
    }

    /// Tells how it ended: `word`, and whether it was lost before, or no longer ours then.
    pub(crate) fn end(mut self, word: &str, gone: bool) {
        self.count(word);
        // The single server forgets nothing, so a key is there as long as its holder believes in it.
        if gone && Group::Single.keys().contains(&self.held.key) && clock::now() < self.seen.1 {
            self.count("gone");
        }
        self.lines.push(Line::Held(self.held));
        self.shared.diary.tell(&self.lines);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
