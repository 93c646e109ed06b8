//! A process whose waiters take turns, as [`crate::told`] says. It ends with its parent.

mod contenders;
mod gate;

use core::time::Duration;
use std::io;
use std::panic;
use std::process;
use std::sync::{Arc, mpsc};

use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::runtime::Builder;

use crate::Failed;
use crate::clock::now;
use crate::options::{Make, Worker};
use crate::told::Turn;
use crate::usage::processor_time;
use contenders::{Contender, RedlatchStd, RedlatchTokio, Rslock};
use gate::Gate;

pub(crate) fn run(worker: &Worker) -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A waiter that fails would only be missing.
    panic::set_hook(Box::new(|what| {
        eprintln!("{what}");
        process::exit(1);
    }));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let url = &worker.url;
    // Connected to where the tasks run: what a connection does is done there.
    match worker.make {
        Make::RedlatchTokio => obey(&runtime.block_on(RedlatchTokio::connect(url))?),
        Make::Rslock => obey(&Rslock::connect(url, runtime.handle())),
        Make::RedlatchStd => obey(&RedlatchStd::connect(url)?),
        Make::RedisPy | Make::NodeRedlock => Err("not written in Rust".into()),
    }
}

fn obey<C: Contender>(contender: &C) -> Result<(), Failed> {
    println!("ready");
    let mut running = None;
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        match (&*words, &running) {
            (["begin", key, numbers @ ..], _) => {
                let numbers = numbers.iter().map(|number| number.parse());
                let numbers: Vec<u64> = numbers.collect::<Result<_, _>>()?;
                running = Some(Running::begin(contender, key, &numbers)?);
            }
            (["next", at], Some(running)) => running.round.gate.next(at.parse()?),
            (["end"], Some(_)) => running.take().into_iter().for_each(Running::end),
            _ => return Err(format!("no such order: {line}").into()),
        }
    }
    Ok(())
}

/// What the waiters of a round share.
struct Round {
    key: String,
    hold: Duration,
    tells: bool,
    gate: Gate,
}

struct Running {
    round: Arc<Round>,
    used: Duration,
    /// Ends with the last waiter.
    turns: mpsc::Receiver<Turn>,
}

impl Running {
    fn begin<C: Contender>(contender: &C, key: &str, numbers: &[u64]) -> Result<Self, Failed> {
        let &[first, count, hold, tells] = numbers else {
            return Err("a round has four numbers".into());
        };
        let hold = Duration::from_micros(hold);
        let round =
            Arc::new(Round { key: key.to_owned(), hold, tells: tells == 1, gate: Gate::default() });
        let (sender, turns) = mpsc::channel();
        let used = processor_time();
        for waiter in first..first + count {
            let (waiter, sender) = (usize::try_from(waiter)?, sender.clone());
            let (waits, round) = (contender.clone(), Arc::clone(&round));
            contender.spawn(async move {
                for turn in take_turns(waits, &round, waiter).await {
                    // Who does not listen any more has ended.
                    let _ = sender.send(turn);
                }
            });
        }
        Ok(Self { round, used, turns })
    }

    fn end(self) {
        let used = processor_time() - self.used;
        self.round.gate.end();
        for Turn { waiter, asked, took, left } in self.turns {
            println!("turn {waiter} {asked} {took} {left}");
        }
        println!("used {}\ndone", used.as_nanos());
    }
}

/// Until the round ends: then whoever still waits takes the lock once more and gives it back at once.
async fn take_turns<C: Contender>(contender: C, round: &Round, waiter: usize) -> Vec<Turn> {
    let mut turns = Vec::new();
    loop {
        let asked = now();
        let held = contender.take(&round.key).await;
        let took = now();
        if round.tells {
            println!("took {took}");
        }
        round.gate.next(took);
        let ended = round.gate.is_ended();
        if !ended {
            contender.pause(round.hold).await;
        }
        let left = now();
        contender.release(held).await;
        turns.push(Turn { waiter, asked, took, left });
        if ended || round.gate.later_than(took).await {
            return turns;
        }
    }
}
