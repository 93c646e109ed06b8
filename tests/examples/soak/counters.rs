//! What the locks protect: a file with a counter for each key, read and written without any lock of
//! its own. A counter is a number and who wrote it, 8 bytes each.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const SIZE: u64 = 16;

/// The file, open in one process.
pub(crate) struct Counters(File);

/// What one counter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) version: u64,
    pub(crate) writer: u64,
}

impl Counters {
    pub(crate) fn create(path: &Path, keys: usize) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.set_len(SIZE * keys as u64)?;
        Ok(Self(file))
    }

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).open(path).map(Self)
    }

    pub(crate) fn read(&self, key: usize) -> io::Result<Counter> {
        let (mut version, mut writer) = ([0; 8], [0; 8]);
        let mut bytes = [0; SIZE as usize];
        self.0.read_exact_at(&mut bytes, key as u64 * SIZE)?;
        version.copy_from_slice(&bytes[..8]);
        writer.copy_from_slice(&bytes[8..]);
        Ok(Counter { version: u64::from_le_bytes(version), writer: u64::from_le_bytes(writer) })
    }

    pub(crate) fn write(&self, key: usize, counter: Counter) -> io::Result<()> {
        let mut bytes = [0; SIZE as usize];
        bytes[..8].copy_from_slice(&counter.version.to_le_bytes());
        bytes[8..].copy_from_slice(&counter.writer.to_le_bytes());
        self.0.write_all_at(&bytes, key as u64 * SIZE)
    }
}
