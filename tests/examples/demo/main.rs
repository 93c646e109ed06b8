//! Several workers take turns on one lock, and you watch: first they poll, then they are woken, then
//! they stand in line in one client.
//!
//! `cargo run --example demo` needs nothing: it starts a model of a Redis server in this process.
//! `--server` or
//! `REDLATCH_URL` lets it run on real servers; started twice on the same server, the two take turns
//! as well.
//!
//! Exit status: 0; 1 when two workers were inside at once; 2 wrong usage; 3 when no lock could be
//! had at all.

mod act;
mod adapter;
mod asynchronous;
mod curtain;
mod lines;
mod options;
mod palette;
mod picture;
mod print;
mod record;
mod screen;
mod servers;
mod stage;
mod summary;
mod timeline;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use act::Waiting;
use curtain::Curtain;
use options::Options;
use servers::Servers;
use summary::Summary;

const OVERLAPPED: u8 = 1;
const FAILED: u8 = 3;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(acts) if acts.iter().any(|(_, summary)| summary.overlaps > 0) => {
            ExitCode::from(OVERLAPPED)
        }
        Ok(acts) if acts.iter().any(|(_, summary)| summary.acquisitions == 0) => {
            ExitCode::from(FAILED)
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("demo: {reason}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(options: &Options) -> Result<Vec<(Waiting, Summary)>, String> {
    let servers = Servers::prepare(options)?;
    let curtain = Curtain::falls_on_signals()?;
    let mut acts = Vec::new();
    for &waiting in options.acts() {
        acts.push((waiting, act::play(waiting, options, &servers, &curtain)?));
        if curtain.has_fallen() {
            break;
        }
    }
    print::comparison(&acts);
    Ok(acts)
}
