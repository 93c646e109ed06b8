//! How deep in a reply we are.

use crate::limits::DEPTH_MAX;

/// The open aggregates: how many values each still waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nesting {
    /// Outermost first. An open aggregate waits for one value at least.
    owed: [u32; DEPTH_MAX as usize],
    /// Bit n: level n stands aside, it is no value of the level around it.
    aside: u8,
    pub(super) depth: u8,
}

const _: () = assert!(DEPTH_MAX as u32 <= u8::BITS, "one bit of `aside` for every level");

impl Nesting {
    pub(super) const NONE: Self = Self { owed: [0; DEPTH_MAX as usize], aside: 0, depth: 0 };

    pub(super) const fn is_empty(&self) -> bool {
        self.depth == 0
    }

    /// The caller has checked that there is a level left.
    pub(super) fn open(&mut self, values: u32, aside: bool) {
        if let Some(owed) = self.owed.get_mut(usize::from(self.depth)) {
            *owed = values;
        }
        self.aside = (self.aside & !self.bit()) | if aside { self.bit() } else { 0 };
        self.depth = self.depth.saturating_add(1);
    }

    /// One value is complete; it may complete the aggregates around it. Says whether the frame is.
    pub(super) fn settle(&mut self) -> bool {
        while let Some(outer) = self.depth.checked_sub(1) {
            if let Some(owed) = self.owed.get_mut(usize::from(outer)) {
                *owed = owed.saturating_sub(1);
                if *owed > 0 {
                    return false;
                }
            }
            self.depth = outer;
            if self.aside & self.bit() != 0 {
                return false;
            }
        }
        true
    }

    /// The bit in `aside` of the level at `depth`.
    fn bit(&self) -> u8 {
        1_u8.checked_shl(self.depth.into()).unwrap_or(0)
    }
}
