//! How a lock changes hands: between waiters of this and other makes, from a client that is no waiter, and
//! from a holder that is gone; and what waiters cost while they sleep. On one real server in one run.
//!
//! `cargo bench -p redlatch-testkit --bench handover [-- --help]`
//!
//! Every make runs in processes of its own: one, and four that the waiters are spread over. Rounds of the
//! makes alternate, so that all see the same machine; the ratio of each round is what travels to other
//! machines. Nothing is pinned but with `--one-processor`, which shows what is left without waking other
//! processors. Commands are counted in a round of their own, as `MONITOR` writes them down: what scripts run is not
//! among them, nor are pushes.

#[path = "handover/asleep.rs"]
mod asleep;
#[path = "measure/clock.rs"]
mod clock;
#[path = "handover/contest.rs"]
mod contest;
#[path = "handover/crew.rs"]
mod crew;
#[path = "handover/diagrams.rs"]
mod diagrams;
#[path = "handover/expired.rs"]
mod expired;
#[path = "handover/history.rs"]
mod history;
#[path = "measure/kind.rs"]
mod kind;
#[path = "handover/make.rs"]
mod make;
#[path = "handover/monitor.rs"]
mod monitor;
#[path = "handover/options.rs"]
mod options;
#[path = "measure/picture.rs"]
mod picture;
#[path = "measure/processor.rs"]
mod processor;
#[path = "handover/relay.rs"]
mod relay;
#[path = "handover/released.rs"]
mod released;
#[path = "handover/report.rs"]
mod report;
#[path = "measure/save.rs"]
mod save;
#[path = "measure/scale.rs"]
mod scale;
#[path = "handover/sent.rs"]
mod sent;
#[path = "handover/sleeper.rs"]
mod sleeper;
#[path = "measure/spread.rs"]
mod spread;
#[path = "handover/told.rs"]
mod told;
#[path = "measure/usage.rs"]
mod usage;
#[path = "handover/waking.rs"]
mod waking;
#[path = "handover/worker.rs"]
mod worker;

use clap::Parser;
use options::{Options, Part, Role, Run};
use redlatch_testkit::server::Server;

type Failed = Box<dyn core::error::Error>;

fn main() -> Result<(), Failed> {
    let Options { role, run, .. } = Options::parse();
    if let Some(Role::Worker(worker)) = role {
        return worker::run(&worker);
    }
    // The server and all processes are started by this thread.
    if run.one_processor && !processor::keep(None, 0) {
        return Err("this system does not keep us on one processor".into());
    }
    let server = Server::start(run.server)?;
    for part in &run.parts {
        match part {
            Part::Turns => turns(&run, &server)?,
            Part::Released => released::released(&run, &server)?,
            Part::Expired => expired::expired(&run, &server)?,
            Part::Asleep => asleep::asleep(&server)?,
        }
    }
    Ok(())
}

fn turns(run: &Run, server: &Server) -> Result<(), Failed> {
    waking::waking()?;
    let settings = contest::contest(run, server)?;
    if let Some(path) = &run.svg {
        let what = format!("How a lock changes hands, on {}", run.server);
        save::save(path, &picture::drawn(&diagrams::diagrams(&settings), &what))?;
    }
    Ok(())
}
