//! Keys, scripts, databases, users.

use redlatch_core::Retry;

use super::{LONG, ms};
use crate::conformance::bench::{Bench, Outcome, Stand, ensure, give_back, take};
use crate::conformance::host::Setup;
use crate::conformance::subject::{Failure, Kind};
use crate::server::Value;

const PASSWORD: &str = "s3cret-sentinel";

/// A whole life of a lock on this key: the server must know it under exactly these bytes.
fn use_key(bench: &Bench<'_>, server: &Stand, key: &[u8]) -> Outcome {
    let name = key.escape_ascii();
    let client = bench.client_of(server)?;
    let mut guard = take(&*client, key, LONG)?;
    ensure!(server.get(key)?.is_some(), "there is no key {name}");
    ensure!(server.ask(&[b"DBSIZE"])? == Value::Integer(1), "there are keys besides {name}");
    guard.extend()?;
    ensure!(client.try_lock(key, LONG)?.is_none(), "two have {name}");
    give_back(guard)?;
    ensure!(server.get(key)?.is_none(), "{name} outlived the release");
    Ok(())
}

pub(super) fn keys_may_hold_any_bytes(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let every: Vec<u8> = (0..=255).collect();
    let keys: [&[u8]; 8] = [
        b"with spaces",
        b"\r\n",
        b"k\r\n*1\r\n$8\r\nFLUSHALL\r\n",
        b"\0",
        b"nul\0inside",
        b"$-1\r\n",
        "Schl\u{fc}ssel \u{1f510}".as_bytes(),
        &every,
    ];
    keys.iter().try_for_each(|key| use_key(bench, &server, key))
}

pub(super) fn keys_of_1_and_512_bytes_work(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    [1, 2, 100, 511, 512]
        .into_iter()
        .try_for_each(|length| use_key(bench, &server, &vec![b'k'; length]))
}

pub(super) fn a_key_of_another_type_is_held_and_never_deleted(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    server.ask(&[b"HSET", b"k", b"field", b"value"])?;
    ensure!(client.try_lock(b"k", LONG)?.is_none(), "a hash was taken for a free lock");
    let outcome = client.lock(b"k", LONG, Retry::until(ms(50))).map(|_| ());
    ensure!(
        matches!(outcome, Err(Failure { kind: Kind::TimedOut, .. })),
        "waiting for a hash gave {outcome:?}"
    );
    let kind = server.ask(&[b"TYPE", b"k"])?.text();
    ensure!(kind == "hash", "the hash became {kind}");

    // It may also come while we hold the lock.
    let guard = take(&*client, b"held", LONG)?;
    server.delete(b"held")?;
    server.ask(&[b"HSET", b"held", b"field", b"value"])?;
    let released = guard.release();
    ensure!(!matches!(released, Ok(true)), "the release says that a hash was our lock");
    let kind = server.ask(&[b"TYPE", b"held"])?.text();
    ensure!(kind == "hash", "the release made {kind} of a hash");
    Ok(())
}

pub(super) fn forgotten_scripts_are_not_noticed(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    for _ in 0..2 {
        let mut guard = take(&*client, b"k", LONG)?;
        server.flush_scripts()?;
        guard.extend()?;
        server.flush_scripts()?;
        give_back(guard)?;
        ensure!(server.get(b"k")?.is_none(), "the key outlived the release");
    }
    Ok(())
}

pub(super) fn the_protocol_that_was_asked_for_is_spoken(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    // The test's own connections speak version 2, and one may still be closing.
    let expect = || -> Outcome {
        let spoken = server.running.protocols()?;
        let strange = spoken.iter().any(|&version| version != 2 && version != bench.version());
        ensure!(spoken.contains(&bench.version()) && !strange, "connections speak {spoken:?}");
        Ok(())
    };
    expect()?;
    // A new connection must agree on the same.
    server.kill_connections()?;
    give_back(guard)?;
    expect()
}

pub(super) fn the_database_of_the_url_is_used(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.connect(&format!("{}/3", server.url()))?;
    let guard = take(&*client, b"k", LONG)?;
    ensure!(server.get(b"k")?.is_none(), "the key is in database 0");
    let mut inside = server.inspector()?;
    inside.command(&["SELECT", "3"])?;
    ensure!(inside.command(&["GET", "k"])? != Value::Nil, "the key is not in database 3");
    // A new connection must find its way there as well.
    server.kill_connections()?;
    let elsewhere = take(&*bench.client_of(&server)?, b"k", LONG)?;
    give_back(guard)?;
    ensure!(server.get(b"k")?.is_some(), "the release went to another database");
    give_back(elsewhere)
}

pub(super) fn the_password_of_the_default_user_is_used(bench: &Bench<'_>) -> Outcome {
    let server = bench.server_with(Setup { password: Some(PASSWORD), ..Setup::default() })?;
    let url = server.url().replace("redis://", &format!("redis://:{PASSWORD}@"));
    let client = bench.connect(&url)?;
    let guard = take(&*client, b"k", LONG)?;
    server.kill_connections()?;
    give_back(guard)
}

pub(super) fn a_user_of_the_url_is_used(bench: &Bench<'_>) -> Outcome {
    let user = Some(("locker", PASSWORD));
    let setup = Setup { password: Some("another"), user, ..Setup::default() };
    let server = bench.server_with(setup)?;
    let url = server.url().replace("redis://", &format!("redis://locker:{PASSWORD}@"));
    let client = bench.connect(&url)?;
    give_back(take(&*client, b"k", LONG)?)
}

pub(super) fn a_wrong_password_is_a_refusal_without_secrets(bench: &Bench<'_>) -> Outcome {
    let server = bench.server_with(Setup { password: Some("right"), ..Setup::default() })?;
    let url = server.url().replace("redis://", &format!("redis://:{PASSWORD}@"));
    let failure = bench.connect(&url).err().ok_or("a wrong password was good enough")?;
    ensure!(failure.kind == Kind::Refused, "a wrong password gave {failure}");
    let said = format!("{failure} {failure:?}");
    ensure!(!said.contains("sentinel"), "the error tells the password");
    Ok(())
}

pub(super) fn a_missing_password_is_a_refusal(bench: &Bench<'_>) -> Outcome {
    let server = bench.server_with(Setup { password: Some("right"), ..Setup::default() })?;
    let failure = bench.connect(&server.url()).err().ok_or("no password was good enough")?;
    ensure!(failure.kind == Kind::Refused, "a missing password gave {failure}");
    Ok(())
}
