//! Time, tokens, jitter, leases, majorities, retry policies: the small values (R2, R4, R5, R9).

use core::time::Duration;
use std::collections::HashSet;

use redlatch_core::{
    Attempts, Backoff, Ballot, Delay, Denial, Drift, Instant, Lease, Limits, Protocol, Random,
    Refusal, Renew, Retry, Seat, Settings, Tally, Token, Ttl, Verdict, WeakRandomness, majority,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1000)
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("within the limits")
}

#[test]
fn r4_validity_is_ttl_less_elapsed_less_drift() {
    #[rustfmt::skip]
    let rows = [
        // ttl, sent at, now, validity
        (30_000, 0, 0, 29_698),
        (30_000, 100, 1_100, 28_698),
        (3_000, 0, 2_967, 1),
        (3_000, 0, 2_968, 0),
        (3_000, 0, 9_000, 0),
        (100, 0, 0, 97),
        (3, 0, 0, 0),
        (2, 0, 0, 0),
        (1, 0, 0, 0),
    ];
    for (span, sent, now, left) in rows {
        let lease = Lease::new(ttl(span), Drift::DEFAULT, at(sent));
        assert_eq!(lease.validity(at(now)).as_millis(), left, "{span} {sent} {now}");
        assert_eq!(lease.is_valid(at(now)), lease.validity(at(now)) > Duration::ZERO);
    }
}

#[test]
fn r4_arithmetic_saturates() {
    let longest = Lease::new(ttl(Ttl::MAX_MILLIS), Drift::DEFAULT, Instant::NEVER);
    assert_eq!(longest.until(), Instant::NEVER);
    let all = Drift { parts_per_million: u32::MAX, constant: Duration::MAX };
    assert!(!Lease::new(ttl(Ttl::MAX_MILLIS), all, at(5)).is_valid(at(5)));
    assert_eq!(Instant::ZERO.saturating_since(Instant::NEVER), Duration::ZERO);
    assert_eq!(Instant::NEVER.saturating_add(Duration::MAX), Instant::NEVER);
}

/// The machines count in 64 bits. Here the same is counted in 128, where nothing needs care.
#[test]
fn r4_arithmetic_of_64_bits_is_exact() {
    let cut = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
    let mut random = Random::new(4);
    // Of every size: a number of up to 64 bits, cut to a random length, or one that is extreme.
    let mut any = || match random.next_u64() % 16 {
        0 => u64::MAX,
        1 => 0,
        _ => random.next_u64() >> (random.next_u64() % 64),
    };
    for _ in 0..100_000 {
        let span = Duration::new(any(), (any() % 1_000_000_000) as u32);
        let sent = Instant::from_micros(any());
        let later = cut(u128::from(sent.as_micros()) + span.as_micros());
        assert_eq!(sent.saturating_add(span).as_micros(), later, "{sent:?} {span:?}");
        let millis = Ttl::new(span).map(|ttl| u128::from(ttl.as_millis()));
        let good = (1..=u128::from(Ttl::MAX_MILLIS)).contains(&span.as_millis());
        assert_eq!(millis.ok(), good.then_some(span.as_millis()), "{span:?}");

        let ttl = ttl(any().clamp(1, Ttl::MAX_MILLIS));
        let drift = Drift { parts_per_million: any() as u32, constant: span };
        let share = u128::from(ttl.as_millis()) * u128::from(drift.parts_per_million) / 1000;
        let allowance = Duration::from_micros(cut(share)).saturating_add(span);
        assert_eq!(drift.of(ttl), allowance, "{ttl:?} {drift:?}");
        let until = sent.saturating_add(ttl.as_duration().saturating_sub(allowance));
        assert_eq!(Lease::new(ttl, drift, sent).until(), until, "{ttl:?} {drift:?}");
    }
}

#[test]
fn r5_majority_of_the_configured_number() {
    let wanted = [1, 1, 2, 2, 3, 3, 4, 4, 5];
    for (configured, needed) in wanted.into_iter().enumerate() {
        assert_eq!(majority(configured), needed, "of {configured}");
    }
    assert!(majority(usize::MAX) > usize::MAX / 2);
}

#[test]
fn r5_every_tally_of_up_to_seven_servers() {
    for configured in 0..=7_usize {
        for granted in 0..=configured {
            for held in 0..=configured - granted {
                for refused in 0..=configured - granted - held {
                    let most = configured - granted - held - refused;
                    for unreachable in 0..=most {
                        let tally = Tally {
                            configured,
                            granted,
                            held,
                            refused,
                            unreachable,
                            refusal: None,
                        };
                        check(&tally, most - unreachable);
                    }
                }
            }
        }
    }
}

