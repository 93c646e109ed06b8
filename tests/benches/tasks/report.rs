//! What is printed.

use core::time::Duration;

use crate::lap::{Lap, Work};

/// Of all contenders; the first is what the others are compared with.
pub(crate) struct Results {
    pub(crate) each: Vec<Outcome>,
}

/// Of one contender, round by round.
pub(crate) struct Outcome {
    name: &'static str,
    pub(crate) allocations: Option<f64>,
    pub(crate) commands: String,
    rates: Vec<f64>,
    processor: Vec<f64>,
    half: Vec<f64>,
    most: Vec<f64>,
}

impl Outcome {
    pub(crate) fn add(&mut self, mut lap: Lap) {
        let cycles = lap.latencies.len();
        lap.latencies.sort_unstable();
        let at = |percent: usize| micros(lap.latencies[(cycles * percent / 100).min(cycles - 1)]);
        self.half.push(at(50));
        self.most.push(at(99));
        self.rates.push(cycles as f64 / lap.took.as_secs_f64());
        self.processor.push(micros(lap.processor) / cycles as f64);
    }
}

impl Results {
    pub(crate) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let each = names.map(|name| Outcome {
            name,
            allocations: None,
            commands: String::new(),
            rates: Vec::new(),
            processor: Vec::new(),
            half: Vec::new(),
            most: Vec::new(),
        });
        Self { each: each.collect() }
    }

    pub(crate) fn print(&self, work: Work, pinned: bool) {
        let [base, ..] = &*self.each else { return };
        let place = match (pinned, work.tasks) {
            (false, _) => "not pinned",
            (true, 1) => "one processor for both",
            (true, _) => "server on a processor of its own",
        };
        println!("{} task(s) of {} cycles, {place}", work.tasks, work.each);
        println!(
            "  {:24}{:>26}{:>21}{:>8}{:>8}{:>8}{:>8}",
            "", "cycles/s", "ratio to the first", "p50 us", "p99 us", "cpu us", "allocs"
        );
        for one in &self.each {
            let ratios: Vec<_> = one.rates.iter().zip(&base.rates).map(|(a, b)| a / b).collect();
            let allocations = one.allocations.map_or("-".to_owned(), |count| format!("{count:.2}"));
            println!(
                "  {:24}{:>26}{:>21}{:8.0}{:8.0}{:8.2}{:>8}",
                one.name,
                spread(&one.rates, 0),
                spread(&ratios, 2),
                median(&one.half),
                median(&one.most),
                median(&one.processor),
                allocations
            );
        }
        println!("  commands a cycle, with those inside scripts:");
        for one in &self.each {
            println!("  {:24}{}", one.name, one.commands);
        }
        println!();
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(values: &[f64]) -> f64 {
    sorted(values)[values.len() / 2]
}

/// Median (least .. most).
fn spread(values: &[f64], digits: usize) -> String {
    let all = sorted(values);
    let (least, most) = (all[0], all[all.len() - 1]);
    format!("{:.digits$} ({least:.digits$}..{most:.digits$})", median(values))
}
