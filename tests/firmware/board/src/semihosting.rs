//! What the debugger, or QEMU in its place, does for a firmware: console, files, command line, exit.
//!
//! Source: "Semihosting for AArch32 and AArch64" and "RISC-V Semihosting".

use core::ffi::CStr;

const OPEN: usize = 0x01;
const WRITE0: usize = 0x04;
const READ: usize = 0x06;
const GET_COMMAND_LINE: usize = 0x15;
const EXIT: usize = 0x18;
const EXIT_EXTENDED: usize = 0x20;

/// Mode `rb` of fopen.
const READ_BINARY: usize = 1;
/// The program has ended by itself.
const APPLICATION_EXIT: usize = 0x20026;
const FAILED: usize = usize::MAX;

/// A file on the machine that runs the debugger.
#[derive(Clone, Copy)]
pub(crate) struct File(usize);

impl File {
    /// Opens it for reading. `None` where it cannot be opened.
    pub(crate) fn open(path: &CStr) -> Option<Self> {
        let block = [path.as_ptr() as usize, READ_BINARY, path.count_bytes()];
        // SAFETY: the block is what OPEN wants, and the debugger only reads the path.
        let handle = unsafe { call(OPEN, block.as_ptr() as usize) };
        (handle != FAILED).then_some(Self(handle))
    }

    /// Fills all of `into`. False where the file ends before, or cannot be read.
    pub(crate) fn read(self, into: &mut [u8]) -> bool {
        let block = [self.0, into.as_mut_ptr() as usize, into.len()];
        // SAFETY: the block is what READ wants, and `into` is ours for as long as the call takes.
        let missing = unsafe { call(READ, block.as_ptr() as usize) };
        missing == 0
    }
}

/// Writes to the console of the debugger.
pub(crate) fn write(text: &CStr) {
    // SAFETY: the debugger reads up to the zero at the end.
    unsafe { call(WRITE0, text.as_ptr() as usize) };
}

/// The command line that the firmware was started with: what QEMU is told as `-semihosting-config
/// arg=...`, with blanks between, else the path of the firmware. `None` where it does not fit `buffer`
/// or is not UTF-8.
pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the block is what GET_COMMAND_LINE wants; the debugger changes it and `buffer`, both ours.
    let status = unsafe { call(GET_COMMAND_LINE, block.as_mut_ptr() as usize) };
    if status != 0 {
        return None;
    }
    let text = CStr::from_bytes_until_nul(buffer).ok()?;
    text.to_str().ok()
}

/// Ends QEMU with this exit status, of which the host keeps 8 bits.
pub fn exit(status: u8) -> ! {
    let block = [APPLICATION_EXIT, usize::from(status)];
    // SAFETY: the block is what EXIT_EXTENDED wants. An old debugger may not know it: then EXIT ends all the same.
    unsafe {
        call(EXIT_EXTENDED, block.as_ptr() as usize);
        call(EXIT, APPLICATION_EXIT);
    }
    loop {
        crate::idle();
    }
}

/// Asks the debugger.
///
/// # Safety
/// `argument` is what this operation wants. The debugger reads and writes all that it points to.
#[cfg(target_arch = "arm")]
unsafe fn call(operation: usize, argument: usize) -> usize {
    let result;
    // SAFETY: the caller's promise; this breakpoint is the debugger's entry, and it changes r0 alone.
    unsafe {
        core::arch::asm!(
            "bkpt #0xab",
            inlateout("r0") operation => result,
            in("r1") argument,
            options(nostack, preserves_flags),
        );
    }
    result
}

/// Asks the debugger.
///
/// # Safety
/// `argument` is what this operation wants. The debugger reads and writes all that it points to.
#[cfg(target_arch = "riscv32")]
unsafe fn call(operation: usize, argument: usize) -> usize {
    let result;
    // SAFETY: the caller's promise; these three instructions, on one page and not compressed, are the
    // debugger's entry, and it changes a0 alone.
    unsafe {
        core::arch::asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inlateout("a0") operation => result,
            in("a1") argument,
            options(nostack, preserves_flags),
        );
    }
    result
}