fn check(tally: &Tally, open: usize) {
    // More than half, spelled without the function under test.
    let wins = |votes: usize| 2 * votes > tally.configured;
    let wanted = match (wins(tally.granted), wins(tally.granted + open)) {
        (true, _) => Verdict::Carried,
        (false, true) => Verdict::Undecided,
        (false, false) => Verdict::Failed,
    };
    assert_eq!(tally.verdict(), wanted, "{tally:?}");
    if tally.denial() == Denial::Held {
        assert!(tally.held > 0 && wins(tally.granted + tally.held + open), "{tally:?}");
    }
    let mut closed = *tally;
    closed.close();
    assert_ne!(closed.verdict(), Verdict::Undecided, "{closed:?}");
}

#[test]
fn the_gravest_refusal_is_kept() {
    let mut tally = Tally { configured: 3, ..Tally::default() };
    for refusal in [Refusal::Busy, Refusal::NoPermission, Refusal::Loading] {
        tally.add(Ballot::Refused(refusal));
    }
    assert_eq!((tally.refused, tally.refusal), (3, Some(Refusal::NoPermission)));
}

#[test]
fn r9_fixed_delay_and_number_of_retries() {
    let policy = Retry { delay: Delay::Fixed(ms(100)), retries: Some(3), deadline: None };
    let (mut backoff, mut random) = (Backoff::new(policy, at(0)), Random::new(1));
    for attempt in 1..=3 {
        assert_eq!(backoff.next(at(7 * attempt), &mut random), Some(at(7 * attempt + 100)));
    }
    assert_eq!(backoff.next(at(50), &mut random), None);
}

#[test]
fn r9_nothing_is_begun_after_the_deadline() {
    let policy = Retry { delay: Delay::Fixed(ms(100)), retries: None, deadline: Some(ms(250)) };
    let (mut backoff, mut random) = (Backoff::new(policy, at(1000)), Random::new(1));
    assert_eq!(backoff.next(at(1000), &mut random), Some(at(1100)));
    assert_eq!(backoff.next(at(1150), &mut random), Some(at(1250)), "just in time");
    assert_eq!(backoff.next(at(1250), &mut random), None);
    assert_eq!(backoff.retries(), 2);
}

/// Whoever waits for a second gets a whole second: the last attempt is at the deadline.
#[test]
fn r9_the_last_pause_ends_at_the_deadline() {
    // Pause, deadline, what an attempt takes, when all of them are made.
    let cases: [(u64, u64, u64, &[u64]); 7] = [
        (100, 0, 0, &[0]),
        (100, 0, 30, &[0]),
        (100, 50, 0, &[0, 50]),
        (100, 100, 0, &[0, 100]),
        (100, 250, 0, &[0, 100, 200, 250]),
        (100, 250, 30, &[0, 130, 250]),
        (100, 50, 80, &[0]),
    ];
    for (pause, deadline, cost, expected) in cases {
        let policy =
            Retry { delay: Delay::Fixed(ms(pause)), retries: None, deadline: Some(ms(deadline)) };
        let mut backoff = Backoff::new(policy, at(5000));
        let (mut tried, mut now) = (vec![0], 5000 + cost);
        while let Some(due) = backoff.next(at(now), &mut Random::new(1)) {
            now = due.as_micros() / 1000;
            tried.push(now - 5000);
            now += cost;
        }
        assert_eq!(tried, expected, "{pause} {deadline} {cost}");
    }
}

/// A deadline beyond all moments does not overflow, and one at the end of time does not spin.
#[test]
fn r9_the_longest_times_end() {
    let (delay, deadline) = (Delay::Fixed(Duration::MAX), Some(Duration::MAX));
    let mut backoff = Backoff::new(Retry { delay, retries: None, deadline }, at(0));
    let mut random = Random::new(1);
    assert_eq!(backoff.next(at(0), &mut random), Some(Instant::NEVER));
    assert_eq!(backoff.next(Instant::NEVER, &mut random), None);
}

#[test]
fn r9_exponential_with_full_jitter() {
    let delay = Delay::Exponential { base: ms(10), cap: ms(500) };
    let policy = Retry { delay, retries: None, deadline: None };
    for seed in 0..200 {
        let (mut backoff, mut random) = (Backoff::new(policy, at(0)), Random::new(seed));
        for attempt in 0..40_u32 {
            let bound = ms(10 * (1_u64 << attempt.min(10))).min(ms(500));
            let next = backoff.next(at(0), &mut random).expect("no bound");
            assert!(next >= at(0).saturating_add(Backoff::FLOOR), "never spins");
            assert!(next <= at(0).saturating_add(bound), "attempt {attempt}: {next:?}");
        }
    }
}

