//! Lives through seeded worlds of clients and servers.
//!
//! ```text
//! simulate                            1200 seeds
//! simulate --seeds 1000..2000         these
//! simulate --seed 17 --trace          one, with what happens in it
//! simulate --seed 17 --without reset  the same world without a fault
//! simulate --contest                  owners that do nothing but contend for one key
//! simulate --break forget             with a bound broken: says how often that does harm
//! ```
#![forbid(unsafe_code)]

use core::ops::Range;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use redlatch_simulation::campaign::{Summary, campaign, explain};
use redlatch_simulation::{Bound, Fault, Plan, timeline};

struct Wishes {
    seeds: Range<u64>,
    trace: bool,
    contest: bool,
    without: Vec<Fault>,
    bound: Option<Bound>,
}

fn main() -> ExitCode {
    match wishes() {
        Ok(wishes) if wishes.trace => trace(&wishes),
        Ok(wishes) => many(&wishes),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn wishes() -> Result<Wishes, lexopt::Error> {
    let mut wishes =
        Wishes { seeds: 0..1200, trace: false, contest: false, without: Vec::new(), bound: None };
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("seed") => {
                let seed = parser.value()?.parse()?;
                wishes.seeds = seed..seed + 1;
            }
            Arg::Long("seeds") => wishes.seeds = parser.value()?.parse_with(range)?,
            Arg::Long("contest") => wishes.contest = true,
            Arg::Long("trace") => wishes.trace = true,
            Arg::Long("without") => wishes.without.push(parser.value()?.parse()?),
            Arg::Long("break") => wishes.bound = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(wishes)
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let parts = text.split_once("..");
    let parts = parts.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parts.filter(|range| !range.is_empty()).ok_or_else(|| format!("{text} is no range of seeds"))
}

impl Wishes {
    fn plan(&self, seed: u64) -> Plan {
        let plan = if self.contest { Plan::contest(seed) } else { Plan::new(seed) };
        let plan = self.without.iter().fold(plan, |plan, fault| plan.without(*fault));
        self.bound.iter().fold(plan, |plan, bound| plan.breaking(*bound))
    }
}

fn trace(wishes: &Wishes) -> ExitCode {
    let plan = wishes.plan(wishes.seeds.start);
    let outcome = timeline(&plan);
    println!("{plan}\n{}hash {:016x}", outcome.timeline, outcome.hash);
    println!("{} violations", outcome.violations.len());
    ExitCode::from(u8::from(!outcome.violations.is_empty()))
}

fn many(wishes: &Wishes) -> ExitCode {
    let failures = if wishes.bound.is_some() { usize::MAX } else { 1 };
    let summary = campaign(wishes.seeds.clone(), failures, |seed| wishes.plan(seed));
    println!("{summary}");
    match wishes.bound {
        Some(_) => ExitCode::SUCCESS,
        None => verdict(wishes, &summary),
    }
}

fn verdict(wishes: &Wishes, summary: &Summary) -> ExitCode {
    let Some((seed, violation)) = summary.failures.first() else { return ExitCode::SUCCESS };
    println!("\nseed {seed}: {violation}\n{}", explain(&wishes.plan(*seed)));
    ExitCode::FAILURE
}
