//! Votes are counted as one would count them on paper.

use redlatch_core::{Ballot, Class, Denial, Refusal, Tally, Verdict, majority};

use crate::choices::Choices;

const BALLOTS_MAX: usize = 40;

/// Counts the votes that the input casts.
///
/// # Panics
/// A property does not hold.
pub fn quorum(data: &[u8]) {
    let mut choices = Choices::new(data);
    check_majority(choices.number());
    let configured = choices.up_to(9);
    check_majority(configured);
    let mut tally = Tally { configured, ..Tally::default() };
    let mut cast = Vec::new();
    check(&tally, &cast);
    while cast.len() < BALLOTS_MAX && !choices.is_empty() {
        let before = tally;
        let ballot = ballot(choices.byte());
        tally.add(ballot);
        cast.push(ballot);
        check(&tally, &cast);
        check_step(&before, &tally, &cast);
    }
    check_close(tally, &cast);
}

/// Two majorities of the same servers have one in common, and one vote less would not do.
fn check_majority(configured: usize) {
    let most = majority(configured);
    assert!(most <= configured || (configured, most) == (0, 1), "{most} of {configured}");
    let others = configured.saturating_sub(most);
    assert!(others < most, "two majorities of {configured}");
    assert!(most - 1 <= others + 1, "{most} of {configured} is more than needed");
}

fn ballot(choice: u8) -> Ballot {
    match choice % 8 {
        0..=2 => Ballot::Granted,
        3 | 4 => Ballot::Held,
        5 => Ballot::Unreachable,
        6 => Ballot::Refused(Refusal::Loading),
        _ => Ballot::Refused(Refusal::NoAuth),
    }
}

fn check(tally: &Tally, cast: &[Ballot]) {
    let count = |wanted: fn(&Ballot) -> bool| cast.iter().filter(|ballot| wanted(ballot)).count();
    let granted = count(|ballot| *ballot == Ballot::Granted);
    let held = count(|ballot| *ballot == Ballot::Held);
    let refused = count(|ballot| matches!(ballot, Ballot::Refused(_)));
    let unreachable = count(|ballot| *ballot == Ballot::Unreachable);
    assert_eq!(
        (tally.granted, tally.held, tally.refused, tally.unreachable),
        (granted, held, refused, unreachable)
    );
    assert_eq!(tally.refusal.map(Refusal::class), gravest(cast));

    let out = tally.configured.saturating_sub(cast.len());
    let expected = if granted * 2 > tally.configured {
        Verdict::Carried
    } else if (granted + out) * 2 > tally.configured {
        Verdict::Undecided
    } else {
        Verdict::Failed
    };
    // More votes than servers are a mistake of the caller; then granted ones still count, and nothing overflows.
    if cast.len() <= tally.configured {
        assert_eq!(tally.verdict(), expected, "{tally:?}");
        assert_eq!(tally.denial(), denial(tally), "{tally:?}");
    } else if granted <= tally.configured / 2 {
        assert_ne!(tally.verdict(), Verdict::Carried, "{tally:?}");
    }
}

fn gravest(cast: &[Ballot]) -> Option<Class> {
    let refusals = cast.iter().filter_map(|ballot| match ballot {
        Ballot::Refused(refusal) => Some(refusal.class()),
        _ => None,
    });
    refusals.max_by_key(|class| *class == Class::Permanent)
}

/// The page of `Tally::denial` in other words.
fn denial(tally: &Tally) -> Denial {
    let silent = tally.refused + tally.unreachable;
    let others_suffice = (tally.configured - silent) * 2 > tally.configured;
    match () {
        () if tally.granted * 2 > tally.configured => Denial::TooLate,
        () if others_suffice && tally.held != 0 => Denial::Held,
        () if tally.refused != 0 && tally.unreachable <= tally.refused => Denial::Refused,
        () => Denial::Unreachable,
    }
}

/// What is decided stays decided.
fn check_step(before: &Tally, after: &Tally, cast: &[Ballot]) {
    if cast.len() <= after.configured && before.verdict() != Verdict::Undecided {
        assert_eq!(before.verdict(), after.verdict());
    }
}

/// When time is up nothing is open, and silence grants nothing.
fn check_close(mut tally: Tally, cast: &[Ballot]) {
    let before = tally;
    tally.close();
    if cast.len() <= tally.configured {
        let voted = tally.granted + tally.held + tally.refused;
        assert_eq!(voted + tally.unreachable, tally.configured);
        assert_ne!(tally.verdict(), Verdict::Undecided);
    }
    assert_eq!(before.verdict() == Verdict::Carried, tally.verdict() == Verdict::Carried);
    assert_eq!((before.granted, before.refusal), (tally.granted, tally.refusal));
}
