//! Many seeds, on all processors.

use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use crate::judge::VIOLATED;
use crate::{Fault, Plan, Tally, Violation, run, timeline};

/// How many lines of a timeline are printed with a failure.
const LAST_LINES: usize = 60;

/// What many worlds came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Worlds that were lived through.
    pub seeds: u64,
    /// Their hashes, in any order.
    pub hash: u64,
    /// How much happened in all.
    pub tally: Tally,
    /// Seeds with a violation, and the first of it.
    pub failures: Vec<(u64, Violation)>,
    /// All violations by the number of the invariant; inside of the bounds a world ends at its first.
    pub violations: BTreeMap<&'static str, Count>,
    /// How long it took.
    pub took: Duration,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In so many worlds.
    pub worlds: u64,
    /// So often in all of them.
    pub times: u64,
}

/// Lives through a world for each seed. Ends early after `failures` seeds with a violation.
#[must_use]
pub fn campaign(seeds: Range<u64>, failures: usize, make: impl Fn(u64) -> Plan + Sync) -> Summary {
    let started = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let failed = AtomicU64::new(0);
    let worker = || {
        let mut summary = Summary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || failed.load(Ordering::Relaxed) >= failures as u64 {
                return summary;
            }
            let is_violated = summary.live(seed, &make(seed));
            failed.fetch_add(u64::from(is_violated), Ordering::Relaxed);
        }
    };
    let mut whole = Summary::default();
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            whole.add(worker.join().expect("a world panicked"));
        }
    });
    whole.failures.sort_by_key(|(seed, _)| *seed);
    whole.took = started.elapsed();
    whole
}

impl Summary {
    /// Whether something was violated.
    fn live(&mut self, seed: u64, plan: &Plan) -> bool {
        let outcome = run(plan);
        self.seeds += 1;
        self.hash ^= outcome.hash;
        self.tally.add(&outcome.tally);
        let mut times = BTreeMap::<_, u64>::new();
        for violation in &outcome.violations {
            *times.entry(violation.invariant()).or_default() += 1;
        }
        for (invariant, times) in times {
            self.count(invariant, Count { worlds: 1, times });
        }
        let first = outcome.violations.into_iter().next();
        let is_violated = first.is_some();
        self.failures.extend(first.map(|first| (seed, first)));
        is_violated
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.hash ^= other.hash;
        self.tally.add(&other.tally);
        self.failures.extend(other.failures);
        for (invariant, count) in other.violations {
            self.count(invariant, count);
        }
    }

    fn count(&mut self, invariant: &'static str, more: Count) {
        let count = self.violations.entry(invariant).or_default();
        count.worlds += more.worlds;
        count.times += more.times;
    }

    /// How often two owners believed in one lock.
    #[must_use]
    pub fn overlaps(&self) -> Count {
        self.violations.get("I1").copied().unwrap_or_default()
    }

    /// Simulated hours.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.tally.micros as f64 / 3.6e9
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, tally, took, .. } = self;
        let speed = self.hours() * 3600.0 / took.as_secs_f64();
        writeln!(
            f,
            "{seeds} seeds, {:.1} simulated hours, {} events in {:.0} s ({speed:.0} times real time)",
            self.hours(),
            tally.events,
            took.as_secs_f64()
        )?;
        writeln!(
            f,
            "{} requests, {} grants, {} extensions, {} releases, {} losses, {} denials, {} unconfirmed",
            tally.requests,
            tally.grants,
            tally.extensions,
            tally.releases,
            tally.losses,
            tally.denials,
            tally.unconfirmed
        )?;
        writeln!(
            f,
            "{} retries, {} a second at most; {} sleeps, {} pushes to sleepers, {} keys gone when asked; \
             {} turns in a row at most, held back {} times, {} grants in a row past another at most",
            tally.retries,
            tally.retries_most,
            tally.sleeps,
            tally.hints,
            tally.gone,
            tally.turns_most,
            tally.held_back,
            tally.bypassed_most
        )?;
        if let Some(least) = tally.share_least {
            let most = tally.passed_over_most;
            writeln!(
                f,
                "contests: {most} grants in a row past one, {least} % of a share at least"
            )?;
        }
        write!(f, "faults:")?;
        for (fault, count) in Fault::ALL.iter().zip(tally.faults) {
            write!(f, " {fault} {count}")?;
        }
        writeln!(f, "\nhash {:016x}", self.hash)?;
        let times: u64 = self.violations.values().map(|count| count.times).sum();
        write!(f, "{times} violations in {} seeds", self.failures.len())?;
        for (invariant, Count { worlds, times }) in &self.violations {
            write!(f, "\n{invariant}: {times} times in {worlds} seeds")?;
        }
        Ok(())
    }
}

/// A failure with all that helps to understand it: its plan without the faults that it does not need,
/// what led to the first violation, and the command that replays it.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let (smaller, left_out) = shrink(plan);
    let outcome = timeline(&smaller);
    let lines: Vec<_> = outcome.timeline.lines().collect();
    let end =
        lines.iter().position(|line| line.contains(VIOLATED)).map_or(lines.len(), |at| at + 1);
    let lines = lines[end.saturating_sub(LAST_LINES)..end].join("\n");
    let mut command = format!("--seed {} --trace", plan.seed());
    command += if plan.is_contest() { " --contest" } else { "" };
    left_out.iter().for_each(|fault| command += &format!(" --without {fault}"));
    plan.broken().iter().for_each(|bound| command += &format!(" --break {bound}"));
    format!(
        "{smaller}\n{lines}\nreplay it with\n  cargo run --release --example simulate -- {command}"
    )
}

/// Leaves out each fault that the violation does not need.
fn shrink(plan: &Plan) -> (Plan, Vec<Fault>) {
    let mut smaller = plan.clone();
    let mut left_out = Vec::new();
    for fault in plan.faults().collect::<Vec<_>>() {
        let candidate = smaller.clone().without(fault);
        if !run(&candidate).violations.is_empty() {
            smaller = candidate;
            left_out.push(fault);
        }
    }
    (smaller, left_out)
}
