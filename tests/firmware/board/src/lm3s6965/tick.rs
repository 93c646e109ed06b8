//! A tick of 1 ms from general purpose timer 0, and who is called when an interrupt comes.
//!
//! Nothing counts the ticks: one that is lost costs a millisecond of patience and nothing else.

use cortex_m_rt::exception;

use super::CYCLES_PER_SECOND;
use crate::registers::Registers;

// SAFETY: system control, general purpose timer 0 and the interrupt enables of the LM3S6965.
const SYSTEM_CONTROL: Registers = unsafe { Registers::at(0x400f_e000) };
// SAFETY: as above.
const TIMER: Registers = unsafe { Registers::at(0x4003_0000) };
// SAFETY: as above.
const INTERRUPTS: Registers = unsafe { Registers::at(0xe000_e100) };

/// `RCGC1` and `RCGC2`: which devices get a clock.
const CLOCKS_1: u16 = 0x104;
const CLOCKS_2: u16 = 0x108;
const UART_0: u32 = 1;
const TIMER_0: u32 = 1 << 16;
const PORT_A: u32 = 1;
const ETHERNET: u32 = (1 << 28) | (1 << 30);

const CONFIGURATION: u16 = 0x00;
const MODE: u16 = 0x04;
const CONTROL: u16 = 0x0c;
const MASK: u16 = 0x18;
const CLEAR: u16 = 0x24;
const LOAD: u16 = 0x28;
const PERIODIC: u32 = 2;
const TIME_OUT: u32 = 1;
const ENABLE: u32 = 1;

const TIMER_INTERRUPT: i16 = 19;
#[cfg(feature = "embassy")]
const ETHERNET_INTERRUPT: i16 = 42;

/// Gives the devices their clocks. Before any of their registers is touched.
pub(super) fn start_clocks() {
    SYSTEM_CONTROL.write(CLOCKS_1, SYSTEM_CONTROL.read(CLOCKS_1) | UART_0 | TIMER_0);
    SYSTEM_CONTROL.write(CLOCKS_2, SYSTEM_CONTROL.read(CLOCKS_2) | PORT_A | ETHERNET);
}

pub(super) fn start() {
    TIMER.write(CONTROL, 0);
    TIMER.write(CONFIGURATION, 0);
    TIMER.write(MODE, PERIODIC);
    TIMER.write(LOAD, CYCLES_PER_SECOND / 1000 - 1);
    TIMER.write(MASK, TIME_OUT);
    TIMER.write(CONTROL, ENABLE);
    enable(TIMER_INTERRUPT);
    #[cfg(feature = "embassy")]
    enable(ETHERNET_INTERRUPT);
}

fn enable(interrupt: i16) {
    let interrupt = interrupt.unsigned_abs();
    INTERRUPTS.write(interrupt / 32 * 4, 1 << (interrupt % 32));
}

/// Every interrupt that is not one of the processor's own.
#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    match interrupt {
        TIMER_INTERRUPT => {
            TIMER.write(CLEAR, TIME_OUT);
            crate::uart::tick();
            #[cfg(feature = "embassy")]
            super::time_driver::tick();
        }
        #[cfg(feature = "embassy")]
        ETHERNET_INTERRUPT => super::ethernet::interrupt(),
        _ => {}
    }
}
