//! How everything in here that takes time is driven.

use redlatch_core::Instant;

/// What something gives that never waits itself. It is given a waker; the adapter does the waiting:
/// a thread that parks, or a task with a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress<T> {
    /// It is done. Do not call again.
    Done(T),
    /// Call again when the waker was woken, and at this moment at the latest, on the clock of
    /// [`os::now`](crate::os::now). [`Instant::NEVER`] is no moment; one that has passed is now.
    Wait(Instant),
}

impl<T> Progress<T> {
    /// The same with another result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Progress<U> {
        match self {
            Self::Done(done) => Progress::Done(change(done)),
            Self::Wait(until) => Progress::Wait(until),
        }
    }
}

/// What one who was told to [wait](Progress::Wait) waits for, beside the moment. An adapter whose callers
/// may read asks for this; whoever reads for itself is woken by nothing but bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// The answer to a request that is in flight.
    Answer,
    /// That the server tells something of its own accord.
    Push,
    /// Its waker; perhaps it was woken already.
    Call,
}
