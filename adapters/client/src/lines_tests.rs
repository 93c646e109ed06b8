//! The lines, without servers and threads: one row one case.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use redlatch_core::{
    Drift, Event, Instant, Invalidation, Lease, Loss, Pass, Reply, Settings, Ttl, Turns,
};

use super::{Lines, Turn};
use crate::mail::Incoming;
use crate::session::{InLine, Session, Tidings};

const TTL: u64 = 1_000;

/// Those who want one key, by name, in the order in which they came.
struct World {
    lines: Lines,
    now: Instant,
    sessions: BTreeMap<String, Arc<Session>>,
}

impl World {
    fn new() -> Self {
        let now = Instant::from_micros(1_000_000);
        Self { lines: Lines::default(), now, sessions: BTreeMap::new() }
    }

    /// Does one step: a verb and a name. Gives who is to be woken.
    fn step(&mut self, step: &str) -> String {
        let (verb, name) = step.split_once(' ').expect("a verb and a name");
        let session = self.sessions.entry(name.to_owned()).or_insert_with(|| session(b"key"));
        let session = Arc::clone(session);
        let (lines, now) = (&self.lines, self.now);
        let woken = match verb {
            "join" => {
                let begins = lines.join(&session);
                assert!(!begins || lines.turn(&session, now) == Turn::Begin(None), "{name}");
                None
            }
            "apart" => {
                lines.join_apart(&session);
                None
            }
            "took" | "refused-and-took" => {
                publish(&session, Event::Acquired(lease(now)), now);
                lines.took(&session, verb != "took")
            }
            "extend" => {
                publish(&session, Event::Extended(lease(now)), now);
                None
            }
            "lose" => {
                publish(&session, Event::Lost(Loss::Deleted), now);
                None
            }
            "leave" => lines.leave(&session, now),
            "aside" => lines.step_aside(&session),
            "late" => {
                let millis = name.parse().expect("milliseconds");
                self.now = now.saturating_add(Duration::from_millis(millis));
                self.sessions.remove(name);
                None
            }
            other => panic!("{other}"),
        };
        woken.map_or_else(String::new, |woken| self.name(&woken).to_owned())
    }

    fn name(&self, session: &Arc<Session>) -> &str {
        let named = self.sessions.iter().find(|(_, other)| Arc::ptr_eq(session, other));
        named.expect("somebody of this world").0
    }

    /// What everybody is to do, in alphabetical order.
    fn turns(&self) -> String {
        let said = self.sessions.iter().map(|(name, session)| {
            let turn = match session.in_line() {
                InLine::Outside => "gone".into(),
                InLine::Holding => "holds".into(),
                InLine::Behind | InLine::Asking => match self.lines.turn(session, self.now) {
                    Turn::Begin(None | Some(Pass::AtOnce)) => "asks".into(),
                    Turn::Begin(Some(Pass::HoldBack)) => "holds back".into(),
                    Turn::Wait(Instant::NEVER) => "waits".into(),
                    Turn::Wait(at) => {
                        format!("until {}", at.saturating_since(self.now).as_micros() / 1_000)
                    }
                },
            };
            format!("{name} {turn}")
        });
        said.collect::<Vec<_>>().join(", ")
    }

    fn expect_empty(&self) {
        let state = self.lines.state();
        assert!(state.is_empty(), "a line is left");
        assert_eq!(state.waiting, 0, "somebody is counted who does not wait");
    }
}

fn session(key: &[u8]) -> Arc<Session> {
    Session::new(key.into(), 1, Settings::new(Ttl::from_millis(TTL).expect("positive")))
}

fn lease(since: Instant) -> Lease {
    Lease::new(Ttl::from_millis(TTL).expect("positive"), Drift::DEFAULT, since)
}

fn publish(session: &Session, event: Event, now: Instant) {
    let mut tidings = Tidings::default();
    session.publish(event, now, &mut tidings);
    tidings.tell(session.key());
}

