//! A queue of bytes over storage that somebody else owns.

use core::fmt;

/// A first-in, first-out queue of bytes over any storage that turns into a slice.
///
/// Its room is the *length* of that slice, so a `Vec` must be filled (`vec![0; 512]`), not only
/// given a capacity. Counts handed in by the caller are cut to what is possible: a wrong count
/// loses bytes, it never panics. `Debug` shows how many bytes wait, not which: they may be secret.
#[derive(Clone)]
pub struct Buffer<B> {
    storage: B,
    /// Where the pending bytes begin and end. `start <= end <= storage length`.
    start: usize,
    end: usize,
}

impl<B> Buffer<B> {
    /// An empty queue in `storage`.
    pub const fn new(storage: B) -> Self {
        Self { storage, start: 0, end: 0 }
    }

    /// Bytes that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the first `count` bytes that wait, or all if they are fewer.
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            self.clear();
        }
    }

    /// Drops all but the first `count` bytes that wait.
    pub fn truncate(&mut self, count: usize) {
        self.end = self.end.min(self.start.saturating_add(count));
    }

    /// Drops all bytes that wait.
    pub const fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Buffer<B> {
    /// The bytes that wait, oldest first.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.storage.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// Most bytes that can wait at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.storage.as_ref().len()
    }

    /// Whether there is no room for one more byte.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// All the room there is, in one piece. The bytes that wait are moved to the front first.
    /// Write into it from its beginning, then call [`Buffer::filled`].
    pub fn space(&mut self) -> &mut [u8] {
        let storage = self.storage.as_mut();
        if self.start > 0 && self.start <= self.end && self.end <= storage.len() {
            storage.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        }
        storage.get_mut(self.end..).unwrap_or_default()
    }

    /// Says that the first `count` bytes of [`Buffer::space`] were written.
    pub fn filled(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.capacity());
    }
}

impl<B> fmt::Debug for Buffer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Buffer;
    use std::vec::Vec;

    fn put(buffer: &mut Buffer<[u8; 4]>, bytes: &[u8]) -> usize {
        let count = buffer.space().iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
        buffer.filled(count);
        count
    }

    #[test]
    fn bytes_leave_in_the_order_they_came() {
        let mut buffer = Buffer::new([0; 4]);
        let mut out: Vec<u8> = Vec::new();
        let mut rest: &[u8] = b"a queue moves to the front when that makes room";
        let expected = rest.to_vec();
        while !(rest.is_empty() && buffer.is_empty()) {
            let count = put(&mut buffer, rest);
            rest = rest.get(count..).unwrap_or_default();
            out.extend(buffer.pending().iter().take(3));
            buffer.consume(3);
        }
        assert_eq!(out, expected);
    }

    #[test]
    fn space_is_all_the_room_there_is() {
        let mut buffer = Buffer::new([0; 4]);
        assert!(buffer.is_empty() && !buffer.is_full());
        put(&mut buffer, b"abcd");
        assert!(buffer.is_full() && buffer.space().is_empty() && !buffer.is_empty());
        buffer.consume(1);
        assert!(!buffer.is_full() && !buffer.is_empty());
        assert_eq!(buffer.space().len(), 1);
        assert_eq!(buffer.pending(), b"bcd");
        buffer.consume(3);
        assert_eq!((buffer.space().len(), buffer.is_empty()), (4, true));
    }

    #[test]
    fn truncate_drops_the_newest() {
        let mut buffer = Buffer::new([0; 4]);
        put(&mut buffer, b"abcd");
        buffer.consume(1);
        buffer.truncate(5);
        assert_eq!(buffer.pending(), b"bcd");
        buffer.truncate(1);
        assert_eq!((buffer.pending(), buffer.len()), (b"b".as_slice(), 1));
    }

    #[test]
    fn wrong_counts_saturate() {
        let mut buffer = Buffer::new([0; 4]);
        buffer.filled(usize::MAX);
        assert_eq!(buffer.len(), 4);
        buffer.consume(usize::MAX);
        assert!(buffer.is_empty());
        buffer.filled(2);
        buffer.consume(1);
        buffer.filled(usize::MAX);
        assert_eq!(buffer.len(), 3);
        let mut nothing = Buffer::new([0; 0]);
        nothing.filled(1);
        nothing.truncate(usize::MAX);
        assert!(nothing.is_empty() && nothing.is_full() && nothing.space().is_empty());
    }

    #[test]
    fn storage_that_shrinks_is_survived() {
        struct Shrinking(core::cell::Cell<usize>, [u8; 8]);
        impl AsRef<[u8]> for Shrinking {
            fn as_ref(&self) -> &[u8] {
                self.1.get(..self.0.get()).unwrap_or_default()
            }
        }
        impl AsMut<[u8]> for Shrinking {
            fn as_mut(&mut self) -> &mut [u8] {
                self.1.get_mut(..self.0.get()).unwrap_or_default()
            }
        }
        let mut buffer = Buffer::new(Shrinking(8.into(), [0; 8]));
        buffer.filled(8);
        buffer.consume(4);
        buffer.storage.0.set(2);
        assert!(buffer.pending().is_empty() && buffer.space().is_empty());
    }
}
