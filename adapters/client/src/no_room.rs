//! What stands in for the crate `bytes` where it is not built in: nobody else works with it.

use std::sync::Arc;

/// Taken over without a copy.
pub(crate) type Shared = Arc<Vec<u8>>;
pub(crate) type Room = Vec<u8>;

pub(crate) fn zeroed(len: usize) -> Room {
    vec![0; len]
}
