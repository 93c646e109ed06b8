//! Connections die, servers freeze and restart.

use core::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use redlatch_core::{Loss, Retry};

use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, ensure, eventually, give_back, take};
use crate::conformance::host::Condition;
use crate::conformance::subject::{Failure, Kind};

pub(super) fn a_connection_killed_while_idle_is_not_noticed(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    for _ in 0..3 {
        ensure!(server.kill_connections()? > 0, "there was no connection to kill");
        give_back(take(&*client, b"k", LONG)?)?;
    }
    ensure!(server.get(b"k")?.is_none(), "the key outlived the release");
    Ok(())
}

pub(super) fn a_connection_killed_while_the_lock_is_held_is_not_noticed(
    bench: &Bench<'_>,
) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", LONG)?;
    server.kill_connections()?;
    guard.extend()?;
    server.kill_connections()?;
    give_back(guard)?;
    server.expect_gone(b"k", SOON)
}

pub(super) fn connections_that_die_in_the_middle_leave_no_key_behind(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // Errors and refusals are in order here, keys that stay are not.
            while !over.load(Ordering::SeqCst) {
                if let Ok(Some(guard)) = client.try_lock(b"k", LONG) {
                    let _ = guard.release();
                }
            }
        });
        let killed = (0..25).try_for_each(|_| {
            thread::sleep(ms(8));
            server.kill_connections().map(|_| ())
        });
        over.store(true, Ordering::SeqCst);
        worker.join().map_err(|_| "the worker panicked")?;
        killed
    })?;
    // Patiently: a client whose greetings were cut off as well is slow to connect again.
    server.expect_gone(b"k", SOON * 4)?;
    give_back(client.lock(b"k", LONG, Retry::until(SOON * 4))?)
}

pub(super) fn a_server_that_restarts_empty_lets_a_waiter_in(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    server.overwrite(b"k", b"foreign")?;
    let client = bench.client_of(&server)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| client.lock(b"k", LONG, Retry::until(ms(20_000))));
        eventually("the waiter waits", SOON, || Ok(!waiter.is_finished()))?;
        server.running.restart_empty()?;
        give_back(waiter.join().map_err(|_| "the waiter panicked")??)
    })?;
    ensure!(server.get(b"k")?.is_none(), "the key outlived the release");
    Ok(())
}

pub(super) fn a_server_that_lost_its_data_is_noticed_by_the_holder(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", LONG)?;
    server.running.restart_empty()?;
    // Until the client is connected again it cannot tell, and the old lease stands.
    eventually("the loss is noticed", SOON, || match guard.extend() {
        Err(Failure {
            kind: Kind::Lost(Loss::Deleted | Loss::ServerRestarted | Loss::Stolen),
            ..
        }) => Ok(true),
        Err(Failure { kind: Kind::NotExtended | Kind::Unavailable, .. }) => Ok(false),
        other => Err(format!("the extension gave {other:?}").into()),
    })?;
    ensure!(server.get(b"k")?.is_none(), "the extension made the key again");
    Ok(())
}

pub(super) fn a_frozen_server_is_an_error_in_time_and_its_late_grant_is_cleaned_up(
    bench: &Bench<'_>,
) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    give_back(take(&*client, b"k", LONG)?)?;
    server.running.pause()?;
    let begun = Instant::now();
    let outcome = client.try_lock(b"k", LONG).map(|guard| guard.is_some());
    let took = begun.elapsed();
    server.running.resume()?;
    ensure!(
        matches!(outcome, Err(Failure { kind: Kind::Unavailable, .. })),
        "a frozen server gave {outcome:?}"
    );
    ensure!(took < Bench::REPLY_TIMEOUT * 3, "a frozen server was an error after {took:?}");
    // The claim may still be carried out when it wakes: then the key must go, long before its ttl.
    eventually("the lock can be taken again", SOON, || match client.try_lock(b"k", LONG) {
        Ok(Some(guard)) => give_back(guard).map(|()| true),
        Ok(None) | Err(Failure { kind: Kind::Unavailable, .. }) => Ok(false),
        Err(failure) => Err(failure.into()),
    })?;
    server.expect_gone(b"k", SOON)
}

pub(super) fn a_full_memory_refuses_a_claim_and_no_extension_or_release(
    bench: &Bench<'_>,
) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", LONG)?;
    server.running.set(Condition::MemoryFull, true)?;
    let outcome = client.try_lock(b"other", LONG).map(|guard| guard.is_some());
    ensure!(
        matches!(outcome, Err(Failure { kind: Kind::Refused, .. })),
        "with a full memory, try_lock gave {outcome:?}"
    );
    guard.extend()?;
    give_back(guard)?;
    server.running.set(Condition::MemoryFull, false)?;
    ensure!(server.get(b"k")?.is_none(), "the key outlived the release");
    give_back(take(&*client, b"other", LONG)?)
}

pub(super) fn a_server_that_became_a_replica_refuses_until_it_is_a_master_again(
    bench: &Bench<'_>,
) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    give_back(take(&*client, b"k", LONG)?)?;
    server.running.set(Condition::Replica, true)?;
    let outcome = client.try_lock(b"k", LONG).map(|guard| guard.is_some());
    ensure!(
        matches!(outcome, Err(Failure { kind: Kind::Refused, .. })),
        "a replica gave {outcome:?}"
    );
    server.running.set(Condition::Replica, false)?;
    eventually("the lock can be taken again", SOON, || match client.try_lock(b"k", LONG) {
        Ok(Some(guard)) => give_back(guard).map(|()| true),
        Err(Failure { kind: Kind::Refused | Kind::Unavailable, .. }) => Ok(false),
        other => Err(format!("a master gave {:?}", other.map(|guard| guard.is_some())).into()),
    })
}
