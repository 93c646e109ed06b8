//! Random bytes for tokens.

use core::fmt;

use rand_core::{TryCryptoRng, TryRng};

use crate::semihosting::File;

/// For tests only: the random bytes of the operating system that runs QEMU, read over semihosting.
///
/// The emulated boards have no random generator. A product must take its tokens from a hardware
/// generator (a TRNG peripheral, or a secure element): a generator that is seeded with a constant, a
/// clock or a serial number makes two devices, or one device after a reset, draw the same tokens,
/// and then each can release the other's lock.
pub struct TestRng(File);

/// The machine that runs QEMU gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

impl TestRng {
    /// Opens the source.
    ///
    /// # Errors
    /// [`NoEntropy`] where the machine that runs QEMU has no `/dev/urandom`.
    pub fn new() -> Result<Self, NoEntropy> {
        File::open(c"/dev/urandom").map(Self).ok_or(NoEntropy)
    }
}

impl TryRng for TestRng {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        if self.0.read(bytes) { Ok(()) } else { Err(NoEntropy) }
    }
}

/// As good as the generator of the operating system that it reads.
impl TryCryptoRng for TestRng {}

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the machine that runs QEMU gives no random bytes")
    }
}

impl core::error::Error for NoEntropy {}
