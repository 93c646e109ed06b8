//! Waiting, one row one case: a lock that was refused asks to be told of a change, sleeps until it is
//! told or the key has expired, and tries again. What the retry policy says stands in `lock_table`.

mod lock_bench;

use core::time::Duration;

use lock_bench::{Bench, ONE_SECOND, TWICE_MORE};
use redlatch_core::{Delay, Event, Instant, Phase, Retry};

/// Name, servers, policy, how to get there, what happens, what comes out, until when it waits (in
/// milliseconds from the beginning of these steps), where it stands then.
type Row =
    (&'static str, usize, Retry, &'static str, &'static str, &'static str, Option<u64>, Phase);

/// Tries again and again, mostly long before anything has happened.
const PATIENT: Retry = Retry {
    delay: Delay::Fixed(Duration::from_millis(300)),
    retries: None,
    deadline: Some(Duration::from_secs(10)),
};
const REFUSED: &str = "acquire;provide;0.claim=nil;0.read=other";
const SLEEPING: &str = "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms";
const WOKEN: &str =
    "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;late 50;hint;provide";
const REFUSED_3: &str = "acquire;provide;0.claim=nil;0.read=other;1.claim=nil";
const SLEEPING_3: &str = "acquire;provide;0.claim=nil;0.read=other;1.claim=nil;1.read=other;2.claim=nil;2.read=other;0.expiry=900 ms;1.expiry=800 ms";

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Phase::{Asking, Held, Idle, NeedToken, Pausing};
    &[
    // ---- one server
    ("refused: it asks when the key expires, and to be told", 1, PATIENT, "acquire;provide;0.claim=nil", "0.read=other", "0.expiry", Some(300), Pausing),
    ("it sleeps until then, and a millisecond more", 1, PATIENT, REFUSED, "0.expiry=2000 ms", "", Some(2001), Pausing),
    ("the policy is not asked", 1, PATIENT, SLEEPING, "after 2000", "", Some(2001), Pausing),
    ("the key has expired: it tries", 1, PATIENT, SLEEPING, "after 2001", "token?", Some(2001), NeedToken),
    ("its proof with it, for it is likely to succeed", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;after 2001", "provide", "0.claim, 0.read", Some(500), Asking),
    ("told: it tries at once", 1, PATIENT, SLEEPING, "late 5;hint;provide", "token?, 0.claim, 0.read", Some(505), Asking),
    ("and gets it", 1, PATIENT, WOKEN, "0.claim=ok;0.read=ours", "acquired 2968", Some(2968), Held),
    ("or not: it asks again, and to be told again", 1, PATIENT, WOKEN, "0.claim=nil;0.read=other", "0.expiry", Some(250), Pausing),
    ("told before the answer came: it tries at once", 1, PATIENT, REFUSED, "hint", "token?", Some(0), NeedToken),
    ("released between the refusal and the question: it tries at once", 1, PATIENT, REFUSED, "0.expiry=gone", "token?", Some(0), NeedToken),
    ("a key that does not expire is looked at again", 1, PATIENT, REFUSED, "0.expiry=for ever", "", Some(10_000), Pausing),
    ("what has just expired is given a millisecond", 1, PATIENT, REFUSED, "0.expiry=0 ms", "", Some(1), Pausing),
    ("what expires beyond all clocks is waited for until the deadline", 1, PATIENT, REFUSED, "0.expiry=9223372036854775807 ms", "", Some(10_000), Pausing),
    ("so is what the policy bounds", 1, ONE_SECOND, REFUSED, "0.expiry=2000 ms", "", Some(1000), Pausing),
    ("the last attempt is made then", 1, ONE_SECOND, SLEEPING, "after 1000;provide;0.claim=nil", "token?, 0.claim, 0.read", Some(1500), Asking),
    ("and ends it", 1, ONE_SECOND, "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;after 1000;provide;0.claim=nil", "0.read=other", "denied held", None, Idle),
    ("a bounded number of attempts is made when the policy says so", 1, TWICE_MORE, REFUSED, "0.expiry=2000 ms", "", Some(100), Pausing),
    ("or when the key has expired, if that is sooner", 1, TWICE_MORE, REFUSED, "0.expiry=20 ms", "", Some(21), Pausing),
    ("being told does not use up an attempt", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;hint;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;hint;provide;0.claim=nil;0.read=other;0.expiry=2000 ms", "hint;provide;0.claim=nil;0.read=other", "token?, 0.claim, 0.read, 0.expiry", Some(100), Pausing),
    ("refused to tell: the policy decides", 1, PATIENT, REFUSED, "0.expiry=NOPERM no", "", Some(300), Pausing),
    ("the question is lost: the policy decides", 1, PATIENT, REFUSED, "0.expiry=lost", "", Some(300), Pausing),
    ("it is not sent: the policy decides", 1, PATIENT, REFUSED, "0.expiry=unsent", "", Some(300), Pausing),
    ("an answer that cannot be decides nothing", 1, PATIENT, REFUSED, "0.expiry=ours", "", Some(300), Pausing),
    ("the answer comes after the pause: it counts for nothing", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;after 300;provide", "0.expiry=gone", "", Some(500), Asking),
    ("a refusal of the server is no reason to be told", 1, PATIENT, "acquire;provide", "0.claim=LOADING x", "", Some(300), Pausing),
    ("nor is silence", 1, PATIENT, "acquire;provide", "after 500", "0.release", Some(800), Pausing),
    ("who makes no other attempt is not told", 1, Retry::NONE, "acquire;provide;0.claim=nil", "0.read=other", "denied held", None, Idle),
    ("who loses interest asks nothing", 1, PATIENT, "acquire;provide;0.claim=nil", "0.read=other;abandon;0.expiry=gone", "0.expiry", None, Idle),
    ("nor is he told", 1, PATIENT, SLEEPING, "abandon;hint;after 3000", "", None, Idle),

    // ---- three servers
    ("a majority is held: all that refused are asked", 3, PATIENT, REFUSED_3, "1.read=other", "0.expiry, 1.expiry, 2.release", Some(300), Pausing),
    ("nobody has a majority: the policy decides", 3, PATIENT, "acquire;provide;0.claim=nil;0.read=other;1.claim=ok;1.read=ours;2.claim=OOM x", "after 299", "", None, Pausing),
    ("it sleeps until a majority has expired", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=900 ms;1.expiry=800 ms", "0.expiry, 1.expiry, 2.release", None, Pausing),
    ("which it has when one more is free", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=gone", "0.expiry, 1.expiry, 2.release", None, Pausing),
    ("a server that does not tell leaves it to the policy", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=900 ms;1.expiry=NOPERM x", "0.expiry, 1.expiry, 2.release", Some(300), Pausing),
    ("told by one of them: it tries, not at once", 3, PATIENT, SLEEPING_3, "hint;after 1;provide", "token?, 0.claim, 0.read, 1.claim, 1.read, 2.claim, 2.read", None, Asking),
    ]
};

#[test]
fn every_row() {
    let mut failed = Vec::new();
    for (name, servers, retry, before, steps, wanted, until, phase) in ROWS {
        let mut bench = bench(*servers, *retry);
        before.split(';').for_each(|step| bench.step(step));
        bench.output.clear();
        let began = bench.now;
        steps.split(';').for_each(|step| bench.step(step));
        let got = bench.output.join(", ");
        let waits = bench.wait.map(|at| at.saturating_since(began).as_millis() as u64);
        let waits = if matches!(phase, Phase::NeedToken) { *until } else { waits };
        let same_wait = *servers > 1 && until.is_none() || waits == *until;
        if got != *wanted || bench.lock.phase() != *phase || !same_wait {
            let stands = bench.lock.phase();
            failed.push(format!(
                "{name}\n   got: {got} | {waits:?} {stands:?}\n  want: {wanted} | {until:?} {phase:?}"
            ));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), ROWS.len(), failed.join("\n"));
}

fn bench(servers: usize, retry: Retry) -> Bench {
    Bench::with(servers, |settings| (settings.retry, settings.wake) = (retry, true))
}

/// It is told again and again, and never gets the lock. How often it tries in a second.
fn tries(answer: &str, hinted: bool) -> u32 {
    let mut bench = bench(1, PATIENT);
    REFUSED.split(';').for_each(|step| bench.step(step));
    let (end, mut tries) = (Instant::from_micros(2_000_000), 0);
    while bench.now < end {
        match bench.lock.phase() {
            Phase::NeedToken => {
                tries += 1;
                bench.step("provide");
                bench.step("0.claim=nil");
                if bench.lock.phase() == Phase::Asking {
                    bench.step("0.read=other");
                }
                bench.step(&format!("0.expiry={answer}"));
            }
            _ => {
                if hinted {
                    bench.step("hint");
                }
                bench.now = bench.now.saturating_add(Duration::from_micros(50));
                bench.step("after 0");
            }
        }
    }
    tries
}

/// A server that tells of changes without end, or finds the key gone whenever it is asked.
#[test]
fn nobody_spins_on_a_server_that_never_stops_telling() {
    for (answer, hinted) in [("2000 ms", true), ("gone", false)] {
        let tries = tries(answer, hinted);
        assert!((50..300).contains(&tries), "{answer}: {tries}");
    }
}

/// Of a crowd that is told at the same moment, those who have tried in vain spread out.
#[test]
fn a_crowd_spreads_out() {
    let mut moments = Vec::new();
    for seed in 0..20 {
        let mut bench = bench(1, PATIENT);
        bench.lock.reset(&bench.lock.settings().clone(), seed);
        REFUSED.split(';').for_each(|step| bench.step(step));
        for _ in 0..40 {
            bench.step("0.expiry=2000 ms");
            bench.step("hint");
            if let Some(until) = bench.wait.filter(|_| bench.lock.phase() == Phase::Pausing) {
                bench.now = bench.now.max(until);
                bench.step("after 0");
            }
            bench.step("provide");
            bench.step("0.claim=nil");
            if bench.lock.phase() == Phase::Asking {
                bench.step("0.read=other");
            }
        }
        bench.step("0.expiry=2000 ms");
        bench.step("hint");
        moments.push(bench.wait.map(|at| at.saturating_since(bench.now).as_micros()));
    }
    moments.sort_unstable();
    moments.dedup();
    assert!(moments.len() > 15, "{moments:?}");
    assert!(moments.iter().all(|wait| wait.is_some_and(|wait| wait <= 4_100)), "{moments:?}");
}

/// A lock that is had after a wait is a lock like any other: its own token, its own lease.
#[test]
fn what_is_had_after_a_wait_has_a_fresh_token_and_a_whole_lease() {
    let mut bench = bench(1, PATIENT);
    WOKEN.split(';').for_each(|step| bench.step(step));
    assert_eq!(bench.tokens, 2);
    bench.step("0.claim=ok");
    bench.step("0.read=ours");
    assert!(matches!(bench.event, Some(Event::Acquired(_))));
}
