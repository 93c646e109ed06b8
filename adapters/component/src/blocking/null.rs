//! The lock that excludes nobody, for threads.

/// A lock that excludes nobody: every attempt succeeds, if its arguments could. See
/// [`NullLock`](crate::NullLock).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NullLock;

impl NullLock {
    /// A lock that excludes nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}
