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
/// Gives up before an answer may be late.
const IMPATIENT: Retry = Retry {
    delay: Delay::Fixed(Duration::from_millis(300)),
    retries: None,
    deadline: Some(Duration::from_millis(400)),
};
const REFUSED: &str = "acquire;provide;0.claim=nil;0.read=other";
const SLEEPING: &str = "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms";
const WOKEN: &str =
    "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;late 50;hint;provide";
const REFUSED_3: &str = "acquire;provide;0.claim=nil;0.read=other;1.claim=nil";
const SLEEPING_3: &str = "acquire;provide;0.claim=nil;0.read=other;1.claim=nil;1.read=other;2.claim=nil;2.read=other;0.expiry=900 ms;1.expiry=800 ms";
/// Of a client that has had the lock lately: told eight times, and nothing had changed.
const TOLD_IN_VAIN: &str = concat!(
    "next;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;",
    "hint;0.expiry=2000 ms;hint;0.expiry=2000 ms;hint;0.expiry=2000 ms;hint;0.expiry=2000 ms;",
    "hint;0.expiry=2000 ms;hint;0.expiry=2000 ms;hint;0.expiry=2000 ms;hint;0.expiry=2000 ms",
);

/// Told and refused so often that it would wait for some milliseconds, and told while it asked, for nobody had a
/// majority: so the policy is due in one.
const CROWDED_2: &str = concat!(
    "acquire;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;0.read=other;1.claim=nil;hint;after 9;provide;",
    "0.claim=nil;hint;0.read=other;1.claim=nil",
);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Phase::{Asking, Held, Idle, NeedToken, Pausing};
    &[
    // ---- one server
    ("refused: it asks when the key expires, and to be told", 1, PATIENT, "acquire;provide;0.claim=nil", "0.read=other", "0.expiry", Some(500), Pausing),
    ("it sleeps until then, and a millisecond more", 1, PATIENT, REFUSED, "0.expiry=2000 ms", "", Some(2001), Pausing),
    ("the policy is not asked", 1, PATIENT, SLEEPING, "after 2000", "", Some(2001), Pausing),
    ("the key has expired: it tries", 1, PATIENT, SLEEPING, "after 2001", "token?", Some(2001), NeedToken),
    ("its proof with it, for it is likely to succeed", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;after 2001", "provide", "0.claim, 0.read", Some(500), Asking),
    ("told: it tries at once", 1, PATIENT, SLEEPING, "late 5;hint;provide", "token?, 0.claim, 0.read", Some(505), Asking),
    ("and gets it", 1, PATIENT, WOKEN, "0.claim=ok;0.read=ours", "acquired 2968", Some(2968), Held),
    ("or not: it asks again, and to be told again", 1, PATIENT, WOKEN, "0.claim=nil;0.read=other", "0.expiry", Some(500), Pausing),
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
    ("being told does not use up an attempt", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;0.expiry=2000 ms;late 40", "hint;provide;0.claim=nil;0.read=other", "token?, 0.claim, 0.read, 0.expiry", Some(60), Pausing),
    ("refused to tell: the policy decides", 1, PATIENT, REFUSED, "0.expiry=NOPERM no", "", Some(300), Pausing),
    ("the question is lost: the policy decides", 1, PATIENT, REFUSED, "0.expiry=lost", "", Some(300), Pausing),
    ("it is not sent: the policy decides", 1, PATIENT, REFUSED, "0.expiry=unsent", "", Some(300), Pausing),
    ("an answer that cannot be decides nothing", 1, PATIENT, REFUSED, "0.expiry=ours", "", Some(300), Pausing),
    ("it waits for the answer, past the pause of the policy", 1, PATIENT, REFUSED, "after 400", "", Some(500), Pausing),
    ("which lets it sleep", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;after 400", "0.expiry=2000 ms", "", Some(2001), Pausing),
    ("or try at once, if the server does not tell", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;after 400", "0.expiry=NOPERM no", "token?", Some(0), NeedToken),
    ("no longer than an answer may take", 1, PATIENT, REFUSED, "after 500", "token?", Some(0), NeedToken),
    ("nor longer than the policy wants to wait", 1, IMPATIENT, REFUSED, "after 1", "", Some(400), Pausing),
    ("nor at all, if the policy bounds the number of attempts", 1, TWICE_MORE, REFUSED, "after 100", "token?", Some(0), NeedToken),
    ("the answer comes after the pause: it counts for nothing", 1, PATIENT, "acquire;provide;0.claim=nil;0.read=other;after 500;provide", "0.expiry=gone", "", Some(500), Asking),
    ("a refusal of the server is no reason to be told", 1, PATIENT, "acquire;provide", "0.claim=LOADING x", "", Some(300), Pausing),
    ("nor is silence", 1, PATIENT, "acquire;provide", "after 500", "0.release", Some(800), Pausing),
    ("who makes no other attempt is not told", 1, Retry::NONE, "acquire;provide;0.claim=nil", "0.read=other", "denied held", None, Idle),
    ("who loses interest asks nothing", 1, PATIENT, "acquire;provide;0.claim=nil", "0.read=other;abandon;0.expiry=gone", "0.expiry", None, Idle),
    ("nor is he told", 1, PATIENT, SLEEPING, "abandon;hint;after 3000", "", None, Idle),

    // ---- three servers
    ("a majority is held: all that refused are asked", 3, PATIENT, REFUSED_3, "1.read=other", "0.expiry, 1.expiry, 2.release", Some(500), Pausing),
    ("nobody has a majority: the policy decides", 3, PATIENT, "acquire;provide;0.claim=nil;0.read=other;1.claim=ok;1.read=ours;2.claim=OOM x", "after 299", "", None, Pausing),
    ("it sleeps until a majority has expired", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=900 ms;1.expiry=800 ms", "0.expiry, 1.expiry, 2.release", None, Pausing),
    ("which it has when one more is free", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=gone", "0.expiry, 1.expiry, 2.release", None, Pausing),
    ("a server that does not tell leaves it to the policy", 3, PATIENT, REFUSED_3, "1.read=other;0.expiry=900 ms;1.expiry=NOPERM x", "0.expiry, 1.expiry, 2.release", Some(300), Pausing),
    ("one that refuses after that is asked, too", 3, PATIENT, REFUSED_3, "1.read=other;2.claim=nil", "0.expiry, 1.expiry, 2.release, 2.expiry", Some(500), Pausing),
    ("so is one whose proof comes after that", 3, PATIENT, "acquire;provide;2.claim=nil;0.claim=nil;0.read=other", "1.claim=nil;1.read=other;2.read=other", "0.expiry, 1.expiry, 2.expiry", Some(500), Pausing),
    ("it sleeps until two of the three have expired", 3, PATIENT, REFUSED_3, "1.read=other;2.claim=nil;0.expiry=900 ms;1.expiry=500 ms;2.expiry=700 ms;after 700", "0.expiry, 1.expiry, 2.release, 2.expiry", None, Pausing),
    ("and not longer", 3, PATIENT, REFUSED_3, "1.read=other;2.claim=nil;0.expiry=900 ms;1.expiry=500 ms;2.expiry=700 ms;after 702", "0.expiry, 1.expiry, 2.release, 2.expiry, token?", None, NeedToken),
    ("told by one of them: it tries, not at once", 3, PATIENT, SLEEPING_3, "hint;after 1;provide", "token?, 0.claim, 0.read, 1.claim, 1.read, 2.claim, 2.read", None, Asking),

    // ---- two servers: one that refuses ends the attempt, both are asked
    ("one has refused: nobody is asked yet", 2, PATIENT, "acquire;provide;0.claim=nil", "0.read=other", "1.release", Some(300), Pausing),
    ("both have: both are asked", 2, PATIENT, "acquire;provide;0.claim=nil;0.read=other", "1.claim=nil", "0.expiry, 1.expiry", Some(300), Pausing),
    ("it sleeps until both have expired", 2, PATIENT, "acquire;provide;0.claim=nil;0.read=other;1.claim=nil", "0.expiry=900 ms;1.expiry=800 ms;after 900", "", None, Pausing),
    ("told shortly before the policy is due: it does not sleep on when the rest is known", 2, PATIENT, CROWDED_2, "1.expiry=900 ms;hint;0.expiry=gone;after 1", "token?", None, NeedToken),
    ("the other has granted: nobody has a majority", 2, PATIENT, "acquire;provide;0.claim=nil;0.read=other", "1.claim=ok;1.read=ours", "", Some(300), Pausing),
    ]
};

/// The seed makes it try at once when it is told.
#[test]
fn every_row() {
    rows(ROWS, 1);
}

fn rows(rows: &[Row], seed: u64) {
    let mut failed = Vec::new();
    for (name, servers, retry, before, steps, wanted, until, phase) in rows {
        let mut bench = bench(*servers, *retry);
        let settings = *bench.lock.settings();
        bench.lock.reset(&settings, seed);
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
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

fn bench(servers: usize, retry: Retry) -> Bench {
    Bench::with(servers, |settings| (settings.retry, settings.wake) = (retry, true))
}

/// Who looks before it tries: the seed makes it so.
#[rustfmt::skip]
const LOOKING: &[Row] = {
    use Phase::{Asking, NeedToken, Pausing};
    &[
    ("told: it looks", 1, PATIENT, SLEEPING, "hint", "0.expiry", Some(2001), Pausing),
    ("the key is gone: it tries", 1, PATIENT, SLEEPING, "hint;0.expiry=gone;provide", "0.expiry, token?, 0.claim, 0.read", Some(500), Asking),
    ("somebody was quicker: it sleeps on", 1, PATIENT, SLEEPING, "hint;0.expiry=5000 ms", "0.expiry", Some(5001), Pausing),
    ("told again while it looks: the answer may be older, so it tries", 1, PATIENT, SLEEPING, "hint;hint", "0.expiry, token?", Some(0), NeedToken),
    ("the answer does not come: it tries", 1, PATIENT, SLEEPING, "hint;0.expiry=lost", "0.expiry, token?", Some(0), NeedToken),
    ("the server does not tell any more: it tries", 1, PATIENT, SLEEPING, "hint;0.expiry=NOPERM x", "0.expiry, token?", Some(0), NeedToken),
    ("the key expires while it looks: it tries", 1, PATIENT, SLEEPING, "hint;after 2001", "0.expiry, token?", Some(0), NeedToken),
    ("a look uses up no attempt", 1, TWICE_MORE, SLEEPING, "late 40;hint;0.expiry=2000 ms", "0.expiry", Some(100), Pausing),
    ("told before it was told that it will be: it tries", 1, PATIENT, REFUSED, "hint", "token?", Some(0), NeedToken),
    ("who loses interest while it looks", 1, PATIENT, SLEEPING, "hint;abandon;0.expiry=gone", "0.expiry", None, Phase::Idle),
    ]
};

#[test]
fn every_row_of_looking() {
    let seed = (1..100).find(|seed| {
        let mut bench = seeded(*seed);
        bench.step("hint");
        bench.output == ["0.expiry"]
    });
    rows(LOOKING, seed.expect("half of them look"));
}

const NEXT: &str = "next;provide;0.claim=nil;0.read=other;0.expiry=2000 ms";

/// Whose client has just had the lock lets others come first. A round trip takes no time here, but where it says so.
#[rustfmt::skip]
const MODEST: &[Row] = {
    use Phase::{Asking, Held, Idle, NeedToken, Pausing};
    &[
    // ---- the client has had its turns
    ("it looks, before it has any token", 1, PATIENT, "late 0", "hold-back", "0.expiry", Some(500), Pausing),
    ("the key is gone: others have two milliseconds", 1, PATIENT, "hold-back", "0.expiry=gone", "", Some(2), Pausing),
    ("and six round trips", 1, PATIENT, "hold-back", "late 10;0.expiry=gone", "", Some(72), Pausing),
    ("nobody came: it tries", 1, PATIENT, "hold-back;0.expiry=gone", "after 2;provide", "token?, 0.claim, 0.read", Some(502), Asking),
    ("and has it", 1, PATIENT, "hold-back;0.expiry=gone;after 2;provide", "0.claim=ok;0.read=ours", "acquired 2968", Some(2968), Held),
    ("somebody came: it sleeps", 1, PATIENT, "hold-back;0.expiry=gone", "hint;0.expiry=700 ms", "0.expiry", Some(701), Pausing),
    ("somebody was there already: it sleeps", 1, PATIENT, "hold-back", "0.expiry=700 ms", "", Some(701), Pausing),
    ("somebody came and went: it stands aside for less", 1, PATIENT, "hold-back;0.expiry=gone;hint", "0.expiry=gone;after 1", "token?", Some(0), NeedToken),
    ("told before the answer, which may be older: it looks again", 1, PATIENT, "hold-back;hint", "0.expiry=700 ms", "0.expiry", Some(701), Pausing),
    ("told before the answer that the key is gone: others have their time", 1, PATIENT, "hold-back;hint", "0.expiry=gone", "", Some(2), Pausing),
    ("the server does not tell: two milliseconds it is", 1, PATIENT, "hold-back", "0.expiry=NOPERM x", "", Some(2), Pausing),
    ("nobody knows: the same", 1, PATIENT, "hold-back;0.expiry=lost", "after 2", "token?", Some(0), NeedToken),
    ("not longer than its policy wants to wait", 1, IMPATIENT, "late 0", "hold-back;after 400;provide", "0.expiry, token?, 0.claim, 0.read", Some(900), Asking),
    ("who loses interest", 1, PATIENT, "hold-back", "abandon;0.expiry=gone;after 100", "", None, Idle),
    ("who lets go of what it never had", 1, PATIENT, "hold-back", "release;after 100", "released not held", None, Idle),
    ("several servers vote: nobody looks", 3, PATIENT, "late 0", "hold-back", "", Some(8), Pausing),
    ("and then it tries", 3, PATIENT, "hold-back", "after 8;provide", "token?, 0.claim, 0.read, 1.claim, 1.read, 2.claim, 2.read", Some(508), Asking),

    // ---- it is the next in line
    ("it tries at once", 1, PATIENT, "late 0", "next;provide", "token?, 0.claim, 0.read", Some(500), Asking),
    ("refused, and told: it looks", 1, PATIENT, NEXT, "hint", "0.expiry", Some(2001), Pausing),
    ("the key is gone: it stands aside, and then tries", 1, PATIENT, NEXT, "hint;0.expiry=gone;after 1;provide", "0.expiry, token?, 0.claim, 0.read", Some(501), Asking),
    ("told again while it looks: it waits for the answer", 1, PATIENT, NEXT, "hint;hint", "0.expiry", Some(2001), Pausing),
    ("and looks again, for that may be older", 1, PATIENT, NEXT, "hint;hint;0.expiry=3000 ms", "0.expiry, 0.expiry", Some(3001), Pausing),
    ("which it believes", 1, PATIENT, NEXT, "hint;hint;0.expiry=3000 ms;0.expiry=3000 ms", "0.expiry, 0.expiry", Some(3001), Pausing),
    ("told while it stands aside: it looks again", 1, PATIENT, NEXT, "hint;0.expiry=gone;hint", "0.expiry, 0.expiry", Some(500), Pausing),
    ("told again and again, and the key is gone: its patience ends", 1, PATIENT, NEXT, "hint;0.expiry=gone;hint;after 1;0.expiry=gone", "0.expiry, 0.expiry, token?", Some(0), NeedToken),
    ("somebody has had it: others come first again", 1, PATIENT, NEXT, "hint;0.expiry=gone;hint;after 1;0.expiry=3000 ms;hint;0.expiry=gone", "0.expiry, 0.expiry, 0.expiry", Some(1), Pausing),
    ("and sleeps on", 1, PATIENT, NEXT, "hint;0.expiry=gone;hint;0.expiry=3000 ms", "0.expiry, 0.expiry", Some(3001), Pausing),
    ("told too often in vain: it looks later", 1, TWICE_MORE, TOLD_IN_VAIN, "hint;after 1", "0.expiry", Some(100), Pausing),
    ("but not when the policy is due by then: it tries", 1, TWICE_MORE, TOLD_IN_VAIN, "hint;after 200", "token?", Some(0), NeedToken),
    ("a key that has expired is not looked at", 1, PATIENT, NEXT, "after 2001", "token?", Some(0), NeedToken),
    ]
};

#[test]
fn every_row_of_modesty() {
    rows(MODEST, 1);
}

/// Sleeps, with this seed.
fn seeded(seed: u64) -> Bench {
    let mut bench = bench(1, PATIENT);
    let settings = *bench.lock.settings();
    bench.lock.reset(&settings, seed);
    SLEEPING.split(';').for_each(|step| bench.step(step));
    bench.output.clear();
    bench
}

/// Comes too late once more, after it was told. Whether it has tried.
fn come_too_late(bench: &mut Bench) -> bool {
    bench.step("hint");
    if let Some(until) = bench.wait.filter(|_| bench.lock.phase() == Phase::Pausing) {
        // It looks, or waits for a random time.
        if bench.output.last().is_some_and(|line| line == "0.expiry") {
            bench.step("0.expiry=2000 ms");
            return false;
        }
        bench.now = bench.now.max(until);
        bench.step("after 0");
    }
    bench.step("provide");
    bench.step("0.claim=nil");
    if bench.lock.phase() == Phase::Asking {
        bench.step("0.read=other");
    }
    bench.step("0.expiry=2000 ms");
    bench.output.clear();
    true
}

/// Who has come too late more often looks less often.
#[test]
fn the_unlucky_try_more_often() {
    const SEEDS: u64 = 400;
    let tried = |lost: u32| {
        let seeds = (0..SEEDS).filter(|seed| {
            let mut bench = seeded(*seed);
            (0..lost).for_each(|_| _ = come_too_late(&mut bench));
            bench.output.clear();
            come_too_late(&mut bench)
        });
        seeds.count() * 100 / SEEDS as usize
    };
    let percent = [0, 1, 2, 6, 14, 30].map(tried);
    assert!((40..60).contains(&percent[0]), "two who take turns: {percent:?}");
    assert!((15..35).contains(&percent[1]), "{percent:?}");
    assert!(percent[1..].is_sorted() && percent[5] > 75, "{percent:?}");
}

/// It is told again and again, and never gets the lock. How often it asks in a second.
fn asks(answer: impl Fn(Instant) -> String, hinted: bool) -> u32 {
    let mut bench = bench(1, PATIENT);
    REFUSED.split(';').for_each(|step| bench.step(step));
    let (end, mut asks) = (Instant::from_micros(2_000_000), 0);
    while bench.now < end {
        bench.output.clear();
        match bench.lock.phase() {
            Phase::NeedToken => bench.step("provide"),
            Phase::Asking => {
                asks += 1;
                bench.step("0.claim=nil");
                if bench.lock.phase() == Phase::Asking {
                    bench.step("0.read=other");
                }
                bench.step(&format!("0.expiry={}", answer(bench.now)));
            }
            _ => {
                if hinted {
                    bench.step("hint");
                }
                bench.now = bench.now.saturating_add(Duration::from_micros(50));
                bench.step("after 0");
                if bench.output.last().is_some_and(|line| line == "0.expiry") {
                    asks += 1;
                    bench.step(&format!("0.expiry={}", answer(bench.now)));
                }
            }
        }
    }
    asks
}

/// A server that tells without end of changes that have not happened, or finds the key gone whenever it is
/// asked.
#[test]
fn nobody_spins_on_a_server_that_never_stops_telling() {
    let left = |now: Instant| format!("{} ms", (3_000_000 - now.as_micros()) / 1_000);
    let (same, gone) = (asks(left, true), asks(|_| "gone".into(), false));
    assert!((100..400).contains(&same), "{same}");
    assert!((100..400).contains(&gone), "{gone}");
}

/// The key changes every 50 microseconds: it is not looked at every time.
#[test]
fn who_waits_does_not_follow_every_change() {
    let asks = asks(|_| "2000 ms".into(), true);
    assert!((500..2_500).contains(&asks), "{asks} times in two seconds");
}

/// Of a crowd that is told at the same moment, those who have come too late very often spread out.
#[test]
fn a_crowd_spreads_out() {
    let mut moments: Vec<_> = (0..20)
        .map(|seed| {
            let mut bench = seeded(seed);
            (0..40).for_each(|_| _ = come_too_late(&mut bench));
            bench.step("hint");
            bench.wait.map(|at| at.saturating_since(bench.now).as_micros())
        })
        .collect();
    moments.sort_unstable();
    moments.dedup();
    assert!(moments.len() > 15, "{moments:?}");
    assert!(moments.iter().all(|wait| wait.is_some_and(|wait| wait <= 4_000)), "{moments:?}");
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
