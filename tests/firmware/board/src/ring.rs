//! Bytes on their way from an interrupt to the program.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// A power of two, so that the counters may wrap.
const CAPACITY: usize = 256;

/// One interrupt handler puts bytes in, the program takes them out.
pub(crate) struct Ring {
    bytes: [AtomicU8; CAPACITY],
    /// Bytes put in and taken out since the start.
    put: AtomicUsize,
    taken: AtomicUsize,
}

impl Ring {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; CAPACITY],
            put: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        let put = self.put.load(Ordering::Relaxed);
        put.wrapping_sub(self.taken.load(Ordering::Acquire)) >= CAPACITY
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.put.load(Ordering::Acquire) == self.taken.load(Ordering::Relaxed)
    }

    /// Puts a byte in. Only for the interrupt handler, and only where the ring [is not full](Self::is_full).
    pub(crate) fn push(&self, byte: u8) {
        let put = self.put.load(Ordering::Relaxed);
        if let Some(place) = self.bytes.get(put % CAPACITY) {
            place.store(byte, Ordering::Relaxed);
        }
        self.put.store(put.wrapping_add(1), Ordering::Release);
    }

    /// Takes the oldest byte out.
    pub(crate) fn pop(&self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let taken = self.taken.load(Ordering::Relaxed);
        let byte = self.bytes.get(taken % CAPACITY)?.load(Ordering::Relaxed);
        self.taken.store(taken.wrapping_add(1), Ordering::Release);
        Some(byte)
    }
}
