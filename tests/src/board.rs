//! What a board would bring, made of what this machine has: a stream that never blocks, a clock, and a
//! random generator. For tests and examples of the adapters for microcontrollers.

use core::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use embedded_io::{ErrorType, ReadReady, WriteReady};
use rand_core::{TryCryptoRng, TryRng};

mod dialled;

pub use dialled::{Dialled, Half};
pub use smol::block_on;

/// Microseconds on the clock of this machine.
#[must_use]
pub fn micros() -> u64 {
    redlatch_client::os::now().as_micros()
}

/// The generator of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// # Panics
    /// The operating system has no randomness.
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(bytes).expect("the operating system has randomness");
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

/// A socket that behaves like a serial port with buffers.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl Socket {
    /// Connects.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self(stream))
    }
}

impl ErrorType for Socket {
    type Error = io::Error;
}

impl embedded_io::Read for Socket {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
}

impl ReadReady for Socket {
    fn read_ready(&mut self) -> io::Result<bool> {
        match self.0.peek(&mut [0]) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl embedded_io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            // Its buffers are full: the traits know no such error, but one that says "again".
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::Interrupted.into())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteReady for Socket {
    fn write_ready(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}
