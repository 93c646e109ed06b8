//! Faults that a server tells: it answers with an error, and the words differ from server to server.

use core::time::Duration;
use std::sync::Mutex;
use std::thread;

use redlatch_std::{Client, Error, Guard, Loss, Refusal, Retry};
use redlatch_testkit::model::{Fault, ModelServer, Rule};
use redlatch_testkit::port::Port;
use redlatch_testkit::server::Value;

use super::stand::{LONG, Stand, eventually, everywhere, everywhere_with, held, patient, refusal};

/// Scripts are gone: they are sent in full once, and nobody notices.
#[test]
fn f01_scripts_are_forgotten() {
    everywhere(|stand| {
        let client = stand.client();
        let scripts = if stand.release_command() == "EVALSHA" { 2 } else { 1 };
        for round in 1..=2 {
            let mut guard = held(&client, "key");
            stand.ask(&["SCRIPT", "FLUSH"]);
            assert!(guard.extend().expect("ours") > LONG / 2);
            assert!(guard.release().expect("answered"));
            assert!(stand.is_free("key"));
            assert_eq!(stand.calls("eval"), scripts * round, "one of each");
            stand.works(&client, "key");
            assert_eq!(stand.calls("eval"), scripts * round, "then by digest");
        }
    });
}

/// A script of somebody else runs on and on: no vote, and no wait beyond the deadline.
#[test]
fn f02_a_script_keeps_the_server_busy() {
    everywhere(|stand| {
        stand.set("lua-time-limit", "10");
        let client = stand.client();
        let mut other = stand.inspect().expect("a connection");
        let busy = thread::spawn(move || other.command(&["EVAL", "while true do end", "0"]));
        eventually("it is busy", || matches!(stand.say(&["PING"]), Value::Error(_)));
        assert_eq!(refusal(client.try_lock("key", LONG)), Refusal::Busy);
        let waiter = {
            let client = client.clone();
            thread::spawn(move || client.lock_with("key", LONG, patient()))
        };
        stand.ask(&["SCRIPT", "KILL"]);
        assert!(matches!(busy.join().expect("no panic").expect("a reply"), Value::Error(_)));
        let guard = waiter.join().expect("no panic").expect("it is free");
        assert!(guard.release().expect("answered") && stand.is_free("key"));
    });
}

/// Our scripts end too soon to be killed on a real server, so the model says it for them.
#[test]
fn f03_our_script_is_killed() {
    for line in [
        "ERR Script killed by user with SCRIPT KILL... script: 9b9b, on @user_script:1.",
        "ERR Error running script (call to f_9b9b): @user_script:1: Script killed by user with SCRIPT KILL...",
    ] {
        let server = ModelServer::start().expect("a port");
        let client = Client::connect(&server.url()).expect("connected");
        let mut guard = held(&client, "key");
        let fault = || Rule::on("EVALSHA", Fault::Error(line.to_owned()));
        server.with(|server| server.fail(fault()));
        // Surely not applied: nothing is lost, whether it is asked again or not.
        let extended = guard.extend();
        assert!(matches!(extended, Ok(_) | Err(Error::NotExtended { .. })), "{extended:?}");
        assert!(guard.is_valid());
        server.with(|server| server.fail(fault()));
        let released = guard.release();
        assert!(matches!(released, Ok(true) | Err(Error::Unconfirmed)), "{released:?}");
        eventually("it is given back", || server.with(|it| it.get(0, b"key").is_none()));
    }
}