/// Full jitter uses the whole range, so that contenders spread out.
#[test]
fn jitter_is_spread_over_the_whole_range() {
    let mut random = Random::new(7);
    let mut buckets = [0_u32; 10];
    for _ in 0..10_000 {
        let micros = random.up_to(ms(1)).as_micros();
        assert!(micros <= 1000);
        buckets[(micros as usize * 10 / 1001).min(9)] += 1;
    }
    assert!(buckets.iter().all(|count| (850..1150).contains(count)), "{buckets:?}");
    assert_eq!(Random::new(1).up_to(Duration::ZERO), Duration::ZERO);
    assert!(Random::new(1).up_to(Duration::MAX) <= Duration::from_micros(u64::MAX));
}

#[test]
fn r2_tokens_are_40_hex_digits_of_all_160_bits() {
    let mut seen = HashSet::new();
    for byte in 0..20 {
        for bit in 0..8 {
            let mut random = [0x5a; 20];
            random[byte] ^= 1 << bit;
            let token = Token::from_random(random).expect("not constant");
            let hex = token.to_hex();
            assert!(hex.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
            assert_eq!(Token::from_wire(&hex), Some(token));
            assert!(seen.insert(token), "every bit counts");
        }
    }
}

/// F51: a generator that is not running is an error, not a weak token.
#[test]
fn r2_a_dead_generator_is_refused() {
    for byte in 0..=255 {
        let error = Token::from_random([byte; 20]).expect_err("constant");
        assert!(error.to_string().contains("random generator"));
    }
}

#[test]
fn r2_foreign_values_are_no_tokens() {
    let uuid = "6fa459ea-ee8a-3ca4-894e-db77e160355e";
    let rows: [&[u8]; 7] =
        [b"", uuid.as_bytes(), &[b'0'; 39], &[b'0'; 41], &[b'A'; 40], &[0; 40], &[0xff; 20]];
    for value in rows {
        assert_eq!(Token::from_wire(value), None, "{value:?}");
    }
}

#[test]
fn r18_debug_shows_nothing_of_a_token() {
    let token = Token::from_random(core::array::from_fn(|i| i as u8)).expect("not constant");
    assert_eq!(format!("{token:?}"), "Token(***)");
}

/// Spans of more microseconds than 32 bits hold, on machines with pointers of 32 bits too.
#[test]
fn jitter_reaches_into_long_spans() {
    let (day, mut random) = (Duration::from_secs(86_400), Random::new(1));
    let longest = (0..100).map(|_| random.up_to(day)).max().expect("a hundred");
    assert!(longest > day / 2 && longest <= day, "{longest:?}");
}

/// The published sequence: what other implementations of SplitMix64 give for the same seeds.
#[test]
fn jitter_comes_from_splitmix64() {
    let rows = [
        (0, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]),
        (
            1_234_567,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423],
        ),
    ];
    for (seed, wanted) in rows {
        let mut random = Random::new(seed);
        assert_eq!(wanted.map(|_| random.next_u64()), wanted, "{seed}");
    }
}

/// One bit more or less in all the others is another token: equal bytes are found wherever they are.
#[test]
fn r2_one_byte_that_differs_makes_a_token() {
    for at in 0..20 {
        let mut random = [0x11; 20];
        random[at] = 0x12;
        assert!(Token::from_random(random).is_ok(), "{at}");
    }
    assert_eq!(Token::from_random([0x11; 20]), Err(WeakRandomness));
}

/// What an adapter relies on without saying it.
#[test]
fn defaults_are_what_the_documentation_says() {
    let patience = Retry::until(ms(2000));
    assert_eq!(patience.delay, Delay::Exponential { base: ms(5), cap: ms(100) });
    assert_eq!((patience.retries, patience.deadline), (None, Some(ms(2000))));
    assert_eq!((Retry::NONE.retries, Retry::NONE.deadline), (Some(0), None));
    assert_eq!(Backoff::FLOOR, ms(1));

    let renew = Renew::default();
    assert_eq!((renew.divisor, renew.most), (3, Some(Duration::from_secs(3600))));
    let drift = Drift::default();
    assert_eq!((drift.parts_per_million, drift.constant), (10_000, ms(2)));
    let settings = Settings::new(ttl(3000));
    let wanted = Settings {
        ttl: ttl(3000),
        drift,
        reply_timeout: ms(500),
        retry: Retry::NONE,
        wake: true,
        renew: None,
    };
    assert_eq!(settings, wanted);
    assert_eq!(Protocol::default(), Protocol::Resp3);
    assert_eq!(format!("{:?}", Seat::NEW), format!("{:?}", Seat::default()));
}

