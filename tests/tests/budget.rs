//! The budget of instructions is compared as it says.

#[path = "../benches/instructions/budget.rs"]
mod budget;

use budget::Budget;

fn counted(toolchain: &str, works: &[(&str, u64)]) -> Budget {
    let works = works.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
    Budget { toolchain: toolchain.to_owned(), works }
}

#[test]
fn the_committed_budget_is_one() {
    let text = include_str!("../benches/budget.txt");
    let budget = Budget::parse(text).expect("a budget");
    assert!(budget.toolchain.starts_with("rustc "), "{}", budget.toolchain);
    assert!(!budget.works.is_empty());
    assert_eq!(budget.text(), text, "it is written as it was read");
}

#[test]
fn what_is_no_budget_is_refused() {
    for text in ["", "# only a remark\n", "rustc 1\nmany claims\n", "rustc 1\n12\n"] {
        assert!(Budget::parse(text).is_err(), "{text}");
    }
}

#[test]
fn more_and_less_than_two_percent_off_is_told() {
    let budget = counted("rustc 1", &[("claim", 400), ("release", 10)]);
    let complaints = |toolchain, claim, release| {
        budget.complaints(&counted(toolchain, &[("claim", claim), ("release", release)])).join("\n")
    };
    for claim in 392..=408 {
        assert_eq!(complaints("rustc 1", claim, 10), "");
    }
    for (claim, said) in [(391, "stale"), (409, "make it cheaper"), (0, "stale")] {
        let complaints = complaints("rustc 1", claim, 10);
        assert!(complaints.starts_with("claim: ") && complaints.ends_with(said), "{complaints}");
    }
    assert!(complaints("rustc 1", 400, 11).starts_with("release: 11"), "small ones have no slack");
    assert_eq!(complaints("rustc 2", 500, 10), "", "another compiler may differ by more");
    assert!(complaints("rustc 2", 501, 10).contains("claim: 501"), "but not by any amount");
}

#[test]
fn work_without_budget_and_budget_without_work_are_told() {
    let (few, more) = (counted("rustc 1", &[]), counted("rustc 1", &[("claim", 400)]));
    assert_eq!(few.complaints(&more), ["claim: 400 instructions, and no budget"]);
    assert_eq!(more.complaints(&few), ["claim: a budget, and no such work"]);
}
