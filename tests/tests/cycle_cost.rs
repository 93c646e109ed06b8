//! What a lock that nobody else wants costs, in things that can be counted: commands and allocations.

use core::time::Duration;
use std::collections::BTreeMap;

use allocation_counter::measure;
use redlatch_testkit::server::{Inspector, Kind, Server};
use tokio::runtime::{Builder, Runtime};

const TTL: Duration = Duration::from_secs(10);
const CYCLES: u64 = 500;

/// Allocations of a cycle of `redlatch-tokio`, when everything has its size.
const ALLOCATIONS_MOST: u64 = 1;
/// What may come on top in all cycles together: something grows once more.
const ALLOCATIONS_SELDOM: u64 = CYCLES / 50;

/// Commands of a cycle. What a script calls is among them, as the server counts it.
const COMMANDS: [(Kind, &[(&str, u64)]); 5] = [
    (Kind::Redis6, BY_SCRIPT),
    (Kind::Redis7, BY_SCRIPT),
    (Kind::Redis8, BY_SCRIPT),
    (Kind::Redis8_6, BY_DELEX),
    (Kind::Valkey9, BY_DELIFEQ),
];
/// The claim and its proof; the script, which looks and deletes.
const BY_SCRIPT: &[(&str, u64)] = &[("del", 1), ("evalsha", 1), ("get", 2), ("set", 1)];
/// The claim and its proof; the server's own command.
const BY_DELEX: &[(&str, u64)] = &[("delex", 1), ("get", 1), ("set", 1)];
const BY_DELIFEQ: &[(&str, u64)] = &[("delifeq", 1), ("get", 1), ("set", 1)];

#[test]
fn a_cycle_on_tokio_asks_no_more_than_is_listed() {
    for (kind, most) in COMMANDS {
        let server = start(kind);
        let (runtime, client) = on_tokio(&server);
        let asked = calls(&server, || runtime.block_on(cycles(&client)));
        assert_within(kind, &asked, most);
    }
}

#[test]
fn a_cycle_in_threads_asks_no_more_than_is_listed() {
    for (kind, most) in COMMANDS {
        let server = start(kind);
        let client = redlatch_std::Client::connect(&server.url()).expect("connected");
        let cycle = || {
            let guard = client.lock("key", TTL).expect("free");
            assert!(guard.release().expect("answered"));
        };
        cycle();
        let asked = calls(&server, || (0..CYCLES).for_each(|_| cycle()));
        assert_within(kind, &asked, most);
    }
}

#[test]
fn a_cycle_on_tokio_allocates_no_more_than_today() {
    let server = start(Kind::Redis7);
    let (runtime, client) = on_tokio(&server);
    // The client, its connection and what keeps them live in the thread that counts.
    let counted = measure(|| runtime.block_on(cycles(&client))).count_total;
    println!("{counted} allocations in {CYCLES} cycles");
    let most = CYCLES * ALLOCATIONS_MOST + ALLOCATIONS_SELDOM;
    assert!(counted <= most, "{counted} allocations in {CYCLES} cycles, more than {most}");
    assert!(measure(|| drop(vec![0_u8; 9])).count_total == 1, "it does count");
}

/// Connected, and warm.
fn on_tokio(server: &Server) -> (Runtime, redlatch_tokio::Client) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = runtime.block_on(async {
        let client = redlatch_tokio::Client::connect(&server.url()).await.expect("connected");
        cycles(&client).await;
        client
    });
    (runtime, client)
}

async fn cycles(client: &redlatch_tokio::Client) {
    for _ in 0..CYCLES {
        let guard = client.lock("key", TTL).await.expect("free");
        assert!(guard.release().await.expect("answered"));
    }
}

fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// What the server was asked for meanwhile.
fn calls(server: &Server, meanwhile: impl FnOnce()) -> BTreeMap<String, u64> {
    let mut inspector = server.inspect().expect("it runs");
    let before = counts(&mut inspector);
    meanwhile();
    let mut after = counts(&mut inspector);
    after.retain(|name, count| {
        *count -= before.get(name).copied().unwrap_or(0);
        // Our own look.
        *count > 0 && name != "info"
    });
    after
}

/// `cmdstat_NAME:calls=N,..`
fn counts(inspector: &mut Inspector) -> BTreeMap<String, u64> {
    let stats = inspector.command(&["INFO", "commandstats"]).expect("an answer").text();
    let lines = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
    let parsed = lines.filter_map(|line| {
        let (name, rest) = line.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    });
    parsed.collect()
}

fn assert_within(kind: Kind, asked: &BTreeMap<String, u64>, most: &[(&str, u64)]) {
    let most: BTreeMap<_, _> = most.iter().map(|&(name, each)| (name, each * CYCLES)).collect();
    let within =
        |(name, count): (&String, &u64)| most.get(&**name).is_some_and(|most| count <= most);
    assert!(asked.iter().all(within), "{kind}, {CYCLES} cycles: {asked:?}, more than {most:?}");
    assert!(asked.get("set") == Some(&CYCLES), "{kind}: each lock was taken once: {asked:?}");
}