#[test]
fn r20_limits_are_what_the_documentation_says() {
    let hosted = Limits {
        depth: 8,
        aggregate_elements: 1_024,
        reply_elements: 4_096,
        bulk_bytes: 65_536,
        line_bytes: 1_024,
        push_bytes: 65_536,
        reply_bytes: 1_048_576,
        in_flight: 32,
    };
    assert_eq!((Limits::HOSTED, Limits::default()), (hosted, hosted));
    let embedded = Limits {
        depth: 4,
        aggregate_elements: 64,
        reply_elements: 256,
        bulk_bytes: 256,
        line_bytes: 64,
        push_bytes: 256,
        reply_bytes: 16_384,
        in_flight: 4,
    };
    assert_eq!(Limits::EMBEDDED, embedded);
}

#[test]
fn a_backoff_tells_where_it_stands() {
    let policy = Retry { delay: Delay::Fixed(ms(10)), retries: Some(1), deadline: None };
    let mut backoff = Backoff::new(policy, at(7));
    assert_eq!((backoff.begun(), backoff.retries()), (at(7), 0));
    assert_eq!(backoff.next(at(8), &mut Random::new(1)), Some(at(18)));
    assert_eq!((backoff.begun(), backoff.retries()), (at(7), 1));
    assert_eq!(Attempts::new(at(7)).next(&Retry::NONE, at(8), &mut Random::new(1)), None);
}

/// A delay that doubles: its bound before the cap, of every attempt, is reached and not exceeded.
#[test]
fn r9_the_bound_of_the_delay_doubles_up_to_the_cap() {
    let policy = Retry {
        delay: Delay::Exponential { base: ms(10), cap: ms(150) },
        retries: None,
        deadline: None,
    };
    let mut longest = [Duration::ZERO; 6];
    for seed in 0..500 {
        let (mut backoff, mut random) = (Backoff::new(policy, at(0)), Random::new(seed));
        for longest in &mut longest {
            let next = backoff.next(at(0), &mut random).expect("no bound");
            *longest = next.saturating_since(at(0)).max(*longest);
        }
    }
    for (longest, bound) in longest.into_iter().zip([10, 20, 40, 80, 150, 150]) {
        assert!(longest <= ms(bound) && longest > ms(bound) * 9 / 10, "{longest:?} of {bound}");
    }
}

#[test]
fn a_ttl_is_what_was_asked_for() {
    let longest = Ttl::MAX_MILLIS;
    assert_eq!(longest, 9_007_199_254_740_991);
    assert_eq!(ttl(longest).as_millis(), longest);
    assert_eq!(ttl(1500).as_duration(), ms(1500));
    assert_eq!(Ttl::new(Duration::from_micros(1999)), Ok(ttl(1)));
    assert!(Ttl::from_millis(0).is_err() && Ttl::from_millis(longest + 1).is_err());
}

/// Why a vote failed, one row one tally: configured, granted, held, refused, unreachable.
#[test]
fn r17_every_kind_of_denial() {
    use Denial::{Held, Refused, TooLate, Unreachable};
    #[rustfmt::skip]
    let rows = [
        ([1, 0, 1, 0, 0], Held),
        ([1, 0, 0, 1, 0], Refused),
        ([1, 0, 0, 0, 1], Unreachable),
        ([1, 1, 0, 0, 0], TooLate),
        ([3, 2, 1, 0, 0], TooLate),
        ([3, 1, 1, 1, 0], Held),
        ([3, 0, 1, 1, 1], Refused),
        ([3, 0, 1, 0, 2], Unreachable),
        ([3, 1, 0, 1, 1], Refused),
        ([3, 1, 0, 0, 2], Unreachable),
        ([5, 0, 1, 1, 2], Unreachable),
        ([5, 1, 1, 2, 1], Refused),
        ([5, 2, 1, 1, 1], Held),
        ([4, 2, 1, 1, 0], Held),
        ([4, 2, 2, 0, 0], Held),
        ([4, 1, 1, 1, 1], Refused),
        ([0, 0, 0, 0, 0], Unreachable),
    ];
    for ([configured, granted, held, refused, unreachable], wanted) in rows {
        let tally = Tally { configured, granted, held, refused, unreachable, refusal: None };
        assert_eq!(tally.denial(), wanted, "{tally:?}");
    }
}

#[test]
fn r5_a_tally_counts_every_ballot_in_its_place() {
    let mut tally = Tally { configured: 6, ..Tally::default() };
    let ballots = [
        Ballot::Granted,
        Ballot::Held,
        Ballot::Refused(Refusal::Busy),
        Ballot::Refused(Refusal::Loading),
        Ballot::Unreachable,
    ];
    ballots.into_iter().for_each(|ballot| tally.add(ballot));
    assert_eq!(tally.refusal, Some(Refusal::Busy), "the first of those that weigh the same");
    let counts = |tally: &Tally| (tally.granted, tally.held, tally.refused, tally.unreachable);
    assert_eq!(counts(&tally), (1, 1, 2, 1));
    tally.close();
    assert_eq!(counts(&tally), (1, 1, 2, 2), "who has not voted could not be reached");
}
