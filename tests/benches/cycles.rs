//! Lock and unlock: whole cycles of redlatch's adapters, of `rslock`, and of bare commands through the
//! clients that a lock could be written on, on one real server that the bench starts itself.
//!
//! `cargo bench -p redlatch-testkit --features peers --bench cycles`, and `-- --help` for what can be chosen
//!
//! A table for each number of tasks. All contenders live in this one process and take turns, round by
//! round, so that all see the same machine; the ratio of each round is what travels to other machines.
//! Every task has a key of its own, and a cycle takes and releases it. The first round is not timed: it
//! warms up, and counts what timing would suffer from.
//!
//! What is the same for all: one connection for all tasks, but for `redis, blocking`, which has one for
//! each thread; a token drawn from the operating system for each cycle; `SET NX PX`, and a script that
//! compares and deletes, by its digest. Only `rslock` draws its tokens from a generator of its own, and
//! redlatch may send what it likes. Replies are checked, but for the releases of `rslock`, which tells
//! nothing: that the server is empty after each round is all that is seen.
//!
//! With one worker this process is pinned to one processor, and the server to the same one for a single
//! task, where waking another processor would hide everything else, and to another one for more tasks.
//! Allocations are those of the thread that runs a contender, so they are told only where that thread
//! does everything. `rustis` lets `tracing` speak to `log` in the whole program, which redlatch-tokio alone
//! would not.

#[path = "cycles/blocking.rs"]
mod blocking;
#[path = "cycles/contenders.rs"]
mod contenders;
#[path = "cycles/lap.rs"]
mod lap;
#[path = "cycles/machine.rs"]
mod machine;
#[path = "cycles/options.rs"]
mod options;
#[path = "measure/processor.rs"]
mod processor;
#[path = "cycles/race.rs"]
mod race;
#[path = "cycles/report.rs"]
mod report;
#[path = "cycles/token.rs"]
mod token;

use core::time::Duration;
use std::time::Instant;

use blocking::{Connection, Std};
use clap::Parser;
use contenders::{Fred, Multiplexed, OnTokio, Rslock, Rustis, smol};
use lap::Lap;
use machine::{Calls, Pins};
use options::Options;
use race::{Race, Tasks, Threads, Work};
use redlatch_testkit::server::{Inspector, Server};
use report::Results;

type Failed = Box<dyn core::error::Error>;

/// How long a round of the first contender takes, unless the cycles are given.
const ROUND: Duration = Duration::from_millis(300);
const TRIALS: usize = 3;
/// Unless the rounds are given, a table takes this long, but has enough of them for a median.
const TABLE: Duration = Duration::from_secs(40);
const ROUNDS: core::ops::RangeInclusive<usize> = 3..=15;
/// With fewer in each task, starting the tasks would be seen.
const CYCLES_EACH_MIN: usize = 20;
/// The system samples what is user and what is system time: a round must be long enough for that.
const CYCLES_MIN: usize = 8_000;
/// All latencies of a round are kept.
const CYCLES_MAX: usize = 1_000_000;

fn main() -> Result<(), Failed> {
    let options = Options::parse();
    let builder = Server::builder(options.server);
    let server = if options.unix { builder.unix_socket() } else { builder }.start()?;
    let url = match server.unix_path() {
        Some(path) => format!("unix://{}", path.display()),
        None => server.url(),
    };
    // Threads and runtimes that are started later stay where this one is.
    let pins = if options.workers == 1 { Pins::set(server.pid()) } else { Pins::none() };
    let way = if options.unix { "a unix socket" } else { "TCP on loopback" };
    println!("{}, {way}\n", options.server);

    let mut racers = line_up(&options, &url)?;
    let mut inspector = server.inspect()?;
    for &tasks in &options.tasks {
        let mut racers: Vec<_> =
            racers.iter_mut().filter(|one| tasks <= one.most_tasks()).collect();
        let place = pins.place(tasks == 1);
        let work = match options.cycles {
            Some(cycles) => work(tasks, cycles),
            None => measured(&mut racers, tasks),
        };
        contest(&mut racers, work, options.rounds, &mut inspector)?.print(work, place);
    }
    Ok(())
}

/// The first of those that are chosen is what the others are compared with: `redis,` and `redlatch-std`
/// give the ratio of blocking clients.
fn line_up(options: &Options, url: &str) -> Result<Vec<Box<dyn Race>>, Failed> {
    let workers = options.workers;
    let racers: Vec<Box<dyn Race>> = vec![
        Tasks::on_tokio("rslock", workers, Rslock::connect(url))?,
        Tasks::on_tokio("redlatch-tokio", workers, OnTokio::connect(url))?,
        Tasks::on_smol("redlatch-smol", smol(url)),
        Threads::start("redis, blocking", Connection::connect(url)),
        Threads::start("redlatch-std", Std::connect(url)),
        Tasks::on_tokio("redis, multiplexed", workers, Multiplexed::connect(url))?,
        Tasks::on_tokio("fred", workers, Fred::connect(url))?,
        Tasks::on_tokio("rustis", workers, Rustis::connect(url))?,
    ];
    let chosen: Vec<_> = racers.into_iter().filter(|one| options.includes(one.name())).collect();
    if chosen.is_empty() { Err("no contender has such a name".into()) } else { Ok(chosen) }
}

fn work(tasks: usize, cycles: usize) -> Work {
    Work { tasks, each: (cycles.min(CYCLES_MAX) / tasks).max(CYCLES_EACH_MIN) }
}

/// What the first contender does in the time of a round, by the best of a few trials.
fn measured(racers: &mut [&mut Box<dyn Race>], tasks: usize) -> Work {
    let Some(first) = racers.first_mut() else { return work(tasks, 0) };
    let trial = work(tasks, 4_000);
    let took = (0..TRIALS).map(|_| lap::duration(first.as_mut(), trial)).min();
    let rounds = ROUND.as_secs_f64() / took.unwrap_or(ROUND).as_secs_f64();
    work(tasks, ((trial.tasks * trial.each) as f64 * rounds).max(CYCLES_MIN as f64) as usize)
}

fn contest(
    racers: &mut [&mut Box<dyn Race>],
    work: Work,
    rounds: Option<usize>,
    inspector: &mut Inspector,
) -> Result<Results, Failed> {
    let began = Instant::now();
    let mut results = Results::new(racers.iter().map(|racer| racer.name()));
    for (racer, result) in racers.iter_mut().zip(&mut results.each) {
        let before = Calls::of(inspector)?;
        result.allocations = lap::allocations(racer.as_mut(), work);
        result.commands = Calls::of(inspector)?.since(&before, work.tasks * work.each);
        all_released(inspector)?;
    }
    let (least, most) = rounds.map_or(ROUNDS.into_inner(), |given| (given, given));
    for round in 0..most {
        if round >= least && began.elapsed() > TABLE {
            break;
        }
        for (racer, result) in racers.iter_mut().zip(&mut results.each) {
            result.add(Lap::timed(racer.as_mut(), work, inspector)?);
            all_released(inspector)?;
        }
    }
    Ok(results)
}

/// Not every contender tells whether its release found the key.
fn all_released(inspector: &mut Inspector) -> Result<(), Failed> {
    let keys = inspector.command(&["DBSIZE"])?;
    assert_eq!(keys.integer(), Some(0), "every key was given back");
    Ok(())
}
