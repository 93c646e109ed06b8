//! One trial, in a process of its own.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use redlatch_testkit::server::Server;

use crate::Failed;
use crate::clock::now;
use crate::options::{Run, Scene};
use crate::told::{Rested, Served};

/// Somebody else holds as many keys as this says, or holds none any more.
const HOLD: &str =
    "for i = 1, ARGV[1] do redis.call('SET', 'waited:' .. i, 'foreign', 'PX', 600000) end";
const FREE: &str = "for i = 1, ARGV[1] do redis.call('DEL', 'waited:' .. i) end";

/// What a trial came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grown {
    pub(crate) rested: Rested,
    pub(crate) rest: core::time::Duration,
    /// Who had the lock, and nanoseconds until the last one had it.
    pub(crate) served: u64,
    pub(crate) took: u64,
}

/// It is killed when the value is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn trial(
    scene: Scene,
    count: usize,
    run: &Run,
    server: &Server,
) -> Result<Grown, Failed> {
    let mut inspector = server.inspect()?;
    let keys = match scene {
        Scene::Held => 0,
        Scene::OneKey => 1,
        Scene::ManyKeys => count,
    };
    let keys = keys.to_string();
    inspector.command(&["EVAL", HOLD, "0", &keys])?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["worker", &server.url(), &scene.to_string(), &count.to_string()]);
    command.arg(run.rest.to_string());
    let mut process = Process(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
    let mut orders = process.0.stdin.take().ok_or("no pipe")?;
    let mut lines = BufReader::new(process.0.stdout.take().ok_or("no pipe")?).lines();
    let mut line = || lines.next().unwrap_or_else(|| Ok("it has ended".to_owned()));
    let rested: Rested = line()?.parse()?;
    let (served, took) = if scene == Scene::Held {
        (count as u64 - rested.failed.min(count as u64), rested.took)
    } else {
        let from = now();
        inspector.command(&["EVAL", FREE, "0", &keys])?;
        writeln!(orders, "free")?;
        let Served { count, at } = line()?.parse()?;
        (count, at.saturating_sub(from))
    };
    drop(process);
    inspector.command(&["FLUSHALL"])?;
    Ok(Grown { rested, rest: run.rest(), served, took })
}