/// What holds while a server refuses writes for a while: no claim, no lie about what is held, and
/// everything is given back afterwards.
fn refuses_writes(stand: &Stand, client: &Client, expected: Refusal, [on, off]: [&dyn Fn(); 2]) {
    let (mut extended, released) = (held(client, "extended"), held(client, "released"));
    let dropped = held(client, "dropped");
    on();
    assert_eq!(refusal(client.try_lock("key", LONG)), expected);
    let outcome = extended.extend();
    let Err(Error::NotExtended { validity, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(!validity.is_zero() && extended.is_valid(), "the old lease stands");
    let outcome = released.release();
    assert!(matches!(outcome, Err(Error::Unconfirmed)), "{outcome:?}");
    drop(dropped);
    let waiter = {
        let client = client.clone();
        thread::spawn(move || client.lock_with("key", LONG, patient()))
    };
    off();
    let guard = waiter.join().expect("no panic").expect("it is free");
    assert!(extended.extend().expect("ours") > LONG / 2);
    for guard in [guard, extended] {
        assert!(guard.release().expect("answered"));
    }
    eventually("all is given back", || {
        ["key", "extended", "released", "dropped"].iter().all(|key| stand.is_free(key))
    });
}

/// A port where nobody listens, as the address of a master that cannot be reached.
fn nobody() -> (Port, String) {
    let port = Port::claim().expect("a port");
    let number = port.number().to_string();
    (port, number)
}

/// The master becomes a replica while it is used. Who connects to it then is told.
#[test]
fn f04_the_server_is_a_replica() {
    everywhere(|stand| {
        let (_port, number) = nobody();
        let client = stand.client();
        let on = || {
            stand.ask(&["REPLICAOF", "127.0.0.1", &number]);
            let error = stand.builder().connect().map(drop).expect_err("a replica");
            assert!(matches!(error, Error::Replica { .. }), "{error:?}");
        };
        let off = || drop(stand.ask(&["REPLICAOF", "NO", "ONE"]));
        refuses_writes(stand, &client, Refusal::ReadOnly, [&on, &off]);
    });
}

/// The word of a replica counts for nothing on a new connection: it says of a lock that it does not
/// have that it is gone, without an error.
#[test]
fn f04_a_replica_does_not_confirm_a_release() {
    everywhere(|stand| {
        let (_port, number) = nobody();
        let client = stand.client();
        let guard = held(&client, "key");
        stand.ask(&["DEL", "key"]);
        stand.ask(&["REPLICAOF", "127.0.0.1", &number]);
        stand.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let outcome = guard.release();
        assert!(matches!(outcome, Err(Error::Unconfirmed)), "{outcome:?}");
        stand.ask(&["REPLICAOF", "NO", "ONE"]);
        assert!(client.shutdown(LONG), "nothing is owed any more");
    });
}

/// It loads its data: it is asked again until it has, and what was held before is held.
#[test]
fn f05_the_server_is_loading() {
    everywhere(|stand| {
        let client = stand.client();
        let mut guard = held(&client, "held");
        // It answers between two pieces of 2 MB.
        stand.set("rdbcompression", "no");
        stand.ask(&["DEBUG", "POPULATE", "200", "filler", "65536"]);
        stand.set("key-load-delay", "4000");
        let mut other = stand.inspect().expect("a connection");
        let loading = thread::spawn(move || other.command(&["DEBUG", "RELOAD"]));
        eventually("it loads", || matches!(stand.say(&["PING"]), Value::Error(_)));
        assert_eq!(refusal(client.try_lock("key", LONG)), Refusal::Loading);
        let outcome = guard.extend();
        assert!(matches!(outcome, Ok(_) | Err(Error::NotExtended { .. })), "{outcome:?}");
        assert!(guard.is_valid());
        let waited = client.lock_with("key", LONG, patient()).expect("it is free");
        assert_eq!(loading.join().expect("no panic").expect("a reply").text(), "OK");
        assert!(guard.extend().expect("ours") > LONG / 2);
        for guard in [guard, waited] {
            assert!(guard.release().expect("answered"));
        }
        assert!(stand.is_free("key") && stand.is_free("held"));
    });
}

/// A replica without its master, which shows no stale data.
#[test]
fn f06_the_server_is_a_replica_cut_off() {
    everywhere_with(&["--replica-serve-stale-data", "no"], |stand| {
        let (_port, number) = nobody();
        let client = stand.client();
        let on = || drop(stand.ask(&["REPLICAOF", "127.0.0.1", &number]));
        let off = || drop(stand.ask(&["REPLICAOF", "NO", "ONE"]));
        refuses_writes(stand, &client, Refusal::ReadOnly, [&on, &off]);
    });
}

/// Nothing new fits, and what is held is extended and given back all the same.
#[test]
fn f07_memory_full() {
    everywhere(|stand| {
        let client = stand.client();
        // Neither script is known yet: they are sent in full while the memory is full.
        let (mut guard, dropped) = (held(&client, "key"), held(&client, "dropped"));
        stand.set("maxmemory", "1");
        assert_eq!(refusal(client.try_lock("other", LONG)), Refusal::OutOfMemory);
        assert!(guard.extend().expect("it needs no memory") > LONG / 2);
        assert!(guard.release().expect("answered"));
        drop(dropped);
        eventually("both are given back", || stand.is_free("key") && stand.is_free("dropped"));
        stand.set("maxmemory", "0");
        stand.works(&client, "other");
    });
}

/// The disk is full, say: a snapshot cannot be written.
#[test]
fn f08_disk_error() {
    everywhere(|stand| {
        let client = stand.client();
        let Value::Array(dir) = stand.ask(&["CONFIG", "GET", "dir"]) else { panic!("no folder") };
        let snapshot = std::path::Path::new(&dir[1].text()).join("dump.rdb");
        let save = |status: &str| {
            stand.ask(&["BGSAVE"]);
            eventually("it is saved or not", || stand.info("rdb_last_bgsave_status") == status);
        };
        let on = || {
            // A file cannot take the place of a folder.
            std::fs::create_dir(&snapshot).expect("a folder");
            stand.set("save", "3600 100000");
            save("err");
        };
        let off = || {
            std::fs::remove_dir(&snapshot).expect("it is empty");
            save("ok");
        };
        refuses_writes(stand, &client, Refusal::Misconfigured, [&on, &off]);
    });
}

#[test]
fn f09_too_few_replicas() {
    everywhere(|stand| {
        let client = stand.client();
        let on = || stand.set("min-replicas-to-write", "1");
        let off = || stand.set("min-replicas-to-write", "0");
        refuses_writes(stand, &client, Refusal::NoReplicas, [&on, &off]);
    });
}

/// No password, a wrong one, and one that was changed meanwhile.
#[test]
fn f15_authentication() {
    everywhere(|stand| {
        let client = stand.client();
        let guard = held(&client, "key");
        let before = stand.info("total_connections_received");
        stand.set("requirepass", "right");
        assert_eq!(refusal(stand.builder().connect()), Refusal::NoAuth);
        let url = |password: &str| stand.url().replace("//", &format!("//:{password}@"));
        let wrong = stand.builder_for(&url("sentinel")).connect();
        let said = format!("{wrong:?} {}", wrong.as_ref().map(drop).expect_err("wrong"));
        assert!(!said.contains("sentinel"), "{said}");
        assert_eq!(refusal(wrong), Refusal::WrongPassword);
        let after = stand.info("total_connections_received");
        let tries = after.parse::<u64>().expect("a number") - before.parse::<u64>().expect("one");
        assert_eq!(tries, 2, "once each");

        // Who is in stays in; who has to come again is told.
        stand.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        eventually("it is told", || {
            matches!(client.try_lock("other", LONG), Err(Error::Refused { .. }))
        });
        let Err(Error::Unconfirmed) = guard.release() else { panic!("nobody was asked") };
        stand.set("requirepass", "");
        eventually("it is given back", || stand.is_free("key"));
        stand.works(&client, "other");
    });
}

/// The user that `SECURITY.md` makes may do all that a lock needs, on its own prefix. Then it may not.
#[test]
fn f16_rights() {
    let manual = include_str!("../../../SECURITY.md");
    let line = manual.lines().find(|line| line.starts_with("ACL SETUSER")).expect("the line");
    let made: Vec<_> = line.split(' ').collect();
    everywhere(|stand| {
        let acl = |rights: &[&str]| drop(stand.ask(&[&made[..3], rights].concat()));
        stand.ask(&made);
        let url = stand.url().replace("//", "//locker:PASSWORD@");
        let client = stand.builder_for(&url).connect().expect("connected");
        stand.works(&client, "lock:key");
        assert_eq!(refusal(client.try_lock("other:key", LONG)), Refusal::NoPermission);

        let (mut guard, other) = (held(&client, "lock:key"), held(&client, "lock:other"));
        assert!(guard.extend().expect("ours") > LONG / 2);
        acl(&["-set", "-pexpire", "-del"]);
        assert_eq!(refusal(client.try_lock("lock:new", LONG)), Refusal::NoPermission);
        assert!(stand.is_free("lock:new"));
        let outcome = guard.extend();
        assert!(matches!(outcome, Err(Error::NotExtended { .. })), "{outcome:?}");
        assert!(guard.is_valid(), "the old lease stands");
        let outcome = guard.release();
        assert!(matches!(outcome, Err(Error::Unconfirmed)), "{outcome:?}");
        acl(&["-eval", "-evalsha"]);
        let outcome = other.release();
        assert!(matches!(outcome, Err(Error::Unconfirmed)), "{outcome:?}");

        acl(&["+set", "+eval", "+evalsha", "+del", "+pexpire"]);
        let free = || stand.is_free("lock:key") && stand.is_free("lock:other");
        eventually("both are given back", free);
    });
}

/// Where the server has a command that compares and deletes, and says so, a release is that command.
#[test]
fn a_release_is_the_command_of_the_server() {
    let native = Mutex::new(0);
    everywhere(|stand| {
        let client = stand.client();
        for _ in 0..3 {
            stand.works(&client, "key");
        }
        let command = stand.release_command();
        let scripts = stand.calls("eval") + stand.calls("evalsha");
        if command == "EVALSHA" {
            return assert!(scripts >= 3, "{scripts} scripts");
        }
        *native.lock().expect("no panic") += 1;
        assert_eq!((stand.releases(), scripts), (3, 0), "{command}");
        assert_eq!(stand.calls("del"), 0);
        let guard = held(&client, "key");
        stand.ask(&["SET", "key", "theirs"]);
        assert!(!guard.release().expect("answered"), "it is not ours");
        assert_eq!(stand.value("key").as_deref(), Some("theirs"));
        assert_eq!((stand.releases(), stand.calls("eval")), (4, 0), "{command}");
    });
    assert!(native.into_inner().expect("no panic") >= 2, "no server had such a command");
}

/// A user who may not run the server's own command releases by script, at once, and never asks for it
/// again on that connection.
#[test]
fn a_release_falls_back_to_the_script() {
    everywhere(|stand| {
        let command = stand.release_command().to_ascii_lowercase();
        let without = format!("-{command}");
        let rights = ["on", ">secret", "resetchannels", "~*", "+@all"];
        let user = [&["ACL", "SETUSER", "locker"], &rights[..]].concat();
        stand.ask(&user);
        if command != "evalsha" {
            stand.ask(&["ACL", "SETUSER", "locker", &without]);
        }
        let url = stand.url().replace("//", "//locker:secret@");
        let client = stand.builder_for(&url).connect().expect("connected");
        for _ in 0..3 {
            stand.works(&client, "key");
        }
        assert_eq!(
            (stand.calls("eval"), stand.calls("evalsha")),
            (1, 3 - u64::from(command != "evalsha")),
            "{command}"
        );
        if command != "evalsha" {
            assert_eq!((stand.releases(), stand.rejected(&command)), (0, 1), "{command}");
        }
        assert!(client.shutdown(LONG));
    });
}

/// Something else than a lock stands under the key: somebody has it, and it is never deleted.
#[test]
fn f17_another_type() {
    everywhere(|stand| {
        let client = stand.client();
        stand.ask(&["RPUSH", "key", "theirs"]);
        assert!(client.try_lock("key", LONG).expect("asked").is_none());
        let outcome = client.lock_with("key", LONG, Retry::until(Duration::from_millis(20)));
        assert!(matches!(outcome, Err(Error::TimedOut { .. })), "{outcome:?}");

        let replaced = |key: &str| {
            let guard = held(&client, key);
            stand.ask(&["DEL", key]);
            stand.ask(&["RPUSH", key, "theirs"]);
            guard
        };
        let (mut extended, released) = (replaced("extended"), replaced("released"));
        let outcome = extended.extend();
        assert!(matches!(outcome, Err(Error::Lost(Loss::Stolen))), "{outcome:?}");
        assert!(!released.release().expect("answered"), "it is not ours");
        drop((extended, replaced("dropped")));
        assert!(client.shutdown(LONG));
        for key in ["key", "extended", "released", "dropped"] {
            assert_eq!(stand.ask(&["LRANGE", key, "0", "-1"]).text(), "theirs", "{key}");
        }
    });
}

/// The server says so before it is asked anything, and hangs up.
#[test]
fn f18_connections_exhausted() {
    everywhere(|stand| {
        stand.set("maxclients", "1");
        assert_eq!(refusal(stand.builder().connect()), Refusal::TooManyClients);
        stand.set("maxclients", "100");
        let client = stand.client();
        let guard = held(&client, "key");
        stand.set("maxclients", "1");
        stand.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        eventually("it is told", || match client.try_lock("other", LONG) {
            Err(Error::Refused { notice, .. }) => notice.refusal() == Refusal::TooManyClients,
            _ => false,
        });
        assert!(guard.is_valid());
        stand.set("maxclients", "100");
        stand.works(&client, "other");
        assert!(guard.release().expect("answered") && stand.is_free("key"));
    });
}

/// Refused before it is sent. What is sent, every server accepts.
#[test]
fn f24_bad_expiry() {
    everywhere(|stand| {
        let client = stand.client();
        let sets = stand.calls("set");
        for ttl in
            [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(1), Duration::MAX]
        {
            let outcome = client.try_lock("key", ttl);
            assert!(matches!(outcome, Err(Error::Config(_))), "{ttl:?}: {outcome:?}");
        }
        assert_eq!(stand.calls("set"), sets, "nothing was sent");
        let longest = Duration::from_millis((1 << 53) - 1);
        let mut guard = client.lock("key", longest).expect("accepted");
        assert!(guard.extend().expect("accepted") > longest / 2);
        assert!(stand.ask(&["PTTL", "key"]).integer() > Some(1 << 52));
        assert!(guard.release().expect("answered"));

        // Too short to hold on a busy machine: it is had or not, and gone in the end.
        let shortest = Duration::from_millis(3);
        let guard: Option<Guard> = client.try_lock("key", shortest).expect("accepted");
        assert!(guard.is_none_or(|guard| guard.validity() < shortest));
        eventually("it is gone", || stand.is_free("key"));
    });
}

/// A server that does not know `HELLO` is spoken to in RESP2, and its role is asked for.
#[test]
fn f25_hello_is_unknown() {
    everywhere_with(&["--rename-command", "HELLO", ""], |stand| {
        stand.works(&stand.client(), "key");
        stand.set("requirepass", "right");
        assert_eq!(refusal(stand.builder().connect()), Refusal::NoAuth);
        let url = |password: &str| stand.url().replace("//", &format!("//:{password}@"));
        assert_eq!(refusal(stand.builder_for(&url("wrong")).connect()), Refusal::WrongPassword);
        let client = stand.builder_for(&url("right")).connect().expect("connected");
        stand.works(&client, "key");
        let (_port, number) = nobody();
        stand.ask(&["REPLICAOF", "127.0.0.1", &number]);
        let error = stand.builder_for(&url("right")).connect().map(drop).expect_err("a replica");
        assert!(matches!(error, Error::Replica { .. }), "{error:?}");
    });
}
