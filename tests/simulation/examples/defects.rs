//! Gives the core one defect after the other, and shows which seed exposes each. A defect that no
//! seed exposes says that the simulation looks away, or that the code it breaks is not needed.
//!
//! `.ci/defects` builds and runs it: only builds with `--cfg redlatch_defects` have defects.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(not(redlatch_defects))]
fn main() -> ExitCode {
    eprintln!("error: this build has no defects. Run .ci/defects");
    ExitCode::from(2)
}

#[cfg(redlatch_defects)]
fn main() -> ExitCode {
    chosen::main()
}

#[cfg(redlatch_defects)]
mod chosen {
    use std::env;
    use std::process::ExitCode;

    use redlatch_core::defect::{ALL, Defect, choose};
    use redlatch_simulation::campaign::{Summary, campaign};
    use redlatch_simulation::{Bound, Plan};

    /// Seeds within which a defect must be exposed.
    const SEEDS: u64 = 4000;

    pub(crate) fn main() -> ExitCode {
        let wanted: Vec<String> = env::args().skip(1).collect();
        let is_wanted = |name: String| wanted.is_empty() || wanted.contains(&name);
        let mut survived = 0;
        for (defect, what) in ALL.iter().filter(|(defect, _)| is_wanted(format!("{defect:?}"))) {
            choose(Some(*defect));
            let summary = expose(*defect);
            survived += u32::from(!report(*defect, what, &summary));
        }
        println!("{} defects, {survived} not as expected", ALL.len());
        ExitCode::from(u8::from(survived > 0))
    }

    fn expose(defect: Defect) -> Summary {
        match bound(defect) {
            // Only where nothing goes wrong can it be told whether all get their turn.
            None if defect == Defect::NobodyStandsAside => {
                campaign(0..seeds(defect), 1, Plan::contest)
            }
            None => campaign(0..seeds(defect), 1, Plan::new),
            Some(bound) => {
                let broken = |seed| {
                    let plan = Plan::new(seed).breaking(bound);
                    // One read stands only for claims that leave together.
                    if defect == Defect::WitnessUnheard { plan.crowding() } else { plan }
                };
                let found = |summary: &Summary| summary.overlaps().times > 0;
                let mut whole = campaign(0..100, usize::MAX, broken);
                if !found(&whole) {
                    whole = campaign(100..seeds(defect), usize::MAX, broken);
                }
                whole
            }
        }
    }

    /// The bound that must be broken before it does harm. Exclusion stands without the defect.
    fn bound(defect: Defect) -> Option<Bound> {
        matches!(defect, Defect::OkGrants | Defect::WitnessUnheard).then_some(Bound::Replies)
    }

    /// Why nothing that is promised depends on it.
    fn equivalent(defect: Defect) -> Option<&'static str> {
        match defect {
            // Its use is to close a connection that is out of step soon. What protects is the token,
            // which must be read back.
            Defect::RepliesSlip => Some("closing early is a courtesy; tests of the core see it"),
            _ => None,
        }
    }

    fn seeds(defect: Defect) -> u64 {
        if equivalent(defect).is_some() { 400 } else { SEEDS }
    }

    /// Whether it went as expected.
    fn report(defect: Defect, what: &str, summary: &Summary) -> bool {
        let name = format!("{defect:?}");
        let took = summary.took.as_secs_f64();
        let first = summary
            .failures
            .first()
            .filter(|_| bound(defect).is_none() || summary.overlaps().times > 0);
        match (first, equivalent(defect)) {
            (Some((seed, violation)), None) => {
                println!(
                    "{name:18} seed {seed:4} {:3} {took:6.1} s  {what}",
                    violation.invariant()
                );
                true
            }
            (None, Some(reason)) => {
                println!("{name:18} lives     {took:6.1} s  {what}: {reason}");
                true
            }
            (Some((seed, violation)), Some(_)) => {
                println!("{name:18} seed {seed}: {violation}, and was thought to do no harm");
                false
            }
            (None, None) => {
                println!("{name:18} SURVIVED {} seeds in {took:.1} s  {what}", summary.seeds);
                false
            }
        }
    }
}
