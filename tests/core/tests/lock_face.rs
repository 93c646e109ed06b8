//! What a lock machine shows besides its output: moments, leases, tickets, tokens, votes (R2, R16).

mod lock_bench;

use core::time::Duration;

use lock_bench::{
    ASKING, Bench, EXTENDING, HELD, HELD_3, HELD_ALL_3, ONCE, PAUSING, RELEASING, TWICE_MORE,
};
use redlatch_core::{Answer, Event, Instant, Phase, Refusal, Renew, Retry, Settings, Tally, Ttl};

/// When the machine wants to be called again if nothing happens: name, servers, policy, how to get
/// there, in how many milliseconds.
type WaitRow = (&'static str, usize, Retry, &'static str, Option<u64>);

#[rustfmt::skip]
const WAIT_ROWS: &[WaitRow] = &[
    ("idle: never", 1, ONCE, "", None),
    ("asking: when the attempt is over", 1, ONCE, ASKING, Some(500)),
    ("counted from when it began", 1, ONCE, "acquire;provide;late 120;0.claim=ok", Some(380)),
    ("a claim that was not sent: when it is sent again", 1, ONCE, "acquire;provide;0.read=unsent;0.claim=unsent", Some(10)),
    ("a read that was not answered: when it is asked again", 1, ONCE, "acquire;provide;0.claim=lost;0.read=lost", Some(10)),
    ("pausing: when the pause is over", 1, TWICE_MORE, PAUSING, Some(100)),
    ("held: when the lease ends", 1, ONCE, HELD, Some(2968)),
    ("held, with a vote still out: no sooner", 3, ONCE, HELD_3, Some(2968)),
    ("held: no server is asked again", 3, ONCE, "acquire;provide;2.read=unsent;2.claim=unsent;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours", Some(2968)),
    ("extending: when it is over", 1, ONCE, EXTENDING, Some(500)),
    ("extending: when the lease ends", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 2900;extend", Some(68)),
    ("an extension that was lost: when it is asked again", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;0.extend=lost", Some(10)),
    ("releasing: when it is over", 1, ONCE, RELEASING, Some(500)),
    ("a release that was lost: when it is repeated", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=lost", Some(10)),
    ("a release is out: until it is answered", 1, ONCE, "acquire;provide;abandon", None),
    ("an owed release: when it is repeated", 1, ONCE, "acquire;provide;abandon;0.release=lost", Some(10)),
    ("and again, in twice the time", 1, ONCE, "acquire;provide;abandon;0.release=lost;after 10;0.release=lost", Some(20)),
    ("found nothing: not before a late claim has had its time", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=0", Some(500)),
    ("found nothing: and not before the pause is over", 1, ONCE, "acquire;provide;abandon;0.claim=lost;late 495;0.release=0", Some(10)),
    ("the soonest of many", 3, ONCE, "acquire;provide;1.claim=lost;late 3;1.read=lost;late 1;2.read=unsent;2.claim=unsent", Some(9)),
];

#[test]
fn every_row_of_waiting() {
    let mut failed = Vec::new();
    for (name, servers, retry, before, wanted) in WAIT_ROWS {
        let mut bench = Bench::new(*servers, *retry);
        before.split(';').filter(|step| !step.is_empty()).for_each(|step| bench.step(step));
        let got = bench.wait.map(|until| until.saturating_since(bench.now));
        if got != wanted.map(Duration::from_millis) {
            failed.push(format!("{name}: {got:?}, not {wanted:?}"));
        }
        assert_eq!(bench.wait.unwrap_or(Instant::NEVER), bench.lock.poll_timeout(), "{name}");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A machine that has something to say says so at once.
#[test]
fn what_is_ready_is_due_now() {
    let mut bench = Bench::new(1, ONCE);
    assert_eq!(bench.lock.poll_timeout(), Instant::NEVER);
    bench.lock.acquire(bench.now);
    assert_eq!(bench.lock.poll_timeout(), bench.now, "a token is needed");
    bench.lock.abandon(bench.now);
    assert_eq!(bench.lock.poll_timeout(), Instant::NEVER);
    bench.lock.extend(bench.now);
    assert_eq!(bench.lock.poll_timeout(), bench.now, "an event is to be told");
}

/// Nothing but the detached lock passes from one machine to the other.
#[test]
fn another_machine_releases_what_was_detached() {
    let mut first = Bench::new(1, ONCE);
    HELD.split(';').for_each(|step| first.step(step));
    first.step("detach");
    let detached = first.detached.take().expect("it was held");
    // Ttl, drift and three reply timeouts from the moment when it was let go.
    let expiry = Instant::from_micros(1_000_000 + 4_532_000);
    assert_eq!(detached.expiry(), expiry);
    assert!(detached.is_over(expiry) && !detached.is_over(Instant::from_micros(5_531_999)));
    assert_eq!(format!("{detached:?}"), "Detached { until: Instant(5532000), .. }");

    let mut second = Bench::new(1, ONCE);
    (second.tokens, second.detached) = (9, Some(detached));
    second.step("adopt");
    let (_, token) = second.sent["0.release"];
    assert_eq!(token, Some(first.token()), "the first machine's");
    second.step("0.release=ours");
    assert_eq!(second.output, ["0.release", "released"]);
    assert!(first.lock.is_settled() && second.lock.is_settled());
}

/// Requirement 16: an error about a script answers no other request. A serial line that loses bytes
/// shifts replies like this.
#[test]
fn an_unknown_script_answers_only_a_script() {
    let mut bench = Bench::new(1, ONCE);
    for step in ["acquire", "provide"] {
        bench.step(step);
    }
    let no_script = Answer::Refused(Refusal::NoScript);
    let fits = |bench: &Bench, request: &str| bench.sent[request].0.fits(no_script);
    assert!(!fits(&bench, "0.claim") && !fits(&bench, "0.read"), "{:?}", bench.output);
    for step in ["0.claim=ok", "0.read=ours", "extend", "0.extend=ours", "release"] {
        bench.step(step);
    }
    assert!(fits(&bench, "0.extend") && fits(&bench, "0.release"), "{:?}", bench.output);
}

/// Requirement 2: the release of an old attempt carries its own token, whatever was drawn since.
#[test]
fn a_release_carries_the_token_that_it_is_owed_for() {
    let mut bench = Bench::new(1, ONCE);
    for step in ["acquire", "provide", "abandon", "acquire", "provide", "0.release=lost"] {
        bench.step(step);
    }
    let first = bench.sent["0.claim-old"].1;
    bench.step("after 10");
    assert_eq!(bench.sent["0.release"].1, first);
    assert_ne!(bench.sent["0.claim"].1, first);
    // As long as it is owed, the token is not to be used again, also when others came after it.
    bench.step("abandon");
    bench.step("acquire");
    let first = first.expect("a claim has a token");
    assert!(bench.lock.provide(first, bench.now).is_err());
}

/// How long a request may wait for its turn on a connection: until the attempt, the extension or the
/// lease is over, and a release for ever.
#[test]
fn a_request_is_stale_when_nobody_waits_for_it() {
    let mut bench = Bench::new(1, ONCE);
    let mut sent = |steps: &str, request: &str| {
        steps.split(';').for_each(|step| bench.step(step));
        bench.sent[request].0
    };
    let at = |millis: u64| Instant::from_micros(1_000_000 + millis * 1000);
    let claim = sent("acquire;provide", "0.claim");
    let read = sent("0.claim=ok;0.read=unsent;after 10", "0.read");
    let extend = sent("0.read=ours;late 1000;extend", "0.extend");
    let late = sent("0.extend=ours;late 2900;extend", "0.extend");
    let release = sent("release", "0.release");
    for (ticket, end) in [(claim, 500), (read, 500), (extend, 1510), (late, 3978)] {
        assert!(!ticket.is_stale(at(end - 1)) && ticket.is_stale(at(end)), "{ticket:?} {end}");
    }
    assert!(!release.is_stale(Instant::from_micros(u64::MAX - 1)));
    assert_eq!((claim.server(), release.server()), (0, 0));
}

/// Which answers each kind of request can have at all (R16).
#[test]
fn r16_an_answer_of_another_kind_fits_no_request() {
    let mut bench = Bench::new(1, ONCE);
    for step in ["acquire", "provide", "0.claim=ok", "0.read=ours", "extend", "release"] {
        bench.step(step);
    }
    #[rustfmt::skip]
    let rows = [
        // answer, of a claim, of a read, of a script
        ("ok", true, false, false),
        ("nil", true, true, false),
        ("0", false, false, true),
        ("-1", false, false, true),
        ("1", false, false, false),
        ("ours", false, true, true),
        ("other", false, true, false),
        ("odd", false, false, false),
        ("unsent", true, true, true),
        ("lost", true, true, true),
        ("BUSY x", true, true, true),
        ("ERR x", true, true, true),
        ("NOSCRIPT x", false, false, true),
    ];
    for (answer, claim, read, script) in rows {
        let answer = bench.answer(answer, None);
        let wanted = [claim, read, script, script];
        let requests = ["0.claim", "0.read", "0.extend", "0.release"];
        assert_eq!(
            requests.map(|request| bench.sent[request].0.fits(answer)),
            wanted,
            "{answer:?}"
        );
    }
}

/// The votes come with the event, also when nothing was held and nobody was asked.
#[test]
fn an_extension_in_vain_tells_the_votes() {
    let tally = |steps: &str| {
        let mut bench = Bench::new(3, ONCE);
        steps.split(';').for_each(|step| bench.step(step));
        match bench.event {
            Some(Event::NotExtended(tally)) => {
                let Tally { configured, granted, held, refused, unreachable, refusal } = tally;
                ([configured, granted, held, refused, unreachable], refusal)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tally("extend"), ([3, 0, 0, 0, 0], None));
    let busy = Some(Refusal::Busy);
    let steps = format!("{HELD_ALL_3};extend;0.extend=ours;1.extend=-1;2.extend=BUSY x");
    assert_eq!(tally(&steps), ([3, 1, 1, 1, 0], busy));
    assert_eq!(
        tally(&format!("{HELD_3};extend;1.extend=BUSY x;after 500")),
        ([3, 0, 0, 1, 2], busy)
    );
}

/// A machine that is reset is as good as new, on the key that is put in then.
#[test]
fn a_machine_that_is_reset_forgets_everything() {
    let mut bench = Bench::with(1, |settings| settings.renew = Some(Renew::DEFAULT));
    HELD.split(';').for_each(|step| bench.step(step));
    assert_eq!(*bench.lock.key(), "k");
    assert_eq!(bench.lock.settings().renew, Some(Renew::DEFAULT));
    bench.lock.extend(bench.now);
    let settings = Settings::new(Ttl::from_millis(1000).expect("good"));
    *bench.lock.reset(&settings, 2) = "another";
    assert_eq!((*bench.lock.key(), *bench.lock.settings()), ("another", settings));
    assert!(bench.lock.is_settled() && bench.lock.poll_timeout() == Instant::NEVER);
    // Not even the token is remembered, and nothing is renewed any more.
    bench.tokens = 0;
    bench.output.clear();
    HELD.split(';').for_each(|step| bench.step(step));
    assert_eq!(bench.output, ["token?", "0.claim", "0.read", "acquired 988"]);
    assert_eq!(bench.wait, Some(bench.now.saturating_add(Duration::from_millis(988))));
}

/// A token that comes when none was asked for is not taken, and not remembered either.
#[test]
fn a_token_that_nobody_asked_for_is_ignored() {
    let mut bench = Bench::new(1, ONCE);
    bench.step("provide");
    assert!(bench.output.is_empty() && bench.lock.phase() == Phase::Idle, "{:?}", bench.output);
    bench.step("acquire");
    let token = bench.token();
    assert!(bench.lock.provide(token, bench.now).is_ok(), "it is fresh");
}
