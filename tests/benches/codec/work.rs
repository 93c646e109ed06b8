//! A piece of work that is measured.

use core::hint::black_box;

/// Something to do again and again.
pub(crate) type Repeat = Box<dyn FnMut()>;

/// One piece of work of one codec. What is prepared once is not measured.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    prepare: fn() -> Repeat,
}

impl Work {
    pub(crate) const fn new(name: &'static str, prepare: fn() -> Repeat) -> Self {
        Self { name, prepare }
    }

    pub(crate) fn prepare(&self) -> Repeat {
        (self.prepare)()
    }

    pub(crate) fn run(&self, repetitions: u64) {
        let mut work = self.prepare();
        for _ in 0..black_box(repetitions) {
            work();
        }
    }

    /// Of one repetition, when what is only done first is done.
    pub(crate) fn allocations(&self) -> u64 {
        let mut work = self.prepare();
        (0..4).for_each(|_| work());
        allocation_counter::measure(work).count_total
    }
}
