//! Several servers: a majority of them decides.

use std::time::Instant;

use redlatch_core::Loss;

use super::basics::count_together;
use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, Stand, ensure, eventually, give_back, take};
use crate::conformance::subject::{Failure, Kind};

/// So many servers, and the most of them that need not take part.
const MINORITIES: [(usize, usize); 2] = [(3, 1), (5, 2)];

/// Waits until no server has the key, far sooner than its ttl.
fn expect_gone_everywhere(servers: &[Stand], key: &[u8]) -> Outcome {
    servers.iter().try_for_each(|server| server.expect_gone(key, SOON))
}

fn expect_untouched(foreign: &[Stand], key: &[u8]) -> Outcome {
    for server in foreign {
        ensure!(server.get(key)?.as_deref() == Some(b"foreign"), "the foreign key was touched");
    }
    Ok(())
}

fn crash(servers: &[Stand]) -> Outcome {
    servers.iter().try_for_each(|server| server.running.crash())
}

pub(super) fn all_servers_get_the_key_and_the_release(bench: &Bench<'_>) -> Outcome {
    for count in [2, 3, 5] {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        let guard = take(&*client, b"k", LONG)?;
        let token = servers[0].get(b"k")?;
        for server in &servers {
            eventually("every server has the key", SOON, || Ok(server.get(b"k")?.is_some()))?;
            ensure!(
                server.get(b"k")? == token || token.is_none(),
                "the servers have different tokens"
            );
        }
        give_back(guard)?;
        expect_gone_everywhere(&servers, b"k")?;
    }
    Ok(())
}

pub(super) fn a_minority_that_is_down_is_tolerated(bench: &Bench<'_>) -> Outcome {
    for (count, down) in MINORITIES {
        let servers = bench.servers(count)?;
        // Down before the client connects, and down while it is connected.
        let early = bench.client(&servers)?;
        crash(&servers[..down])?;
        let late = bench.client(&servers)?;
        for client in [early, late] {
            let mut guard = take(&*client, b"k", LONG)?;
            guard.extend()?;
            give_back(guard)?;
            expect_gone_everywhere(&servers[down..], b"k")?;
        }
    }
    Ok(())
}

pub(super) fn a_majority_that_is_down_is_an_error_and_nothing_stays_behind(
    bench: &Bench<'_>,
) -> Outcome {
    for (count, down) in [(2, 1), (3, 2), (5, 3)] {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        crash(&servers[..down])?;
        let begun = Instant::now();
        let outcome = client.try_lock(b"k", LONG).map(|guard| guard.is_some());
        let took = begun.elapsed();
        ensure!(
            matches!(outcome, Err(Failure { kind: Kind::Unavailable, .. })),
            "{down} of {count} servers are down, and try_lock gave {outcome:?}"
        );
        ensure!(took < Bench::REPLY_TIMEOUT * 3, "the error came after {took:?}");
        expect_gone_everywhere(&servers[down..], b"k")?;
        let failure = bench.client(&servers).err();
        ensure!(failure.is_some(), "a client connected to a minority");
    }
    Ok(())
}

/// Half of the servers have somebody else's key: nobody has a majority, and nobody waits for a
/// time-out to see it.
fn tie(bench: &Bench<'_>, count: usize) -> Outcome {
    let servers = bench.servers(count)?;
    let client = bench.client(&servers)?;
    let (foreign, free) = servers.split_at(count / 2);
    foreign.iter().try_for_each(|server| server.overwrite(b"k", b"foreign"))?;
    let begun = Instant::now();
    ensure!(client.try_lock(b"k", LONG)?.is_none(), "half of the servers were enough");
    let took = begun.elapsed();
    ensure!(took < Bench::REPLY_TIMEOUT, "a tie took {took:?}");
    expect_gone_everywhere(free, b"k")?;
    expect_untouched(foreign, b"k")
}

pub(super) fn a_tie_of_two_settles_at_once(bench: &Bench<'_>) -> Outcome {
    tie(bench, 2)
}

pub(super) fn a_tie_of_four_settles_at_once(bench: &Bench<'_>) -> Outcome {
    tie(bench, 4)
}

/// All must have had their turn: a claim that is still on its way would be in the way.
fn expect_everywhere(servers: &[Stand], key: &[u8]) -> Outcome {
    servers.iter().try_for_each(|server| {
        eventually("every server has the key", SOON, || Ok(server.get(key)?.is_some()))
    })
}

