//! A client that is no waiter gives the lock back while a waiter of redlatch sleeps.

use core::time::Duration;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;

use redlatch_testkit::server::{Inspector, Server, Value};

use crate::Failed;
use crate::clock::now;
use crate::make;
use crate::options::{Make, Run};
use crate::sleeper::Sleeper;
use crate::spread::{Spread, shown};

/// The waiter sleeps for so long, and up to twice as long: it must not matter where in its pause it is.
const ASLEEP: Duration = Duration::from_millis(60);

pub(crate) fn released(run: &Run, server: &Server) -> Result<(), Failed> {
    println!("Released by another client, until a sleeping waiter of redlatch has it, in us");
    println!("  {:24}{:>8}{:>10}{:>10}{:>10}", "", "times", "p50", "p90", "p99");
    let sleeper = Sleeper::connect(&server.url())?;
    let mut plain = Plain(server.inspect()?);
    row("DEL", &delays(&sleeper, &mut plain, run.samples)?);
    match RedisPy::start(&server.url()) {
        Ok(mut foreign) => row("redis-py", &delays(&sleeper, &mut foreign, run.samples)?),
        Err(error) => println!("  SKIPPED redis-py: {error}"),
    }
    println!();
    Ok(())
}

fn row(name: &str, delays: &Spread) {
    let at = |percent| shown(delays.percentile(percent), 0);
    println!("  {name:24}{:8}{:>10}{:>10}{:>10}", delays.count(), at(50), at(90), at(99));
}

/// Whoever has a lock and gives it back.
trait Holder {
    fn hold(&mut self, key: &str) -> Result<(), Failed>;
    /// Says when it began to.
    fn free(&mut self, key: &str) -> Result<u64, Failed>;
}

fn delays(sleeper: &Sleeper, holder: &mut impl Holder, samples: usize) -> Result<Spread, Failed> {
    let mut delays = Vec::new();
    for number in 0..samples {
        let key = format!("released:{number}");
        holder.hold(&key)?;
        let waiter = sleeper.wait(&key);
        // Spread evenly, and not in step with anything.
        thread::sleep(ASLEEP + ASLEEP.mul_f64(number as f64 * 0.618_034 % 1.0));
        let from = holder.free(&key)?;
        let taken = sleeper.join(waiter)?;
        delays.push(taken.saturating_sub(from) as f64 / 1e3);
    }
    Ok(Spread::new(delays))
}

/// A bare connection.
struct Plain(Inspector);

impl Holder for Plain {
    fn hold(&mut self, key: &str) -> Result<(), Failed> {
        expect_ok(&self.0.command(&["SET", key, "foreign", "NX", "PX", "30000"])?)
    }

    fn free(&mut self, key: &str) -> Result<u64, Failed> {
        let from = now();
        self.0.command(&["DEL", key])?;
        Ok(from)
    }
}

pub(crate) fn expect_ok(answer: &Value) -> Result<(), Failed> {
    match answer {
        Value::Simple(ok) if ok == "OK" => Ok(()),
        other => Err(format!("the lock is not free: {other:?}").into()),
    }
}

/// It is killed when the value is dropped.
struct RedisPy {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl RedisPy {
    fn start(url: &str) -> Result<Self, Failed> {
        let mut command = make::command(Make::RedisPy, url)?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = child.stdin.take().ok_or("no pipe")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        let mut started = Self { child, orders, answers };
        started.answer("ready")?;
        Ok(started)
    }

    /// What it says after this word.
    fn answer(&mut self, word: &str) -> Result<String, Failed> {
        let line = self.answers.next().ok_or("redis-py has ended")??;
        let rest = line.strip_prefix(word).ok_or_else(|| format!("{line:?} is not {word}"))?;
        Ok(rest.trim().to_owned())
    }
}

impl Holder for RedisPy {
    fn hold(&mut self, key: &str) -> Result<(), Failed> {
        writeln!(self.orders, "hold {key}")?;
        self.answer("held").map(drop)
    }

    fn free(&mut self, _: &str) -> Result<u64, Failed> {
        writeln!(self.orders, "free")?;
        Ok(self.answer("freed")?.parse()?)
    }
}

impl Drop for RedisPy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
