//! Room for bytes that is shared with who else works with the crate `bytes`.

pub(crate) use bytes::{Bytes as Shared, BytesMut as Room};

pub(crate) fn zeroed(len: usize) -> Room {
    Room::zeroed(len)
}
