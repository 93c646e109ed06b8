//! The UART, a 16550.

use crate::registers::Registers;
use crate::uart::damaged;

// SAFETY: the UART of `virt`.
const UART: Registers = unsafe { Registers::at(0x1000_0000) };
const DATA: u16 = 0;
const INTERRUPTS: u16 = 1;
const FIFO_CONTROL: u16 = 2;
const LINE_CONTROL: u16 = 3;
const LINE_STATUS: u16 = 5;

const FIFOS: u8 = 1;
const EIGHT_BITS: u8 = 0b11;
const RECEIVED: u8 = 1;
/// Overrun, parity, framing and break.
const ERRORS: u8 = 0x1e;
const TRANSMITTER_IS_FREE: u8 = 1 << 5;
const TRANSMITTER_IS_EMPTY: u8 = 1 << 6;

/// QEMU has no line speed, so none is set.
pub(super) fn start() {
    UART.write_byte(INTERRUPTS, 0);
    UART.write_byte(LINE_CONTROL, EIGHT_BITS);
    UART.write_byte(FIFO_CONTROL, FIFOS);
}

/// The next byte of the receiver; `None` when it is empty.
pub(crate) fn receive() -> Option<u8> {
    (status() & RECEIVED != 0).then(|| UART.read_byte(DATA))
}

pub(crate) fn can_transmit() -> bool {
    status() & TRANSMITTER_IS_FREE != 0
}

pub(crate) fn is_transmitting() -> bool {
    status() & TRANSMITTER_IS_EMPTY == 0
}

/// Whoever reads the status takes the errors out of it.
fn status() -> u8 {
    let status = UART.read_byte(LINE_STATUS);
    if status & ERRORS != 0 {
        damaged();
    }
    status
}

/// Only where it [can be transmitted](can_transmit).
pub(crate) fn transmit(byte: u8) {
    UART.write_byte(DATA, byte);
}
