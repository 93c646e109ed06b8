//! Boards, lines and servers in one seeded world without threads or real time: the engine that both
//! adapters for microcontrollers share, the bytes as they are, and lines that are slow, lose bytes, add
//! bytes, break, or fall silent.
//!
//! What must hold at every moment: at most one board believes in a lock, and where one does, a majority of
//! the servers shows one token under its key. What must come to pass: every call ends in its time, nobody
//! spins, and once the lines are clean again nothing is owed and every board can lock.
//!
//! `REDLATCH_SEEDS=from..to` runs others.

#[path = "board_world/board.rs"]
mod board;
#[path = "board_world/line.rs"]
mod line;
#[path = "board_world/world.rs"]
mod world;

use core::ops::Range;
use std::env;

use world::{Summary, World};

fn seeds(usual: Range<u64>) -> Range<u64> {
    let chosen = env::var("REDLATCH_SEEDS").ok();
    let range = chosen.as_deref().and_then(|text| text.split_once(".."));
    range.map_or(usual, |(from, to)| from.parse().expect("a seed")..to.parse().expect("a seed"))
}

fn run(name: &str, usual: Range<u64>, make: impl Fn(u64) -> World) {
    let mut total = Summary::default();
    for seed in seeds(usual) {
        let mut world = make(seed);
        match world.run() {
            Ok(summary) => total.add(&summary),
            Err(broken) => panic!("{name}, seed {seed}, at {} us: {broken}", world.now()),
        }
    }
    println!("{name}: {total:?}");
    assert!(total.acquired > 0 && total.released > 0 && total.refused > 0, "{total:?}");
    assert!(total.faults > 0 && total.connections > 0, "{total:?}");
}

#[test]
fn one_server_over_serial_lines_that_drop_and_add_bytes() {
    run("serial", 0..60, |seed| World::new(seed, 1, line::Kind::Serial));
}

#[test]
fn one_server_over_sockets_that_break() {
    run("sockets", 0..60, |seed| World::new(seed, 1, line::Kind::Socket));
}

#[test]
fn three_servers_over_sockets_that_break() {
    run("three sockets", 0..30, |seed| World::new(seed, 3, line::Kind::Socket));
}

#[test]
fn three_servers_over_serial_lines_that_drop_and_add_bytes() {
    run("three serial", 0..30, |seed| World::new(seed, 3, line::Kind::Serial));
}
