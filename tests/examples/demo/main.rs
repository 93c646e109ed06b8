//! Several workers take turns on one lock, and you watch.
//!
//! `cargo run --example demo` needs nothing: it starts a model of a Redis server in this process.
//! `--server` or
//! `REDLATCH_URL` lets it run on real servers; started twice on the same server, the two take turns
//! as well.
//!
//! Exit status: 0; 1 when two workers were inside at once; 2 wrong usage; 3 when no lock could be
//! had at all.

mod adapter;
mod asynchronous;
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

use core::sync::atomic::Ordering;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser;

use options::Options;
use servers::Servers;
use stage::Stage;
use summary::Summary;

const OVERLAPPED: u8 = 1;
const FAILED: u8 = 3;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(summary) if summary.overlaps > 0 => ExitCode::from(OVERLAPPED),
        Ok(summary) if summary.acquisitions == 0 => ExitCode::from(FAILED),
        Ok(_) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("demo: {reason}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(options: &Options) -> Result<Summary, String> {
    let servers = Servers::prepare(options)?;
    let lockers = (0..options.workers)
        .map(|_| adapter::connect(options.adapter, servers.urls()))
        .collect::<Result<Vec<_>, _>>()?;
    let before = servers.commands();

    let (stage, news) = Stage::open(options);
    let stage = Arc::new(stage);
    end_on_signals(&stage)?;
    let workers: Vec<_> = lockers
        .into_iter()
        .enumerate()
        .map(|(number, locker)| {
            let (stage, options) = (Arc::clone(&stage), options.clone());
            thread::spawn(move || worker::work(number, &*locker, &stage, &options))
        })
        .collect();

    let title = servers.title(options);
    let drawn = options.draws() && screen::show(&stage, &title).is_ok();
    if !drawn {
        lines::show(&stage, &title, &news);
    }
    stage.end();
    for worker in workers {
        worker.join().map_err(|_| "a worker panicked")?;
    }

    let record = stage.snapshot();
    let counted =
        servers.commands().zip(before).map(|(after, before)| after.saturating_sub(before));
    let commands = counted.unwrap_or(record.commands);
    let summary = Summary::new(&record, stage.overlaps.load(Ordering::SeqCst), commands);
    if drawn {
        print::picture(&record, &title);
    }
    print::summary(&summary);
    Ok(summary)
}

/// Ctrl-C and SIGTERM end the run early; the summary is printed all the same. A second one ends the
/// process.
fn end_on_signals(stage: &Arc<Stage>) -> Result<(), String> {
    let stage = Arc::clone(stage);
    ctrlc::set_handler(move || {
        if stage.is_over() {
            ratatui::restore();
            std::process::exit(130);
        }
        stage.end();
    })
    .map_err(|error| format!("cannot handle signals: {error}"))
}
