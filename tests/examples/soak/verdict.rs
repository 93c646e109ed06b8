//! What counts as passed.

use core::fmt::Write as _;

use crate::book::Told;
use crate::course::Evidence;
use crate::options::{Run, Runtime};
use crate::plan::Class;
use crate::samples::{Sample, growth};

/// What a worker may grow after the warm-up, in bytes.
const MEMORY_GROWS: u64 = 8 << 20;
/// The same in descriptors.
const DESCRIPTORS_GROW: u64 = 4;
/// Locks that a run must have had in each second: below that, nothing was tried.
const LEAST_PER_SECOND: u64 = 20;
const PASSED: u8 = 0;
const FAILED: u8 = 1;
const VOID: u8 = 2;

/// What was checked.
pub(crate) struct Verdict {
    pub(crate) checks: Vec<Check>,
    /// Why nothing can be said.
    pub(crate) void: Vec<String>,
}

/// One check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) violations: u64,
    /// The first ones, in words.
    pub(crate) told: Vec<String>,
}

impl Verdict {
    pub(crate) fn status(&self) -> u8 {
        match self.checks.iter().any(|check| check.violations > 0) {
            true => FAILED,
            false if self.void.is_empty() => PASSED,
            false => VOID,
        }
    }
}

/// Judges the run.
pub(crate) fn judge(run: &Run, evidence: &Evidence) -> Verdict {
    let book = evidence.book();
    let mut checks = vec![
        check("two holders at once", book.ledger.overlaps, &book.ledger.told),
        check("lost updates", book.updates.lost, &book.updates.told),
        check("keys left at the end", evidence.orphans.len() as u64, &evidence.orphans),
        check("keys left one ttl later", evidence.remains.len() as u64, &evidence.remains),
    ];
    let mut told = |name, Told { count, first }: &Told| checks.push(check(name, *count, first));
    told("panics", &book.panics);
    told("complaints", &book.complaints);
    let gone = book.total("gone").saturating_sub(slips(evidence));
    checks.push(check("keys gone under a holder", gone, &[]));
    let secrets = book.secrets + book.total("secret-traced");
    checks.push(check("passwords told", secrets, &[]));
    let unexpected = book.total("unexpected") + book.total("left-owing");
    checks.push(check("outcomes that must not be", unexpected, &[]));
    checks.push(listed("workers that ended badly", evidence.ended_badly.clone()));
    drop(book);
    checks.push(listed("memory grown", grown(run, evidence, |it| it.memory, MEMORY_GROWS)));
    let descriptors = grown(run, evidence, |it| it.descriptors, DESCRIPTORS_GROW);
    checks.push(listed("descriptors grown", descriptors));
    Verdict { checks, void: void(run, evidence) }
}

/// How often a holder may be told that its key is gone and it is not: a reply that came twice can be taken
/// for that word. It breaks a bound, costs a lock that is let go early, and needs another request of the
/// same kind in flight: once in 53 times in half an hour.
fn slips(evidence: &Evidence) -> u64 {
    let twice = evidence.faults.seen.get(&Class::Duplicate).copied().unwrap_or(0);
    twice.div_ceil(8)
}

fn check(name: &'static str, violations: u64, told: &[String]) -> Check {
    Check { name, violations, told: told.iter().take(5).cloned().collect() }
}

fn listed(name: &'static str, told: Vec<String>) -> Check {
    Check { name, violations: told.len() as u64, told }
}

/// Workers of ours that grew by more than `most`.
fn grown(run: &Run, evidence: &Evidence, of: fn(&Sample) -> u64, most: u64) -> Vec<String> {
    let ours = run.runtimes.iter().enumerate().filter(|(_, it)| **it != Runtime::RedisPy);
    let grown = ours.filter_map(|(at, runtime)| {
        let growth = growth(&evidence.samples.of(at), of)?;
        (growth.last > growth.first.saturating_add(most))
            .then(|| format!("{runtime}: from {} to {}", growth.first, growth.last))
    });
    grown.collect()
}

/// Each class of faults was seen so often, at least.
pub(crate) fn least_faults(run: &Run) -> u64 {
    let Some(pace) = run.pace() else { return 0 };
    let rounds = run.length().as_millis() / pace.as_millis() / Class::ALL.len() as u128;
    // Some fail to meet anybody: a worker that is stopped sends no request that could be held.
    (u64::try_from(rounds).unwrap_or(u64::MAX) * 2 / 3).max(1)
}

fn void(run: &Run, evidence: &Evidence) -> Vec<String> {
    let book = evidence.book();
    let mut void = Vec::new();
    if evidence.interrupted {
        void.push("it was interrupted".to_owned());
    }
    let least = least_faults(run);
    let mut rare = String::new();
    for class in Class::ALL {
        let seen = evidence.faults.seen.get(&class).copied().unwrap_or(0);
        if seen < least {
            let _ = write!(rare, " {class}: {seen};");
        }
    }
    if !rare.is_empty() {
        void.push(format!("faults seen less than {least} times:{rare}"));
    }
    for account in &book.accounts {
        let acquired = account.count("acquired");
        if acquired < evidence.lasted.as_secs() * LEAST_PER_SECOND / 4 {
            void.push(format!("{} had only {acquired} locks", account.who));
        }
    }
    if book.ledger.too_old > 0 {
        void.push(format!("{} times of holders came too late to compare", book.ledger.too_old));
    }
    void
}
