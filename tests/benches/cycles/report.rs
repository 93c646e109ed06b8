//! What is printed.

use core::time::Duration;

use crate::lap::Lap;
use crate::machine::Processor;
use crate::race::Work;

/// Of all contenders; the first is what the others are compared with.
pub(crate) struct Results {
    pub(crate) each: Vec<Outcome>,
}

/// Of one contender, round by round.
#[derive(Default)]
pub(crate) struct Outcome {
    name: &'static str,
    pub(crate) allocations: Option<f64>,
    pub(crate) commands: String,
    rates: Vec<f64>,
    half: Vec<f64>,
    most: Vec<f64>,
    cycles: usize,
    client: Processor,
    server: Duration,
}

impl Outcome {
    pub(crate) fn add(&mut self, mut lap: Lap) {
        let cycles = lap.latencies.len();
        lap.latencies.sort_unstable();
        let at = |percent: usize| micros(lap.latencies[(cycles * percent / 100).min(cycles - 1)]);
        self.half.push(at(50));
        self.most.push(at(99));
        self.rates.push(cycles as f64 / lap.took.as_secs_f64());
        self.cycles += cycles;
        self.client = self.client.and(lap.client);
        self.server += lap.server;
    }

    fn line(&self, base: &Self) -> String {
        let ratios: Vec<_> = self.rates.iter().zip(&base.rates).map(|(a, b)| a / b).collect();
        let cost = |time| micros(time) / self.cycles as f64;
        let allocations = self.allocations.map_or("-".to_owned(), |count| format!("{count:.2}"));
        format!(
            "  {:20}{:>26}{:>21}{:8.0}{:8.0}{:8.2}{:8.2}{:8.2}{:>8}",
            self.name,
            spread(&self.rates, 0),
            spread(&ratios, 2),
            median(&self.half),
            median(&self.most),
            cost(self.client.user),
            cost(self.client.system),
            cost(self.server),
            allocations
        )
    }
}

impl Results {
    pub(crate) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        Self { each: names.map(|name| Outcome { name, ..Outcome::default() }).collect() }
    }

    pub(crate) fn print(&self, work: Work, place: &str) {
        let [base, ..] = &*self.each else { return };
        let (tasks, each, rounds) = (work.tasks, work.each, base.rates.len());
        println!("{tasks} task(s) of {each} cycles, {rounds} rounds, {place}");
        println!(
            "  {:20}{:>26}{:>21}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}",
            "",
            "cycles/s",
            "ratio to the first",
            "p50 us",
            "p99 us",
            "user us",
            "sys us",
            "server",
            "allocs"
        );
        self.each.iter().for_each(|one| println!("{}", one.line(base)));
        println!("  commands a cycle, with those inside scripts:");
        self.each.iter().for_each(|one| println!("  {:20}{}", one.name, one.commands));
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

/// Median (least..most).
fn spread(values: &[f64], digits: usize) -> String {
    let all = sorted(values);
    let (least, most) = (all[0], all[all.len() - 1]);
    format!("{:.digits$} ({least:.digits$}..{most:.digits$})", median(values))
}
