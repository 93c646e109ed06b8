//! How large the smallest program with a lock is, as users build it: optimised, stripped, with the
//! defaults of cargo.
//!
//! Sizes depend on the compiler, whose library is a good part of such a program. What redlatch adds does so
//! less: it is the difference to a program of the same compiler that opens a socket and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use redlatch_testkit::example::minimal;
use redlatch_testkit::server::{Kind, Server};

/// The same program with `rslock` 0.10, on Rust 1.95 for x86-64 Linux.
const RSLOCK: u64 = 2_395_200;

/// In bytes.
struct Most {
    added: u64,
    /// In hundredths of [`RSLOCK`].
    share: u64,
}

const STD: Most = Most { added: 376_000, share: 31 };
const TOKIO: Most = Most { added: 384_000, share: 41 };

#[test]
fn a_program_with_a_lock_in_threads_is_small() {
    fits("std", &STD);
}

#[test]
fn a_program_with_a_lock_on_tokio_is_small() {
    fits("tokio", &TOKIO);
}

fn fits(adapter: &str, most: &Most) {
    let floor = minimal(&format!("floor-{adapter}"), adapter);
    let program = minimal(&format!("minimal-{adapter}"), adapter);
    let server = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
    // What does not work may be as small as it likes.
    assert_eq!(said(&floor, &server.address().to_string()), "answered: true");
    assert_eq!(said(&program, &server.url()), "released: true");

    let (floor, whole) = (size(&floor), size(&program));
    let (added, share) = (whole - floor, whole * 100 / RSLOCK);
    println!("{adapter}: {whole} bytes, {share} % of rslock's, {added} more than without a lock");
    assert!(added <= most.added, "{added} bytes are added, more than {}", most.added);
    assert!(share <= most.share, "{whole} bytes, {share} % of rslock's, more than {}", most.share);
}

fn said(program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn size(program: &Path) -> u64 {
    fs::metadata(program).expect("it was built").len()
}
