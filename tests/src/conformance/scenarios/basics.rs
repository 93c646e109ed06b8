//! One server, nothing goes wrong.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::panic;
use std::sync::Arc;
use std::thread;

use redlatch_core::{Delay, Retry};

use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, ensure, eventually, give_back, take};
use crate::conformance::subject::{Client, Failure, Kind};

pub(super) fn a_lock_is_taken_and_given_back(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    ensure!(server.get(b"k")?.is_some(), "the lock is held and there is no key");
    ensure!(server.ttl(b"k")?.is_some(), "the key has no ttl");
    give_back(guard)?;
    ensure!(server.get(b"k")?.is_none(), "the key outlived the release");
    Ok(())
}

pub(super) fn a_second_client_is_refused_until_the_release(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (first, second) = (bench.client_of(&server)?, bench.client_of(&server)?);
    let guard = take(&*first, b"k", LONG)?;
    let token = server.get(b"k")?;
    for client in [&second, &first] {
        ensure!(client.try_lock(b"k", LONG)?.is_none(), "two have the lock");
    }
    ensure!(server.get(b"k")? == token, "a refused attempt changed the key");
    give_back(guard)?;
    give_back(take(&*second, b"k", LONG)?)
}

pub(super) fn keys_do_not_hinder_each_other(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let (first, second) = (take(&*client, b"a", LONG)?, take(&*client, b"b", LONG)?);
    give_back(first)?;
    ensure!(server.get(b"b")?.is_some(), "the release of one key deleted another");
    give_back(second)
}

pub(super) fn the_token_is_40_hex_digits_and_fresh_each_time(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let guard = take(&*client, b"k", LONG)?;
        let token = server.get(b"k")?.ok_or("there is no key")?;
        let hex = token.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        ensure!(token.len() == 40 && hex, "the token is {:?}", token.escape_ascii().to_string());
        ensure!(!seen.contains(&token), "a token was used twice");
        seen.push(token);
        give_back(guard)?;
    }
    Ok(())
}

pub(super) fn the_key_has_the_ttl_that_was_asked_for(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    for (key, ttl) in [(b"a", ms(2000)), (b"b", ms(10_001)), (b"c", ms(86_400_000))] {
        let guard = take(&*client, key, ttl)?;
        let left = server.ttl(key)?.ok_or("the key has no ttl")?;
        ensure!(left <= ttl && left + ms(1000) > ttl, "asked for {ttl:?}, PTTL says {left:?}");
        give_back(guard)?;
    }
    Ok(())
}

pub(super) fn the_validity_is_less_than_the_ttl_and_shrinks(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let ttl = ms(10_000);
    let guard = take(&*client, b"k", ttl)?;
    let first = guard.validity();
    let most = ttl - ttl / 100 - ms(2);
    ensure!(first > ms(5000) && first <= most, "of {ttl:?}, {first:?} is said to be valid");
    eventually("the validity shrinks", SOON, || Ok(guard.validity() < first))?;
    let left = server.ttl(b"k")?.ok_or("the key has no ttl")?;
    ensure!(guard.validity() < left, "the validity outlives the key");
    give_back(guard)
}

pub(super) fn an_absurd_ttl_is_refused_before_anything_is_sent(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    for ttl in [Duration::ZERO, Duration::from_nanos(1), ms(1), ms(2), Duration::MAX] {
        let refused = [
            client.try_lock(b"k", ttl).map(|_| ()),
            client.lock(b"k", ttl, Retry::until(ms(50))).map(|_| ()),
        ];
        for outcome in refused {
            ensure!(
                matches!(outcome, Err(Failure { kind: Kind::Usage, .. })),
                "a ttl of {ttl:?} gave {outcome:?}"
            );
        }
        ensure!(server.get(b"k")?.is_none(), "a ttl of {ttl:?} made a key");
    }
    Ok(())
}

pub(super) fn a_dropped_guard_releases(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    drop(take(&*client, b"k", LONG)?);
    server.expect_gone(b"k", SOON)?;
    // Also when the client goes right after it.
    let guard = take(&*client, b"k", LONG)?;
    drop(guard);
    drop(client);
    server.expect_gone(b"k", SOON)
}

pub(super) fn a_panicking_holder_releases(bench: &Bench<'_>) -> Outcome {
    struct Expected;
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    let outcome = panic::catch_unwind(AssertUnwindSafe(move || {
        let _held = guard;
        panic::resume_unwind(Box::new(Expected));
    }));
    ensure!(outcome.is_err_and(|panic| panic.is::<Expected>()), "the drop changed the panic");
    server.expect_gone(b"k", SOON)?;
    give_back(take(&*client, b"k", LONG)?)
}

pub(super) fn many_threads_on_one_client_exclude_each_other(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    count_together(&[
        client.clone(),
        client.clone(),
        client.clone(),
        client.clone(),
        client.clone(),
        client,
    ])
}

pub(super) fn many_clients_exclude_each_other(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let clients: Outcome<Vec<_>> = (0..4).map(|_| bench.client_of(&server)).collect();
    count_together(&clients?)
}

/// Each adds to a counter that two at once would spoil.
pub(super) fn count_together(clients: &[Arc<dyn Client>]) -> Outcome {
    const ROUNDS: u64 = 10;
    let policy = Retry { delay: Delay::Fixed(ms(1)), retries: None, deadline: Some(ms(20_000)) };
    let counter = AtomicU64::new(0);
    let count = |client: &dyn Client| -> Outcome {
        for _ in 0..ROUNDS {
            let guard = client.lock(b"counter", LONG, policy)?;
            let seen = counter.load(Ordering::SeqCst);
            thread::yield_now();
            counter.store(seen + 1, Ordering::SeqCst);
            give_back(guard)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let counting: Vec<_> =
            clients.iter().map(|client| scope.spawn(|| count(&**client))).collect();
        counting
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let (counted, expected) = (counter.into_inner(), ROUNDS * clients.len() as u64);
    ensure!(
        counted == expected,
        "{counted} of {expected} turns were counted: two were inside at once"
    );
    Ok(())
}
