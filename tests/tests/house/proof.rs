//! Each rule finds an offender that was planted: a rule that cannot fail protects nothing.

use super::*;

fn core(path: &str, text: &str) -> Vec<Source> {
    vec![Source::new(&format!("core/src/{path}"), text)]
}

#[test]
fn top_level() {
    let mut all: Vec<_> = TOP_LEVEL.iter().map(|name| Source::new(name, "")).collect();
    assert_none(super::top_level(&all), "the agreed names");
    all.push(Source::new("docs/x.md", ""));
    all.retain(|file| file.path != "fuzz");
    assert_eq!(super::top_level(&all), ["docs does not belong there", "fuzz is missing"]);
}

#[test]
fn floors() {
    for (path, text) in [
        ("time.rs", "use crate::lock::Lock;"),
        ("time.rs", "use crate::random::Random;"),
        ("command.rs", "use crate::{\n    token::Token,\n    answer::{Answer, Class},\n};"),
        ("resp/scanner.rs", "fn f() { crate::connection::g() }"),
        ("resp/scanner.rs", "use super::super::lock::Lock;"),
        ("resp/mod.rs", "use super::lock::Lock;"),
        ("lease.rs", "use super::{quorum::Tally, time::Instant};"),
        ("lock/seat.rs", "use crate::Instant;"),
        ("attic.rs", ""),
    ] {
        assert_eq!(super::floors(&core(path, text)).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "lock/seat.rs",
            "use super::vote::Vote;\nuse crate::answer::Answer;\nuse crate::lock::ticket::Ticket;",
        ),
        (
            "time.rs",
            "/// See [`Lock`](crate::lock::Lock).\n#[cfg(test)]\nmod tests { use crate::lock::Lock; }",
        ),
        ("lib.rs", "pub use lock::Lock; use crate::lock::Event;"),
    ] {
        assert_none(super::floors(&core(path, text)), text);
    }
}

#[test]
fn hosted_libraries() {
    for text in ["use std::io;", "extern crate alloc;", "fn f() -> alloc::vec::Vec<u8> { g() }"] {
        assert_eq!(super::hosted_libraries(&core("time.rs", text)).len(), 1, "{text}");
    }
    for text in
        ["// std::io", "let x = \"std::io\";", "#[cfg(test)]\nextern crate std;", "my_std::x()"]
    {
        assert_none(super::hosted_libraries(&core("time.rs", text)), text);
    }
}

#[test]
fn dependencies() {
    for text in [
        "[dependencies]\nlibc = \"1\"",
        "[target.'cfg(unix)'.dependencies]\nlibc = \"1\"",
        "[dependencies.libc]\nversion = \"1\"",
        "[build-dependencies]\ncc = \"1\"",
        "dependencies.libc = \"1\"",
    ] {
        assert_eq!(super::dependencies(&Source::new("core/Cargo.toml", text)).len(), 1, "{text}");
    }
    let fine =
        "[package]\nname = \"x\"\n[dependencies]\n# none = 1\n[dev-dependencies]\nproptest = \"1\"";
    assert_none(super::dependencies(&Source::new("core/Cargo.toml", fine)), fine);
}

