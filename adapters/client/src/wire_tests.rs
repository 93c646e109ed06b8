//! Claims that one read proves (requirement 16): whatever is wrong with the replies, nobody holds what is
//! not theirs, and nobody is left waiting.

use redlatch_core::{Limits, Random};

use super::rig::{Pace, Rig, SURPLUS, Server, Slip, fresh_wire, is_free, mixes, rig};

#[test]
fn one_read_proves_many_claims() {
    for count in [1, 2, 10, 63, 64, 65, 200] {
        let mut rig = Rig::new(1);
        for at in 0..count {
            rig.lock(&format!("key {at}"));
        }
        rig.settle(Pace::AtOnce);
        assert_eq!(rig.outcome(), vec![true; count]);
        let server = &rig.servers[0];
        assert_eq!((server.count("SET"), server.count("GET")), (count, count.div_ceil(64)));
        assert_eq!(server.asked.len(), count + count.div_ceil(64));
        let asked = rig.wires[0].as_ref().expect("up").asked();
        assert_eq!(asked, server.asked.len() as u64);
    }
}

/// The newest claim decides what it costs: when it came to nothing, the others are read one by one.
#[test]
fn everybody_is_told_the_truth() {
    for servers in [1, 3] {
        for keys in mixes() {
            let mut rig = rig(&keys, servers);
            rig.settle(Pace::AtOnce);
            let truth: Vec<_> = keys.iter().map(is_free).collect();
            assert_eq!(rig.outcome(), truth, "{keys:?}");
            assert_eq!(rig.ended, 0);
            let reads = if is_free(&keys[3]) { 1 } else { 4 };
            let asked = |server: &Server| (server.count("SET"), server.count("GET"));
            assert_eq!(asked(&rig.servers[0]), (4, reads), "{keys:?}");
        }
    }
}

#[test]
fn replies_may_be_cut_anywhere() {
    for keys in [["a", "b", "c", "d"], ["A", "b", "C", "d"], ["a", "B", "c", "D"]] {
        let truth: Vec<_> = keys.iter().map(is_free).collect();
        for pace in (0..70).map(Pace::Cut).chain([Pace::Bytes]) {
            let mut rig = rig(&keys, 1);
            rig.settle(pace);
            assert_eq!(rig.outcome(), truth, "{keys:?}");
        }
    }
}

/// Whoever was not proven is asked for again, over the next connection.
#[test]
fn the_connection_may_end_anywhere() {
    for servers in [1, 3] {
        for keys in mixes() {
            for at in 0..70 {
                let mut rig = rig(&keys, servers);
                rig.settle(Pace::Ends(at));
                let outcome = rig.outcome();
                for (key, held) in keys.iter().zip(outcome) {
                    assert_eq!(held, is_free(key), "{keys:?}, ended at {at}: {key}");
                }
                assert!(rig.ended > 0);
            }
        }
    }
}

/// Requirement 16: any number of replies too many, or any number too few, wherever they are.
#[test]
fn replies_out_of_step_grant_nothing() {
    let mut ended = 0;
    for keys in mixes() {
        for first in 0..6 {
            for count in 1..=5 {
                let too_few = (first..first + count).map(Slip::Missing).collect();
                let too_many = SURPLUS.map(|bytes| vec![Slip::Surplus(first, bytes); count]);
                for slips in [vec![too_few], too_many.to_vec()].concat() {
                    let mut rig = rig(&keys, 1);
                    rig.servers[0].slips = slips.clone();
                    rig.settle(Pace::AtOnce);
                    assert_eq!(rig.false_grants, 0, "{keys:?} {slips:?}");
                    ended += rig.ended;
                }
            }
        }
    }
    assert!(ended > 1000, "{ended} connections were out of step");
}

/// The same with several batches and with keys that several locks want, spread at random.
#[test]
fn replies_out_of_step_grant_nothing_in_any_story() {
    let mut random = Random::new(7);
    let mut dice = |below: u64| usize::try_from(random.next_u64() % below).expect("small");
    let (mut granted, mut ended) = (0, 0);
    for story in 0..2500 {
        let mut rig = Rig::new(1);
        let names = ["a", "b", "c", "D"];
        rig.occupy("D");
        let too_many = dice(2) == 0;
        let first = dice(12);
        let slips = (0..1 + dice(4)).map(|_| match too_many {
            true => Slip::Surplus(first + dice(3), SURPLUS[dice(5)]),
            false => Slip::Missing(first + dice(5)),
        });
        rig.servers[0].slips = slips.collect();
        for _ in 0..1 + dice(3) {
            for _ in 0..1 + dice(4) {
                rig.lock(names[dice(4)]);
            }
            rig.drive();
            let some = dice(rig.sessions.len() as u64);
            match dice(4) {
                0 => rig.sessions[some].machine().lock.extend(rig.now),
                1 => rig.sessions[some].machine().lock.abandon(rig.now),
                _ => {}
            }
            rig.drive();
            rig.carry(Pace::AtOnce);
        }
        rig.settle(Pace::AtOnce);
        assert_eq!(rig.false_grants, 0, "story {story}: {:?}", rig.servers[0].asked);
        granted += rig.held.iter().filter(|held| **held).count();
        ended += rig.ended;
    }
    assert!(granted > 1000 && ended > 500, "{granted} granted, {ended} ended");
}

