//! Waiters of all makes hand a lock over, in rounds that take turns.

use std::io;

use core::time::Duration;
use redlatch_testkit::server::Server;

use crate::Failed;
use crate::crew::Crew;
use crate::monitor::Monitor;
use crate::options::Run;
use crate::report::{Outcome, Setting, print};

/// Opens what the clients open on first use.
const WARM_UP: Duration = Duration::from_millis(500);

pub(crate) fn contest(run: &Run, server: &Server) -> Result<Vec<Setting>, Failed> {
    println!(
        "{} rounds of {:?} on {}, a turn lasts 1 ms. From just before one calls for the release until another\n\
         has the lock; whoever has released contends again when somebody else has it.\n",
        run.rounds,
        run.length(),
        run.server
    );
    let mut settings = Vec::new();
    for &processes in &run.processes {
        let mut crews = Vec::new();
        for &make in &run.makes {
            match Crew::start(make, &server.url(), processes) {
                Ok(crew) => crews.push(crew),
                Err(error) => println!("SKIPPED {make}: {error}\n"),
            }
        }
        let most = run.waiters.iter().copied().max().unwrap_or(1);
        for crew in &mut crews {
            crew.play(most, WARM_UP, || Ok(()))?;
        }
        for &waiters in &run.waiters {
            let mut outcomes: Vec<_> = crews.iter().map(|crew| Outcome::new(crew.make)).collect();
            for (crew, outcome) in crews.iter_mut().zip(&mut outcomes) {
                count(crew, outcome, waiters, run, server)?;
            }
            for _ in 0..run.rounds {
                for (crew, outcome) in crews.iter_mut().zip(&mut outcomes) {
                    outcome.add(crew.play(waiters, run.length(), || Ok(()))?);
                }
            }
            let setting = Setting { waiters, processes: processes.min(waiters), outcomes };
            print(&setting);
            settings.push(setting);
        }
    }
    Ok(settings)
}

/// A round whose commands are counted, which takes time of the server.
fn count(
    crew: &mut Crew,
    outcome: &mut Outcome,
    waiters: usize,
    run: &Run,
    server: &Server,
) -> Result<(), Failed> {
    let monitor = Monitor::start(server)?;
    let mut calls = io::Result::Ok(Default::default());
    let played = crew.play(waiters, run.length(), || {
        calls = monitor.stop();
        Ok(())
    })?;
    outcome.count(&calls?, played.history.handovers.len());
    Ok(())
}
