//! Connections and servers that fail in the middle of something.

mod common;

use core::time::Duration;
use std::thread;
use std::time::Instant;

use common::{LONG, client, count, eventually, is_held, server, steal};
use redlatch_std::{Client, Delay, Error, Refusal, Retry};
use redlatch_testkit::model::{Data, Fault, ModelServer, Rule};

const REPLY: Duration = Duration::from_millis(100);

/// A client that notices silence soon.
fn quick(server: &ModelServer) -> Client {
    let builder = Client::builder().server(&server.url()).reply_timeout(REPLY);
    builder.connect().expect("connected")
}

fn patient() -> Retry {
    Retry::until(Duration::from_secs(5))
}

/// Requirement 6, checks 1 and 11 of peers.md: whatever becomes of a request or of its reply, the
/// lock is had in the end, and nothing is left behind.
#[test]
fn no_fault_leaves_an_orphan() {
    let faults = [
        Fault::CloseBefore,
        Fault::CloseAfter,
        Fault::Cut(1),
        Fault::DropReply,
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::Error("ERR something new".into()),
        Fault::Error("LOADING the data set".into()),
        Fault::Raw(b"*1\r\n:1\r\n".to_vec()),
        Fault::Raw(b"?\r\n".to_vec()),
        Fault::Surplus(b"+OK\r\n".to_vec()),
        Fault::Before(b">1\r\n+push\r\n".to_vec()),
    ];
    for command in ["SET", "GET", "EVALSHA", "EVAL"] {
        for fault in &faults {
            let server = server();
            let client = quick(&server);
            let case = format!("{command} {fault:?}");
            server.with(|server| server.fail(Rule::on(command, fault.clone())));
            let guard = client.lock_with("key", LONG, patient());
            let guard = guard.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(is_held(&server, "key"), "{case}");
            // Never "it was not ours": a release that was applied and is repeated finds nothing.
            let released = guard.release();
            assert!(matches!(released, Ok(true) | Err(Error::Unconfirmed)), "{case}: {released:?}");
            eventually(&case, || !is_held(&server, "key"));
            assert_eq!(server.with(|server| server.pending_faults()), 0, "{case} never struck");
            let again = client.lock_with("key", LONG, patient()).expect("works again");
            assert!(again.release().expect("answered"), "{case}");
        }
    }
}

/// Requirement 6: the claim is applied, its reply is lost, and the caller has given up.
#[test]
fn a_claim_in_doubt_is_given_back_after_the_caller_gave_up() {
    let server = server();
    let client = quick(&server);
    server.pause().expect("a thread");
    let began = Instant::now();
    let error = client.try_lock("key", LONG).expect_err("frozen");
    assert!(matches!(error, Error::Silent { .. }), "{error:?}");
    assert!(began.elapsed() < REPLY * 4, "{:?}", began.elapsed());
    eventually("the silent connection is given up", || !client.servers()[0].connected);
    server.resume().expect("a thread");
    eventually("the claim comes late", || count(&server, "SET") > 0);
    eventually("the key is given back", || !is_held(&server, "key"));
    let guard = client.lock_with("key", LONG, patient()).expect("works again");
    assert!(guard.release().expect("answered"));
}

/// Requirement 16: somebody else has the key. No surplus reply, wherever it slips in, makes us
/// believe that we have it.
#[test]
fn an_out_of_step_reply_never_acquires() {
    let surplus: [&[u8]; 4] = [b"+OK\r\n", b"$-1\r\n", b":0\r\n", b"_\r\n"];
    for bytes in surplus {
        for skip in 0..6 {
            let server = server();
            let client = quick(&server);
            steal(&server, "key", LONG);
            let fault = Fault::Surplus(bytes.to_vec());
            server.with(|server| server.fail(Rule::next(fault).after(skip)));
            for _ in 0..5 {
                let locked = client.try_lock("key", LONG);
                assert!(!matches!(locked, Ok(Some(_))), "{skip} {bytes:?}: {locked:?}");
            }
        }
    }
}

