//! Lock and unlock by 1, 64 and 1 000 tasks, through the tokio adapter, through `rslock`, and by bare
//! commands through the clients that a lock could be written on, on one real server in one run.
//! Rounds alternate, so that all see the same machine; the ratio of each round is what travels to
//! other machines.
//!
//! `cargo bench -p redlatch-testkit --features peers --bench tasks [-- ROUNDS WORKERS CYCLES TASKS .. NAME ..]`
//!
//! `NAME`, the beginning of one, leaves the others out, as a profiler wants it.
//!
//! Every contender has a runtime of its own with the same workers: tokio's `current_thread` for one,
//! `multi_thread` for more. Every task has a key of its own, and a cycle takes and releases it. With
//! one worker the server and the contenders are pinned, to one processor for a single task, where
//! waking the other one would hide everything else, and to two for more. Allocations are those of the
//! thread that runs the contender, so they are counted with one worker only.

#[path = "tasks/contenders.rs"]
mod contenders;
#[path = "tasks/lap.rs"]
mod lap;
#[path = "tasks/machine.rs"]
mod machine;
#[path = "tasks/report.rs"]
mod report;

use contenders::{Fred, Multiplexed, Redlatch, Rslock};
use lap::{Lap, Race, Racer, Work};
use machine::Counts;
use redlatch_testkit::server::{Inspector, Kind, Server};
use report::Results;

type Failed = Box<dyn core::error::Error>;

/// Taken when none are named.
const TASKS: [usize; 3] = [1, 64, 1_000];
/// With fewer, starting the tasks would be seen.
const CYCLES_EACH_MIN: usize = 20;

fn main() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|one| one.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (rounds, workers, cycles) = (number(0, 11).max(1), number(1, 1).max(1), number(2, 60_000));
    let tasks = numbers.get(3..).filter(|tasks| !tasks.is_empty()).unwrap_or(&TASKS);
    let server = Server::start(Kind::Redis7)?;
    println!("{rounds} rounds, {workers} worker(s), {:?} on loopback\n", Kind::Redis7);
    let url = server.url();
    let mut inspector = server.inspect()?;
    let mut racers: Vec<Box<dyn Race>> = vec![
        Racer::start("rslock", workers, Rslock::connect(&url))?,
        Racer::start("redlatch-tokio", workers, Redlatch::connect(&url))?,
        Racer::start("redis, SET+GET EVALSHA", workers, Multiplexed::connect(&url, true))?,
        Racer::start("redis, SET EVALSHA", workers, Multiplexed::connect(&url, false))?,
        Racer::start("fred, SET EVALSHA", workers, Fred::connect(&url))?,
    ];
    let begins = |racer: &dyn Race| arguments.iter().any(|one| racer.name().starts_with(one));
    if racers.iter().any(|racer| begins(racer.as_ref())) {
        racers.retain(|racer| begins(racer.as_ref()));
    }
    for &tasks in tasks {
        let each = (if tasks == 1 { cycles / 4 } else { cycles }) / tasks;
        let work = Work { tasks, each: each.max(CYCLES_EACH_MIN) };
        let pinned = workers == 1 && machine::pin(server.pid(), tasks == 1);
        contest(&racers, work, rounds, workers == 1, &mut inspector)?.print(work, pinned);
    }
    Ok(())
}

fn contest(
    racers: &[Box<dyn Race>],
    work: Work,
    rounds: usize,
    counts_allocations: bool,
    inspector: &mut Inspector,
) -> Result<Results, Failed> {
    let mut results = Results::new(racers.iter().map(|racer| racer.name()));
    // The first round warms up, and counts what timing would suffer from.
    for (racer, result) in racers.iter().zip(&mut results.each) {
        let before = Counts::of(inspector)?;
        let (allocations, lap) = lap::counted(racer.as_ref(), work);
        result.commands = Counts::of(inspector)?.since(&before, lap.latencies.len());
        result.allocations = counts_allocations.then_some(allocations);
        all_released(inspector)?;
    }
    for _ in 0..rounds {
        for (racer, result) in racers.iter().zip(&mut results.each) {
            let lap: Lap = lap::timed(racer.as_ref(), work);
            result.add(lap);
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
