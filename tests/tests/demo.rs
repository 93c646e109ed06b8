//! The demo, run as a newcomer runs it, but for a second.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;

use redlatch_testkit::example::built;
use redlatch_testkit::server::{Kind, Server};

fn demo() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("demo"))
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(demo());
    command.env_remove("REDLATCH_URL").stdin(Stdio::null()).args(arguments);
    command.output().expect("the demo runs")
}

/// The figure in the line of the summary that begins with this.
fn figure(text: &str, name: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(name));
    let rest = lines.next_back().unwrap_or_else(|| panic!("no {name} in {text}"));
    let figure = rest.split_whitespace().next().expect("a figure");
    figure.parse().unwrap_or_else(|_| panic!("{name} is {figure}"))
}

fn expect_turns(arguments: &[&str]) {
    let output = run(&[&["--waiting", "woken"], arguments].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains('\x1b'), "escape sequences in a pipe: {text}");
    assert_eq!(figure(&text, "overlaps"), 0.0);
    let acquisitions = figure(&text, "acquisitions");
    assert!(acquisitions >= 5.0, "{text}");
    assert!(figure(&text, "commands per acquisition") >= 2.0, "{text}");
    assert!(figure(&text, "hand-over") >= 0.0, "{text}");
    let told = text.lines().filter(|line| line.contains("  acquired after ")).count();
    assert!(told as f64 <= acquisitions && told as f64 >= acquisitions - 3.0, "{text}");
    let shares: f64 = (1..=3).map(|number| figure(&text, &format!("worker {number} "))).sum();
    assert_eq!(shares, acquisitions, "{text}");
}

#[test]
fn it_runs_without_any_server() {
    expect_turns(&["--seconds", "1", "--workers", "3", "--hold", "40"]);
}

#[test]
fn it_runs_on_a_majority_of_models() {
    expect_turns(&["--seconds", "1", "--workers", "3", "--hold", "40", "--models", "3"]);
}

#[test]
fn it_runs_on_a_real_server() {
    let server = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
    expect_turns(&["--seconds", "1", "--workers", "3", "--hold", "40", "--server", &server.url()]);
}

#[test]
fn it_runs_on_every_adapter() {
    thread::scope(|scope| {
        for adapter in ["tokio", "smol", "async-std"] {
            let short = ["--seconds", "1", "--workers", "3", "--hold", "40"];
            scope.spawn(move || expect_turns(&[&short[..], &["--adapter", adapter]].concat()));
        }
    });
}

/// The ways of waiting, side by side at the end.
#[test]
fn it_shows_what_waking_and_a_line_are_worth() {
    let output = run(&["--seconds", "3", "--workers", "4", "--hold", "20"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    let table = &text[text.rfind("hand-over ").expect("a table")..];
    let commands = |way: &str| -> f64 {
        let line = table.lines().find(|line| line.trim_start().starts_with(way));
        let line = line.unwrap_or_else(|| panic!("no {way} in {text}"));
        line.split_whitespace().next_back().expect("a word").parse().expect("a figure")
    };
    for way in ["waiters poll", "waiters are woken", "waiters stand in line"] {
        assert!(commands(way) >= 2.0, "{text}");
    }
    // One claim, its proof and one release, and what the first in line asks.
    assert!(commands("waiters stand in line") < 5.0, "{text}");
}

#[test]
fn it_extends_a_lock_that_is_held_for_longer_than_its_ttl() {
    let arguments = ["--seconds", "2", "--workers", "3", "--hold", "400", "--ttl", "250"];
    let output = run(&arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("lost"), "{text}");
}

#[test]
fn what_goes_wrong_is_one_line_without_secrets() {
    let output = run(&["--server", "redis://:hunter2@127.0.0.1:1"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), text.lines().count()), (Some(3), 1), "{text}");
    assert!(text.contains("127.0.0.1:1") && !text.contains("hunter2"), "{text}");
    assert_eq!(run(&["--workers", "0"]).status.code(), Some(2));
    assert_eq!(run(&["--models", "3", "--server", "redis://127.0.0.1:1"]).status.code(), Some(2));
}
