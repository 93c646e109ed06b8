//! The codec beside those of others: time, allocations and instructions of the same work.
//!
//! `cargo bench -p redlatch-testkit --features peers --bench codec [-- NAME ..]`
//!
//! `NAME`, a part of one, leaves the other work out. Times are the median of many samples, and of this
//! machine; allocations and instructions repeat to the digit. Those are counted by callgrind, and left
//! out where there is none.

#[path = "measure/callgrind.rs"]
mod callgrind;
#[path = "codec/ours.rs"]
mod ours;
#[path = "codec/peers.rs"]
mod peers;
#[path = "codec/repeated.rs"]
mod repeated;
#[path = "codec/sample.rs"]
mod sample;
#[path = "codec/work.rs"]
mod work;

use std::process::{Command, Stdio};
use std::time::Instant;

use peers::{PEERS, Peer};
use work::Work;

const SAMPLES: usize = 21;
/// Longer than the clock is coarse, shorter than what other processes leave of a processor.
const SAMPLE_NANOS: u128 = 500_000;
/// The start of a process takes some hundred instructions more or less.
const COUNTED: u64 = 200;

/// What a piece of work costs.
struct Cost {
    nanos: f64,
    allocations: u64,
    instructions: Option<u64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, who, name, repetitions] = arguments.as_slice()
        && flag == "--work"
    {
        let work = find(who, name).expect("one of the works");
        return work.run(repetitions.parse().expect("a number"));
    }
    let names: Vec<&String> = arguments.iter().filter(|one| !one.starts_with("--")).collect();
    let is_wanted = |work: &str| names.is_empty() || names.iter().any(|part| work.contains(*part));
    let counts = has_valgrind();
    println!("ns / allocations / instructions of each, and instructions against ours\n");
    for ours in ours::CODEC.iter().filter(|work| is_wanted(work.name)) {
        println!("{}", ours.name);
        let cost = measure("redlatch", ours, counts);
        print("redlatch", &cost, None);
        for Peer { name, works } in &PEERS {
            if let Some(work) = works.iter().find(|work| work.name == ours.name) {
                print(name, &measure(name, work, counts), cost.instructions);
            }
        }
    }
}

fn find(who: &str, name: &str) -> Option<&'static Work> {
    let works = match PEERS.iter().find(|peer| peer.name == who) {
        Some(peer) => peer.works,
        None => &ours::CODEC,
    };
    works.iter().find(|work| work.name == name)
}

fn has_valgrind() -> bool {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn measure(who: &str, work: &Work, counts: bool) -> Cost {
    let counted = || repeated::each(&["--work", who, work.name], COUNTED);
    Cost {
        nanos: median_nanos(work),
        allocations: work.allocations(),
        instructions: counts.then(counted),
    }
}

fn median_nanos(work: &Work) -> f64 {
    let mut repeat = work.prepare();
    let mut each = 1_u64;
    let mut sample = |repetitions: u64| {
        let start = Instant::now();
        (0..repetitions).for_each(|_| repeat());
        start.elapsed().as_nanos()
    };
    while sample(each) < SAMPLE_NANOS {
        each *= 2;
    }
    let mut samples: Vec<u128> = (0..SAMPLES).map(|_| sample(each)).collect();
    samples.sort_unstable();
    samples[SAMPLES / 2] as f64 / each as f64
}

fn print(who: &str, cost: &Cost, ours: Option<u64>) {
    let instructions = cost.instructions.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let ratio = match (cost.instructions, ours) {
        (Some(theirs), Some(ours)) => format!("{:5.1}", theirs as f64 / ours as f64),
        _ => String::new(),
    };
    println!("  {who:22} {:10.1} {:6} {instructions:>8} {ratio}", cost.nanos, cost.allocations);
}
