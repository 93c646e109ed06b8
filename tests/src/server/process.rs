//! A child process that cannot outlive the tests.

use core::time::Duration;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::pause::breathe;

/// Waits for the end of its standard input, which comes when the test process is gone, and kills the server then.
/// It ignores the signals of the terminal, so that it is there to do so.
const GUARD: &str = r#"trap '' INT TERM HUP; read -r line; kill -9 "$1" 2>/dev/null"#;

/// A running server and its guard. Both are killed when the value is dropped.
pub(super) struct Process {
    child: Child,
    guard: Child,
}

impl Process {
    pub(super) fn spawn(
        binary: &Path,
        arguments: &[String],
        environment: &[(String, String)],
    ) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            // In a group of its own: Ctrl-C in a terminal is for the tests, which stop it in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { child, guard }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, once it has ended by itself.
    pub(super) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(super) fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// SIGTERM, and SIGKILL where it still runs after `patience`.
    pub(super) fn terminate(&mut self, patience: Duration) -> io::Result<()> {
        if self.exited()?.is_some() {
            return Ok(());
        }
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + patience;
        while self.exited()?.is_none() {
            if Instant::now() > deadline {
                return self.kill();
            }
            breathe();
        }
        Ok(())
    }

    /// SIGKILL, and waits until it is gone.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = Pid::from_child(&self.child);
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do where the process is gone already. The guard goes first: it must not meet a reused pid.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.kill();
    }
}
