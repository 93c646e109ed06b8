//! Locks under load while servers, connections and workers fail, and everything is checked.
//!
//! `cargo run --release --example soak -- --minutes 3` starts three servers that decide by majority
//! and one for single locks, each behind a fault proxy, and workers in processes of their own: threads,
//! tokio, smol, async-std, and redis-py on the same keys. Every two seconds a fault strikes. At the end
//! there is a report of one page.
//!
//! What a lock promises must hold under all of these faults: they stay inside the bounds. A server
//! that loses its data is one of the three, and its clients are built with `restart_delay`. A worker that
//! is stopped between its last look at the lease and its write writes too late: that is counted, and
//! it is no lost update, because no lock can prevent it.
//!
//! Exit status: 0 pass, 1 a check failed, 2 void: too little happened to say.

mod book;
mod cast;
mod clock;
mod counters;
mod course;
mod faults;
mod histogram;
mod keys;
mod ledger;
mod line;
mod options;
mod over;
mod plan;
mod report;
mod samples;
mod servers;
mod updates;
mod verdict;
mod worker;

use std::fs;
use std::process::ExitCode;

use clap::Parser;

use options::{Options, Role, Run};
use over::Over;

const VOID: u8 = 2;

fn main() -> ExitCode {
    let options = Options::parse();
    match options.role {
        Some(Role::Worker(worker)) => worker::run(worker),
        None => soak(&options.run).unwrap_or_else(|reason| {
            eprintln!("soak: {reason}");
            ExitCode::from(VOID)
        }),
    }
}

fn soak(run: &Run) -> Result<ExitCode, String> {
    let over = Over::default();
    end_on_signals(&over)?;
    let seed = run.seed.map_or_else(getrandom::u64, Ok).map_err(|error| error.to_string())?;
    let evidence = course::run(run, seed, &over)?;
    let verdict = verdict::judge(run, &evidence);
    let text = report::page(run, &evidence, &verdict);
    print!("{text}");
    if let Some(path) = &run.report {
        fs::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(ExitCode::from(verdict.status()))
}

/// Ctrl-C and SIGTERM end the run early and in order. A second one ends the process, and all others with it.
fn end_on_signals(over: &Over) -> Result<(), String> {
    let over = over.clone();
    ctrlc::set_handler(move || {
        if over.is_set() {
            std::process::exit(130);
        }
        over.set();
    })
    .map_err(|error| format!("cannot handle signals: {error}"))
}
