//! Other clients on the same key, as redis-py, redsync, node-redlock, rslock and pip-services use
//! it: `SET key value NX PX`, and a script that deletes the key when its value is the own one.

use core::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use redlatch_core::{Delay, Retry};

use super::{LONG, ms};
use crate::conformance::bench::{Bench, Outcome, ensure, give_back, take};
use crate::server::{Inspector, Value};

/// The release of a peer, in the words of the Redis documentation.
const RELEASE: &str = r#"
if redis.call("get",KEYS[1]) == ARGV[1]
then
    return redis.call("del",KEYS[1])
else
    return 0
end
"#;

fn claim(peer: &mut Inspector, token: &str) -> Outcome<bool> {
    match peer.command(&["SET", "k", token, "NX", "PX", "30000"])? {
        Value::Simple(_) => Ok(true),
        Value::Nil => Ok(false),
        other => Err(format!("the plain SET was answered with {other:?}").into()),
    }
}

pub(super) fn a_plain_claim_excludes_us_and_ours_excludes_it(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let mut peer = server.inspector()?;
    ensure!(claim(&mut peer, "peer")?, "a free key was refused to the plain client");
    ensure!(client.try_lock(b"k", LONG)?.is_none(), "two have the lock");
    server.delete(b"k")?;
    let guard = take(&*client, b"k", LONG)?;
    ensure!(!claim(&mut peer, "peer")?, "two have the lock");
    give_back(guard)?;
    ensure!(claim(&mut peer, "peer")?, "a key that was given back was refused to the plain client");
    Ok(())
}

pub(super) fn a_peer_can_release_with_our_token_and_not_without(bench: &Bench<'_>) -> Outcome {
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let guard = take(&*client, b"k", LONG)?;
    let token = server.get(b"k")?.ok_or("there is no key")?;
    let release = |token: &[u8]| server.ask(&[b"EVAL", RELEASE.as_bytes(), b"1", b"k", token]);
    ensure!(release(b"another")? == Value::Integer(0), "a peer released with another token");
    ensure!(release(&token)? == Value::Integer(1), "a peer did not find our token");
    ensure!(!guard.release()?, "the release says that the lock was ours");
    Ok(())
}

pub(super) fn a_plain_client_and_we_exclude_each_other_in_a_race(bench: &Bench<'_>) -> Outcome {
    const ROUNDS: u64 = 15;
    let server = bench.server()?;
    let client = bench.client_of(&server)?;
    let counter = AtomicU64::new(0);
    let add = || {
        let seen = counter.load(Ordering::SeqCst);
        thread::yield_now();
        counter.store(seen + 1, Ordering::SeqCst);
    };
    let policy = Retry { delay: Delay::Fixed(ms(1)), retries: None, deadline: Some(ms(20_000)) };
    thread::scope(|scope| {
        let plain = scope.spawn(|| -> Outcome {
            let mut peer = server.inspector()?;
            for round in 0..ROUNDS {
                let token = format!("peer {round}");
                while !claim(&mut peer, &token)? {
                    thread::sleep(ms(1));
                }
                add();
                peer.command(&["DEL", "k"])?;
            }
            Ok(())
        });
        for _ in 0..ROUNDS {
            let guard = client.lock(b"k", LONG, policy)?;
            add();
            give_back(guard)?;
        }
        plain.join().map_err(|_| "the plain client panicked")?
    })?;
    let counted = counter.into_inner();
    ensure!(
        counted == 2 * ROUNDS,
        "{counted} of {} turns were counted: two were inside at once",
        2 * ROUNDS
    );
    Ok(())
}
