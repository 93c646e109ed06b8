//! The worlds that are explored.
//!
//! What is counted in them: `delays`, how often time passes although something on its way could arrive, and
//! late replies, how often something happens between a server's answer and its arrival. All else is free: who acts
//! when, which request arrives first, what fails and when.

use super::rules::{Clock, Faults, Owns, Rules};
use super::server::Defect;

/// Takes the lock and gives it back, or keeps it until it is lost.
const PLAIN: Owns = Owns { acquires: 1, extends: 0, releases: true, abandons: false };
/// Takes it and keeps it until it is lost.
const KEEPER: Owns = Owns { releases: false, ..PLAIN };
/// May also extend it, and go away at any moment.
const BUSY: Owns = Owns { extends: 1, abandons: true, ..PLAIN };
/// Extends it once and keeps it until it is lost.
const EXTENDER: Owns = Owns { extends: 1, ..KEEPER };
const NOBODY: Owns = Owns { acquires: 0, ..KEEPER };
/// Takes it a second time.
const TWICE: Owns = Owns { acquires: 2, ..PLAIN };

const NO_FAULT: Faults = Faults {
    reset: false,
    restart: false,
    amnesia: false,
    flush: false,
    refuse: false,
    pause: false,
};
const ANY_FAULT: Faults =
    Faults { reset: true, restart: true, flush: true, refuse: true, pause: true, ..NO_FAULT };
const RESET: Faults = Faults { reset: true, ..NO_FAULT };
const RESTART: Faults = Faults { restart: true, ..NO_FAULT };
const PAUSE: Faults = Faults { pause: true, ..NO_FAULT };
const REFUSE: Faults = Faults { refuse: true, ..NO_FAULT };

/// Worlds for every run of the tests, each with the least number of states that it must have.
pub(crate) fn small() -> Vec<(usize, Rules)> {
    let one = |name| Rules::new(name, 1).once().delays(0).late_replies(1);
    let alone = |name| one(name).owners([BUSY, NOBODY]);
    let some = |name, servers| {
        Rules::new(name, servers).owners([PLAIN, KEEPER]).once().delays(0).late_replies(0)
    };
    vec![
        (1_000, one("1 server, no fault, all late").all_late()),
        (65_000, one("1 server, any fault").faults(ANY_FAULT)),
        (
            35_000,
            one("1 server, any fault, one retry").retrying().faults(ANY_FAULT).late_replies(0),
        ),
        (8_000, one("1 server, busy owner").owners([BUSY, PLAIN]).delays(1)),
        (20_000, one("1 server, slow clock").slow_clock().delays(2)),
        (45_000, one("1 server, fast clock, reset").fast_clock().faults(RESET)),
        (3_500, one("1 server, renewing, pause").renewing().faults(PAUSE)),
        (
            9_000,
            one("1 server, pause beyond the lease")
                .owners([KEEPER; 2])
                .faults(PAUSE)
                .delays(4)
                .late_replies(0),
        ),
        (37_000, one("1 server, one retry, 3 delays").retrying().delays(3).owners([PLAIN, KEEPER])),
        (1_500, alone("1 server, requests that take long").all_late().delays(10).roused()),
        (1_700, one("1 server, woken").waking().late_replies(1)),
        (75_000, one("1 server, woken, any fault").waking().faults(ANY_FAULT).late_replies(0)),
        (4_200, some("2 servers, woken", 2).waking()),
        (7_500, some("2 servers, no fault", 2).late_replies(1)),
        (1_200, some("2 servers, extended", 2).owners([EXTENDER, KEEPER])),
        (70_000, some("2 servers, reset", 2).faults(RESET)),
        (24_000, some("3 servers, no fault", 3)),
        (
            68_000,
            some("3 servers, extended, refusal", 3)
                .owners([EXTENDER, NOBODY])
                .faults(REFUSE)
                .delays(2),
        ),
    ]
}

