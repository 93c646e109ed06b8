//! What the process of a trial tells, one line each. Times are those of [`crate::clock`].
//!
//! ```text
//! rested BEFORE MEMORY TOOK SENT USED FAILED   bytes before and at rest, nanoseconds until all were held,
//!                                          commands and nanoseconds of processor time at rest
//! served COUNT AT                          so many had the lock, the last one at this moment
//! ```
//!
//! After the rest it waits for a line: what the waiters want is free.

use core::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rested {
    pub(crate) before: u64,
    pub(crate) memory: u64,
    pub(crate) took: u64,
    pub(crate) sent: u64,
    pub(crate) used: u64,
    /// Locks that were lost or never held, and waiters that gave up.
    pub(crate) failed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) count: u64,
    pub(crate) at: u64,
}

impl FromStr for Rested {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let [before, memory, took, sent, used, failed] = numbers("rested", line)?;
        Ok(Self { before, memory, took, sent, used, failed })
    }
}

impl FromStr for Served {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let [count, at] = numbers("served", line)?;
        Ok(Self { count, at })
    }
}

fn numbers<const N: usize>(word: &str, line: &str) -> Result<[u64; N], String> {
    let mut words = line.split_whitespace();
    let named = words.next() == Some(word);
    let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
    let numbers = numbers.filter(|_| named).and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("a line that makes no sense: {line:?}"))
}
