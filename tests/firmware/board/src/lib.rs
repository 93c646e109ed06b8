//! The hardware of the test firmware: two boards that QEMU emulates, behind one face.
//!
//! | | `lm3s6965evb` | `virt` |
//! | --- | --- | --- |
//! | processor | Cortex-M3, 12.5 MHz after reset | RV32IMAC |
//! | clock | SysTick, free-running | CLINT `mtime`, 10 MHz |
//! | tick of 1 ms | general purpose timer 0 | CLINT `mtimecmp` |
//! | link to Redis | UART 0 (PL011), or Ethernet | UART (16550) |
//! | console, command line, exit, randomness | semihosting | semihosting |
//!
//! This is the only crate of the firmware with unsafe code: registers that are read and written by
//! their address, calls of the debugger, and the painting of the stack. Nothing here formats with
//! `core::fmt`, which would be most of a small firmware.

#![no_std]

#[cfg(target_arch = "arm")]
#[path = "lm3s6965/mod.rs"]
mod machine;
#[cfg(target_arch = "riscv32")]
#[path = "virt/mod.rs"]
mod machine;

pub mod console;
mod panic;
mod random;
mod registers;
mod ring;
mod semihosting;
pub mod stack;
mod uart;

use core::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

#[cfg(feature = "embassy")]
pub use machine::ethernet::{Ethernet, Received, Transmit};
pub use machine::now_micros;
pub use random::{NoEntropy, TestRng};
pub use semihosting::{command_line, exit};
pub use uart::{Damaged, Uart};

/// What the board has, each thing once.
pub struct Board {
    /// The serial line to Redis.
    pub uart: Uart,
    /// The network.
    #[cfg(feature = "embassy")]
    pub ethernet: Ethernet,
}

/// Starts clock, tick and devices. `None` when that was done before.
pub fn start() -> Option<Board> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return None;
    }
    stack::paint();
    machine::start();
    Some(Board {
        uart: Uart::new(),
        #[cfg(feature = "embassy")]
        ethernet: Ethernet::new(),
    })
}

/// Sleeps until the next interrupt: at most 1 ms.
pub fn idle() {
    machine::idle();
}
