//! Counts the instructions of this program.

use std::process::Command as Process;

/// Instructions in user mode of one whole run of this program with these arguments.
pub(crate) fn count(arguments: &[&str]) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind, from the package of that name, counts the instructions");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let counted = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, number) = counted.unwrap_or_else(|| panic!("valgrind says: {log}"));
    number.trim().parse().expect("a number")
}
