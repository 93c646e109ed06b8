//! `lm3s6965evb`: a Stellaris LM3S6965, Cortex-M3, as it is after reset.
//!
//! Source: "Stellaris LM3S6965 Microcontroller" (Texas Instruments), and `hw/arm/stellaris.c` of QEMU.

mod clock;
#[cfg(feature = "embassy")]
pub(crate) mod ethernet;
pub(crate) mod line;
mod tick;
#[cfg(feature = "embassy")]
mod time_driver;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::stack::Bounds;

pub use clock::now_micros;

/// Cycles of the processor in a second: QEMU's divider after reset.
const CYCLES_PER_SECOND: u32 = 12_500_000;
/// The exit status of a firmware that the processor has stopped.
const FAULTED: u8 = 102;

/// The clock first: the others may ask for the time.
pub(crate) fn start() {
    tick::start_clocks();
    clock::start();
    line::start();
    tick::start();
}

pub(crate) fn idle() {
    cortex_m::asm::wfi();
}

pub(crate) fn stack_bounds() -> Bounds {
    Bounds { lowest: cortex_m_rt::heap_start().cast::<usize>().cast_const(), end: stack_start() }
}

pub(crate) fn stack_pointer() -> usize {
    cortex_m::register::msp::read() as usize
}

/// Where the linker script puts the first frame.
fn stack_start() -> *const usize {
    unsafe extern "C" {
        static _stack_start: usize;
    }
    &raw const _stack_start
}

/// Without it, a fault would be a firmware that hangs.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    crate::console::Line::of("hard fault").end();
    crate::exit(FAULTED)
}
