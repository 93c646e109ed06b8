//! What has arrived for a machine.

use std::collections::VecDeque;

use redlatch_core::{Answer, Ticket};

/// A claim and its look: what one server answers at a time. More need an allocation.
const IN_PLACE: usize = 2;

/// What the driver of a machine has not told it yet: answers in the order in which they came, and
/// whether the key may be free.
#[derive(Default)]
pub(crate) struct Mail {
    first: [Option<(Ticket, Answer)>; IN_PLACE],
    others: VecDeque<(Ticket, Answer)>,
    hint: bool,
}

/// One thing out of it.
pub(crate) enum Incoming {
    Answer(Ticket, Answer),
    Hint,
}

impl Mail {
    pub(crate) fn is_empty(&self) -> bool {
        !self.hint && self.others.is_empty() && self.first.iter().all(Option::is_none)
    }

    pub(crate) fn push(&mut self, ticket: Ticket, answer: Answer) {
        let last = self.first.iter().rposition(Option::is_some);
        let free = self.first.get_mut(last.map_or(0, |at| at + 1));
        match free {
            Some(free) if self.others.is_empty() => *free = Some((ticket, answer)),
            _ => self.others.push_back((ticket, answer)),
        }
    }

    pub(crate) const fn hint(&mut self) {
        self.hint = true;
    }

    /// Answers first.
    pub(crate) fn next(&mut self) -> Option<Incoming> {
        let first = self.first.iter_mut().find_map(Option::take);
        if let Some((ticket, answer)) = first.or_else(|| self.others.pop_front()) {
            return Some(Incoming::Answer(ticket, answer));
        }
        core::mem::take(&mut self.hint).then_some(Incoming::Hint)
    }
}
