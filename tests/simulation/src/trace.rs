//! What happened, as a hash and, if wanted, as text.

use core::fmt::Write;

/// The hash of everything that happens, and a timeline.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<String>,
}

impl Trace {
    pub(crate) fn new(with_timeline: bool) -> Self {
        // FNV-1a: the same on every machine and in every version of the library.
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: with_timeline.then(String::new) }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Adds a line to the timeline.
    pub(crate) fn tell(&mut self, at: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let _ = writeln!(lines, "{:>7}.{:03} ms  {}", at / 1000, at % 1000, line());
        }
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn timeline(self) -> String {
        self.lines.unwrap_or_default()
    }
}
