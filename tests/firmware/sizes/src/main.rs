//! Firmware that tells how many bytes the types of redlatch take on a 32-bit processor, one line each.

#![no_std]
#![no_main]

use redlatch_bare::{Engine, Server, Slot};
use redlatch_core::{Connection, Handshake, Lock, Seat, Settings, Ticket};
use redlatch_embedded::{Client, Fixed, Options, Polled};
use redlatch_firmware_board::{self as board, TestRng, Uart, console::Line};

/// Bytes each way.
const BUFFER: usize = 256;
/// Bytes of a key.
const KEY: usize = 32;

/// What the runtime of the board calls.
#[board::entry]
fn main() -> ! {
    tell::<Lock<[u8; KEY], [Seat; 1]>>("Lock, one server");
    tell::<Lock<[u8; KEY], [Seat; 5]>>("Lock, five servers");
    tell::<Seat>("Seat");
    tell::<Settings>("Settings");
    tell::<Ticket>("Ticket");
    tell::<Connection<[u8; BUFFER]>>("Connection, 256 bytes each way");
    tell::<Handshake>("Handshake");
    tell::<Server<'_, [u8; BUFFER]>>("Server, 256 bytes each way");
    tell::<Slot<[u8; KEY], [Seat; 1]>>("Slot, one server, key of 32 bytes");
    tell::<Slot<[u8; KEY], [Seat; 5]>>("Slot, five servers, key of 32 bytes");
    tell::<Options>("Options");
    tell::<Engine<'_, ()>>("Engine, without its memory");
    tell::<Borrowing>("Client of redlatch-embedded, without its memory");
    tell::<Fixed<'_, 1, 1, BUFFER, KEY>>("Fixed: one lock on one server");
    tell::<Fixed<'_, 1, 2, BUFFER, KEY>>("Fixed: two locks on one server");
    tell::<Fixed<'_, 5, 1, BUFFER, KEY>>("Fixed: one lock on five servers");
    tell::<Fixed<'_, 1, 1, BUFFER, 16>>("Fixed: one lock on one server, key of 16 bytes");
    board::exit(0)
}

/// A client whose memory is elsewhere.
type Borrowing = Client<
    'static,
    &'static mut Fixed<'static, 1, 1, BUFFER, KEY>,
    [Polled<Uart>; 1],
    fn() -> u64,
    TestRng,
>;

fn tell<T>(name: &str) {
    Line::of(name).text(" = ").number(size_of::<T>() as u64).end();
}
