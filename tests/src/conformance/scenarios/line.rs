//! The waiters of one client stand in line, and cost a server as much as one.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use redlatch_core::{Delay, Retry, Turns};

use super::waking::{patience, refusals, sent};
use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, Stand, ensure, eventually, give_back};
use crate::conformance::subject::{Client, Failure, Kind};

const CROWD: u64 = 50;

/// What one that was refused may ask beside its claim and its look.
const OTHERS_MOST: u64 = 6;

/// The client holds back after 16 turns, and then more seldom; sooner on a machine where turns take long.
const HELD_BACK_MOST: u64 = 6;

/// What stands under a key that a stranger has.
const FOREIGN: &[u8] = b"foreign";

/// Gets the lock, notes the token that it is held with, and gives it back.
fn take_a_turn(
    bench: &Bench<'_>,
    server: &Stand,
    client: &dyn Client,
    tokens: &Mutex<Vec<Vec<u8>>>,
) -> Outcome {
    let guard = client.lock(b"k", LONG, patience(bench))?;
    let token = server.get(b"k")?.ok_or("the holder has no key")?;
    tokens.lock().unwrap_or_else(PoisonError::into_inner).push(token);
    give_back(guard)
}

pub(super) fn fifty_waiters_of_one_client_cost_as_much_as_one(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    server.overwrite(b"k", FOREIGN)?;
    let (before, refused, tokens) = (sent(&server)?, refusals(bench, &server)?, Mutex::default());
    thread::scope(|scope| {
        let turn = || take_a_turn(bench, &server, &*client, &tokens);
        let waiters: Vec<_> = (0..CROWD).map(|_| scope.spawn(turn)).collect();
        eventually("one is refused", SOON, || Ok(refusals(bench, &server)? > refused))?;
        let (asleep, begun) = (sent(&server)?, Instant::now());
        thread::sleep(ms(1000));
        let (asked, polls) = (sent(&server)?, begun.elapsed().as_millis() / 20 + 2);
        if bench.tells() {
            // SET, GET, CLIENT TRACKING, CLIENT CACHING, PTTL.
            ensure!(asleep - before == 5, "{} commands for {CROWD} waiters", asleep - before);
            ensure!(asked == asleep, "{} commands in a second of sleep", asked - asleep);
        } else {
            // Every 20 ms SET and GET, once for all.
            let asked = asked - asleep;
            ensure!(u128::from(asked) <= 2 * polls, "{asked} commands for {polls} polls");
        }
        let turns = Asked::of(&server)?;
        server.delete(b"k")?;
        let mut waiters = waiters.into_iter();
        waiters.try_for_each(|waiter| waiter.join().map_err(|_| "a waiter panicked")?)?;
        if bench.tells() {
            turns.expect_turns(&server)?;
        }
        let tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let distinct: BTreeSet<_> = tokens.iter().collect();
        ensure!(distinct.len() == tokens.len(), "two holders had one token");
        ensure!(tokens.iter().all(|token| token != FOREIGN), "a stranger's lock was had");
        Ok(())
    })
}

/// What was asked before a crowd takes its turns.
struct Asked {
    claims: u64,
    looks: u64,
    scripts: u64,
    releases: u64,
    all: u64,
}

impl Asked {
    fn of(server: &Stand) -> Outcome<Self> {
        let calls = |command| server.running.calls(command);
        let scripts = calls("EVAL")? + calls("EVALSHA")?;
        let releases = scripts + calls("DELEX")? + calls("DELIFEQ")?;
        let (claims, looks, all) = (calls("SET")?, calls("GET")?, sent(server)?);
        Ok(Self { claims, looks, scripts, releases, all })
    }

    /// A claim, a look at its token and a release for each. The server may not know the script of the
    /// first release: then that is asked twice, and the next claim comes in between and is refused. Who
    /// made it asks when the key expires, and once more when it is told of a change meanwhile: each time it
    /// says `CLIENT CACHING` first. The first, which is told, may look before it tries. So does who holds
    /// back.
    fn expect_turns(&self, server: &Stand) -> Outcome {
        let now = Self::of(server)?;
        let (claims, releases) = (now.claims - self.claims, now.releases - self.releases);
        let scripts = now.scripts - self.scripts;
        // Real servers count what scripts look at, and the test itself has looked at every token.
        let looks = (now.looks - self.looks).saturating_sub(CROWD + scripts);
        let others = (now.all - self.all) - (now.looks - self.looks) - claims - releases;
        let twice = releases.saturating_sub(CROWD);
        ensure!(
            twice <= 1
                && claims <= CROWD + twice
                && looks <= CROWD + twice
                && others <= 2 + OTHERS_MOST * twice + 2 * HELD_BACK_MOST,
            "{claims} claims, {looks} looks, {releases} releases, {others} others"
        );
        Ok(())
    }
}

