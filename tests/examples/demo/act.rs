//! One way of waiting, shown for a while.

use core::sync::atomic::Ordering;
use std::sync::Arc;
use std::thread;

use clap::ValueEnum;

use crate::adapter::{self, Locker};
use crate::curtain::Curtain;
use crate::lines;
use crate::options::Options;
use crate::print;
use crate::screen;
use crate::servers::Servers;
use crate::stage::Stage;
use crate::summary::Summary;
use crate::worker;

/// How workers wait for the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Waiting {
    /// They try again at random moments
    Polling,
    /// The server tells them that it was given back
    Woken,
    /// They share one client, in which they stand in line
    InLine,
}

impl Waiting {
    pub(crate) const ALL: &[Self] = &[Self::Polling, Self::Woken, Self::InLine];

    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Polling => "waiters poll",
            Self::Woken => "waiters are woken",
            Self::InLine => "waiters stand in line, in one client",
        }
    }

    /// As many clients as wanted, one for each worker.
    fn connect(self, options: &Options, urls: &str) -> Result<Vec<Box<dyn Locker>>, String> {
        let clients = if self == Self::InLine { 1 } else { options.workers };
        let connect = || adapter::connect(options.adapter, urls, self != Self::Polling);
        (0..clients).map(|_| connect()).collect()
    }
}

/// Plays one act, and prints what came out.
pub(crate) fn play(
    waiting: Waiting,
    options: &Options,
    servers: &Servers,
    curtain: &Curtain,
) -> Result<Summary, String> {
    let clients = waiting.connect(options, servers.urls())?;
    let before = servers.commands();

    let (stage, news) = Stage::open(options);
    let stage = Arc::new(stage);
    curtain.rise(&stage);
    let lockers = clients.iter().cycle().map(|client| client.share());
    let workers: Vec<_> = (0..usize::from(options.workers))
        .zip(lockers)
        .map(|(number, locker)| {
            let (stage, options) = (Arc::clone(&stage), options.clone());
            thread::spawn(move || worker::work(number, &*locker, &stage, &options))
        })
        .collect();

    let title = servers.title(options, waiting);
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
    let sent = || clients.iter().map(|client| client.commands_sent()).sum();
    let commands = counted.unwrap_or_else(sent);
    let summary = Summary::new(&record, stage.overlaps.load(Ordering::SeqCst), commands);
    if drawn {
        print::picture(&record, &title);
    }
    print::summary(&summary);
    Ok(summary)
}
