//! What all firmwares do with a lock, whatever adapter they use: what the command line orders, one line
//! on the console for each event, and an exit status that says how it ended.
//!
//! Orders, lines and statuses are those of the `hold-*` examples of the hosted adapters, so that one
//! test can talk to both:
//!
//! ```text
//! KEY TTL_MS HOLD_MS [--wait MS] [--extend] [--renew] [--again MS]
//!
//! 12 acquired validity=2970     the lock is ours, for so many milliseconds
//! 1013 extended validity=2969   --extend: the ttl counts anew, at each third of it
//! 2513 released                 exit 0
//! 3 denied                      exit 1: somebody else has it (and had it for all of --wait)
//! 0 error usage                 exit 2: the orders are wrong
//! 5 error unavailable silent    exit 3: what went wrong
//! 2970 lost reason=expired      exit 4
//! ```
//!
//! `--again` begins anew after every ending, until so many milliseconds have passed; the status is that
//! of the last one. The statuses 101 and 102 are the board's: a panic, a fault.

#![no_std]

mod client;
mod journal;
mod orders;
mod ready;
mod run;
mod words;

pub use client::{Client, Guard};
pub use journal::{Ending, Journal};
pub use orders::Orders;
pub use ready::at_once;
pub use run::run;
