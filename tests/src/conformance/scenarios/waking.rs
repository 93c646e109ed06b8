//! How whoever waits learns that a lock is free: the server tells, where it can, and else it is asked
//! again and again.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use redlatch_core::{Delay, Retry};

use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, Stand, ensure, eventually, give_back, take};
use crate::conformance::host::Setup;
use crate::conformance::subject::Client;

const PASSWORD: &str = "s3cret-sentinel";

/// What a lock needs where it is not told of changes.
const LEAST: &[&str] =
    &["set", "get", "pttl", "del", "pexpire", "eval", "evalsha", "hello", "auth", "select"];

/// Where servers tell, nothing is asked again by the policy before the test has failed.
pub(super) fn patience(bench: &Bench<'_>) -> Retry {
    let delay = Delay::Fixed(if bench.tells() { ms(20_000) } else { ms(20) });
    Retry { delay, retries: None, deadline: Some(ms(25_000)) }
}

/// How often waiters have been refused and, where the server tells, have asked for that: from then on
/// nothing is missed.
pub(super) fn refusals(bench: &Bench<'_>, server: &Stand) -> Outcome<u64> {
    server.running.calls(if bench.tells() { "PTTL" } else { "SET" })
}

/// Waits until a waiter has been refused since.
fn refused_since(bench: &Bench<'_>, server: &Stand, before: u64) -> Outcome {
    eventually("the waiter is refused", SOON, || Ok(refusals(bench, server)? > before))
}

/// One waits for the key, which is taken; once it has been refused, `free` must let it in.
fn lets_in(
    bench: &Bench<'_>,
    server: &Stand,
    waiter: &dyn Client,
    retry: Retry,
    free: impl FnOnce() -> Outcome,
) -> Outcome {
    let before = refusals(bench, server)?;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| give_back(waiter.lock(b"k", LONG, retry)?));
        refused_since(bench, server, before)?;
        ensure!(!waiting.is_finished(), "the waiter has a lock that is taken");
        free()?;
        let freed = Instant::now();
        waiting.join().map_err(|_| "the waiter panicked")??;
        let took = freed.elapsed();
        ensure!(took < SOON, "the waiter came in after {took:?}");
        Ok(())
    })
}

/// A stranger has the key; `free` must let a waiter in.
fn lets_in_after_a_stranger(bench: &Bench<'_>, free: impl FnOnce(&Stand) -> Outcome) -> Outcome {
    let server = bench.server()?;
    let waiter = bench.client_of(&server)?;
    server.overwrite(b"k", b"foreign")?;
    lets_in(bench, &server, &*waiter, patience(bench), || free(&server))
}

pub(super) fn a_release_by_another_client_wakes(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (holder, waiter) = (bench.client_of(&server)?, bench.client_of(&server)?);
    for _ in 0..3 {
        let guard = take(&*holder, b"k", LONG)?;
        lets_in(bench, &server, &*waiter, patience(bench), || give_back(guard))?;
    }
    Ok(())
}

pub(super) fn a_plain_deletion_wakes(bench: &Bench<'_>) -> Outcome {
    lets_in_after_a_stranger(bench, |server| server.delete(b"k"))
}

pub(super) fn a_flush_wakes(bench: &Bench<'_>) -> Outcome {
    lets_in_after_a_stranger(bench, |server| server.ask(&[b"FLUSHALL"]).map(drop))
}

pub(super) fn the_expiry_of_a_foreign_key_lets_a_waiter_in(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    give_back(take(&*client, b"warm", LONG)?)?;
    let begun = Instant::now();
    server.ask(&[b"SET", b"k", b"foreign", b"PX", b"400"])?;
    let before = server.running.calls("SET")?;
    let guard = client.lock(b"k", LONG, patience(bench))?;
    let waited = begun.elapsed();
    ensure!(waited + ms(1) >= ms(400), "a lock of 400 ms was free after {waited:?}");
    ensure!(waited < SOON, "a lock of 400 ms was had after {waited:?}");
    let tried = server.running.calls("SET")? - before;
    // In vain, and when it has expired; once more where the server's clock is behind.
    ensure!(!bench.tells() || tried <= 3, "{tried} attempts were made");
    give_back(guard)
}

pub(super) fn a_release_before_the_server_was_asked_to_tell_is_seen(bench: &Bench<'_>) -> Outcome {
    // Where the server does not tell, the key goes between the claim and the look at its holder.
    let moments: &[&str] =
        if bench.tells() { &["PTTL", "CLIENT|CACHING", "GET"] } else { &["GET"] };
    for &moment in moments {
        let server = bench.server()?;
        let client = bench.client_of(&server)?;
        server.overwrite(b"k", b"foreign")?;
        server.running.delete_before(moment, b"k")?;
        let begun = Instant::now();
        let guard = client.lock(b"k", LONG, patience(bench))?;
        let took = begun.elapsed();
        ensure!(took < SOON, "gone before {moment}: the waiter came in after {took:?}");
        give_back(guard)?;
    }
    Ok(())
}