#[test]
fn unsafe_code() {
    let root = Source::new("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"");
    let lax = Source::new("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"deny\"");
    let crate_ = Source::new("core/Cargo.toml", "[lints]\nworkspace = true");
    assert!(forbids_unsafe(&crate_, &root, &[]));
    assert!(!forbids_unsafe(&crate_, &lax, &[]));
    assert!(!forbids_unsafe(&Source::new("core/Cargo.toml", "[package]"), &root, &[]));
    let text = "#![forbid(unsafe_code)]\n// unsafe\nfn f() { unsafe { g() } }";
    for (path, offenders) in [
        ("a.rs", &["a.rs:3"] as &[&str]),
        ("tests/firmware/uart/src/main.rs", &["tests/firmware/uart/src/main.rs:3"]),
        ("tests/firmware/board/src/lib.rs", &[]),
    ] {
        assert_eq!(super::unsafe_code(&[Source::new(path, text)]), offenders);
    }
}

#[test]
fn a_crate_inherits_from_its_own_workspace() {
    let all = [
        Source::new("Cargo.toml", "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"forbid\""),
        Source::new("tests/firmware/Cargo.toml", "[workspace]"),
        Source::new("tests/Cargo.toml", "[package]\n[lints]\nworkspace = true"),
        Source::new("tests/firmware/uart/Cargo.toml", "[package]\n[lints]\nworkspace = true"),
    ];
    let lax: Vec<_> = manifests(&all)
        .filter(|crate_| !forbids_unsafe(crate_, workspace_of(crate_, &all), &all))
        .map(|crate_| crate_.path.as_str())
        .collect();
    assert_eq!(lax, ["tests/firmware/uart/Cargo.toml"]);
}

#[test]
fn long() {
    assert_none(
        super::long(&[Source::new("a.rs", &"x\n".repeat(LINES_MAX))]),
        "a file at the limit",
    );
    assert_eq!(super::long(&[Source::new("a.rs", &"x\n".repeat(LINES_MAX + 1))]).len(), 1);
    assert_none(
        super::long(&[Source::new("a.rs", &"x".repeat(LINE_LENGTH_MAX))]),
        "a line at the limit",
    );
    assert_eq!(super::long(&[Source::new("a.rs", &"x".repeat(LINE_LENGTH_MAX + 1))]).len(), 1);
}

#[test]
fn left_for_later() {
    for text in [
        concat!("// TO", "DO: x"),
        concat!("# FIX", "ME"),
        "fn f() { todo!() }",
        "let x = dbg!(y);",
    ] {
        assert_eq!(super::left_for_later(&[Source::new("a.rs", text)]).len(), 1, "{text}");
    }
    assert_none(
        super::left_for_later(&[Source::new("a.rs", "dbg_macro = \"warn\"")]),
        "a lint's name",
    );
}

#[test]
fn left_by_runs() {
    for path in [
        "fuzz/crash-462299a27f182e373e9c779daec5d8c9e425eeae",
        "fuzz/default_1_0_5530.profraw",
        "callgrind.out.17",
    ] {
        assert_eq!(super::left_by_runs(&[Source::new(path, "")]), [path]);
    }
    let kept = ["fuzz/corpus/lock/462299a27f182e373e9c779daec5d8c9e425eeae", "fuzz/seeds/url/a-1"];
    assert_none(super::left_by_runs(&kept.map(|path| Source::new(path, ""))), "stored inputs");
}

#[test]
fn missing_commands() {
    let readme =
        "`cargo run --example demo`, `.ci/test` and `cargo run --example hold-std`; see .ci/.";
    let mut all = vec![
        Source::new("README.md", readme),
        Source::new("tests/examples/demo.rs", ""),
        Source::new(".ci/test", ""),
    ];
    assert_eq!(super::missing_commands(&all), ["example hold-std"]);
    all.push(Source::new("adapters/std/examples/hold-std.rs", ""));
    assert_none(super::missing_commands(&all), readme);
    all.retain(|file| file.path != ".ci/test");
    assert_eq!(super::missing_commands(&all), [".ci/test"]);
    assert_eq!(super::missing_commands(&[Source::new("README.md", "")]).len(), 2);
    assert_eq!(super::missing_commands(&[]), ["README.md"]);
}

#[test]
fn foreign_places() {
    for text in [concat!("cd /wo", "rk/x"), concat!("https://crates", ".io/x")] {
        assert_eq!(super::foreign_places(&[Source::new("a.md", text)]).len(), 1, "{text}");
        assert_none(super::foreign_places(&[Source::new("Cargo.lock", text)]), text);
    }
}

#[test]
fn undeclared() {
    let fine =
        "[package]\ndescription = \"Twenty letters at the least\"\nrust-version.workspace = true";
    assert_none(super::undeclared(&Source::new("core/Cargo.toml", fine)), fine);
    for text in [
        "[package]\ndescription = \"\"\nrust-version.workspace = true",
        "[package]\ndescription = \"Twenty letters at the least\"",
        "[package]\ndescription = \"Twenty letters at the least\"\npublish = false",
    ] {
        assert_eq!(super::undeclared(&Source::new("core/Cargo.toml", text)).len(), 1, "{text}");
    }
}

#[test]
fn unnamed() {
    let tests = [
        Source::new("tests/tests/a.rs", "fn r01_x() {}\nfn r9_y() {}"),
        Source::new("tests/tests/b.rs", "/// Requirements 3, 4 and 10, nothing of 5.\n(R2, R7)"),
        Source::new("tests/tests/c.rs", "// error6 R6x Requirement: 8"),
    ];
    assert_eq!(super::unnamed(&tests, 1..=10), ["R5", "R6"]);
}

#[test]
fn uncompiled() {
    let readme =
        Source::new("README.md", "```rust\nlet a = 1;\n\nlet b = 2;\n```\n```rust\nlet c;\n```");
    let lib = "//! ```\n//! # fn f() {\n//! let a = 1;\n//!\n//! let b = 2;\n//! # }\n//! ```";
    assert_eq!(super::uncompiled(&[readme, Source::new("core/src/lib.rs", lib)]), ["let c;"]);
}
