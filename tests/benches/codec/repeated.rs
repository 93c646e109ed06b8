//! Instructions of work that is done many times.

use crate::callgrind::count;

/// Of one repetition: this program under valgrind, once with none and once with many.
pub(crate) fn each(arguments: &[&str], repetitions: u64) -> u64 {
    (repeated(arguments, repetitions) - repeated(arguments, 0)) / repetitions
}

fn repeated(arguments: &[&str], repetitions: u64) -> u64 {
    count(&[arguments, &[&repetitions.to_string()]].concat())
}
