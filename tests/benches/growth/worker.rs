//! The process of a trial. It ends with its parent.

use core::time::Duration;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use redlatch_tokio::{Client, Guard, Renew, Retry};
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::runtime::{Builder, Runtime};

use crate::Failed;
use crate::clock::now;
use crate::memory::memory;
use crate::options::{Scene, Worker};
use crate::usage::processor_time;

const TTL: Duration = Duration::from_secs(3);
/// Until nothing changes any more.
const SETTLED: Duration = Duration::from_millis(1_500);
/// Longer than any trial.
const PATIENCE: Duration = Duration::from_secs(120);
/// Waiters that are not served by then are not waited for.
const SERVED: Duration = Duration::from_secs(20);

pub(crate) fn run(worker: &Worker) -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let builder = Client::builder().server(&worker.url).retry(Retry::until(PATIENCE));
    let trial = Trial { client: runtime.block_on(builder.connect())?, runtime, worker };
    // What is made on first use is not of what grows.
    let first = async { trial.client.lock("first", TTL).await?.release().await };
    trial.runtime.block_on(first)?;
    match worker.scene {
        Scene::Held => trial.hold(),
        Scene::OneKey | Scene::ManyKeys => trial.wait()?,
    }
    Ok(())
}

struct Trial<'a> {
    client: Client,
    runtime: Runtime,
    worker: &'a Worker,
}

/// What a rest cost.
struct Cost {
    sent: u64,
    used: Duration,
}

impl Trial<'_> {
    fn hold(&self) {
        let (before, began) = (memory(), Instant::now());
        let client = self.client.renewing(Renew::default());
        let (sender, taken) = mpsc::channel();
        for number in 0..self.worker.count {
            let (client, sender) = (client.clone(), sender.clone());
            self.runtime.spawn(async move {
                let taken = client.lock(format!("held:{number}"), TTL).await;
                let taken = taken.inspect_err(|error| eprintln!("not held: {error}"));
                // Somebody listens until all have ended.
                let _ = sender.send(taken.ok());
            });
        }
        drop(sender);
        let guards: Vec<Guard> = taken.iter().flatten().collect();
        let took = began.elapsed();
        thread::sleep(SETTLED);
        let cost = self.rest();
        let held = guards.iter().filter(|guard| guard.loss().is_none()).count();
        self.tell(before, took, &cost, self.worker.count - held);
    }

    fn wait(&self) -> Result<(), Failed> {
        let before = memory();
        // The client has tasks of its own.
        let own = self.runtime.metrics().num_alive_tasks();
        let (sender, served) = mpsc::channel();
        for number in 0..self.worker.count {
            let (client, sender) = (self.client.clone(), sender.clone());
            let key = match self.worker.scene {
                Scene::ManyKeys => format!("waited:{}", number + 1),
                Scene::Held | Scene::OneKey => "waited:1".to_owned(),
            };
            self.runtime.spawn(async move {
                match client.lock(key, TTL).await {
                    Ok(guard) => {
                        // Nobody listens any more when the trial is over.
                        let _ = sender.send(now());
                        drop(guard);
                    }
                    Err(error) => eprintln!("gave up: {error}"),
                }
            });
        }
        drop(sender);
        thread::sleep(SETTLED);
        let cost = self.rest();
        let waiting = self.runtime.metrics().num_alive_tasks().saturating_sub(own);
        self.tell(before, Duration::ZERO, &cost, self.worker.count.saturating_sub(waiting));
        io::stdin().read_line(&mut String::new())?;
        let (count, at) = each(&served);
        println!("served {count} {at}");
        Ok(())
    }

    fn rest(&self) -> Cost {
        let (sent, used) = (self.client.commands_sent(), processor_time());
        thread::sleep(Duration::from_millis(self.worker.rest_millis));
        Cost { sent: self.client.commands_sent() - sent, used: processor_time() - used }
    }

    fn tell(&self, before: u64, took: Duration, cost: &Cost, failed: usize) {
        let (took, used) = (took.as_nanos(), cost.used.as_nanos());
        println!("rested {before} {} {took} {} {used} {failed}", memory(), cost.sent);
    }
}

/// How many were served in time, and when the last one was.
fn each(served: &Receiver<u64>) -> (u64, u64) {
    let deadline = Instant::now() + SERVED;
    let (mut count, mut last) = (0, 0);
    loop {
        match served.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(at) => (count, last) = (count + 1, last.max(at)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return (count, last);
            }
        }
    }
}