pub(super) fn a_waiter_whose_connection_is_killed_is_woken_on_the_next(
    bench: &Bench<'_>,
) -> Outcome {
    lets_in_after_a_stranger(bench, |server| {
        for _ in 0..3 {
            let before = refusals(bench, server)?;
            server.kill_connections()?;
            refused_since(bench, server, before)?;
        }
        server.delete(b"k")
    })
}

pub(super) fn a_release_while_the_waiter_has_no_connection_is_seen(bench: &Bench<'_>) -> Outcome {
    lets_in_after_a_stranger(bench, |server| {
        let mut stranger = server.inspector()?;
        server.kill_connections_but(&mut stranger)?;
        let deleted = stranger.command(&["DEL", "k"])?.integer();
        ensure!(deleted == Some(1), "DEL was answered with {deleted:?}");
        Ok(())
    })
}

pub(super) fn a_renewal_does_not_end_the_wait(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (holder, waiter) = (bench.client_of(&server)?, bench.client_of(&server)?);
    let mut guard = take(&*holder, b"k", LONG)?;
    lets_in(bench, &server, &*waiter, patience(bench), || {
        for _ in 0..3 {
            // The key has changed, so the waiter is told and asks once more.
            let before = refusals(bench, &server)?;
            guard.extend()?;
            refused_since(bench, &server, before)?;
        }
        ensure!(server.get(b"k")?.is_some(), "the lock was lost by an extension");
        give_back(guard)
    })
}

pub(super) fn who_may_not_be_told_polls(bench: &Bench<'_>) -> Outcome {
    let user = Some(("locker", PASSWORD));
    let server = bench.server_with(Setup { password: None, user, commands: Some(LEAST) })?;
    let url = server.url().replace("redis://", &format!("redis://locker:{PASSWORD}@"));
    polls(&server, &*bench.connect(&url)?)
}

pub(super) fn who_wants_no_waking_polls(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    polls(&server, &*bench.connect_without_waking(&server.url())?)?;
    for command in ["PTTL", "CLIENT|TRACKING", "CLIENT|CACHING"] {
        let calls = server.running.calls(command)?;
        ensure!(calls == 0, "{calls} times {command}");
    }
    Ok(())
}

/// The client asks again and again while a stranger has the lock, and gets it in the end.
fn polls(server: &Stand, client: &dyn Client) -> Outcome {
    server.overwrite(b"k", b"foreign")?;
    let retry = Retry { delay: Delay::Fixed(ms(10)), ..Retry::until(LONG) };
    let before = server.running.calls("SET")?;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| give_back(client.lock(b"k", LONG, retry)?));
        eventually("it polls", SOON, || Ok(server.running.calls("SET")? > before + 5))?;
        server.delete(b"k")?;
        waiting.join().map_err(|_| "the waiter panicked")?
    })
}

pub(super) fn a_sleeping_waiter_sends_nothing_where_it_is_told_and_polls_elsewhere(
    bench: &Bench<'_>,
) -> Outcome {
    const NIGHT: Duration = ms(600);
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    server.overwrite(b"k", b"foreign")?;
    // What every client has that was told nothing else.
    let retry = Retry::until(LONG);
    lets_in(bench, &server, &*client, retry, || {
        let night = || -> Outcome<u64> {
            let before = sent(&server)?;
            thread::sleep(NIGHT);
            Ok(sent(&server)? - before)
        };
        if bench.tells() {
            // On a slow machine the first pauses of the policy may be over before it falls asleep.
            eventually("a night without commands", SOON, || Ok(night()? == 0))?;
        } else {
            let asked = night()?;
            ensure!(asked >= 3, "{asked} commands in {NIGHT:?} of polling");
        }
        server.delete(b"k")
    })
}

/// How many commands of locks the server was sent, whatever they came to.
pub(super) fn sent(server: &Stand) -> Outcome<u64> {
    const ALL: [&str; 9] = [
        "SET",
        "GET",
        "PTTL",
        "CLIENT|TRACKING",
        "CLIENT|CACHING",
        "EVAL",
        "EVALSHA",
        "DELEX",
        "DELIFEQ",
    ];
    ALL.iter().try_fold(0, |sum, command| Ok(sum + server.running.calls(command)?))
}
