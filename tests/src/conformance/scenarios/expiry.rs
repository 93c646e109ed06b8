//! Time passes, keys are overwritten and deleted: what the holder learns.

use core::mem;
use std::time::Instant;

use redlatch_core::{Loss, Retry};

use super::{LONG, SOON, ms};
use crate::conformance::bench::{Bench, Outcome, ensure, eventually, give_back, take};
use crate::conformance::subject::{Guard, Kind};

/// The extension must report this loss.
fn expect_loss(guard: &mut dyn Guard, expected: &[Loss]) -> Outcome {
    let outcome = guard.extend();
    let kind = outcome.as_ref().err().map(|failure| failure.kind);
    let fits = expected.iter().any(|&loss| kind == Some(Kind::Lost(loss)));
    ensure!(fits, "expected a loss ({expected:?}), the extension gave {outcome:?}");
    ensure!(guard.validity().is_zero(), "a lost lock has a validity of {:?}", guard.validity());
    Ok(())
}

pub(super) fn an_expired_lock_is_free_and_its_holder_learns_it(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (first, second) = (bench.client_of(&server)?, bench.client_of(&server)?);
    let guard = take(&*first, b"k", ms(300))?;
    eventually("the validity ends", SOON, || Ok(guard.validity().is_zero()))?;
    server.expect_gone(b"k", SOON)?;
    let new = take(&*second, b"k", LONG)?;
    let token = server.get(b"k")?;
    ensure!(!guard.release()?, "the release of an expired lock says that it was ours");
    ensure!(
        token.is_some() && server.get(b"k")? == token,
        "the old holder deleted the new one's key"
    );
    give_back(new)
}

pub(super) fn an_extension_after_the_expiry_is_a_loss(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", ms(200))?;
    eventually("the validity ends", SOON, || Ok(guard.validity().is_zero()))?;
    expect_loss(&mut *guard, &[Loss::Expired])?;
    server.expect_gone(b"k", SOON)?;
    ensure!(!guard.release()?, "the release of a lost lock says that it was ours");
    Ok(())
}

pub(super) fn an_extension_counts_the_ttl_anew(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let ttl = ms(2000);
    let mut guard = take(&*client, b"k", ttl)?;
    let token = server.get(b"k")?;
    eventually("a part of the ttl passes", SOON, || Ok(guard.validity() < ms(1800)))?;
    let asked = Instant::now();
    let after = guard.extend()?;
    // The lease counts from when it was asked for, or later, and loses 1 % and 2 ms.
    let counted = after + asked.elapsed();
    ensure!(counted >= ms(1978) && after < ttl, "{after:?} are left, {counted:?} in all");
    let left = server.ttl(b"k")?.ok_or("the key has no ttl")?;
    let counted = left + asked.elapsed();
    ensure!(counted >= ms(1990) && left <= ttl, "PTTL is {left:?}, {counted:?} in all");
    ensure!(server.get(b"k")? == token, "the extension changed the token");
    ensure!(guard.validity() <= after, "the guard says more than the extension");
    give_back(guard)
}

pub(super) fn repeated_extensions_outlive_the_ttl(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let begun = Instant::now();
    let mut guard = take(&*client, b"k", ms(1000))?;
    while begun.elapsed() < ms(1300) {
        eventually("a part of the validity passes", SOON, || Ok(guard.validity() < ms(800)))?;
        guard.extend()?;
    }
    ensure!(client.try_lock(b"k", LONG)?.is_none(), "an extended lock was given away");
    give_back(guard)
}

pub(super) fn an_extension_of_an_overwritten_key_is_a_loss(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", ms(10_000))?;
    server.overwrite(b"k", b"foreign")?;
    expect_loss(&mut *guard, &[Loss::Stolen, Loss::Deleted])?;
    ensure!(server.get(b"k")?.as_deref() == Some(b"foreign"), "the foreign value was changed");
    let left = server.ttl(b"k")?.ok_or("the foreign key lost its ttl")?;
    ensure!(left > ms(20_000), "the ttl of the foreign key was changed to {left:?}");
    ensure!(!guard.release()?, "the release of a lost lock says that it was ours");
    ensure!(server.get(b"k")?.is_some(), "the release deleted the foreign key");
    Ok(())
}

pub(super) fn an_extension_of_a_deleted_key_is_a_loss(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", LONG)?;
    server.delete(b"k")?;
    expect_loss(&mut *guard, &[Loss::Deleted, Loss::Stolen])?;
    ensure!(server.get(b"k")?.is_none(), "the extension made the key again");
    Ok(())
}

pub(super) fn a_lost_lock_stays_lost(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut guard = take(&*client, b"k", LONG)?;
    let token = server.get(b"k")?.ok_or("there is no key")?;
    server.delete(b"k")?;
    expect_loss(&mut *guard, &[Loss::Deleted, Loss::Stolen])?;
    // Even if the key comes back with our own token, as from an old snapshot.
    server.overwrite(b"k", &token)?;
    let again = guard.extend();
    ensure!(again.is_err(), "a lost lock was extended: {again:?}");
    ensure!(guard.validity().is_zero(), "a lost lock has a validity again");
    ensure!(!guard.release()?, "the release of a lost lock says that it was ours");
    Ok(())
}

pub(super) fn a_release_of_an_overwritten_key_leaves_it(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    server.overwrite(b"k", b"foreign")?;
    ensure!(!guard.release()?, "the release says that the lock was ours");
    ensure!(server.get(b"k")?.as_deref() == Some(b"foreign"), "the foreign key was touched");
    Ok(())
}

pub(super) fn a_release_of_a_deleted_key_says_so(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    server.delete(b"k")?;
    ensure!(!guard.release()?, "the release says that the lock was ours");
    Ok(())
}

pub(super) fn a_forgotten_guard_is_freed_by_the_ttl_and_not_before(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let (first, second) = (bench.client_of(&server)?, bench.client_of(&server)?);
    let (ttl, begun) = (ms(300), Instant::now());
    mem::forget(take(&*first, b"k", ttl)?);
    let guard = second.lock(b"k", LONG, Retry::until(SOON))?;
    let waited = begun.elapsed();
    // Who notices the end of the lease gives the key back then: 1 % and 2 ms before the ttl.
    ensure!(waited >= ms(295), "the lock was free after {waited:?}, before its ttl of {ttl:?}");
    give_back(guard)
}
