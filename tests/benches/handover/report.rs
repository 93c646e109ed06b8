//! What is printed of the hand-overs.

use crate::crew::Played;
use crate::monitor::Calls;
use crate::options::Make;
use crate::spread::{Spread, shown};

/// Of one make, round by round.
pub(crate) struct Outcome {
    pub(crate) make: Make,
    /// Sent for each hand-over, by name.
    commands: Vec<(String, f64)>,
    rounds: Vec<Played>,
}

impl Outcome {
    pub(crate) const fn new(make: Make) -> Self {
        Self { make, commands: Vec::new(), rounds: Vec::new() }
    }

    pub(crate) fn count(&mut self, calls: &Calls, handovers: usize) {
        let rate =
            |(name, &calls): (&String, &u64)| (name.clone(), calls as f64 / handovers as f64);
        self.commands = calls.iter().map(rate).filter(|(_, rate)| rate.is_finite()).collect();
    }

    pub(crate) fn add(&mut self, played: Played) {
        self.rounds.push(played);
    }

    /// In microseconds.
    pub(crate) fn handovers(&self) -> Spread {
        let all = self.rounds.iter().flat_map(|round| &round.history.handovers);
        Spread::new(all.map(|&nanos| nanos as f64 / 1e3))
    }

    /// In milliseconds.
    fn waits(&self) -> Spread {
        let all = self.rounds.iter().flat_map(|round| &round.history.waits);
        Spread::new(all.map(|&nanos| nanos as f64 / 1e6))
    }

    /// The half of each round.
    fn halves(&self) -> Vec<Option<f64>> {
        let half = |round: &Played| {
            Spread::new(round.history.handovers.iter().map(|&nanos| nanos as f64)).percentile(50)
        };
        self.rounds.iter().map(half).collect()
    }

    fn ratios(&self, base: &Self) -> Spread {
        let pairs = self.halves().into_iter().zip(base.halves());
        Spread::new(pairs.filter_map(|(mine, other)| Some(mine? / other?)))
    }

    pub(crate) fn commands(&self) -> f64 {
        self.commands.iter().map(|(_, rate)| rate).sum()
    }

    /// Microseconds for each hand-over.
    pub(crate) fn processor(&self) -> f64 {
        let used: f64 = self.rounds.iter().map(|round| round.used.as_secs_f64() * 1e6).sum();
        used / self.handovers().count() as f64
    }

    /// Least and most of all rounds.
    fn turns(&self, of: fn(&Played) -> &[usize]) -> String {
        let turns = Spread::new(self.rounds.iter().flat_map(of).map(|&n| n as f64));
        format!("{}..{}", shown(turns.least(), 0), shown(turns.most(), 0))
    }
}

/// So many waiters in so many processes.
pub(crate) struct Setting {
    pub(crate) waiters: usize,
    pub(crate) processes: usize,
    pub(crate) outcomes: Vec<Outcome>,
}

pub(crate) fn print(setting: &Setting) {
    let Setting { waiters, processes, outcomes } = setting;
    let [base, ..] = &**outcomes else { return };
    println!("{waiters} waiters in {processes} process(es)");
    println!(
        "  {:15}{:>10}{:>10}{:>10}{:>10}{:>28}{:>10}{:>8}{:>14}{:>12}{:>14}",
        "",
        "handovers",
        "p50 us",
        "p90 us",
        "p99 us",
        "ratio of p50",
        "commands",
        "cpu us",
        "wait ms",
        "turns of 1",
        "of a process"
    );
    for one in outcomes {
        let (handovers, waits, ratios) = (one.handovers(), one.waits(), one.ratios(base));
        let at = |percent| shown(handovers.percentile(percent), 0);
        let commands = one.commands();
        println!(
            "  {:15}{:10}{:>10}{:>10}{:>10}{:>28}{commands:10.1}{:8.0}{:>14}{:>12}{:>14}",
            one.make,
            handovers.count(),
            at(50),
            at(90),
            at(99),
            range(&ratios, 2),
            one.processor(),
            format!("{}..{}", shown(waits.least(), 1), shown(waits.most(), 0)),
            one.turns(|round| &round.history.turns),
            one.turns(|round| &round.processes),
        );
    }
    println!("  commands that clients send for a hand-over:");
    for one in outcomes {
        let seen = one.commands.iter().filter(|(_, rate)| *rate > 0.005);
        let each: Vec<_> = seen.map(|(name, rate)| format!("{name} {rate:.2}")).collect();
        println!("  {:15}{}", one.make, each.join(", "));
    }
    println!();
}

/// Median (least..most).
fn range(values: &Spread, digits: usize) -> String {
    let [half, least, most] = [values.percentile(50), values.least(), values.most()];
    format!("{} ({}..{})", shown(half, digits), shown(least, digits), shown(most, digits))
}
