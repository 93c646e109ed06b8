//! Time since the start, from SysTick.
//!
//! SysTick counts down through all of its 24 bits and wraps after 1.34 s; its interrupt counts the
//! wraps. A clock that counted interrupts of 1 ms instead would run slow whenever one is lost, and a
//! slow clock believes a lock for too long. Here a wrap is lost only if interrupts are off, or the
//! emulator stands still, for longer than that.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_rt::exception;

use super::CYCLES_PER_SECOND;
use crate::registers::Registers;

// SAFETY: the system control space of every Cortex-M3; only timer, pending bits and interrupt enables are touched.
const SYSTEM: Registers = unsafe { Registers::at(0xe000_e000) };
const CONTROL: u16 = 0x010;
const RELOAD: u16 = 0x014;
const CURRENT: u16 = 0x018;
const PENDING: u16 = 0xd04;

const ENABLE: u32 = 1;
const INTERRUPT: u32 = 1 << 1;
const PROCESSOR_CLOCK: u32 = 1 << 2;
const SYSTICK_IS_PENDING: u32 = 1 << 26;

/// Cycles from wrap to wrap.
const PERIOD: u32 = 1 << 24;
const CYCLES_PER_TWO_MICROS: u64 = CYCLES_PER_SECOND as u64 * 2 / 1_000_000;

/// They last for 182 years.
static WRAPS: AtomicU32 = AtomicU32::new(0);

pub(super) fn start() {
    SYSTEM.write(RELOAD, PERIOD - 1);
    SYSTEM.write(CURRENT, 0);
    SYSTEM.write(CONTROL, ENABLE | INTERRUPT | PROCESSOR_CLOCK);
    // It stands at zero for a cycle before it begins: that is no wrap.
    while SYSTEM.read(CURRENT) == 0 {}
}

/// The counter reaches zero.
#[exception]
fn SysTick() {
    WRAPS.store(WRAPS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Microseconds since the start. Never goes back, and never wraps.
pub fn now_micros() -> u64 {
    let (wraps, counter) = critical_section::with(|_| read());
    // The counter goes down; at zero a period is complete.
    let cycles = (PERIOD - counter) % PERIOD;
    (u64::from(wraps) * u64::from(PERIOD) + u64::from(cycles)) * 2 / CYCLES_PER_TWO_MICROS
}

/// Wraps and counter of one moment. Interrupts are off.
fn read() -> (u32, u32) {
    loop {
        let counter = SYSTEM.read(CURRENT);
        let wraps = WRAPS.load(Ordering::Relaxed);
        if SYSTEM.read(PENDING) & SYSTICK_IS_PENDING != 0 {
            // The wrap that is pending may have come after the counter was read: read it again.
            return (wraps.wrapping_add(1), SYSTEM.read(CURRENT));
        }
        // At zero the interrupt is just about to be pending.
        if counter != 0 {
            return (wraps, counter);
        }
    }
}
