//! redis-py and node-redlock as processes that take one command a line and answer each with one.

use core::time::Duration;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::party::{PATIENCE, Party};

/// A running program. It is killed when the value is dropped.
pub(crate) struct Program {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

/// `redis.lock.Lock` of redis-py.
pub(crate) fn redis_py(url: &str) -> Box<dyn Party> {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", installed("python")).arg(source("redis_py.py")).arg(url);
    Box::new(Program::start(python))
}

/// `Redlock` of node-redlock, on ioredis.
pub(crate) fn node_redlock(url: &str) -> Box<dyn Party> {
    let mut node = Command::new(installed("node/bin/node"));
    node.env("NODE_PATH", installed("node/node_modules")).arg(source("node_redlock.cjs")).arg(url);
    Box::new(Program::start(node))
}

/// Where `.ci/clients` puts things, or what the user gives instead.
fn installed(path: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let given = env::var_os("REDLATCH_CLIENTS_DIR");
    let store = given.map_or_else(|| workspace.join(".clients"), PathBuf::from);
    let found = store.join(path);
    assert!(
        found.exists(),
        "lock clients of other makes are not installed: run `.ci/clients` in the workspace, or set \
         REDLATCH_CLIENTS_DIR to a folder that holds {path}"
    );
    found
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign_clients").join(name)
}

impl Program {
    /// What it complains about goes to the standard error of the test.
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let commands = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, commands, answers }
    }

    fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("it reads");
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {command}"))
    }
}

impl Party for Program {
    fn try_lock(&mut self, key: &str, ttl: Duration) -> bool {
        match self.ask(&format!("try {key} {}", ttl.as_millis())).as_str() {
            "held" => true,
            "refused" => false,
            other => panic!("{other}"),
        }
    }

    fn wait_lock(&mut self, key: &str, ttl: Duration) {
        assert_eq!(self.ask(&format!("wait {key} {}", ttl.as_millis())), "held");
    }

    fn extend(&mut self, ttl: Duration) -> String {
        self.ask(&format!("extend {}", ttl.as_millis()))
    }

    fn release(&mut self) -> String {
        self.ask("release")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