pub(super) fn a_frozen_minority_does_not_delay(bench: &Bench<'_>) -> Outcome {
    for (count, frozen) in MINORITIES {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        let guard = take(&*client, b"k", LONG)?;
        expect_everywhere(&servers, b"k")?;
        give_back(guard)?;
        expect_gone_everywhere(&servers, b"k")?;
        servers[..frozen].iter().try_for_each(|server| server.running.pause())?;
        let begun = Instant::now();
        let mut guard = take(&*client, b"k", LONG)?;
        guard.extend()?;
        let took = begun.elapsed();
        ensure!(
            took < Bench::REPLY_TIMEOUT / 2,
            "{frozen} frozen servers of {count} delayed the others by {took:?}"
        );
        give_back(guard)?;
        servers[..frozen].iter().try_for_each(|server| server.running.resume())?;
        expect_gone_everywhere(&servers, b"k")?;
    }
    Ok(())
}

pub(super) fn a_frozen_minority_gets_its_release_when_it_wakes(bench: &Bench<'_>) -> Outcome {
    for (count, frozen) in MINORITIES {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        let guard = take(&*client, b"k", LONG)?;
        expect_everywhere(&servers, b"k")?;
        servers[..frozen].iter().try_for_each(|server| server.running.pause())?;
        give_back(guard)?;
        expect_gone_everywhere(&servers[frozen..], b"k")?;
        servers[..frozen].iter().try_for_each(|server| server.running.resume())?;
        expect_gone_everywhere(&servers, b"k")?;
    }
    Ok(())
}

pub(super) fn a_foreign_minority_is_tolerated(bench: &Bench<'_>) -> Outcome {
    for (count, foreign) in MINORITIES {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        let (foreign, free) = servers.split_at(foreign);
        foreign.iter().try_for_each(|server| server.overwrite(b"k", b"foreign"))?;
        let mut guard = take(&*client, b"k", LONG)?;
        guard.extend()?;
        give_back(guard)?;
        expect_gone_everywhere(free, b"k")?;
        expect_untouched(foreign, b"k")?;
    }
    Ok(())
}

pub(super) fn a_foreign_majority_is_a_refusal_and_the_rest_is_freed(bench: &Bench<'_>) -> Outcome {
    let servers = bench.servers(5)?;
    let client = bench.client(&servers)?;
    let (foreign, free) = servers.split_at(3);
    foreign.iter().try_for_each(|server| server.overwrite(b"k", b"foreign"))?;
    ensure!(client.try_lock(b"k", LONG)?.is_none(), "2 of 5 servers were enough");
    expect_gone_everywhere(free, b"k")?;
    expect_untouched(foreign, b"k")
}

pub(super) fn an_extension_needs_a_majority(bench: &Bench<'_>) -> Outcome {
    for (count, minority) in MINORITIES {
        let servers = bench.servers(count)?;
        let client = bench.client(&servers)?;
        let mut guard = take(&*client, b"k", LONG)?;
        expect_everywhere(&servers, b"k")?;
        let (deleted, rest) = servers.split_at(minority);
        deleted.iter().try_for_each(|server| server.delete(b"k"))?;
        guard.extend()?;
        let (overwritten, free) = rest.split_at(1);
        overwritten[0].overwrite(b"k", b"foreign")?;
        let outcome = guard.extend();
        ensure!(
            matches!(outcome, Err(Failure { kind: Kind::Lost(Loss::Deleted | Loss::Stolen), .. })),
            "most of {count} servers lost the key, and the extension gave {outcome:?}"
        );
        drop(guard);
        expect_gone_everywhere(free, b"k")?;
        expect_untouched(overwritten, b"k")?;
        for server in deleted {
            ensure!(
                server.ttl(b"k")?.is_none_or(|left| left > ms(0)),
                "a key without ttl was made"
            );
        }
    }
    Ok(())
}

pub(super) fn contenders_over_several_servers_exclude_each_other(bench: &Bench<'_>) -> Outcome {
    for count in [3, 5] {
        let servers = bench.servers(count)?;
        let clients: Outcome<Vec<_>> = (0..3).map(|_| bench.client(&servers)).collect();
        count_together(&clients?)?;
        expect_gone_everywhere(&servers, b"counter")?;
    }
    Ok(())
}
