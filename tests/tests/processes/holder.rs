//! The `hold-*` examples as processes.
#![allow(dead_code, reason = "every test file uses its part")]

use core::time::Duration;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use redlatch_testkit::example::built;

/// Longer than any of these steps takes; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The example `hold-<adapter>`, built by the cargo that runs this test, wherever it puts its files.
pub(crate) fn build(adapter: &str) -> PathBuf {
    built(&format!("hold-{adapter}"))
}

/// One line of output: when it came, the milliseconds in front, and the rest.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) millis: u64,
    pub(crate) event: String,
}

/// A running `hold-*`. It is killed when the value is dropped.
pub(crate) struct Holder {
    pub(crate) child: Child,
    lines: Receiver<Line>,
    pub(crate) begun: Instant,
}

impl Holder {
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let at = Instant::now();
                let (millis, event) = line.split_once(' ').expect("a time and an event");
                let millis = millis.parse().expect("milliseconds");
                let _ = sender.send(Line { at, millis, event: event.to_owned() });
            }
        });
        Self { child, lines, begun }
    }

    pub(crate) fn line(&self) -> Line {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    /// Waits for this event, which must be the next.
    pub(crate) fn expect(&self, event: &str) -> Line {
        let line = self.line();
        assert!(line.event.starts_with(event), "expected {event}, got {line:?}");
        line
    }

    /// Waits until it ends by itself, and gives what it still said, the status, and what it said on
    /// standard error.
    pub(crate) fn end(mut self) -> (Vec<Line>, i32, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(2));
        };
        let mut complaints = String::new();
        let mut errors = self.child.stderr.take().expect("a pipe");
        errors.read_to_string(&mut complaints).expect("text");
        (self.lines.iter().collect(), status.code().unwrap_or(-1), complaints)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
