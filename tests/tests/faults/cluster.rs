//! A node of a cluster instead of a server of its own. Redirections are not followed yet: they are told.

use core::time::Duration;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread;

use redlatch_std::{Error, Refusal, Retry};
use redlatch_testkit::server::Value;

use super::stand::{LONG, Stand, eventually, held, on_every_kind, patient, refusal, start};

const SLOTS: i64 = 16_384;
const OTHER_NODE: &str = "0000000000000000000000000000000000000001";
const THIS_NODE: &str = "0000000000000000000000000000000000000002";

/// Runs a test on a node that has the lower half of the slots. Of the other node, which has the upper
/// half, there is no more than a port.
fn on_half_a_cluster(test: fn(&Stand, &TcpListener)) {
    on_every_kind(|kind, protocol| {
        let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = other.local_addr().expect("bound").port();
        let folder = tempfile::tempdir().expect("a folder");
        let nodes = folder.path().join("nodes.conf");
        let half = SLOTS / 2;
        let lines = format!(
            "{OTHER_NODE} 127.0.0.1:{port}@1 master - 0 0 1 connected {half}-{}\n\
             {THIS_NODE} 127.0.0.1:0@0 myself,master - 0 0 2 connected 0-{}\n\
             vars currentEpoch 2 lastVoteEpoch 0\n",
            SLOTS - 1,
            half - 1
        );
        std::fs::write(&nodes, lines).expect("a file");
        let nodes = nodes.display().to_string();
        let arguments = ["--cluster-enabled", "yes", "--cluster-config-file", &nodes];
        let patient = ["--cluster-node-timeout", "60000"];
        let stand = Stand::new(start(kind, &[&arguments[..], &patient].concat()), protocol);
        eventually("it trusts itself", || {
            stand.ask(&["CLUSTER", "INFO"]).text().contains("cluster_state:ok")
        });
        test(&stand, &other);
    });
}

/// A key of the lower half, or of the upper one, and its slot.
fn key(stand: &Stand, upper: bool) -> (String, String) {
    let slot = |key: &String| stand.ask(&["CLUSTER", "KEYSLOT", key]).integer().expect("a number");
    let mut keys = (0..).map(|number| format!("key:{number}"));
    let key = keys.find(|key| (slot(key) >= SLOTS / 2) == upper).expect("half of all");
    let slot = slot(&key).to_string();
    (key, slot)
}

/// Nobody has the slot: asked again, within bounds, until somebody has.
#[test]
fn f10_cluster_down() {
    on_every_kind(|kind, protocol| {
        let stand = Stand::new(start(kind, &["--cluster-enabled", "yes"]), protocol);
        let client = stand.client();
        assert_eq!(refusal(client.try_lock("key", LONG)), Refusal::ClusterDown);
        let bounded = Retry::until(Duration::from_millis(50));
        assert_eq!(refusal(client.lock_with("key", LONG, bounded)), Refusal::ClusterDown);
        let waiter = {
            let client = client.clone();
            thread::spawn(move || client.lock_with("key", LONG, patient()))
        };
        let slots: Vec<_> = (0..SLOTS).map(|slot| slot.to_string()).collect();
        let slots = slots.iter().map(String::as_str);
        stand.ask(&["CLUSTER", "ADDSLOTS"].into_iter().chain(slots).collect::<Vec<_>>());
        let guard = waiter.join().expect("no panic").expect("it is free");
        assert!(guard.release().expect("answered") && stand.is_free("key"));
    });
}

/// Also within a deadline; and the client goes nowhere by the word of a server.
#[test]
fn f11_moved() {
    on_half_a_cluster(|stand, other| {
        let client = stand.client();
        let (ours, theirs) = (key(stand, false).0, key(stand, true).0);
        stand.works(&client, &ours);
        let outcome = client.try_lock(&*theirs, LONG);
        let said = outcome.as_ref().map(drop).expect_err("not here").to_string();
        assert!(said.contains("MOVED"), "{said}");
        assert_eq!(refusal(outcome), Refusal::Moved);
        let bounded = Retry::until(Duration::from_millis(50));
        assert_eq!(refusal(client.lock_with(&*theirs, LONG, bounded)), Refusal::Moved);
        stand.works(&client, &ours);
        other.set_nonblocking(true).expect("a socket");
        let nobody = other.accept().expect_err("no connection");
        assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
    });
}

/// The slot migrates: what is held here is extended and given back here, and what is not is not had.
#[test]
fn f12_ask() {
    on_half_a_cluster(|stand, _| {
        let client = stand.client();
        let (key, slot) = key(stand, false);
        let mut guard = held(&client, &key);
        stand.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", OTHER_NODE]);
        assert!(client.try_lock(&*key, LONG).expect("asked").is_none(), "it is held");
        assert!(guard.extend().expect("ours") > LONG / 2);
        assert!(guard.release().expect("answered"));
        assert_eq!(refusal(client.try_lock(&*key, LONG)), Refusal::Ask);
        stand.ask(&["CLUSTER", "SETSLOT", &slot, "STABLE"]);
        stand.works(&client, &key);
    });
}

/// It moves away while it is held: no lie, and it is left to its ttl if it does not come back.
#[test]
fn f12_a_held_key_migrates_away() {
    on_half_a_cluster(|stand, _| {
        let client = stand.client();
        let (key, slot) = key(stand, false);
        let mut guard = held(&client, &key);
        stand.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", OTHER_NODE]);
        // As MIGRATE does, without a node to take it.
        let Value::Bulk(dump) = stand.ask(&["DUMP", &key]) else { panic!("no key") };
        stand.ask(&["DEL", &key]);
        let outcome = guard.extend();
        assert!(matches!(outcome, Err(Error::NotExtended { .. })), "{outcome:?}");
        assert!(guard.is_valid(), "the old lease stands, there as here");
        let outcome = guard.release();
        assert!(matches!(outcome, Err(Error::Unconfirmed)), "{outcome:?}");
        // It comes back: the release that is owed finds it.
        stand.ask(&["CLUSTER", "SETSLOT", &slot, "STABLE"]);
        let mut inspector = stand.inspect().expect("a connection");
        let restore: [&[u8]; 4] = [b"RESTORE", key.as_bytes(), b"60000", &dump];
        assert_eq!(inspector.command(&restore).expect("a reply").text(), "OK");
        eventually("it is given back", || stand.is_free(&key));
    });
}
