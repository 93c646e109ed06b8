//! Instructions of the codec and of the machines upon it, counted by callgrind: repeatable, whatever
//! else the machine does.
//!
//! `cargo bench -p redlatch-testkit --bench instructions [-- --check | --write]`
//!
//! It runs itself under valgrind, each piece of work with none and with many repetitions, and prints the
//! difference, divided. `--check` compares that with `benches/budget.txt`, where what is lower counts as well:
//! a budget that is too large would hide the next loss. `--write` writes that file anew. None of the
//! work may allocate.

#[path = "measure/callgrind.rs"]
mod callgrind;
#[path = "codec/cycle.rs"]
mod cycle;
#[path = "codec/machines.rs"]
mod machines;
#[path = "codec/ours.rs"]
mod ours;
#[path = "codec/repeated.rs"]
mod repeated;
#[path = "codec/sample.rs"]
mod sample;
#[path = "codec/work.rs"]
mod work;

#[path = "instructions/budget.rs"]
mod budget;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use budget::Budget;
use work::Work;

/// The start of a process takes some hundred more or less.
const REPETITIONS: u64 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--work", name, repetitions] => {
            let work = works().find(|work| work.name == *name).expect("one of the works");
            work.run(repetitions.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        ["--check", ..] => check(&count()),
        ["--write", ..] => {
            fs::write(file(), count().text()).expect("the file can be written");
            ExitCode::SUCCESS
        }
        _ => {
            count();
            ExitCode::SUCCESS
        }
    }
}

fn works() -> impl Iterator<Item = &'static Work> {
    ours::CODEC.iter().chain(&machines::MACHINES)
}

/// Counts all work, and prints what it counts.
fn count() -> Budget {
    println!("instructions each, by callgrind");
    let works = works().map(|work| {
        assert_eq!(work.allocations(), 0, "{} allocates", work.name);
        let each = repeated::each(&["--work", work.name], REPETITIONS);
        println!("{each:6} {}", work.name);
        (work.name.to_owned(), each)
    });
    Budget { works: works.collect(), toolchain: toolchain() }
}

fn toolchain() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc says its version");
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    format!("{version} on {}", std::env::consts::ARCH)
}

fn file() -> impl AsRef<Path> {
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/budget.txt")
}

fn check(present: &Budget) -> ExitCode {
    let text = fs::read_to_string(file()).expect("benches/budget.txt");
    let budget = Budget::parse(&text).unwrap_or_else(|error| panic!("benches/budget.txt: {error}"));
    if budget.toolchain != present.toolchain {
        println!(
            "\nCounted with {}, while benches/budget.txt is of {}: only what is far off is told.",
            present.toolchain, budget.toolchain
        );
    }
    let complaints = budget.complaints(present);
    if complaints.is_empty() {
        println!("\nall within benches/budget.txt");
        return ExitCode::SUCCESS;
    }
    println!("\n{}\n", complaints.join("\n"));
    println!(
        "Where that is meant, write the file anew and commit it:\n\
         cargo bench -p redlatch-testkit --bench instructions -- --write"
    );
    ExitCode::FAILURE
}