/// What it is about, what happened, whom the last step wakes, what everybody is to do then. A lease of a
/// second is believed for 988 ms.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str, &str)] = &[
    // ---- order of arrival
    ("the first asks at once, the others wait", "join a;join b;join c", "", "a asks, b waits, c waits"),
    ("a front that was denied lets the next begin", "join a;join b;join c;leave a", "b", "a gone, b asks, c waits"),
    ("whoever comes then waits behind all", "join a;join b;join c;leave a;join d", "", "a gone, b asks, c waits, d waits"),
    ("the next minds the lease of the holder", "join a;join b;join c;took a", "b", "a holds, b until 988, c waits"),
    ("nobody waits for a holder that is alone", "join a;took a", "", "a holds"),
    ("who comes while it is held minds the lease", "join a;took a;join b", "", "a holds, b until 988"),
    ("the holder passes it on", "join a;join b;join c;took a;leave a", "b", "a gone, b asks, c waits"),
    ("and the next one", "join a;join b;join c;took a;leave a;took b;leave b", "c", "a gone, b gone, c asks"),
    ("who has left has nothing to pass on", "join a;join b;leave a;leave a", "b", "a gone, b asks"),
    // ---- whoever gives up
    ("in front, asking", "join a;join b;join c;leave a", "b", "a gone, b asks, c waits"),
    ("first behind one that asks", "join a;join b;join c;leave b", "c", "a asks, b gone, c waits"),
    ("first behind a holder: the next minds the lease", "join a;join b;join c;took a;leave b", "c", "a holds, b gone, c until 988"),
    ("in the middle", "join a;join b;join c;join d;leave c", "", "a asks, b waits, c gone, d waits"),
    ("last", "join a;join b;join c;leave c", "", "a asks, b waits, c gone"),
    ("last, alone behind a holder", "join a;took a;join b;leave b", "", "a holds, b gone"),
    ("apart", "join a;join b;apart c;leave c", "", "a asks, b waits, c gone"),
    ("all", "join a;join b;leave b;leave a", "", "a gone, b gone"),
    // ---- apart
    ("who tries a bounded number of times asks beside the line", "join a;join b;apart c", "", "a asks, b waits, c asks"),
    ("what was held apart may be had by the front", "join a;join b;apart c;took c;leave c", "a", "a asks, b waits, c gone"),
    ("nobody minds the lease of one apart", "join a;join b;apart c;took c", "b", "a asks, b waits, c holds"),
    ("the line goes on without it", "join a;join b;apart c;took c;leave a", "b", "a gone, b asks, c holds"),
    ("apart alone", "apart a;took a;leave a", "", "a gone"),
    ("a line begins behind one apart", "apart a;join b", "", "a asks, b asks"),
    // ---- deadlines
    ("first behind: it asks, and the next minds the lease", "join a;join b;join c;took a;aside b", "c", "a holds, b asks, c until 988"),
    ("in the middle", "join a;join b;join c;aside c", "", "a asks, b waits, c asks"),
    ("who stepped aside and was denied wakes nobody", "join a;join b;join c;aside c;leave c", "", "a asks, b waits, c gone"),
    ("a front does not step aside", "join a;join b;aside a", "", "a asks, b waits"),
    ("nor does a holder", "join a;join b;took a;aside a", "", "a holds, b until 988"),
    ("nor who has left", "join a;join b;leave b;aside b", "", "a asks, b gone"),
    ("one that came to the front meanwhile stays there", "join a;join b;join c;leave a;aside b", "", "a gone, b asks, c waits"),
    // ---- leases
    ("its lease goes on", "join a;join b;took a;late 987", "", "a holds, b until 1"),
    ("its lease is over: the next begins", "join a;join b;join c;took a;late 988", "", "a holds, b asks, c waits"),
    ("it was renewed", "join a;join b;took a;late 900;extend a", "", "a holds, b until 988"),
    ("it was lost: the next begins", "join a;join b;join c;took a;lose a", "", "a holds, b asks, c waits"),
    ("a front that only asks has no lease", "join a;join b;late 5000", "", "a asks, b waits"),
];

#[test]
fn everybody_knows_what_to_do() {
    for (name, steps, woken, turns) in ROWS {
        let mut world = World::new();
        let last = steps.split(';').map(|step| world.step(step)).last();
        assert_eq!(last.as_deref(), Some(*woken), "{name}: who is woken");
        assert_eq!(world.turns(), *turns, "{name}");
        for name in world.sessions.keys().cloned().collect::<Vec<_>>() {
            world.step(&format!("leave {name}"));
        }
        world.expect_empty();
    }
}

/// The old holder comes back from its pause after the next has taken over.
#[test]
fn a_late_release_hints_at_whoever_has_taken_over_and_moves_nobody() {
    let mut world = World::new();
    "join a;join b;join c;took a;late 1000".split(';').for_each(|step| drop(world.step(step)));
    assert_eq!(world.turns(), "a holds, b asks, c waits");
    assert_eq!(world.step("leave a"), "b");
    assert!(matches!(world.sessions["b"].take_mail().next(), Some(Incoming::Hint)));
    assert_eq!(world.turns(), "a gone, b asks, c waits");
    assert_eq!(world.step("took b"), "c");
    assert_eq!(world.turns(), "a gone, b holds, c until 988");
}

