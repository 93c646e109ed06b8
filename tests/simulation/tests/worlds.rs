//! Seeded worlds in the ordinary test run. `cargo run --release --example simulate` lives through more.
//!
//! The requirements that no seed may break: one holder at a time (R1), nothing but the own key is
//! touched (R4), a lost reply is settled (R6), and what is begun ends.

use redlatch_simulation::campaign::{campaign, explain};
use redlatch_simulation::{Bound, Fault, Plan, Violation, run, timeline};

#[test]
fn no_seed_breaks_an_invariant() {
    let summary = campaign(0..24, 1, Plan::new);
    if let Some((seed, _)) = summary.failures.first() {
        panic!("seed {seed}: {}", explain(&Plan::new(*seed)));
    }
    println!("{summary}");
    assert_eq!(summary.seeds, 24);
    let tally = summary.tally;
    assert!(tally.grants > 500 && tally.extensions > 500 && tally.losses > 20, "{tally:?}");
    // Those who wait sleep, are told, and find keys gone that were released while they asked.
    assert!(tally.sleeps > 500 && tally.hints > 500 && tally.gone > 50, "{tally:?}");
    for (fault, count) in Fault::ALL.iter().zip(tally.faults) {
        assert!(count > 0, "no seed of these has the fault {fault}");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 0..4 {
        let (first, second) = (run(&Plan::new(seed)), timeline(&Plan::new(seed)));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.tally, second.tally, "seed {seed}");
        assert!(first.timeline.is_empty() && !second.timeline.is_empty());
    }
    assert_ne!(run(&Plan::new(0)).hash, run(&Plan::new(1)).hash);
}

#[test]
fn a_world_without_faults_has_none_and_gets_things_done() {
    let calm = |seed| Fault::ALL.into_iter().fold(Plan::new(seed), Plan::without);
    let summary = campaign(0..6, 1, calm);
    assert_eq!(summary.failures, []);
    assert_eq!(summary.tally.faults, [0; Fault::ALL.len()]);
    assert!(summary.tally.grants > 200, "{summary}");
    assert_eq!(summary.tally.unconfirmed, 0, "{summary}");
}

/// Clients that all want one key: each has its part, and passes the lock on among its own for a while.
#[test]
fn nobody_is_shut_out_of_a_contest() {
    let summary = campaign(0..8, 1, Plan::contest);
    assert_eq!(summary.failures, [], "{summary}");
    let tally = summary.tally;
    assert!(tally.grants > 20_000 && tally.held_back > 500, "{summary}");
    assert!(tally.passed_over_most > 16 && tally.share_least.is_some(), "{summary}");
}

/// The judges can find something: where a bound is broken, harm is done and seen.
#[test]
fn a_broken_bound_breaks_exclusion() {
    for bound in [Bound::Forget, Bound::Evict, Bound::ServerClock] {
        let summary = campaign(0..16, 3, |seed| Plan::new(seed).breaking(bound));
        assert!(summary.overlaps().times > 0, "{bound}: {summary}");
    }
}

#[test]
fn requests_that_come_too_late_leave_orphans() {
    let late = |seed| Plan::new(seed).breaking(Bound::LateRequests);
    let summary = campaign(0..16, 3, late);
    let orphans = summary.failures.iter().filter(|it| matches!(it.1, Violation::Orphan(_)));
    assert!(orphans.count() > 0, "{summary}");
    assert_eq!(summary.overlaps().times, 0, "{summary}");
}

#[test]
fn a_failure_is_explained_with_what_it_needs_and_how_to_replay_it() {
    let forget = |seed| Plan::new(seed).breaking(Bound::Forget);
    let (seed, _) = campaign(0..16, 1, forget).failures.swap_remove(0);
    let text = explain(&forget(seed));
    assert!(text.contains(&format!("-- --seed {seed} --trace")), "{text}");
    assert!(text.ends_with("--break forget"), "{text}");
    assert!(text.contains("bound broken: forget") && text.contains("!!! I"), "{text}");
}

#[test]
fn faults_and_bounds_have_names() {
    assert_eq!("reset".parse(), Ok(Fault::Reset));
    assert_eq!("forget".parse(), Ok(Bound::Forget));
    assert!("rest".parse::<Fault>().is_err_and(|error| error.contains("reset, kill")));
}
