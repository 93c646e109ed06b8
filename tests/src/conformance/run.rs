//! Runs the scenarios, several at a time, and tells what came out.

use core::any::Any;
use core::fmt;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeSet;
use std::env;
use std::panic;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Instant;

use redlatch_core::Protocol;

use super::bench::Bench;
use super::host::Host;
use super::scenarios::{SCENARIOS, Scenario};
use super::subject::Subject;

/// Scenarios at a time: most of them wait most of the time.
const AT_A_TIME: usize = 6;

/// What came out.
#[derive(Debug, Default)]
pub struct Report {
    /// Scenarios that passed, and how long each took.
    pub passed: Vec<(&'static str, Duration)>,
    /// Scenarios that failed, and why.
    pub failed: Vec<(&'static str, String)>,
    /// Scenarios that need what the subject or the host does not offer.
    pub left_out: Vec<&'static str>,
}

impl Report {
    /// Panics with the whole report unless every scenario passed, except those that are expected to
    /// be left out.
    ///
    /// # Panics
    /// As it says.
    pub fn expect_all_but(&self, left_out: &[&str]) {
        let chosen = env::var_os("REDLATCH_SCENARIO").is_none();
        assert!(self.failed.is_empty() && !(chosen && self.passed.is_empty()), "{self}");
        let expected: BTreeSet<_> = left_out.iter().collect();
        assert!(!chosen || self.left_out.iter().collect::<BTreeSet<_>>() == expected, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} scenarios passed, {} failed", self.passed.len(), self.failed.len())?;
        for (name, reason) in &self.failed {
            writeln!(f, "  FAILED {name}: {reason}")?;
        }
        for name in &self.left_out {
            writeln!(f, "  left out: {name}")?;
        }
        let mut slowest = self.passed.clone();
        slowest.sort_by_key(|&(_, time)| core::cmp::Reverse(time));
        for (name, time) in slowest.iter().take(5) {
            writeln!(f, "  {:>6} ms  {name}", time.as_millis())?;
        }
        Ok(())
    }
}

/// Runs all scenarios, or those that `REDLATCH_SCENARIO` chooses.
#[must_use]
pub fn run(subject: &dyn Subject, host: &dyn Host, protocol: Protocol) -> Report {
    let filter = env::var("REDLATCH_SCENARIO").unwrap_or_default();
    let chosen = SCENARIOS
        .iter()
        .filter(|scenario| filter.split(',').any(|part| scenario.name.contains(part)));
    let (can, cannot): (Vec<&Scenario>, Vec<&Scenario>) = chosen.partition(|scenario| {
        scenario.needs.iter().all(|&need| subject.offers(need) && host.offers(need))
    });
    let report = Mutex::new(Report {
        left_out: cannot.iter().map(|scenario| scenario.name).collect(),
        ..Report::default()
    });
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(scenario) = can.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let outcome = run_one(scenario, &Bench { subject, host, protocol });
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(()) => report.passed.push((scenario.name, begun.elapsed())),
                        Err(reason) => report.failed.push((scenario.name, reason)),
                    }
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(scenario: &Scenario, bench: &Bench<'_>) -> Result<(), String> {
    match panic::catch_unwind(AssertUnwindSafe(|| (scenario.run)(bench))) {
        Ok(outcome) => outcome.map_err(|broken| broken.to_string()),
        Err(panic) => Err(format!("it panicked: {}", words(&*panic))),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
