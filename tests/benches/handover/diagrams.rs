//! The hand-overs as a picture.

use crate::picture::{Panel, Series};
use crate::report::{Outcome, Setting};

/// Over the number of waiters: in one process, and in as many as there were.
pub(crate) fn diagrams(settings: &[Setting]) -> Vec<Panel> {
    let panel = |title, in_one: bool, of: fn(&Outcome) -> Option<f64>| {
        let shown: Vec<_> = settings.iter().filter(|set| (set.processes == 1) == in_one).collect();
        let outcomes = settings.first().map_or(&[][..], |first| &first.outcomes);
        let series = outcomes.iter().enumerate().map(|(number, outcome)| {
            let point = |set: &&Setting| Some((set.waiters as f64, of(set.outcomes.get(number)?)?));
            let points = shown.iter().filter_map(point).collect();
            Series { name: outcome.make.name(), points }
        });
        Panel { title, series: series.collect() }
    };
    let half = |outcome: &Outcome| outcome.handovers().percentile(50);
    let commands = |outcome: &Outcome| Some(outcome.commands());
    vec![
        panel("us to hand over, waiters in one process", true, half),
        panel("us to hand over, waiters in several processes", false, half),
        panel("commands for it, one process", true, commands),
        panel("commands for it, several processes", false, commands),
        panel("us of processor for it, one process", true, |o| Some(o.processor())),
        panel("us of processor for it, several processes", false, |o| Some(o.processor())),
    ]
}
