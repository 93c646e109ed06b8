//! The examples `hold-tokio`, `hold-smol` and `hold-async-std`, run as users run them: the same
//! contract as `hold-std`, and each excludes all others.

#[path = "processes/holder.rs"]
mod holder;

use core::time::Duration;
use std::path::Path;
use std::time::Instant;

use redlatch_testkit::conformance::{Host, ModelHost, RealHost, Running, Setup};
use redlatch_testkit::server::{Inspector, Kind, Value};

use holder::{Holder, PATIENCE};

/// How late a line may reach the test on a busy machine.
const LATE: Duration = Duration::from_millis(60);

fn model() -> Box<dyn Running> {
    ModelHost::default().start(Setup::default()).unwrap_or_else(|broken| panic!("{broken}"))
}

fn url(server: &dyn Running) -> String {
    format!("redis://{}", server.address())
}

fn ask(server: &dyn Running, question: &[&str]) -> Value {
    let mut plain = Inspector::connect(server.address(), None, PATIENCE).expect("a connection");
    plain.command(question).expect("an answer")
}

#[test]
fn hold_tokio_keeps_the_contract() {
    keeps_the_contract("tokio");
}

#[test]
fn hold_smol_keeps_the_contract() {
    keeps_the_contract("smol");
}

#[test]
fn hold_async_std_keeps_the_contract() {
    keeps_the_contract("async-std");
}

/// Arguments, the events in their order, and the exit status.
type Row<'a> = (&'a [&'a str], &'a [&'a str], i32);

/// Every ending of the contract, with its lines and its exit status.
fn keeps_the_contract(adapter: &str) {
    let program = holder::build(adapter);
    let server = model();
    let url = url(&*server);
    ask(&*server, &["SET", "taken", "foreign", "PX", "60000"]);
    let rows: [Row<'_>; 6] = [
        (&[&url, "free", "10000", "20"], &["acquired validity=9", "released"], 0),
        (&[&url, "free", "10000", "0", "--wait", "5000"], &["acquired", "released"], 0),
        (&[&url, "taken", "10000", "20"], &["denied"], 1),
        (&[&url, "taken", "10000", "20", "--wait", "50"], &["denied"], 1),
        (&[&url, "free", "60", "5000"], &["acquired", "lost reason=expired"], 4),
        (&["redis://127.0.0.1:1", "free", "10000", "20"], &["error "], 3),
    ];
    for (arguments, events, status) in rows {
        let holder = Holder::start(&program, arguments);
        for event in events {
            holder.expect(event);
        }
        let (more, ended, complaints) = holder.end();
        assert_eq!((more.len(), ended, complaints.as_str()), (0, status, ""), "{arguments:?}");
        if status == 0 {
            assert_eq!(ask(&*server, &["GET", "free"]), Value::Nil, "{arguments:?}");
        }
    }
    let (_, status, complaints) = Holder::start(&program, &["--nonsense"]).end();
    assert!(status == 2 && complaints.contains("usage: hold-"), "{status} {complaints}");
    is_told_of_its_loss(&program, &*server);
    outlives_its_ttl(&program, &*server);
}

fn is_told_of_its_loss(program: &Path, server: &dyn Running) {
    let rows: [(&str, &[&str]); 2] =
        [("deleted", &["DEL", "k"]), ("stolen", &["SET", "k", "foreign", "PX", "60000"])];
    for (reason, trouble) in rows {
        let holder = Holder::start(program, &[&url(server), "k", "600", "60000", "--extend"]);
        holder.expect("acquired");
        ask(server, trouble);
        holder.expect(&format!("lost reason={reason}"));
        assert_eq!(holder.end().1, 4, "{reason}");
    }
    ask(server, &["DEL", "k"]);
}

/// It extends in time, over a connection that dies meanwhile.
fn outlives_its_ttl(program: &Path, server: &dyn Running) {
    let holder = Holder::start(program, &[&url(server), "k", "600", "1000", "--extend"]);
    holder.expect("acquired");
    ask(server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let mut extended = 0;
    let released = loop {
        let line = holder.line();
        match line.event.as_str() {
            "released" => break line,
            event => assert!(event.starts_with("extended"), "{line:?}"),
        }
        extended += 1;
    };
    assert!(released.millis >= 999 && extended >= 2, "{extended} {released:?}");
    assert_eq!(holder.end().1, 0);
    assert_eq!(ask(server, &["GET", "k"]), Value::Nil);
}

/// Requirement 1: processes of four adapters on one key of a real server never hold it at once.
#[test]
fn processes_of_all_adapters_never_hold_at_once() {
    const HOLD: Duration = Duration::from_millis(150);
    let programs = ["std", "tokio", "smol", "async-std"].map(holder::build);
    let server = RealHost(Kind::Redis7).start(Setup::default());
    let server = server.unwrap_or_else(|broken| panic!("{broken}"));
    let url = url(&*server);
    let arguments = [&url, "shared", "10000", "150", "--wait", "25000"];
    let holders: Vec<_> =
        programs.iter().chain(&programs).map(|one| Holder::start(one, &arguments)).collect();
    let mut held: Vec<(Instant, Instant)> = holders
        .into_iter()
        .map(|holder| {
            let acquired = holder.expect("acquired validity=");
            let released = holder.expect("released");
            assert!(released.millis - acquired.millis >= 149, "{acquired:?} {released:?}");
            assert_eq!(holder.end().1, 0);
            (acquired.at, acquired.at + HOLD)
        })
        .collect();
    held.sort();
    for pair in held.windows(2) {
        let overlap = pair[0].1.saturating_duration_since(pair[1].0);
        assert!(overlap < LATE, "two held at once for {overlap:?}");
    }
    assert_eq!(held.len(), 8);
}
