//! The examples, run as users run them, on a real server.

use std::fs;
use std::path::Path;
use std::process::Command;

use redlatch_testkit::example::built;
use redlatch_testkit::server::{Kind, Server};

fn server() -> Server {
    Server::start(Kind::Redis8).unwrap_or_else(|error| panic!("{error}"))
}

/// What it prints.
fn run(example: &str, arguments: &[&str]) -> String {
    let output = Command::new(built(example)).args(arguments).output().expect("it starts");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{example}: {out}{err}");
    out.into_owned()
}

/// One lock was taken and given back.
fn assert_locked(server: &Server) {
    let ask = |words: &[&str]| server.command(words).expect("answered");
    assert_eq!(ask(&["DBSIZE"]).integer(), Some(0), "nothing is left");
    let calls = ask(&["INFO", "commandstats"]).text();
    let set = calls.lines().find(|line| line.starts_with("cmdstat_set:")).unwrap_or_default();
    assert!(set.contains("calls=1,"), "{calls}");
}

#[test]
fn the_example_of_the_seed_runs() {
    let server = server();
    let port = server.address().port().to_string();
    assert_eq!(run("redis-lock", &[&port]), "Processing...\n");
    assert_locked(&server);
}

#[test]
fn the_example_of_the_seed_runs_on_threads() {
    let server = server();
    let port = server.address().port().to_string();
    assert_eq!(run("redis-lock-blocking", &[&port]), "Processing...\n");
    assert_locked(&server);
}

#[test]
fn the_example_with_discovery_and_credential_store_runs() {
    let builder = Server::builder(Kind::Redis8).password("secret");
    let server = builder.start().unwrap_or_else(|error| panic!("{error}"));
    let port = server.address().port().to_string();
    let said = run("redis-lock-references", &[&port, "secret"]);
    assert_eq!(said, "Processing...\nIt was ours until now: true\n");
    assert_locked(&server);
}

#[test]
fn the_example_with_a_yaml_file_runs() {
    let server = server();
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/redis-lock.yaml");
    let text = fs::read_to_string(beside).expect("the file of the example");
    let text = text.replace("6379", &server.address().port().to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lock.yaml");
    fs::write(&file, text).expect("written");
    assert_eq!(run("redis-lock-yaml", &[&file.to_string_lossy()]), "Processing...\n");
    assert_locked(&server);
}
