//! What the firmware says about its lock.

use core::time::Duration;

use redlatch_bare::{Error, Instant, Loss};
use redlatch_firmware_board::{self as board, console::Line};

use crate::words;

/// How a run ended: the last line has been written, this is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ending {
    /// Given back while it was ours.
    Released = 0,
    /// Somebody else has it.
    Denied = 1,
    /// The orders are wrong.
    Usage = 2,
    /// The client failed.
    Failed = 3,
    /// Lost while it was held.
    Lost = 4,
}

/// Writes the events, one line each, with the milliseconds since its own start in front.
pub struct Journal {
    begun: Instant,
}

impl Journal {
    /// Time counts from here.
    #[must_use]
    pub fn begin() -> Self {
        Self { begun: now() }
    }

    /// Now, on the clock of the board.
    #[must_use]
    pub fn now(&self) -> Instant {
        now()
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        now().saturating_since(self.begun)
    }

    /// The lock is held.
    pub fn acquired(&self, validity: Duration) {
        self.line("acquired validity=").number(millis(validity)).end();
    }

    /// The lock is held for longer.
    pub fn extended(&self, validity: Duration) {
        self.line("extended validity=").number(millis(validity)).end();
    }

    /// The lock was given back while it was ours.
    pub fn released(&self) -> Ending {
        self.line("released").end();
        Ending::Released
    }

    /// Somebody else has the lock.
    pub fn denied(&self) -> Ending {
        self.line("denied").end();
        Ending::Denied
    }

    /// The lock was lost while it was held.
    pub fn lost(&self, loss: Loss) -> Ending {
        self.line("lost reason=").text(words::loss(loss)).end();
        Ending::Lost
    }

    /// The firmware cannot do what was ordered.
    pub fn misused(&self, why: &str) -> Ending {
        self.line("error usage ").text(why).end();
        Ending::Usage
    }

    /// The client failed.
    pub fn failed(&self, error: &Error) -> Ending {
        match error {
            Error::TimedOut(_) => self.denied(),
            Error::Lost(loss) => self.lost(*loss),
            error => {
                let (what, why) = words::error(error);
                self.line("error ").text(what).text(why).end();
                Ending::Failed
            }
        }
    }

    /// The last word: how much of the stack was ever in use, in bytes. Ends the emulator.
    pub fn exit(self, ending: Ending) -> ! {
        self.line("stack=").number(board::stack::high_water() as u64).end();
        board::exit(ending as u8)
    }

    fn line(&self, what: &str) -> Line {
        Line::of("").number(millis(self.elapsed())).text(" ").text(what)
    }
}

fn now() -> Instant {
    Instant::from_micros(board::now_micros())
}

fn millis(time: Duration) -> u64 {
    // Not `as_millis`: arithmetic of 128 bits would be a large part of a small firmware.
    time.as_secs().saturating_mul(1000).saturating_add(u64::from(time.subsec_millis()))
}