/// Requirement 16: a reply that cannot belong to its request ends the connection.
#[test]
fn a_reply_that_does_not_fit_ends_the_connection() {
    for (command, reply) in [("GET", "+OK\r\n"), ("SET", ":1\r\n"), ("EVALSHA", "+OK\r\n")] {
        let server = server();
        let client = client(&server);
        let raw = Fault::Raw(reply.into());
        server.with(|server| server.fail(Rule::on(command, raw)));
        let guard = client.lock("key", LONG).expect("asked again");
        assert!(guard.release().expect("answered"), "{command}");
        assert_eq!(count(&server, "HELLO"), 2, "{command}");
    }
}

/// Check 22 of peers.md: who waits is told when the connection is back. Its own next try is far away.
#[test]
fn a_waiter_is_woken_when_the_server_is_back() {
    let server = server();
    let client = client(&server);
    steal(&server, "key", LONG);
    let rarely = Retry { delay: Delay::Fixed(LONG), retries: None, deadline: Some(LONG * 2) };
    let waiter = {
        let client = client.clone();
        thread::spawn(move || client.lock_with("key", LONG, rarely)?.release())
    };
    eventually("the waiter asks", || count(&server, "GET") > 0);
    let began = Instant::now();
    server.crash().expect("a thread");
    eventually("the client notices", || !client.servers()[0].connected);
    server.restart(Data::Lose).expect("the same port");
    assert!(waiter.join().expect("no panic").expect("answered"));
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
}

/// Check 23 of peers.md: the scripts are gone after a restart; the release is sent in full.
#[test]
fn a_release_survives_a_restart_that_keeps_the_keys() {
    let server = server();
    let client = client(&server);
    assert!(client.lock("other", LONG).expect("free").release().expect("answered"));
    let guard = client.lock("key", LONG).expect("free");
    server.restart(Data::Keep).expect("the same port");
    assert!(is_held(&server, "key"));
    assert!(guard.release().expect("answered"));
    assert!(!is_held(&server, "key"));
}

/// Extending over a connection that dies: asked again on the next one.
#[test]
fn an_extension_survives_a_lost_connection() {
    for fault in [Fault::CloseBefore, Fault::CloseAfter, Fault::DropReply] {
        let server = server();
        let client = client(&server);
        let mut guard = client.lock("key", Duration::from_secs(5)).expect("free");
        server.with(|server| server.fail(Rule::on("EVALSHA", fault.clone())));
        match guard.extend() {
            Ok(validity) => assert!(validity > Duration::from_secs(4)),
            // Where the reply is swallowed, the silence outlasts the time for an extension.
            Err(Error::NotExtended { validity, .. }) => assert!(!validity.is_zero()),
            Err(error) => panic!("{fault:?}: {error}"),
        }
        assert!(guard.is_valid());
        assert!(guard.release().expect("answered"), "{fault:?}");
    }
}

/// Requirement 17: refusals name the server and what to do.
#[test]
fn a_refusal_is_said_with_the_words_of_the_server() {
    let lines = [
        ("READONLY You can't write against a read only replica.", Refusal::ReadOnly),
        ("OOM command not allowed when used memory > 'maxmemory'.", Refusal::OutOfMemory),
        ("NOPERM User x has no permissions to run the 'set' command", Refusal::NoPermission),
        ("MOVED 1 127.0.0.1:7001", Refusal::Moved),
    ];
    for (line, refusal) in lines {
        let server = server();
        let client = client(&server);
        server.with(|server| server.fail(Rule::on("SET", Fault::Error(line.into())).forever()));
        let error = client.try_lock("key", LONG).expect_err(line);
        let Error::Refused { notice, .. } = &error else { panic!("{error:?}") };
        assert_eq!(notice.refusal(), refusal);
        let address = server.addr().expect("a port").to_string();
        assert!(error.to_string().contains(line), "{error}");
        assert!(error.to_string().contains(&address), "{error}");
    }
}

/// A server that goes away is an error that says so, within the reply timeout.
#[test]
fn a_server_that_is_gone_is_named() {
    let server = server();
    let client = quick(&server);
    server.crash().expect("a thread");
    let began = Instant::now();
    let error = client.try_lock("key", LONG).expect_err("gone");
    assert!(began.elapsed() < REPLY * 4, "{:?}", began.elapsed());
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
}
