//! Who is told that somebody else has the lock: a waiter contends again only then.

/// The last turn that was heard of.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    latest: Option<(u64, usize)>,
}

impl Relay {
    /// One of the waiters of `process` has the lock since `at`. Gives the process that is to be told so, and the
    /// moment to tell it: that of the holder before. Lines of two processes may overtake each other.
    pub(crate) fn took(&mut self, at: u64, process: usize) -> Option<(usize, u64)> {
        let (other, told) = match self.latest {
            Some((latest, holder)) if latest > at => (process, (latest, holder)),
            Some((_, before)) => (before, *self.latest.insert((at, process))),
            None => (process, *self.latest.insert((at, process))),
        };
        let (at, holder) = told;
        (other != holder).then_some((other, at))
    }
}
