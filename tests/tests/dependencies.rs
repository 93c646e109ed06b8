//! What the adapters bring into the tree of their users, as `cargo tree` tells it.

use std::collections::BTreeSet;
use std::process::Command;

/// The tokio adapter without features: these, what they need, and ours.
const TOKIO: [&str; 14] = [
    // Named: buffers and keys, the runtime.
    "bytes",
    "tokio",
    // What these need.
    "libc",
    "mio",
    "pin-project-lite",
    "socket2",
    // CLOCK_BOOTTIME, because a lease runs out while the machine sleeps, and tokens, without unsafe code of
    // our own.
    "bitflags",
    "linux-raw-sys",
    "rustix",
    // Passwords are wiped from memory.
    "zeroize",
    "redlatch-client",
    "redlatch-core",
    "redlatch-futures",
    "redlatch-tokio",
];

/// Names of the crates that are built for users of this one, on Linux.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--edges=normal,build", "--prefix=none", "--format={p}"])
        .args(["--target=x86_64-unknown-linux-gnu"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Neither more nor less than what is listed.
#[track_caller]
fn assert_brings(package: &str, listed: &[&str]) {
    let expected: BTreeSet<String> = listed.iter().map(ToString::to_string).collect();
    assert_eq!(tree(&["-p", package]), expected);
}

#[test]
fn the_tokio_adapter_brings_exactly_what_is_listed() {
    assert_brings("redlatch-tokio", &TOKIO);
}

/// Without the feature nothing of TLS is built, with it rustls is.
#[test]
fn tls_comes_only_with_its_feature() {
    for adapter in ["std", "tokio", "smol", "async-std"] {
        let package = format!("redlatch-{adapter}");
        let of_tls = |name: &String| name.starts_with("rustls") || name == "ring";
        let without = tree(&["-p", &package]);
        assert!(!without.iter().any(of_tls), "{package}: {without:?}");
        assert!(tree(&["-p", &package, "--features=tls"]).iter().any(of_tls), "{package}");
    }
}

/// Nobody is told where nobody listens.
#[test]
fn tracing_comes_only_with_its_feature() {
    for adapter in ["std", "tokio", "smol", "async-std", "component"] {
        let package = format!("redlatch-{adapter}");
        let told = |features: &str| tree(&["-p", &package, features]).contains("tracing");
        assert!(!told("--no-default-features") && told("--features=tracing"), "{package}");
    }
}

/// The blocking adapter is for programs without a runtime. Without features, it is not traced either.
const STD: [&str; 7] = [
    // CLOCK_BOOTTIME, and tokens.
    "bitflags",
    "linux-raw-sys",
    "rustix",
    // Passwords.
    "zeroize",
    "redlatch-client",
    "redlatch-core",
    "redlatch-std",
];

#[test]
fn the_blocking_adapter_brings_exactly_what_is_listed() {
    assert_brings("redlatch-std", &STD);
}

/// The adapter for microcontrollers without an executor: traits of the field, a ring, and nothing else.
const EMBEDDED: [&str; 9] = [
    "embedded-io",
    "rand_core",
    // The ring of requests in flight, and what that crate needs.
    "heapless",
    "byteorder",
    "hash32",
    "stable_deref_trait",
    "redlatch-bare",
    "redlatch-core",
    "redlatch-embedded",
];

#[test]
fn the_embedded_adapter_brings_exactly_what_is_listed() {
    assert_brings("redlatch-embedded", &EMBEDDED);
}
