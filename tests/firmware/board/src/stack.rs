//! How much of the stack was ever in use.

use core::ptr::{read_volatile, write_volatile};

use crate::machine::{stack_bounds, stack_pointer};

/// No address, no small number, no instruction.
const PAINT: usize = 0xa5c3_3c5a;
/// Room for the frames of the functions that are running while the stack is painted, in bytes.
const MARGIN: usize = 128;

/// Where the stack may be: between the end of the variables and the end of the memory.
pub(crate) struct Bounds {
    /// Lowest address, a multiple of the word.
    pub(crate) lowest: *const usize,
    /// First address that is above it, likewise.
    pub(crate) end: *const usize,
}

/// Paints all of the stack that is free.
pub(crate) fn paint() {
    let Bounds { lowest, .. } = stack_bounds();
    let mut at = lowest.cast_mut();
    while (at as usize) < stack_pointer().saturating_sub(MARGIN) {
        // SAFETY: between the end of the variables and the stack pointer nothing is in use.
        unsafe {
            write_volatile(at, PAINT);
            at = at.add(1);
        }
    }
}

/// The most of the stack that was in use since the start, in bytes. What is used by interrupts counts.
pub fn high_water() -> usize {
    let Bounds { lowest, end } = stack_bounds();
    let mut at = lowest;
    // SAFETY: all of it is memory; a word that is being changed is only compared.
    while at < end && unsafe { read_volatile(at) } == PAINT {
        // SAFETY: `at` is below the end.
        at = unsafe { at.add(1) };
    }
    (end as usize).saturating_sub(at as usize)
}
