//! What more locks cost: time, memory, commands and processor time of one client on tokio, for 1 to 10 000
//! locks that are held and renewed, and as many waiters, on one key and on a key each.
//!
//! `cargo bench -p redlatch-testkit --bench growth [-- --svg FILE | --help]`
//!
//! Every trial is a process of its own, with one client on one connection, on one real server. Somebody
//! else has what the waiters want. At rest nothing changes: locks are renewed, and waiters wait.

#[path = "measure/clock.rs"]
mod clock;
#[path = "measure/kind.rs"]
mod kind;
#[path = "measure/memory.rs"]
mod memory;
#[path = "growth/options.rs"]
mod options;
#[path = "measure/picture.rs"]
mod picture;
#[path = "measure/save.rs"]
mod save;
#[path = "measure/scale.rs"]
mod scale;
#[path = "growth/table.rs"]
mod table;
#[path = "growth/told.rs"]
mod told;
#[path = "growth/trial.rs"]
mod trial;
#[path = "measure/usage.rs"]
mod usage;
#[path = "growth/worker.rs"]
mod worker;

use clap::{Parser, ValueEnum};
use options::{Options, Role, Scene};
use picture::{Panel, Series};
use redlatch_testkit::server::Server;
use table::Row;

type Failed = Box<dyn core::error::Error>;

fn main() -> Result<(), Failed> {
    let Options { role, run, .. } = Options::parse();
    if let Some(Role::Worker(worker)) = role {
        return worker::run(&worker);
    }
    println!("{}, {:?} at rest; one client on tokio, locks of 3 s\n", run.server, run.rest());
    let server = Server::start(run.server)?;
    let mut rows = Vec::new();
    for &scene in Scene::value_variants() {
        table::head(scene);
        for &count in &run.counts {
            let row = Row { count, grown: trial::trial(scene, count, &run, &server)? };
            table::print(&row);
            rows.push((scene, row));
        }
        println!();
    }
    if let Some(path) = &run.svg {
        let what = format!("What more locks and waiters cost, on {}", run.server);
        save::save(path, &picture::drawn(&panels(&rows), &what))?;
    }
    Ok(())
}

/// What the table shows, as a picture of it.
fn panels(rows: &[(Scene, Row)]) -> Vec<Panel> {
    let panel = |title, of: fn(&Row) -> Option<f64>| {
        let series = Scene::value_variants().iter().map(|&scene| {
            let points = rows.iter().filter(|(other, _)| *other == scene);
            let points = points.filter_map(|(_, row)| Some((row.count as f64, of(row)?)));
            Series { name: scene.title(), points: points.collect() }
        });
        Panel { title, series: series.collect() }
    };
    vec![
        panel("ms until all have had it", Row::millis),
        panel("KiB of memory for them", |row| Some(row.kibibytes())),
        panel("commands a second at rest", |row| Some(row.commands())),
        panel("ms of processor a second at rest", |row| Some(row.processor())),
    ]
}
