//! The worker processes.

use core::time::Duration;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::book::Shelf;
use crate::options::{Run, Runtime};
use crate::servers::Servers;

/// A line that is longer says nothing more.
const LINE_MAX: u64 = 4096;

/// What all workers are told.
pub(crate) struct Scene<'a> {
    pub(crate) run: &'a Run,
    pub(crate) seed: u64,
    pub(crate) counters: &'a Path,
    pub(crate) servers: &'a Servers,
    pub(crate) shelf: &'a Shelf,
}

/// A running worker. It is killed when the value is dropped.
pub(crate) struct Player {
    pub(crate) who: &'static str,
    child: Child,
    orders: ChildStdin,
    readers: Vec<JoinHandle<()>>,
}

pub(crate) const fn name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Std => "std",
        Runtime::Tokio => "tokio",
        Runtime::Smol => "smol",
        Runtime::AsyncStd => "async-std",
        Runtime::RedisPy => "redis-py",
    }
}

impl Player {
    /// To be called in the main thread: a worker ends with the thread that has started it.
    pub(crate) fn start(
        number: usize,
        runtime: Runtime,
        scene: &Scene<'_>,
    ) -> Result<Self, String> {
        let who = name(runtime);
        let told = |error: io::Error| format!("{who}: {error}");
        let mut command = match runtime {
            Runtime::RedisPy => python(number, scene)?,
            _ => ourselves(number, runtime, scene).map_err(told)?,
        };
        // In a group of its own: Ctrl-C in a terminal is for the parent.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(told)?;
        let missing = || format!("{who}: no pipe");
        let mut orders = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        let urls = scene.servers.urls(runtime == Runtime::RedisPy);
        writeln!(orders, "{} {}", urls[0], urls[1]).map_err(told)?;
        let (shelf, other) = (scene.shelf.clone(), scene.shelf.clone());
        let readers = vec![
            thread::spawn(move || each_line(output, |line| shelf.book().output(number, line))),
            thread::spawn(move || each_line(errors, |line| other.book().error(number, line))),
        ];
        Ok(Self { who, child, orders, readers })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives an order. Who is gone is noticed at the end.
    pub(crate) fn order(&mut self, word: &str) {
        let _ = writeln!(self.orders, "{word}");
    }

    /// Waits until it ends by itself, and until all that it said is read.
    pub(crate) fn end(mut self, deadline: Instant) -> Result<ExitStatus, String> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.readers.drain(..).for_each(|reader| drop(reader.join()));
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not end", self.who));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn each_line(pipe: impl Read, mut take: impl FnMut(&str)) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match pipe.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => take(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

fn ourselves(number: usize, runtime: Runtime, scene: &Scene<'_>) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["worker", "--runtime", name(runtime)]);
    command.args(["--number", &number.to_string(), "--seed", &scene.seed.to_string()]);
    command.args(["--ttl", &scene.run.ttl().as_millis().to_string()]);
    command.arg("--counters").arg(scene.counters);
    if let Some(cheat) = scene.run.cheat {
        command.args(["--break", &cheat.to_string()]);
    }
    Ok(command)
}

/// `redis.lock.Lock` of redis-py.
fn python(number: usize, scene: &Scene<'_>) -> Result<Command, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let given = env::var_os("REDLATCH_CLIENTS_DIR");
    let store = given.map_or_else(|| workspace.join(".clients"), PathBuf::from);
    let library = store.join("python");
    if !library.exists() {
        return Err("redis-py is not installed: run `.ci/clients` in the workspace, or set \
                    REDLATCH_CLIENTS_DIR to a folder that holds python"
            .to_owned());
    }
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", library).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/soak/redis_py.py"));
    command.args([number.to_string(), scene.seed.to_string()]);
    command.arg(scene.run.ttl().as_millis().to_string()).arg(scene.counters);
    Ok(command)
}
