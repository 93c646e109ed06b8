//! `virt` of QEMU: RV32IMAC in machine mode.
//!
//! Source: `hw/riscv/virt.c` of QEMU.

mod clock;
pub(crate) mod line;

use crate::stack::Bounds;

pub use clock::now_micros;

/// The exit status of a firmware that the processor has stopped.
const FAULTED: u8 = 102;

pub(crate) fn start() {
    line::start();
    clock::start();
}

pub(crate) fn idle() {
    riscv::asm::wfi();
}

pub(crate) fn stack_bounds() -> Bounds {
    unsafe extern "C" {
        // Both by the linker script of riscv-rt: the end of the variables, and where the first frame is.
        static __estack: usize;
        static _stack_start: usize;
    }
    Bounds { lowest: &raw const __estack, end: &raw const _stack_start }
}

pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it only reads the register.
    unsafe { core::arch::asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

/// Without it, a fault would be a firmware that hangs.
///
/// # Safety
/// Called by the linker's name, with a frame that nobody reads.
#[unsafe(export_name = "ExceptionHandler")]
unsafe extern "C" fn exception(_: &riscv_rt::TrapFrame) -> ! {
    crate::console::Line::of("exception").end();
    crate::exit(FAULTED)
}
