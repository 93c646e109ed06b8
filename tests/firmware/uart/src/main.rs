//! Firmware that takes locks over a serial line, built for a Cortex-M3 and for RISC-V: see the crate
//! `redlatch-firmware-scenarios` for what it can be ordered to do.

#![no_std]
#![no_main]

mod blocking;

use core::time::Duration;

use redlatch_embedded::{Client, Fixed, Instant, Login, Options, Polled, Renew};
use redlatch_firmware_board::{self as board, TestRng, Uart};
use redlatch_firmware_scenarios::{Ending, Journal, Orders, at_once, run};
use static_cell::ConstStaticCell;

use blocking::Blocking;

/// Longest command line, in bytes.
const COMMAND_LINE: usize = 160;
/// Room for each direction of the connection, in bytes.
const BUFFER: usize = 256;
/// One lock, and one that was dropped: it keeps its place until it is surely given back.
const PLACES: usize = 2;
/// Longest key, in bytes.
const KEY: usize = 32;
/// How long what is owed is worked on at the end.
const LINGER: Duration = Duration::from_secs(1);

/// How a client behaves that renews its locks.
const RENEWING: Options = Options { renew: Some(Renew::DEFAULT), ..Options::DEFAULT };

type Memory = Fixed<'static, 1, PLACES, BUFFER, KEY>;

/// The clock of the board, which sleeps until the next tick while there is nothing to do.
struct Clock;

impl redlatch_embedded::Clock for Clock {
    fn now(&mut self) -> Instant {
        Instant::from_micros(board::now_micros())
    }

    fn idle(&mut self, _: Instant) {
        board::idle();
    }
}

/// What the runtime of the board calls.
#[board::entry]
fn main() -> ! {
    let board = board::start();
    let journal = Journal::begin();
    let ending = match board {
        Some(board) => obey(board.uart, &journal),
        None => journal.misused("board"),
    };
    journal.exit(ending)
}

fn obey(uart: Uart, journal: &Journal) -> Ending {
    let mut line = [0; COMMAND_LINE];
    let Some(orders) = board::command_line(&mut line).and_then(Orders::parse) else {
        return journal.misused("command line");
    };
    let Ok(rng) = TestRng::new() else {
        return journal.misused("randomness");
    };
    let options = if orders.renew { &RENEWING } else { &Options::DEFAULT };
    // Made by the compiler: made by the program, it would be on the stack for a moment.
    static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new([&Login::NONE]));
    let Some(memory) = MEMORY.try_take() else {
        return journal.misused("memory");
    };
    let client = match Client::new(memory, [Polled::new(uart)], Clock, rng, options) {
        Ok(client) => client,
        Err(error) => return journal.failed(&error),
    };
    let ending = at_once(run(&Blocking(&client), &orders, journal));
    // What is not given back by then is left to its ttl.
    let _ = client.settle(LINGER);
    ending.unwrap_or_else(|| journal.misused("a client that waits"))
}
