//! Firmware that takes locks over TCP/IP with embassy, for a Cortex-M3: see the crate
//! `redlatch-firmware-scenarios` for what it can be ordered to do.

#![no_std]
#![no_main]

mod locks;
mod network;

use core::time::Duration;

use embassy_executor::Spawner;
use redlatch_embassy::{EmbassyTime, Fixed, Login, Options, Renew, share};
use redlatch_firmware_board::{self as board, Ethernet, TestRng};
use redlatch_firmware_scenarios::{Ending, Journal, Orders, run};
use static_cell::ConstStaticCell;

use locks::Locks;

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

/// What the executor runs.
#[embassy_executor::main(entry = "board::entry")]
async fn main(spawner: Spawner) {
    let board = board::start();
    let journal = Journal::begin();
    let ending = match board {
        Some(board) => obey(spawner, board.ethernet, &journal).await,
        None => journal.misused("board"),
    };
    journal.exit(ending)
}

async fn obey(spawner: Spawner, ethernet: Ethernet, journal: &Journal) -> Ending {
    let mut line = [0; COMMAND_LINE];
    let Some(orders) = board::command_line(&mut line).and_then(Orders::parse) else {
        return journal.misused("command line");
    };
    let Some(port) = orders.port else {
        return journal.misused("port");
    };
    let (Ok(mut seeds), Ok(rng)) = (TestRng::new(), TestRng::new()) else {
        return journal.misused("randomness");
    };
    let Some(stack) = network::start(spawner, ethernet, &mut seeds) else {
        return journal.misused("network");
    };
    let mut buffers = network::Buffers::new();
    let redis = network::redis(stack, &mut buffers, port);
    let options = if orders.renew { &RENEWING } else { &Options::DEFAULT };
    // Made by the compiler: made by the program, it would be on the stack for a moment.
    static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new([&Login::NONE]));
    let Some(memory) = MEMORY.try_take() else {
        return journal.misused("memory");
    };
    match share(memory, EmbassyTime, &mut seeds, options) {
        Ok(mut shared) => {
            let (client, mut runner) = shared.split([redis], rng);
            runner.run_while(LINGER, run(&Locks(client), &orders, journal)).await
        }
        Err(error) => journal.failed(&error),
    }
}
