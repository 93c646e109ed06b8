//! The registers of a device, read and written by their address.

use core::ptr::{read_volatile, write_volatile};

/// The registers of one device.
#[derive(Clone, Copy)]
pub(crate) struct Registers(usize);

impl Registers {
    /// The registers that begin at this address.
    ///
    /// # Safety
    /// A device has its registers there, and no access to any of them within 64 KiB changes memory
    /// that Rust code relies on.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Reads a register of 32 bits.
    pub(crate) fn read(self, offset: u16) -> u32 {
        // SAFETY: `at` promises a device there.
        unsafe { read_volatile((self.0 + usize::from(offset)) as *const u32) }
    }

    /// Writes a register of 32 bits.
    pub(crate) fn write(self, offset: u16, value: u32) {
        // SAFETY: `at` promises a device there.
        unsafe { write_volatile((self.0 + usize::from(offset)) as *mut u32, value) }
    }

    /// Reads a register of 8 bits.
    #[cfg(target_arch = "riscv32")]
    pub(crate) fn read_byte(self, offset: u16) -> u8 {
        // SAFETY: `at` promises a device there.
        unsafe { read_volatile((self.0 + usize::from(offset)) as *const u8) }
    }

    /// Writes a register of 8 bits.
    #[cfg(target_arch = "riscv32")]
    pub(crate) fn write_byte(self, offset: u16, value: u8) {
        // SAFETY: `at` promises a device there.
        unsafe { write_volatile((self.0 + usize::from(offset)) as *mut u8, value) }
    }
}
