//! What workers tell.

use crate::told::{Told, Turn};
use core::time::Duration;

#[test]
fn lines_are_understood_or_refused() {
    let turn = Turn { waiter: 7, asked: 1, took: 2, left: 3 };
    let cases = [
        ("ready", Some(Told::Ready)),
        ("took 5", Some(Told::Took(5))),
        ("turn 7 1 2 3", Some(Told::Turn(turn))),
        ("used 9", Some(Told::Used(Duration::from_nanos(9)))),
        ("done", Some(Told::Done)),
        ("gone", Some(Told::Gone)),
        ("", None),
        ("took", None),
        ("turn 7 1 2", None),
        ("turn 7 1 2 x", None),
        ("Traceback", None),
    ];
    for (line, expected) in cases {
        assert_eq!(line.parse::<Told>().ok(), expected, "{line:?}");
    }
}
