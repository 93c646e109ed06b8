//! One contender runs one round.

use core::time::Duration;
use std::io;
use std::time::Instant;

use allocation_counter::{measure, opt_out};
use tokio::runtime::{Builder, Runtime};

use crate::contenders::Contender;
use crate::machine::processor_time;

/// What is done in a round.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    pub(crate) tasks: usize,
    /// Cycles of each task.
    pub(crate) each: usize,
}

/// What a round was like.
pub(crate) struct Lap {
    pub(crate) took: Duration,
    /// Of all threads of this process.
    pub(crate) processor: Duration,
    /// Of every cycle.
    pub(crate) latencies: Vec<Duration>,
}

/// A contender on its runtime.
pub(crate) trait Race {
    fn name(&self) -> &'static str;
    fn run(&self, work: Work) -> Lap;
}

pub(crate) struct Racer<C> {
    name: &'static str,
    runtime: Runtime,
    contender: C,
}

impl<C: Contender> Racer<C> {
    pub(crate) fn start(
        name: &'static str,
        workers: usize,
        connect: impl Future<Output = C>,
    ) -> io::Result<Box<dyn Race>> {
        let mut builder = match workers {
            1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(workers).enable_all().build()?;
        let contender = runtime.block_on(connect);
        Ok(Box::new(Self { name, runtime, contender }))
    }
}

impl<C: Contender> Race for Racer<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, work: Work) -> Lap {
        let (began, used) = (Instant::now(), processor_time());
        let latencies = self.runtime.block_on(async {
            let tasks = (0..work.tasks).map(|task| {
                let mut contender = self.contender.clone();
                self.runtime.spawn(async move {
                    let key = format!("bench:{task}");
                    let mut latencies = Vec::with_capacity(work.each);
                    for number in 0..work.each {
                        let began = Instant::now();
                        contender.cycle(&key, number as u64).await;
                        latencies.push(began.elapsed());
                    }
                    latencies
                })
            });
            let tasks: Vec<_> = tasks.collect();
            let mut latencies = Vec::with_capacity(work.tasks * work.each);
            for task in tasks {
                latencies.append(&mut task.await.expect("no task panics"));
            }
            latencies
        });
        Lap { took: began.elapsed(), processor: processor_time() - used, latencies }
    }
}

/// Runs a round and counts the allocations of a cycle.
pub(crate) fn counted(racer: &dyn Race, work: Work) -> (f64, Lap) {
    let mut lap = None;
    let counted = measure(|| lap = Some(racer.run(work)));
    let lap = lap.expect("it ran");
    (counted.count_total as f64 / lap.latencies.len() as f64, lap)
}

/// Runs a round without counting, which takes time of whoever allocates.
pub(crate) fn timed(racer: &dyn Race, work: Work) -> Lap {
    let mut lap = None;
    opt_out(|| lap = Some(racer.run(work)));
    lap.expect("it ran")
}
