//! The serial line, as `embedded-io` wants it.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::machine::line;
use crate::ring::Ring;

/// What has come in and was not read yet.
static ARRIVED: Ring = Ring::new();
/// The line lost or spoiled a byte since the last read.
static DAMAGED: AtomicBool = AtomicBool::new(false);

/// The UART that Redis is at the other end of.
///
/// The tick of 1 ms empties the receiver into a ring of 256 bytes, so nothing is lost at 115 200 baud
/// while the program computes: the receiver holds 16 bytes, and 12 arrive in a tick. When the ring is
/// full too, QEMU holds the sender back; a real line then loses bytes, and the next read says so. A
/// product with a faster line empties the receiver in the interrupt of the UART.
///
/// QEMU's PL011 takes what is written at once and stops the whole emulator while the other end reads
/// nothing. So the other end must go on reading, as a serial line does.
pub struct Uart(());

/// Bytes were lost or spoiled on the line: the receiver overran, or a start or stop bit is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl Uart {
    /// Only the board makes one: [`Board::uart`](crate::Board::uart).
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

/// What the tick does for the line.
pub(crate) fn tick() {
    while !ARRIVED.is_full() {
        match line::receive() {
            Some(byte) => ARRIVED.push(byte),
            None => return,
        }
    }
}

/// What the line does when it finds that a byte was lost or spoiled.
pub(crate) fn damaged() {
    DAMAGED.store(true, Ordering::Relaxed);
}

impl ErrorType for Uart {
    type Error = Damaged;
}

impl Read for Uart {
    /// Waits until there is at least one byte.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Damaged> {
        if into.is_empty() {
            return Ok(0);
        }
        while ARRIVED.is_empty() {
            take_damage()?;
            crate::idle();
        }
        take_damage()?;
        let mut count = 0;
        for (place, byte) in into.iter_mut().zip(core::iter::from_fn(|| ARRIVED.pop())) {
            *place = byte;
            count += 1;
        }
        Ok(count)
    }
}

impl ReadReady for Uart {
    /// Whether a read would not wait.
    fn read_ready(&mut self) -> Result<bool, Damaged> {
        Ok(!ARRIVED.is_empty() || DAMAGED.load(Ordering::Relaxed))
    }
}

impl Write for Uart {
    /// Waits until the transmitter takes one byte, and then gives it what it takes without waiting.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Damaged> {
        let mut count = 0;
        for byte in bytes {
            while !line::can_transmit() {
                if count > 0 {
                    return Ok(count);
                }
                crate::idle();
            }
            line::transmit(*byte);
            count += 1;
        }
        Ok(count)
    }

    /// Waits until the last bit is on the line.
    fn flush(&mut self) -> Result<(), Damaged> {
        while line::is_transmitting() {
            crate::idle();
        }
        Ok(())
    }
}

impl WriteReady for Uart {
    /// Whether the transmitter takes a byte at once.
    fn write_ready(&mut self) -> Result<bool, Damaged> {
        Ok(line::can_transmit())
    }
}

/// Tells a damage once.
fn take_damage() -> Result<(), Damaged> {
    if DAMAGED.swap(false, Ordering::Relaxed) { Err(Damaged) } else { Ok(()) }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the serial line lost or spoiled a byte")
    }
}

impl core::error::Error for Damaged {}

impl Error for Damaged {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidData
    }
}
