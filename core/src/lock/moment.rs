//! Time, as the parts of a lock see it.

use crate::time::Instant;

/// What a seat must know of time when something happens to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    /// When a key has surely expired, whatever is still on its way to set or extend it.
    pub(super) expiry: Instant,
    /// When a request that goes out now is no longer waited for.
    pub(super) timeout: Instant,
}
