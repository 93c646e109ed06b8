//! What is printed.

use crate::options::Scene;
use crate::trial::Grown;

/// So many of them.
pub(crate) struct Row {
    pub(crate) count: usize,
    pub(crate) grown: Grown,
}

impl Row {
    /// Until all had the lock. `None` when not all had it.
    pub(crate) fn millis(&self) -> Option<f64> {
        let all = self.grown.served == self.count as u64;
        all.then_some(self.grown.took as f64 / 1e6)
    }

    pub(crate) fn kibibytes(&self) -> f64 {
        let rested = &self.grown.rested;
        rested.memory.saturating_sub(rested.before) as f64 / 1024.0
    }

    /// A second.
    pub(crate) fn commands(&self) -> f64 {
        self.grown.rested.sent as f64 / self.grown.rest.as_secs_f64()
    }

    /// Milliseconds a second.
    pub(crate) fn processor(&self) -> f64 {
        self.grown.rested.used as f64 / 1e6 / self.grown.rest.as_secs_f64()
    }
}

pub(crate) fn head(scene: Scene) {
    println!("{}", scene.title());
    println!(
        "  {:>8}{:>24}{:>14}{:>12}{:>14}{:>14}{:>14}{:>9}",
        "",
        "all had it, ms",
        "memory, KiB",
        "for each",
        "commands/s",
        "cpu ms/s",
        "us each",
        "failed"
    );
}

pub(crate) fn print(row: &Row) {
    let Row { count, grown } = row;
    let took = match row.millis() {
        Some(millis) => format!("{millis:.1}"),
        None => format!("{} of them in {:.0}", grown.served, grown.took as f64 / 1e6),
    };
    let each = |amount: f64| amount / *count as f64;
    println!(
        "  {count:8}{took:>24}{:14.0}{:12.2}{:14.1}{:14.2}{:14.1}{:9}",
        row.kibibytes(),
        each(row.kibibytes()),
        row.commands(),
        row.processor(),
        each(row.processor() * 1e3),
        grown.rested.failed
    );
}