/// Where one gives up, the others keep their order, and each is woken by the one before it.
#[test]
fn one_that_leaves_anywhere_disturbs_no_order() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    for (state, victim) in ["asks", "holds"].iter().flat_map(|s| NAMES.map(|n| (*s, n))) {
        for way in ["leave", "aside"] {
            let mut world = World::new();
            NAMES.iter().for_each(|name| drop(world.step(&format!("join {name}"))));
            if state == "holds" {
                world.step("took a");
            }
            let mut woken = world.step(&format!("{way} {victim}"));
            let stays = |name: &&str| *name != victim || (way == "aside" && *name == "a");
            let mut order = NAMES.iter().copied().filter(stays).peekable();
            // Who was told to look is at the front, or minds the lease of who is.
            let front = order.peek().copied().unwrap_or_default();
            if victim == "a" && way == "leave" {
                assert_eq!(woken, front, "{state} {way} {victim}");
            }
            while let Some(name) = order.next() {
                let next = order.peek().copied().unwrap_or_default();
                if !(name == "a" && state == "holds") {
                    let session = &world.sessions[name];
                    let turn = world.lines.turn(session, world.now);
                    assert!(
                        matches!(turn, Turn::Begin(_)),
                        "{state} {way} {victim}: {name} {turn:?}"
                    );
                    woken = world.step(&format!("took {name}"));
                    assert_eq!(woken, next, "{state} {way} {victim}: {name} took it");
                }
                woken = world.step(&format!("leave {name}"));
                assert_eq!(woken, next, "{state} {way} {victim}: {name} left");
            }
            world.step(&format!("leave {victim}"));
            world.expect_empty();
        }
    }
}

/// After so many turns in a row: `x` holds back, `y` stands behind it.
fn holding_back() -> World {
    let mut world = World::new();
    let turns: Vec<_> = (0..=Turns::FEWEST).map(|turn| turn.to_string()).collect();
    let all = turns.iter().map(String::as_str).chain(["x", "y"]);
    all.for_each(|name| drop(world.step(&format!("join {name}"))));
    for name in turns {
        let turn = world.lines.turn(&world.sessions[&name], world.now);
        let pass = (name != "0").then_some(Pass::AtOnce);
        assert_eq!(turn, Turn::Begin(pass), "{name}");
        world.step(&format!("took {name}"));
        let woken = world.step(&format!("leave {name}"));
        world.sessions.remove(&name);
        assert_eq!(woken, *world.sessions.keys().min_by_key(place).expect("x at least"), "{name}");
    }
    world
}

/// Numbers in their order, then letters.
fn place(name: &&String) -> (u32, String) {
    (name.parse().unwrap_or(u32::MAX), (*name).clone())
}

/// The next one learns that it is to hold back, and nobody behind it comes before it.
#[test]
fn after_so_many_turns_in_a_row_the_line_holds_back() {
    let mut world = holding_back();
    assert_eq!(world.turns(), "x holds back, y waits");
    world.step("late 1");
    assert_eq!(world.turns(), "x holds back, y waits");
    assert_eq!(world.step("took x"), "y");
    assert_eq!(world.step("leave x"), "y");
    assert_eq!(world.turns(), "x gone, y asks");
}

/// Only who comes next in a line that has had the lock lets others come first.
#[test]
fn who_finds_nobody_in_line_just_asks() {
    let mut world = World::new();
    for name in ["a", "b"] {
        world.step(&format!("join {name}"));
        assert_eq!(world.lines.turn(&world.sessions[name], world.now), Turn::Begin(None), "{name}");
        world.step(&format!("took {name}"));
        world.step(&format!("leave {name}"));
        world.sessions.remove(name);
    }
    ["join c", "join d", "leave c"].into_iter().for_each(|step| drop(world.step(step)));
    let turn = world.lines.turn(&world.sessions["d"], world.now);
    assert_eq!(turn, Turn::Begin(None), "who was before it has not had the lock");
}