pub(super) fn bounded_attempts_are_made_beside_the_line(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    server.overwrite(b"k", FOREIGN)?;
    let refused = refusals(bench, &server)?;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| give_back(client.lock(b"k", LONG, patience(bench))?));
        eventually("one is refused", SOON, || Ok(refusals(bench, &server)? > refused))?;
        let before = server.running.calls("SET")?;
        let policy = Retry { delay: Delay::Fixed(ms(50)), retries: Some(3), deadline: None };
        let begun = Instant::now();
        let outcome = client.lock(b"k", LONG, policy).map(drop);
        let waited = begun.elapsed();
        let tried = server.running.calls("SET")? - before;
        ensure!(
            matches!(outcome, Err(Failure { kind: Kind::TimedOut, .. })),
            "waiting in vain gave {outcome:?}"
        );
        ensure!(waited >= ms(150), "3 retries 50 ms apart took {waited:?}");
        ensure!(tried >= 4, "{tried} attempts were made instead of 4");
        ensure!(!bench.tells() || tried == 4, "{tried} attempts were made instead of 4");
        server.delete(b"k")?;
        waiting.join().map_err(|_| "the waiter panicked")?
    })
}

pub(super) fn the_deadline_of_one_in_line_is_met_with_a_last_attempt(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    server.overwrite(b"k", FOREIGN)?;
    let refused = refusals(bench, &server)?;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| give_back(client.lock(b"k", LONG, patience(bench))?));
        eventually("one is refused", SOON, || Ok(refusals(bench, &server)? > refused))?;
        let (before, begun) = (server.running.calls("SET")?, Instant::now());
        let outcome = client.lock(b"k", LONG, Retry::until(ms(300))).map(drop);
        let waited = begun.elapsed();
        let tried = server.running.calls("SET")? - before;
        ensure!(
            matches!(outcome, Err(Failure { kind: Kind::TimedOut, .. })),
            "waiting in vain gave {outcome:?}"
        );
        ensure!(waited + ms(1) >= ms(300) && waited < SOON, "waiting for 300 ms took {waited:?}");
        ensure!(tried >= 1, "no last attempt was made");
        ensure!(!bench.tells() || tried == 1, "{tried} attempts were made instead of 1");
        server.delete(b"k")?;
        waiting.join().map_err(|_| "the waiter panicked")?
    })
}

/// Clients whose waiters pass the lock on among themselves give way to those of the others.
pub(super) fn the_clients_of_a_crowd_take_turns(bench: &Bench<'_>) -> Outcome {
    const CLIENTS: usize = 4;
    /// Each client has the lock so often after another one.
    const RUNS: usize = 3;
    /// All together take fewer turns meanwhile, where clients are told when they may come.
    const MOST: usize = 8 * Turns::MOST as usize;
    /// Who polls comes in by chance.
    const PATIENCE: Duration = ms(20_000);
    let server = bench.server()?;
    let clients: Outcome<Vec<_>> = (0..CLIENTS).map(|_| bench.client_of(&server)).collect();
    let clients = clients?;
    let (history, begun) = (Mutex::new(Vec::new()), Instant::now());
    let take_turns = |at: usize, client: &Arc<dyn Client>| -> Outcome {
        let mut over = false;
        while !over {
            let guard = client.lock(b"k", LONG, Retry::until(LONG))?;
            let mut turns = history.lock().unwrap_or_else(PoisonError::into_inner);
            turns.push(at);
            let late = if bench.tells() { turns.len() >= MOST } else { begun.elapsed() > PATIENCE };
            over = late || (0..CLIENTS).all(|at| runs(&turns, at) >= RUNS);
            drop(turns);
            give_back(guard)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let crowd = clients.iter().enumerate().flat_map(|(at, client)| [(at, client); 3]);
        let crowd: Vec<_> =
            crowd.map(|(at, client)| scope.spawn(move || take_turns(at, client))).collect();
        crowd.into_iter().try_for_each(|one| one.join().map_err(|_| "a waiter panicked")?)
    })?;
    let turns = history.lock().unwrap_or_else(PoisonError::into_inner);
    let had: Vec<_> = (0..CLIENTS).map(|at| runs(&turns, at)).collect();
    ensure!(had.iter().all(|&runs| runs >= RUNS), "in {} turns these runs: {had:?}", turns.len());
    Ok(())
}

/// How often this client came after another one.
fn runs(turns: &[usize], client: usize) -> usize {
    let changes = turns.windows(2).filter(|pair| pair[0] != pair[1] && pair[1] == client);
    changes.count() + usize::from(turns.first() == Some(&client))
}
