//! Instructions, counted by callgrind: repeatable, whatever else the machine does.

use std::process::Command;

/// What copies bytes in the C library is chosen by the processor. With these its choice is that of every
/// x86-64 machine, and so is the count.
const PLAIN_PROCESSOR: &str = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM";

/// Of one whole run of this program with these arguments, in user mode.
pub(crate) fn count(arguments: &[&str]) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .env("GLIBC_TUNABLES", PLAIN_PROCESSOR)
        .output()
        .expect("valgrind, from the package of that name, counts the instructions");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let counted = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, number) = counted.unwrap_or_else(|| panic!("valgrind says: {log}"));
    number.trim().parse().expect("a number")
}
