//! Processes whose operating system has a bad day.

use core::time::Duration;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults");

/// A library to be loaded before all others, and the wall clock that it shows.
pub(crate) struct Preload {
    folder: TempDir,
    shift: File,
}

impl Preload {
    /// Compiles it. The clock is right at first.
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        compile("preload.c", &folder.path().join("preload.so"), &["-shared", "-fPIC"]);
        let path = folder.path().join("shift");
        fs::write(&path, 0_i64.to_ne_bytes()).expect("a file");
        let shift = File::options().write(true).open(path).expect("it is there");
        Self { folder, shift }
    }

    /// What a process needs to be in it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let path = |name| self.folder.path().join(name).display().to_string();
        [("LD_PRELOAD", path("preload.so")), ("CLOCK_SHIFT", path("shift"))]
    }

    /// The wall clock is fast by so much from now on, also in processes that run.
    pub(crate) fn forward(&self, by: Duration) {
        self.set(i64::try_from(by.as_millis()).expect("not so long"));
    }

    /// The wall clock is slow by so much from now on.
    pub(crate) fn backward(&self, by: Duration) {
        self.set(-i64::try_from(by.as_millis()).expect("not so long"));
    }

    fn set(&self, millis: i64) {
        self.shift.write_all_at(&millis.to_ne_bytes(), 0).expect("written");
    }
}

/// A program that runs another one without the operating system's generator of random numbers.
pub(crate) struct NoRandom(TempDir);

impl NoRandom {
    pub(crate) fn build() -> Self {
        let no_random = Self(tempfile::tempdir().expect("a folder"));
        compile("no_random.c", &no_random.program(), &[]);
        no_random
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.0.path().join("no_random")
    }
}

fn compile(source: &str, to: &Path, arguments: &[&str]) {
    let compiler = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror"])
        .args(arguments)
        .arg("-o")
        .args([to, &Path::new(FOLDER).join(source)])
        .output()
        .expect("a C compiler");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
}
