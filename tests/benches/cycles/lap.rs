//! What one contender takes for one round.

use core::time::Duration;
use std::io;
use std::time::Instant;

use allocation_counter::{measure, opt_out};
use redlatch_testkit::server::Inspector;

use crate::machine::{self, Processor};
use crate::race::{Latencies, Race, Work};

pub(crate) struct Lap {
    pub(crate) took: Duration,
    /// Of all threads of this process.
    pub(crate) client: Processor,
    pub(crate) server: Duration,
    pub(crate) latencies: Latencies,
}

impl Lap {
    pub(crate) fn timed(
        racer: &mut dyn Race,
        work: Work,
        inspector: &mut Inspector,
    ) -> io::Result<Self> {
        let server = machine::server_time(inspector)?;
        let (began, client) = (Instant::now(), Processor::used()?);
        let latencies = run(racer, work);
        let (took, client) = (began.elapsed(), Processor::used()?.since(client));
        Ok(Self { took, client, server: machine::server_time(inspector)? - server, latencies })
    }
}

/// Without counting allocations, which takes time of whoever allocates.
fn run(racer: &mut dyn Race, work: Work) -> Latencies {
    let mut latencies = Latencies::new();
    opt_out(|| latencies = racer.run(work));
    latencies
}

pub(crate) fn duration(racer: &mut dyn Race, work: Work) -> Duration {
    let began = Instant::now();
    run(racer, work);
    began.elapsed()
}

/// Allocations of a cycle, where they can be told.
pub(crate) fn allocations(racer: &mut dyn Race, work: Work) -> Option<f64> {
    let counted = measure(|| drop(racer.run(work)));
    let each = counted.count_total as f64 / (work.tasks * work.each) as f64;
    racer.is_alone(work.tasks).then_some(each)
}
