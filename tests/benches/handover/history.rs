//! What the turns of a round come to.

use crate::told::Turn;

/// A round, from its begin to its end.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// From before the release of one waiter until another one has the lock, in nanoseconds.
    pub(crate) handovers: Vec<u64>,
    /// From the first attempt until the lock is held. Who still waited when the round ended counts with what
    /// it had waited by then.
    pub(crate) waits: Vec<u64>,
    /// Turns of every waiter.
    pub(crate) turns: Vec<usize>,
    /// Turns that began before the one before was left: nobody may have any.
    pub(crate) overlaps: usize,
}

impl History {
    /// The waiters are numbered from zero. Turns that began later than `ended` only clear up.
    pub(crate) fn new(mut turns: Vec<Turn>, waiters: usize, ended: u64) -> Self {
        turns.sort_by_key(|turn| turn.took);
        let mut history = Self { turns: vec![0; waiters], ..Self::default() };
        for pair in turns.windows(2) {
            history.overlaps += usize::from(pair[1].took < pair[0].left);
            if pair[1].took <= ended && pair[0].waiter != pair[1].waiter {
                history.handovers.push(pair[1].took.saturating_sub(pair[0].left));
            }
        }
        // The first has not waited for anybody.
        for turn in turns.iter().skip(1).filter(|turn| turn.asked < ended) {
            history.waits.push(turn.took.min(ended).saturating_sub(turn.asked));
        }
        for turn in turns.iter().filter(|turn| turn.took <= ended) {
            history.turns[turn.waiter] += 1;
        }
        history
    }
}
