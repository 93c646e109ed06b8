//! A key in storage of a fixed size.

use core::fmt;

/// A key that is copied into storage of its own, so that its owner may forget it.
pub(crate) struct Key<B> {
    storage: B,
    len: usize,
}

impl<B> Key<B> {
    pub(crate) const fn new(storage: B) -> Self {
        Self { storage, len: 0 }
    }
}

impl<B: AsMut<[u8]>> Key<B> {
    /// Takes another key. False, and nothing is taken, when it does not fit.
    pub(crate) fn set(&mut self, key: &[u8]) -> bool {
        let Some(room) = self.storage.as_mut().get_mut(..key.len()) else { return false };
        // Not `copy_from_slice`, which would keep a panic in the firmware.
        room.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        self.len = key.len();
        true
    }
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Key<B> {
    fn as_ref(&self) -> &[u8] {
        self.storage.as_ref().get(..self.len).unwrap_or_default()
    }
}

impl<B: AsRef<[u8]>> fmt::Debug for Key<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_ref().escape_ascii())
    }
}
