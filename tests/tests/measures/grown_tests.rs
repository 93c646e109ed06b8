//! What the process of a trial tells.

use crate::grown::{Rested, Served};

#[test]
fn lines_are_understood_or_refused() {
    let rested = Rested { before: 1, memory: 2, took: 3, sent: 4, used: 5, failed: 6 };
    assert_eq!("rested 1 2 3 4 5 6".parse(), Ok(rested));
    assert_eq!("served 7 8".parse(), Ok(Served { count: 7, at: 8 }));
    for line in ["", "rested", "rested 1 2 3 4 5", "rested 1 2 3 4 5 6 7", "served 1 2 3 4 5 6"] {
        assert!(line.parse::<Rested>().is_err(), "{line:?}");
    }
    assert!("served 7 x".parse::<Served>().is_err() && "rested 7 8".parse::<Served>().is_err());
}
