//! Several servers that decide by majority.

mod common;

use core::time::Duration;
use std::time::Instant;

use common::{LONG, eventually, is_held, server, steal, urls};
use redlatch_std::{Client, Error};
use redlatch_testkit::model::{Data, Fault, ModelServer, Rule, Server as ServerModel};

const REPLY: Duration = Duration::from_millis(100);

fn servers(count: usize) -> Vec<ModelServer> {
    (0..count).map(|_| server()).collect()
}

fn client(servers: &[ModelServer]) -> Client {
    let builder = Client::builder().servers(&urls(servers)).reply_timeout(REPLY);
    builder.connect().expect("connected")
}

fn held(servers: &[ModelServer]) -> usize {
    servers.iter().filter(|server| is_held(server, "key")).count()
}

#[test]
fn a_majority_is_enough_and_all_are_released() {
    for configured in [1, 3, 5] {
        let servers = servers(configured);
        let client = client(&servers);
        let guard = client.lock("key", LONG).expect("free");
        assert!(client.try_lock("key", LONG).expect("asked").is_none());
        assert!(guard.release().expect("answered"));
        eventually("all are released", || held(&servers) == 0);
    }
}

/// Requirement 5: an even number of servers settles at once, and says who is in the way.
#[test]
fn an_even_number_of_servers_says_that_the_lock_is_held() {
    for configured in [2, 4] {
        let servers = servers(configured);
        let client = client(&servers);
        let guard = client.lock("key", LONG).expect("free");
        eventually("all have it", || held(&servers) == configured);
        let other = client.try_lock("key", LONG);
        assert!(matches!(other, Ok(None)), "{configured}: {other:?}");
        assert!(guard.release().expect("answered"));
    }
}

/// One server down, one silent: three of five decide, and as fast as they answer.
#[test]
fn a_minority_may_be_down_and_silent() {
    let servers = servers(5);
    let client = client(&servers);
    servers[0].crash().expect("a thread");
    servers[1].pause().expect("a thread");
    let began = Instant::now();
    let mut guard = client.lock("key", LONG).expect("three are left");
    assert!(began.elapsed() < REPLY, "{:?}", began.elapsed());
    assert_eq!(held(&servers[2..]), 3);
    guard.extend().expect("three are left");
    assert!(guard.release().expect("three are left"));
    servers[1].resume().expect("a thread");
    eventually("the silent one is released as well", || held(&servers) == 0);
}

/// Requirement 5, check 10 of peers.md: what a failed attempt has won is given back.
#[test]
fn without_a_majority_nothing_is_kept() {
    let servers = servers(3);
    let client = client(&servers);
    servers[0].crash().expect("a thread");
    servers[1].crash().expect("a thread");
    let error = client.try_lock("key", LONG).expect_err("one is left");
    let Error::Unavailable { tally, causes } = &error else { panic!("{error:?}") };
    assert_eq!((tally.configured, tally.granted, causes.len()), (3, 1, 2));
    assert!(!error.to_string().contains('\n'), "{error}");
    eventually("the third is released", || held(&servers) == 0);
}

#[test]
fn a_lost_contest_gives_back_the_minority() {
    let servers = servers(3);
    let client = client(&servers);
    steal(&servers[0], "key", LONG);
    steal(&servers[1], "key", LONG);
    assert!(client.try_lock("key", LONG).expect("asked").is_none());
    eventually("ours is released", || !is_held(&servers[2], "key"));
    assert_eq!(held(&servers[..2]), 2, "theirs is not");
}

/// Check 11 of peers.md: a server that is away when the lock is released gets its release later.
#[test]
fn a_server_that_comes_back_is_still_owed_its_release() {
    let servers = servers(3);
    let client = client(&servers);
    let guard = client.lock("key", LONG).expect("free");
    eventually("all have it", || held(&servers) == 3);
    servers[0].crash().expect("a thread");
    assert!(guard.release().expect("two are left"));
    assert!(is_held(&servers[0], "key"));
    servers[0].restart(Data::Keep).expect("the same port");
    eventually("the release is repeated", || held(&servers) == 0);
}

/// Check 6 of peers.md: a vote that comes when the lock is had already is given back with the others,
/// whether the owner releases or just goes.
#[test]
fn a_vote_that_comes_late_is_given_back() {
    for released in [true, false] {
        let servers = servers(3);
        let client = client(&servers);
        servers[0].with(|server| server.fail(Rule::on("GET", Fault::Delay { hold: 20_000 })));
        let guard = client.lock("key", LONG).expect("two are quick");
        if released {
            assert!(guard.release().expect("answered"));
        } else {
            drop(guard);
        }
        eventually("all are released", || held(&servers) == 0);
    }
}

/// A debt of a failed attempt is paid while the lock of the next attempt is held: the reaper drives
/// machines whose owner is busy with the lock.
#[test]
fn debts_are_paid_while_the_lock_is_held() {
    let servers = servers(3);
    let client = client(&servers);
    steal(&servers[0], "key", Duration::from_millis(60));
    steal(&servers[1], "key", Duration::from_millis(60));
    // What the first attempt won cannot be released yet.
    let refused = Fault::Error("LOADING the data set".into());
    servers[2].with(|server| server.fail(Rule::on("EVALSHA", refused).forever()));
    let guard = client.lock("key", LONG).expect("two are free soon");
    assert!(is_held(&servers[2], "key"));
    servers[2].with(ServerModel::heal);
    eventually("the reaper repeats it", || !is_held(&servers[2], "key"));
    assert!(guard.release().expect("answered"));
    eventually("all are released", || held(&servers) == 0);
}

#[test]
fn a_majority_that_cannot_be_reached_fails_within_the_deadline() {
    let servers = servers(3);
    servers[0].crash().expect("a thread");
    servers[2].crash().expect("a thread");
    let began = Instant::now();
    let connected = Client::connect(&urls(&servers));
    let error = connected.map(drop).expect_err("one of three");
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    let address = servers[0].addr().expect("a port").to_string();
    assert!(error.to_string().contains(&address), "{error}");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
