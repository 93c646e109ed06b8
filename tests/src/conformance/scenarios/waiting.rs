//! Waiting for a lock that somebody else has.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use redlatch_core::{Delay, Retry};

use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, Stand, ensure, eventually, give_back, take};
use crate::conformance::subject::{Failure, Kind};

/// Waits for a lock that stays with somebody else; says for how long, and with how many attempts.
fn wait_in_vain(bench: &Bench<'_>, server: &Stand, policy: Retry) -> Outcome<(Duration, u64)> {
    let client = bench.client_of(server)?;
    // A client may try anew at once when its connection comes up; that must not happen below.
    give_back(take(&*client, b"warm", LONG)?)?;
    server.overwrite(b"k", b"foreign")?;
    let before = server.running.calls("SET")?;
    let begun = Instant::now();
    let outcome = client.lock(b"k", LONG, policy).map(|_| ());
    ensure!(
        matches!(outcome, Err(Failure { kind: Kind::TimedOut, .. })),
        "waiting in vain gave {outcome:?}"
    );
    let waited = begun.elapsed();
    ensure!(server.get(b"k")?.as_deref() == Some(b"foreign"), "waiting changed the foreign key");
    Ok((waited, server.running.calls("SET")? - before))
}

pub(super) fn a_waiter_gets_the_lock_after_the_release(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (first, second) = (bench.client_of(&server)?, bench.client_of(&server)?);
    let guard = take(&*first, b"k", LONG)?;
    let before = server.running.calls("SET")?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| -> Outcome<Instant> {
            let guard = second.lock(b"k", LONG, Retry::until(ms(10_000)))?;
            let since = Instant::now();
            give_back(guard)?;
            Ok(since)
        });
        // The release comes when the waiter has been refused at least once.
        eventually("the waiter tries", SOON, || Ok(server.running.calls("SET")? > before))?;
        let released = Instant::now();
        give_back(guard)?;
        let acquired = waiter.join().map_err(|_| "the waiter panicked")??;
        ensure!(acquired >= released, "the waiter had the lock before it was released");
        let took = acquired - released;
        ensure!(took < ms(1000), "the hand-over took {took:?}");
        Ok(())
    })
}

pub(super) fn a_waiter_gets_the_lock_after_the_expiry(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let begun = Instant::now();
    let reply = server.ask(&[b"SET", b"k", b"foreign", b"NX", b"PX", b"300"])?.text();
    ensure!(reply == "OK", "SET was answered with {reply}");
    let guard = client.lock(b"k", LONG, Retry::until(SOON))?;
    let waited = begun.elapsed();
    ensure!(waited + ms(1) >= ms(300), "a lock of 300 ms was free after {waited:?}");
    give_back(guard)
}

pub(super) fn waiting_ends_at_its_deadline(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (waited, _) = wait_in_vain(bench, &server, Retry::until(ms(300)))?;
    // The last attempt is made when the time is over.
    ensure!(waited + ms(1) >= ms(300) && waited < ms(1300), "waiting for 300 ms took {waited:?}");
    Ok(())
}

pub(super) fn zero_retries_is_one_attempt(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (waited, tried) = wait_in_vain(bench, &server, Retry::NONE)?;
    ensure!(waited < ms(1000), "one attempt took {waited:?}");
    ensure!(tried == 1, "{tried} attempts were made instead of 1");
    Ok(())
}

pub(super) fn retries_are_counted(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let policy = Retry { delay: Delay::Fixed(ms(10)), retries: Some(3), deadline: None };
    let (waited, tried) = wait_in_vain(bench, &server, policy)?;
    ensure!(waited >= ms(30), "3 retries 10 ms apart took {waited:?}");
    ensure!(tried == 4, "{tried} attempts were made instead of 4");
    Ok(())
}

pub(super) fn a_zero_delay_does_not_spin(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let policy =
        Retry { delay: Delay::Fixed(Duration::ZERO), retries: None, deadline: Some(ms(100)) };
    let (waited, tried) = wait_in_vain(bench, &server, policy)?;
    let most = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX).saturating_add(2);
    ensure!(tried <= most, "{tried} attempts were made within {waited:?}");
    Ok(())
}
