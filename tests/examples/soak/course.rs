//! The course of a run: everything starts, faults strike, everything heals, everything ends.

use core::time::Duration;
use std::sync::MutexGuard;
use std::thread;
use std::time::Instant;

use crate::book::{Book, Shelf};
use crate::cast::{self, Player, Scene};
use crate::counters::Counters;
use crate::faults::{Striker, Tally};
use crate::keys::KEYS;
use crate::options::{Cheat, Run};
use crate::over::Over;
use crate::plan::{Class, Plan};
use crate::samples::Samples;
use crate::servers::Servers;

/// Processes are connected by then.
const READY: Duration = Duration::from_secs(30);
/// Workers have ended by then after they were told.
const ENDED: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// What a run has shown.
pub(crate) struct Evidence {
    pub(crate) seed: u64,
    pub(crate) servers: String,
    pub(crate) lasted: Duration,
    pub(crate) interrupted: bool,
    pub(crate) shelf: Shelf,
    pub(crate) samples: Samples,
    pub(crate) faults: Tally,
    /// Workers that ended otherwise than told.
    pub(crate) ended_badly: Vec<String>,
    /// Keys that were left right after the end, and one ttl later.
    pub(crate) orphans: Vec<String>,
    pub(crate) remains: Vec<String>,
}

impl Evidence {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.shelf.book()
    }
}

/// Runs it from start to end.
pub(crate) fn run(run: &Run, seed: u64, over: &Over) -> Result<Evidence, String> {
    let password = format!("sentinel{seed:016x}");
    let servers = Servers::start(&password)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("counters");
    let counters = Counters::create(&file, KEYS).map_err(|error| error.to_string())?;

    let names: Vec<_> = run.runtimes.iter().map(|runtime| cast::name(*runtime)).collect();
    let shelf = Shelf::new(&password, &names);
    let scene = Scene { run, seed, counters: &file, servers: &servers, shelf: &shelf };
    let numbered = run.runtimes.iter().enumerate();
    let players = numbered.map(|(number, runtime)| Player::start(number, *runtime, &scene));
    let mut players = players.collect::<Result<Vec<_>, _>>()?;
    await_ready(&shelf, over)?;
    eprintln!("soak: seed {seed}, {:?}; Ctrl-C ends it with a report", run.length());

    let begun = Instant::now();
    let pids: Vec<_> = players.iter().map(Player::pid).collect();
    let samples = Samples::new(pids.len());
    let healed = Over::default();
    let faults = thread::scope(|scope| {
        scope.spawn(|| samples.collect(&pids, run.length(), &healed));
        let faults = storm(run, seed, &servers, &pids, over);
        players.iter_mut().for_each(|player| player.order("quiet"));
        heal(run);
        healed.set();
        faults
    });
    samples.look(&pids);
    let lasted = begun.elapsed();

    let ended_badly = end(players);
    let orphans = servers.keys()?;
    thread::sleep(run.ttl());
    let remains = servers.keys()?;
    finish(&shelf, &counters)?;
    Ok(Evidence {
        seed,
        servers: servers.describe(),
        lasted,
        interrupted: begun.elapsed() < run.length(),
        shelf,
        samples,
        faults,
        ended_badly,
        orphans,
        remains,
    })
}

fn await_ready(shelf: &Shelf, over: &Over) -> Result<(), String> {
    let deadline = Instant::now() + READY;
    while !shelf.book().are_ready() {
        let told = shelf.book().complaints.first.join("; ");
        if over.wait(LOOK) || Instant::now() > deadline || !told.is_empty() {
            return Err(format!("the workers did not come up: {told}"));
        }
    }
    Ok(())
}

/// Strikes until the time is over. Each fault has a thread, because the next one does not wait for it.
fn storm(run: &Run, seed: u64, servers: &Servers, pids: &[u32], over: &Over) -> Tally {
    let end = Instant::now() + run.length();
    let left = || end.saturating_duration_since(Instant::now());
    let storm = Over::default();
    let striker = Striker::new(servers, pids.to_vec(), run.ttl(), storm.clone());
    thread::scope(|scope| {
        let mut plan = Plan::new(seed);
        let left_out = (run.cheat == Some(Cheat::Fault)).then_some(Class::Reset);
        let pause = || run.pace().unwrap_or(Duration::MAX).min(left());
        while !over.wait(pause()) && !left().is_zero() {
            let class = striker.missed().unwrap_or_else(|| plan.turn());
            let (fault, striker) = (plan.fault(class), &striker);
            if Some(class) != left_out {
                scope.spawn(move || striker.strike(fault));
            }
        }
        // What lasts is over now.
        storm.set();
    });
    let mut tally = striker.tally();
    core::mem::take(&mut tally)
}

/// All clients connect again, servers that forgot vote again, and forgotten keys expire.
fn heal(run: &Run) {
    thread::sleep(run.ttl() * 2 + Duration::from_millis(500));
}

/// Ends the workers. Those that did not do as they were told.
fn end(mut players: Vec<Player>) -> Vec<String> {
    players.iter_mut().for_each(|player| player.order("stop"));
    let deadline = Instant::now() + ENDED;
    let ended = players.into_iter().filter_map(|player| {
        let who = player.who;
        match player.end(deadline) {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("{who} ended with {status}")),
            Err(reason) => Some(reason),
        }
    });
    ended.collect()
}

/// Compares what is left to compare.
fn finish(shelf: &Shelf, counters: &Counters) -> Result<(), String> {
    let versions = (0..KEYS).map(|key| counters.read(key).map(|counter| counter.version));
    let versions: Vec<_> = versions.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let mut book = shelf.book();
    book.updates.finish(&versions);
    book.ledger.finish();
    Ok(())
}
