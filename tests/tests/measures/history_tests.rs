//! What turns come to.

use crate::history::History;
use crate::told::Turn;

fn turn((waiter, asked, took, left): (usize, u64, u64, u64)) -> Turn {
    Turn { waiter, asked, took, left }
}

fn history(turns: &[(usize, u64, u64, u64)], ended: u64) -> History {
    History::new(turns.iter().copied().map(turn).collect(), 3, ended)
}

#[test]
fn a_hand_over_goes_from_the_release_of_one_to_the_turn_of_another() {
    let told = history(&[(1, 0, 30, 40), (0, 0, 10, 20), (1, 41, 45, 60), (0, 35, 61, 70)], 99);
    assert_eq!(told.handovers, [10, 1], "that of a waiter to itself is none");
    assert_eq!(told.waits, [30, 4, 26]);
    assert_eq!(told.turns, [2, 2, 0]);
    assert_eq!(told.overlaps, 0);
}

#[test]
fn who_waits_at_the_end_has_waited_until_then() {
    let told = history(&[(0, 0, 10, 20), (1, 0, 30, 40), (2, 0, 60, 60), (0, 55, 70, 70)], 50);
    assert_eq!(told.handovers, [10]);
    assert_eq!(told.waits, [30, 50]);
    assert_eq!(told.turns, [1, 1, 0]);
}

#[test]
fn two_turns_at_once_are_seen() {
    assert_eq!(history(&[(0, 0, 10, 20), (1, 0, 19, 40), (2, 0, 40, 41)], 50).overlaps, 1);
    assert_eq!(history(&[(0, 0, 60, 70), (1, 0, 65, 70)], 50).overlaps, 1, "also in the end");
}
