//! Does to servers, connections and workers what the plan says, and undoes it.

mod connection;
mod process;
mod server;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redlatch_testkit::server::Server;

use crate::clock;
use crate::over::Over;
use crate::plan::{Class, Fault};
use crate::servers::{Post, Servers};

/// So many faults are remembered with their times.
const COURSE: usize = 10_000;

/// Who strikes.
pub(crate) struct Striker<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) workers: Vec<u32>,
    pub(crate) ttl: Duration,
    pub(crate) over: Over,
    tally: Mutex<Tally>,
}

/// What became of the faults.
#[derive(Default)]
pub(crate) struct Tally {
    /// It was seen to have an effect.
    pub(crate) seen: BTreeMap<Class, u64>,
    /// It had none that was seen.
    pub(crate) missed: BTreeMap<Class, u64>,
    /// Those of them that were not tried again.
    again: Vec<Class>,
    /// The last ones: when, which and whom.
    pub(crate) course: VecDeque<String>,
    /// Why the last one failed.
    pub(crate) failure: Option<String>,
}

/// Whether an effect was seen.
type Struck = Result<bool, String>;

impl<'a> Striker<'a> {
    pub(crate) fn new(servers: &'a Servers, workers: Vec<u32>, ttl: Duration, over: Over) -> Self {
        Self { servers, workers, ttl, over, tally: Mutex::default() }
    }

    /// Strikes, and returns when all is as it was.
    pub(crate) fn strike(&self, fault: Fault) {
        let begun = clock::now();
        let (whom, struck) = match fault.class {
            Class::StopWorker => process::stop_worker(self, fault),
            _ => self.strike_server(fault),
        };
        let mut tally = self.tally();
        if tally.course.len() >= COURSE {
            tally.course.pop_front();
        }
        let (from, until) = (begun / 1000, clock::now() / 1000);
        tally.course.push_back(format!("[{from}, {until}) {} {whom}", fault.class));
        let seen = matches!(struck, Ok(true));
        let counts = if seen { &mut tally.seen } else { &mut tally.missed };
        *counts.entry(fault.class).or_default() += 1;
        if !seen {
            tally.again.push(fault.class);
        }
        if let Err(reason) = struck {
            tally.failure = Some(format!("{}: {reason}", fault.class));
        }
    }

    /// A class whose fault had no effect, to be tried again.
    pub(crate) fn missed(&self) -> Option<Class> {
        self.tally().again.pop()
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike_server(&self, fault: Fault) -> (String, Struck) {
        let loses = fault.class == Class::KillAndLose;
        let Some((post, mut server)) = self.free(fault.target, loses) else {
            return ("nobody".to_owned(), Ok(false));
        };
        let strike: fn(&Blow<'_>, &mut Server) -> Struck = match fault.class {
            Class::StopServer => process::stop_server,
            Class::KillAndKeep | Class::KillAndLose => process::kill,
            Class::ClientKill => server::kill_clients,
            Class::ClientPause => server::pause_clients,
            Class::ScriptFlush => server::flush_scripts,
            Class::BusyScript => server::busy_script,
            Class::OutOfMemory => server::out_of_memory,
            Class::Reset => connection::reset,
            Class::HalfOpen => connection::half_open,
            Class::Delay => connection::delay,
            Class::Drip => connection::drip,
            Class::Duplicate | Class::Garbage | Class::Cut => connection::spoil,
            Class::Reorder => connection::reorder,
            Class::StopWorker => |_, _| Ok(false),
        };
        let struck = strike(&Blow { striker: self, post, fault }, &mut server);
        (format!("{post} {}", server.address()), struck)
    }

    /// The server that was picked, or the next one that nothing is being done to.
    fn free(&self, target: u64, loses: bool) -> Option<(&Post, MutexGuard<'_, Server>)> {
        let posts: Vec<_> =
            self.servers.posts().iter().filter(|post| post.is_spare || !loses).collect();
        let first = (target % posts.len() as u64) as usize;
        let (before, from) = posts.split_at(first);
        let mut turns = from.iter().chain(before);
        turns.find_map(|post| post.try_server().map(|server| (*post, server)))
    }

    /// From `least` to `most` thousandths of a ttl.
    fn time(&self, fault: Fault, least: u64, most: u64) -> Duration {
        let thousandths = least + most.saturating_sub(least) * fault.share / 1000;
        self.ttl * u32::try_from(thousandths).unwrap_or(u32::MAX) / 1000
    }
}

/// One fault of one server.
struct Blow<'a> {
    striker: &'a Striker<'a>,
    post: &'a Post,
    fault: Fault,
}

impl Blow<'_> {
    /// Lets this part of a ttl pass, or what is left of the run.
    fn pass(&self, least: u64, most: u64) {
        self.striker.over.wait(self.striker.time(self.fault, least, most));
    }
}

fn told<T, E: ToString>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}
