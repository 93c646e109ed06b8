//! UART 0, a PL011.

use crate::registers::Registers;
use crate::uart::damaged;

// SAFETY: UART 0 of the LM3S6965.
const UART: Registers = unsafe { Registers::at(0x4000_c000) };
const DATA: u16 = 0x00;
const FLAGS: u16 = 0x18;
const LINE_CONTROL: u16 = 0x2c;
const CONTROL: u16 = 0x30;

/// Overrun, break, parity and framing, beside each byte.
const DATA_ERRORS: u32 = 0xf00;
const BUSY: u32 = 1 << 3;
const RECEIVER_IS_EMPTY: u32 = 1 << 4;
const TRANSMITTER_IS_FULL: u32 = 1 << 5;

const EIGHT_BITS: u32 = 0b11 << 5;
const FIFOS: u32 = 1 << 4;
const ENABLE: u32 = 1;
const TRANSMIT: u32 = 1 << 8;
const RECEIVE: u32 = 1 << 9;

/// QEMU has no line speed, so none is set.
pub(super) fn start() {
    UART.write(CONTROL, 0);
    UART.write(LINE_CONTROL, EIGHT_BITS | FIFOS);
    UART.write(CONTROL, ENABLE | TRANSMIT | RECEIVE);
}

/// The next byte of the receiver; `None` when it is empty.
pub(crate) fn receive() -> Option<u8> {
    if UART.read(FLAGS) & RECEIVER_IS_EMPTY != 0 {
        return None;
    }
    let word = UART.read(DATA);
    if word & DATA_ERRORS != 0 {
        damaged();
    }
    Some(word as u8)
}

pub(crate) fn can_transmit() -> bool {
    UART.read(FLAGS) & TRANSMITTER_IS_FULL == 0
}

pub(crate) fn is_transmitting() -> bool {
    UART.read(FLAGS) & BUSY != 0
}

/// Only where it [can be transmitted](can_transmit).
pub(crate) fn transmit(byte: u8) {
    UART.write(DATA, byte.into());
}