/// Worlds that take minutes, for an optimised build.
pub(crate) fn large() -> Vec<(usize, Rules)> {
    let one = |name| Rules::new(name, 1).owners([BUSY, PLAIN]).delays(1).late_replies(1);
    let two = |name| Rules::new(name, 2).once().delays(0).late_replies(0);
    let three = |name| Rules::new(name, 3).owners([PLAIN, KEEPER]).once().delays(0).late_replies(0);
    vec![
        (270_000, one("1 server, no fault, all late, 3 delays").all_late().delays(3)),
        (1_370_000, one("1 server, any fault, busy").faults(ANY_FAULT)),
        (
            230_000,
            one("1 server, any fault, busy, all late").faults(ANY_FAULT).all_late().delays(0),
        ),
        (
            760_000,
            one("1 server, any fault, taken twice")
                .faults(ANY_FAULT)
                .owners([TWICE, PLAIN])
                .delays(0),
        ),
        (1_060_000, one("1 server, any fault, busy, renewing").faults(ANY_FAULT).once().renewing()),
        (1_600_000, one("1 server, slow clock, any fault").faults(ANY_FAULT).once().slow_clock()),
        (1_140_000, one("1 server, fast clock, any fault").faults(ANY_FAULT).once().fast_clock()),
        (
            180_000,
            one("1 server, hung up for long")
                .owners([KEEPER, NOBODY])
                .once()
                .fast_clock()
                .faults(RESET)
                .delays(16)
                .late_replies(0)
                .unit(4_000)
                .roused(),
        ),
        (1_500_000, one("1 server, woken, any fault, busy").waking().faults(ANY_FAULT)),
        (
            140_000,
            one("1 server, woken, taken twice").waking().owners([TWICE, PLAIN]).late_replies(2),
        ),
        (
            1_500_000,
            one("1 server, woken, renewed, any fault")
                .waking()
                .renewing()
                .faults(ANY_FAULT)
                .delays(0),
        ),
        (380_000, two("2 servers, woken, reset").waking().owners([PLAIN, KEEPER]).faults(RESET)),
        (78_000, three("3 servers, woken").waking()),
        (0, three("3 servers, woken, late reply").waking().owners([PLAIN; 2]).late_replies(1)),
        (0, three("3 servers, woken, reset").waking().faults(RESET)),
        (170_000, two("2 servers, no fault, 1 delay").late_replies(1).delays(1)),
        (480_000, two("2 servers, any fault").faults(ANY_FAULT)),
        (1_030_000, two("2 servers, reset, late reply").faults(RESET).late_replies(1)),
        (150_000, two("2 servers, busy, reset").owners([BUSY, KEEPER]).faults(RESET)),
        (150_000, three("3 servers, no fault, late reply").late_replies(1)),
        (1_250_000, three("3 servers, restart").faults(RESTART)),
        (1_300_000, three("3 servers, reset").faults(RESET)),
        (730_000, three("3 servers, refusal").faults(REFUSE)),
        (70_000, three("3 servers, pause").faults(PAUSE)),
        (
            2_400_000,
            three("3 servers, busy, any fault").owners([BUSY, NOBODY]).faults(ANY_FAULT).delays(2),
        ),
        (
            180_000,
            three("3 servers, renewing, any fault")
                .owners([KEEPER, NOBODY])
                .renewing()
                .faults(ANY_FAULT)
                .delays(2),
        ),
    ]
}

/// Worlds in which a promise must break, and how it begins to be told: what they assume is out of bounds, or the
/// server is spoiled. They show that the explorer can see it.
pub(crate) fn out_of_bounds() -> Vec<(&'static str, Rules)> {
    let one = |name| Rules::new(name, 1).once().delays(0).late_replies(0);
    let amnesia = Faults { amnesia: true, ..NO_FAULT };
    let spoiled = |name, defect| one(name).faults(REFUSE).delays(2).spoiled(defect);
    vec![
        ("I1", one("a server forgets its data").faults(amnesia)),
        ("I8", one("a clock slower than the allowance").clocks([Clock(1, 2), Clock::TRUE])),
        ("I5", one("orphans later than a reply timeout").faults(RESET).orphans_last(30_000)),
        ("I8", spoiled("SET without NX", Defect::Overwrites)),
        ("I6", one("a server that tells nobody").waking().spoiled(Defect::TellsNobody)),
        (
            "I6",
            one("a key that is gone and has a ttl")
                .waking()
                .late_replies(1)
                .spoiled(Defect::GoneLasts),
        ),
        ("I4", spoiled("a release that deletes all", Defect::DeletesAll)),
        (
            "I4",
            spoiled("an extension of anything", Defect::ExtendsAll)
                .owners([BUSY, PLAIN])
                .faults(NO_FAULT)
                .delays(4),
        ),
    ]
}