/// Somebody else had it meanwhile, so whoever waits there has come in: the count begins anew.
#[test]
fn a_refusal_in_between_starts_the_count_of_turns_again() {
    for (took, held_back) in [("took", true), ("refused-and-took", false)] {
        let mut world = World::new();
        let names: Vec<_> = (100..=100 + Turns::FEWEST + 1).map(|turn| turn.to_string()).collect();
        names.iter().for_each(|name| drop(world.step(&format!("join {name}"))));
        let (last, before) = names.split_last().expect("some");
        for name in before {
            let took = if name == "110" { took } else { "took" };
            world.step(&format!("{took} {name}"));
            world.step(&format!("leave {name}"));
        }
        let turn = world.lines.turn(&world.sessions[last], world.now);
        let pass = if held_back { Pass::HoldBack } else { Pass::AtOnce };
        assert_eq!(turn, Turn::Begin(Some(pass)), "{took}");
    }
}

/// Else the line would have held back and given way to nobody.
#[test]
fn who_gives_up_while_the_line_holds_back_does_not_end_that() {
    let mut world = holding_back();
    world.step("late 1");
    assert_eq!(world.step("leave x"), "y");
    assert_eq!(world.turns(), "x gone, y holds back");
}

#[test]
fn keys_have_lines_of_their_own() {
    let lines = Lines::default();
    let (one, other) = (session(b"one"), session(b"other"));
    assert!(lines.join(&one) && lines.join(&other));
    assert_eq!(lines.turn(&one, Instant::ZERO), Turn::Begin(None));
    assert_eq!(lines.turn(&other, Instant::ZERO), Turn::Begin(None));
    assert_eq!(lines.state().by_key.len(), 2);
    assert!(lines.leave(&one, Instant::ZERO).is_none());
    assert_eq!(lines.state().by_key.len(), 1, "an empty line is forgotten");
    let third = session(b"third");
    assert!(lines.join(&third) && lines.any());
    assert_eq!(lines.state().lines.len(), 2, "its place is used again");
    assert!(lines.leave(&third, Instant::ZERO).is_none());
    assert!(lines.any());
    assert!(lines.leave(&other, Instant::ZERO).is_none());
    assert!(!lines.any() && lines.state().is_empty());
}

/// Who never asked to stand in line is not in the way of those who do.
#[test]
fn one_outside_is_never_in_line() {
    let (lines, outside) = (Lines::default(), session(b"key"));
    assert_eq!(lines.turn(&outside, Instant::ZERO), Turn::Begin(None));
    assert!(lines.took(&outside, false).is_none());
    assert_eq!(outside.in_line(), InLine::Outside);
    assert!(lines.leave(&outside, Instant::ZERO).is_none());
    assert!(!lines.any());
}

/// Whom a message of a server reaches, in a world where `a` asks, `b` waits, `c` asks apart, `h` holds
/// another key for which `i` waits, and `o` asks for a third.
#[test]
fn what_a_server_tells_reaches_only_those_who_ask() {
    let cases: [(&[u8], &str); 6] = [
        (b">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n", "ac"),
        (b">2\r\n$10\r\ninvalidate\r\n*2\r\n$5\r\nthird\r\n$3\r\nkey\r\n", "aco"),
        (b">2\r\n$10\r\ninvalidate\r\n*1\r\n$4\r\nheld\r\n", ""),
        (b">2\r\n$10\r\ninvalidate\r\n*1\r\n$7\r\nunknown\r\n", ""),
        (b">2\r\n$10\r\ninvalidate\r\n*1\r\n:7\r\n", ""),
        (b">2\r\n$10\r\ninvalidate\r\n_\r\n", "aco"),
    ];
    for (push, expected) in cases {
        let mut world = World::new();
        for (name, key) in [("h", "held"), ("i", "held"), ("o", "third")] {
            world.sessions.insert(name.into(), session(key.as_bytes()));
        }
        "join a;join b;apart c;join h;took h;join i;join o"
            .split(';')
            .for_each(|step| drop(world.step(step)));
        let changed = Invalidation::read(Reply::from_frame(push)).expect("an invalidation");
        let mut reached = Vec::new();
        world.lines.concerned(changed, |session| reached.push(world.name(session).to_owned()));
        reached.sort();
        assert_eq!(reached.concat(), expected, "{}", push.escape_ascii());
        let mut asking: Vec<_> =
            world.lines.asking().iter().map(|s| world.name(s).into()).collect();
        asking.sort_by_key(String::clone);
        assert_eq!(asking.concat(), "aco", "those who ask are told of a new connection");
        let mut all: Vec<_> = world.lines.all().iter().map(|s| world.name(s).into()).collect();
        all.sort_by_key(String::clone);
        assert_eq!(all.concat(), "abcio", "those who wait are told of the end");
    }
}
