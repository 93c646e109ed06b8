//! One contender does the work of a round, in tasks or in threads.

use core::time::Duration;
use std::time::Instant;
use std::{io, thread};

use tokio::runtime::{Builder, Runtime};

use crate::blocking::Blocking;
use crate::contenders::Contender;

/// More threads than this, each with a connection of its own, is not what anybody does.
const THREADS_MAX: usize = 16;

/// What is done in a round.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    pub(crate) tasks: usize,
    /// Cycles of each task.
    pub(crate) each: usize,
}

/// The latency of every cycle.
pub(crate) type Latencies = Vec<Duration>;

/// A contender with what it runs on.
pub(crate) trait Race {
    fn name(&self) -> &'static str;

    fn most_tasks(&self) -> usize;

    /// Whether the thread that calls [`Race::run`] does everything.
    fn is_alone(&self, tasks: usize) -> bool;

    fn run(&mut self, work: Work) -> Latencies;
}

/// Where tasks run.
pub(crate) trait Executor {
    const THREADS: bool;

    /// Runs these at once, each as a task of its own.
    fn all<F: Future<Output = Latencies> + Send + 'static>(
        &self,
        tasks: impl Iterator<Item = F>,
    ) -> Latencies;
}

/// `current_thread`.
pub(crate) struct OneThread(Runtime);

/// `multi_thread`.
pub(crate) struct SomeThreads(Runtime);

/// The global executor of smol, which has a thread of its own.
pub(crate) struct Global;

impl Executor for OneThread {
    const THREADS: bool = false;

    fn all<F: Future<Output = Latencies> + Send + 'static>(
        &self,
        tasks: impl Iterator<Item = F>,
    ) -> Latencies {
        on_tokio(&self.0, tasks)
    }
}

impl Executor for SomeThreads {
    const THREADS: bool = true;

    fn all<F: Future<Output = Latencies> + Send + 'static>(
        &self,
        tasks: impl Iterator<Item = F>,
    ) -> Latencies {
        on_tokio(&self.0, tasks)
    }
}

impl Executor for Global {
    const THREADS: bool = true;

    fn all<F: Future<Output = Latencies> + Send + 'static>(
        &self,
        tasks: impl Iterator<Item = F>,
    ) -> Latencies {
        let tasks: Vec<_> = tasks.map(smol::spawn).collect();
        smol::block_on(async {
            let mut latencies = Latencies::new();
            for task in tasks {
                latencies.append(&mut task.await);
            }
            latencies
        })
    }
}

fn on_tokio<F: Future<Output = Latencies> + Send + 'static>(
    runtime: &Runtime,
    tasks: impl Iterator<Item = F>,
) -> Latencies {
    let tasks: Vec<_> = tasks.map(|task| runtime.spawn(task)).collect();
    runtime.block_on(async {
        let mut latencies = Latencies::new();
        for task in tasks {
            latencies.append(&mut task.await.expect("no task panics"));
        }
        latencies
    })
}

pub(crate) struct Tasks<E, C> {
    name: &'static str,
    executor: E,
    contender: C,
}

impl Tasks<(), ()> {
    pub(crate) fn on_tokio<C: Contender>(
        name: &'static str,
        workers: usize,
        connect: impl Future<Output = C>,
    ) -> io::Result<Box<dyn Race>> {
        if workers == 1 {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let contender = runtime.block_on(connect);
            return Ok(Box::new(Tasks { name, executor: OneThread(runtime), contender }));
        }
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        let contender = runtime.block_on(connect);
        Ok(Box::new(Tasks { name, executor: SomeThreads(runtime), contender }))
    }

    pub(crate) fn on_smol<C: Contender>(
        name: &'static str,
        connect: impl Future<Output = C>,
    ) -> Box<dyn Race> {
        Box::new(Tasks { name, executor: Global, contender: smol::block_on(connect) })
    }
}

impl<E: Executor, C: Contender> Race for Tasks<E, C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn most_tasks(&self) -> usize {
        usize::MAX
    }

    fn is_alone(&self, _: usize) -> bool {
        !E::THREADS
    }

    fn run(&mut self, work: Work) -> Latencies {
        let tasks = (0..work.tasks).map(|task| {
            let mut contender = self.contender.clone();
            async move {
                let key = key(task);
                let mut latencies = Vec::with_capacity(work.each);
                for _ in 0..work.each {
                    let began = Instant::now();
                    contender.cycle(&key).await;
                    latencies.push(began.elapsed());
                }
                latencies
            }
        });
        self.executor.all(tasks)
    }
}

pub(crate) struct Threads<C> {
    name: &'static str,
    each: Vec<C>,
}

impl<C: Blocking + 'static> Threads<C> {
    pub(crate) fn start(name: &'static str, first: C) -> Box<dyn Race> {
        let mut each: Vec<_> = (1..THREADS_MAX).map(|_| first.another()).collect();
        each.push(first);
        Box::new(Self { name, each })
    }
}

impl<C: Blocking> Race for Threads<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn most_tasks(&self) -> usize {
        self.each.len()
    }

    fn is_alone(&self, tasks: usize) -> bool {
        tasks == 1 && C::IS_ALONE
    }

    fn run(&mut self, work: Work) -> Latencies {
        if work.tasks == 1 {
            return cycles(&mut self.each[0], 0, work.each);
        }
        thread::scope(|scope| {
            let contenders = self.each.iter_mut().take(work.tasks).enumerate();
            let running: Vec<_> = contenders
                .map(|(task, contender)| scope.spawn(move || cycles(contender, task, work.each)))
                .collect();
            let ended = running.into_iter().map(|thread| thread.join().expect("no thread panics"));
            ended.flatten().collect()
        })
    }
}

fn cycles(contender: &mut impl Blocking, task: usize, count: usize) -> Latencies {
    let key = key(task);
    let one = |_| {
        let began = Instant::now();
        contender.cycle(&key);
        began.elapsed()
    };
    (0..count).map(one).collect()
}

fn key(task: usize) -> String {
    format!("bench:{task}")
}