/// What no witness can see: one reply too many and another too few between two of them. The first claim
/// is told what was never said to it.
#[test]
fn a_pair_that_cancels_out_is_not_seen() {
    let mut rig = rig(&["A", "b", "c"], 1);
    rig.servers[0].slips = vec![Slip::Surplus(0, b"+OK\r\n"), Slip::Missing(0)];
    rig.settle(Pace::AtOnce);
    assert_eq!(rig.false_grants, 1);
    // Behind a witness of its own it is seen.
    let mut rig = self::rig(&["A"], 1);
    rig.servers[0].slips = vec![Slip::Surplus(0, b"+OK\r\n"), Slip::Missing(0)];
    rig.settle(Pace::AtOnce);
    assert_eq!(rig.outcome(), [false]);
}

/// A claim that is refused needs no proof; one of which nothing is known is read back by itself.
#[test]
fn refused_claims_wait_for_nothing() {
    // The newest is read with the claims. An unknown error is read back, and its claim asked for again.
    for (line, least) in [("OOM command not allowed", 1), ("ERR who knows", 4)] {
        let mut rig = rig(&["a", "b", "c", "d"], 1);
        rig.servers[0].refusal = Some(line);
        rig.settle(Pace::AtOnce);
        assert_eq!(rig.outcome(), [false; 4], "{line}");
        let reads = rig.servers[0].count("GET");
        assert!(reads >= least && (least > 1 || reads == 1), "{line}: {reads}");
    }
}

/// A connection that takes few requests at a time holds its clients back, and forgets none.
#[test]
fn a_crowded_connection_serves_everybody() {
    for in_flight in 1..8 {
        let mut rig = Rig::new(1);
        rig.limits = Limits { in_flight, ..Limits::HOSTED };
        rig.wires = vec![Some(fresh_wire(rig.limits))];
        for at in 0..12 {
            rig.lock(&format!("key {at}"));
        }
        rig.settle(Pace::AtOnce);
        assert_eq!(rig.outcome(), [true; 12], "{in_flight}");
    }
}

/// A lock that is given up while its read is parked is given back.
#[test]
fn nothing_is_left_of_a_lock_that_is_given_up() {
    for given_up in 0..4 {
        for early in [true, false] {
            let mut rig = rig(&["a", "b", "c", "d"], 1);
            rig.drive();
            if early {
                rig.sessions[given_up].machine().lock.abandon(rig.now);
            }
            rig.carry(Pace::Cut(7));
            rig.sessions[given_up].machine().lock.abandon(rig.now);
            rig.over[given_up] = true;
            rig.settle(Pace::AtOnce);
            rig.outcome();
            let keys = &rig.servers[0].keys;
            assert_eq!(keys.len(), 3, "{given_up} {early}: {:?}", rig.servers[0].asked);
            assert!(rig.sessions[given_up].machine().lock.is_settled());
        }
    }
}

/// Threads share a connection: the read that follows a claim may be the read of another one.
#[test]
fn a_read_belongs_to_its_own_claim() {
    let mut rig = rig(&["a", "b", "c"], 1);
    rig.ask_once(1);
    rig.carry(Pace::AtOnce);
    rig.ask_once(0);
    rig.ask_once(1);
    rig.settle(Pace::AtOnce);
    assert_eq!(rig.outcome(), [true; 3]);
    assert_eq!(rig.servers[0].asked, ["SET", "SET", "GET", "GET", "SET", "GET"]);

    let mut rig = self::rig(&["a", "b"], 1);
    rig.ask_once(0);
    rig.ask_once(1);
    rig.ask_once(0);
    rig.settle(Pace::AtOnce);
    assert_eq!(rig.outcome(), [true, true]);
    assert_eq!(rig.servers[0].asked, ["SET", "SET", "GET", "GET"]);
}
