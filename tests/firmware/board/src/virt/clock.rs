//! Time since the start and a tick of 1 ms, from the CLINT.

use riscv::interrupt::Interrupt;
use riscv_rt::core_interrupt;

use crate::registers::Registers;

// SAFETY: the compare register of the only processor, and the clock, both of the CLINT.
const COMPARE: Registers = unsafe { Registers::at(0x0200_4000) };
// SAFETY: as above.
const TIME: Registers = unsafe { Registers::at(0x0200_bff8) };
const LOW: u16 = 0;
const HIGH: u16 = 4;

const TICKS_PER_MICRO: u64 = 10;
const TICKS_PER_TICK: u64 = 1000 * TICKS_PER_MICRO;

pub(super) fn start() {
    set_compare(read().wrapping_add(TICKS_PER_TICK));
    // SAFETY: the handler is below, and this is called once, before anything else runs.
    unsafe {
        riscv::register::mie::set_mtimer();
        riscv::interrupt::enable();
    }
}

/// Microseconds since the emulator started. Never goes back, and never wraps.
pub fn now_micros() -> u64 {
    read() / TICKS_PER_MICRO
}

/// The clock has 64 bits and is read in two halves: again, when the upper one has moved between.
fn read() -> u64 {
    loop {
        let high = TIME.read(HIGH);
        let low = TIME.read(LOW);
        if TIME.read(HIGH) == high {
            return (u64::from(high) << 32) | u64::from(low);
        }
    }
}

/// The lower half is out of reach while the upper one changes: else an interrupt could come too early.
fn set_compare(at: u64) {
    COMPARE.write(LOW, u32::MAX);
    COMPARE.write(HIGH, (at >> 32) as u32);
    COMPARE.write(LOW, at as u32);
}

/// Nothing counts the ticks: one that is late costs patience and nothing else.
#[core_interrupt(Interrupt::MachineTimer)]
fn tick() {
    set_compare(read().wrapping_add(TICKS_PER_TICK));
    crate::uart::tick();
}
