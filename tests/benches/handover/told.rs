//! What workers tell, one line each. Times are those of [`crate::clock`].
//!
//! ```text
//! ready                            connected
//! took AT                          one of its waiters has the lock since AT
//! turn WAITER ASKED TOOK LEFT      a waiter asked, had the lock, and began to release it
//! used NANOS                       processor time of the round
//! done                             the round is over
//! gone                             said for it when it has ended
//! ```
//!
//! They are told `begin KEY FIRST COUNT HOLD_MICROS TELLS`, `next AT` when somebody in another process has
//! the lock since `AT`, and `end`.

use core::str::FromStr;
use core::time::Duration;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Ready,
    Took(u64),
    Turn(Turn),
    Used(Duration),
    Done,
    Gone,
}

/// A waiter had the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) waiter: usize,
    pub(crate) asked: u64,
    pub(crate) took: u64,
    /// Just before it called for the release.
    pub(crate) left: u64,
}

impl FromStr for Told {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let told = match *words.first().unwrap_or(&"") {
            "ready" => Some(Self::Ready),
            "done" => Some(Self::Done),
            "gone" => Some(Self::Gone),
            "took" => number(1).map(Self::Took),
            "used" => number(1).map(|nanos| Self::Used(Duration::from_nanos(nanos))),
            "turn" => turn(number).map(Self::Turn),
            _ => None,
        };
        told.ok_or_else(|| format!("a line that makes no sense: {line:?}"))
    }
}

fn turn(number: impl Fn(usize) -> Option<u64>) -> Option<Turn> {
    let waiter = usize::try_from(number(1)?).ok()?;
    Some(Turn { waiter, asked: number(2)?, took: number(3)?, left: number(4)? })
}
