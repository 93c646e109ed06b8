//! Clients and servers in seeded worlds: the real machines of `redlatch-core`, the real bytes between
//! them and the [model server](redlatch_model), and everything else invented: clocks that run at
//! different speeds, connections that split, delay, lose and leave behind, servers that refuse, stand
//! still and start again, processes that stop, die and change their minds.
//!
//! A seed draws a [`Plan`]: the size of the world, and which [`Fault`]s it has and how often. The same
//! seed gives the same world, to the last byte, on every machine. All faults of a plan are inside of
//! the bounds that the promises of redlatch stand on: then no [`Violation`] may happen. A plan can
//! also [break one bound](Plan::breaking), to measure what that costs; then the world runs on after
//! a violation, and they are counted.
//!
//! A world has three parts. For 30 ttls there are faults. Then they end, and within six ttls (and two
//! seconds, which servers that were started again wait) somebody must have each lock. Then nobody wants
//! one any more, and within a moment nothing may be left. All the time whoever waits must be woken, and be
//! quiet until then (see the module `waiting`).
//!
//! | module | what it is |
//! | --- | --- |
//! | `world` | time, and whose turn it is |
//! | `client`, `owner` | processes; what owners decide, and the machines that follow |
//! | `lines` | those who want one key of one client, in order |
//! | `contest` | owners that do nothing but contend, and how fair that is |
//! | `network`, `carry` | connections; bytes between clients and servers |
//! | `node` | servers, and what troubles them |
//! | `judge` | what must hold |
//! | `waiting` | what must hold of those who wait |
//! | [`campaign`] | many seeds, on all processors |
//!
//! ```
//! use redlatch_simulation::{Fault, Plan, run};
//!
//! let outcome = run(&Plan::new(7).without(Fault::Crash));
//! assert_eq!(outcome.violations, []);
//! assert_eq!(outcome.hash, run(&Plan::new(7).without(Fault::Crash)).hash);
//! ```
#![forbid(unsafe_code)]

pub mod campaign;
mod carry;
mod client;
mod clock;
mod contest;
mod dice;
mod judge;
mod lines;
mod network;
mod node;
mod owner;
mod parking;
mod plan;
mod trace;
mod waiting;
mod world;

pub use judge::Violation;
pub use plan::{Bound, Fault, Plan};
pub use world::Tally;

use world::World;

/// What became of a world.
#[derive(Debug)]
pub struct Outcome {
    /// What must not happen and did.
    pub violations: Vec<Violation>,
    /// How much happened.
    pub tally: Tally,
    /// Of everything that happened.
    pub hash: u64,
    /// A line for each thing that happened, if it was [asked for](timeline).
    pub timeline: String,
}

/// Lives through a world.
#[must_use]
pub fn run(plan: &Plan) -> Outcome {
    live(plan, false)
}

/// As [`run`], and tells what happens.
#[must_use]
pub fn timeline(plan: &Plan) -> Outcome {
    live(plan, true)
}

fn live(plan: &Plan, with_timeline: bool) -> Outcome {
    let mut world = World::new(plan, with_timeline);
    world.run();
    Outcome {
        violations: world.violations,
        tally: world.tally,
        hash: world.trace.hash(),
        timeline: world.trace.timeline(),
    }
}
