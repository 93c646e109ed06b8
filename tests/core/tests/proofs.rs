//! One read for many claims: when it proves them, when it does not, and when it is needed (R16).

use core::time::Duration;

use redlatch_core::proof::{Heard, Need, Proof, proven};
use redlatch_core::{Answer, Command, Connection, Instant, Limits, Refusal, Serial, Token};

/// A connection on which requests are counted, and what is known of its claims.
struct Line {
    connection: Connection<Vec<u8>>,
    proof: Proof,
}

impl Line {
    fn new() -> Self {
        let limits = Limits { in_flight: u32::MAX, ..Limits::HOSTED };
        let room = (vec![0; 16], vec![0; 1 << 16]);
        let connection = Connection::new(room.0, room.1, limits, Duration::from_secs(1));
        Self { connection, proof: Proof::NEW }
    }

    /// Submits something.
    fn next(&mut self) -> Serial {
        self.connection.submit(&Command::Role, Instant::ZERO).expect("room")
    }

    /// A claim whose read is parked.
    fn park(&mut self, key: &[u8]) -> Serial {
        let claim = self.next();
        self.proof.park(key);
        claim
    }

    /// The read of the newest parked claim, which has this token.
    fn witness(&mut self, number: u8) -> Serial {
        assert_eq!(self.proof.need(), Need::Witness);
        let read = self.next();
        self.proof.witnessed(read, token(number));
        read
    }

    /// A request that may show the value of the key.
    fn mention(&mut self, key: &[u8]) {
        self.proof.mention(key);
        self.next();
    }

    fn hear(&mut self, serial: Serial, number: u8) -> Heard {
        self.proof.hear(serial, Answer::Token(token(number)))
    }
}

fn token(number: u8) -> Token {
    let mut random = *b"a token of some lock";
    random[0] = number;
    Token::from_random(random).expect("not constant")
}

#[test]
fn a_witness_proves_by_its_token_alone() {
    let answers = [
        (Answer::Token(token(1)), Heard::Proven),
        (Answer::Token(token(2)), Heard::Unproven),
        (Answer::Value, Heard::Unproven),
        (Answer::Nil, Heard::Unproven),
        (Answer::Refused(Refusal::Loading), Heard::Unproven),
        (Answer::Lost, Heard::Unproven),
    ];
    for (answer, wanted) in answers {
        let mut line = Line::new();
        let claim = line.park(b"a");
        let other = line.park(b"b");
        let read = line.witness(1);
        assert_eq!(line.proof.hear(claim, Answer::Ok), Heard::Nothing);
        assert_eq!(line.proof.hear(other, Answer::Token(token(1))), Heard::Nothing, "not its own");
        assert_eq!(line.proof.hear(read, answer), wanted, "{answer:?}");
        assert_eq!(line.proof.hear(read, Answer::Token(token(1))), Heard::Nothing, "once");
    }
}

#[test]
fn a_witness_is_needed_for_what_is_parked_behind_the_last() {
    let mut line = Line::new();
    assert_eq!((line.proof.need(), line.proof.parked()), (Need::Nothing, 0));
    line.park(b"a");
    line.park(b"b");
    assert_eq!((line.proof.need(), line.proof.parked()), (Need::Witness, 2));
    let first = line.witness(1);
    assert_eq!((line.proof.need(), line.proof.parked()), (Need::Nothing, 0));
    line.park(b"c");
    assert_eq!((line.proof.need(), line.proof.parked()), (Need::Witness, 1));
    line.proof.resigned();
    assert_eq!(line.proof.need(), Need::Nothing);
    assert_eq!(line.hear(first, 1), Heard::Proven);
}

/// While a later witness can still prove them, nothing is read.
#[test]
fn a_later_witness_takes_over() {
    let mut line = Line::new();
    line.park(b"a");
    let first = line.witness(1);
    line.park(b"b");
    let second = line.witness(2);
    assert_eq!(line.hear(first, 9), Heard::Nothing);
    assert_eq!(line.hear(second, 9), Heard::Unproven);

    line.park(b"a");
    let first = line.witness(1);
    line.park(b"b");
    let second = line.witness(2);
    line.mention(b"b");
    assert_eq!(line.hear(first, 9), Heard::Unproven, "the later one is spoiled");
    assert_eq!(line.hear(second, 2), Heard::Unproven);
}

/// Whatever may show the same value could pass for the witness: before it, behind it, or as a witness
/// itself.
#[test]
fn other_requests_for_the_key_spoil_a_witness() {
    let mut line = Line::new();
    line.park(b"a");
    line.mention(b"b");
    assert_eq!(line.proof.need(), Need::Witness, "another key");
    line.mention(b"a");
    assert_eq!((line.proof.need(), line.proof.parked()), (Need::Reads, 1));
    line.proof.resigned();

    line.mention(b"a");
    line.park(b"a");
    let read = line.witness(1);
    assert_eq!(line.hear(read, 1), Heard::Proven, "what came before the claim does no harm");

    line.park(b"a");
    let read = line.witness(1);
    line.mention(b"a");
    assert_eq!(line.hear(read, 1), Heard::Unproven);

    line.park(b"a");
    let first = line.witness(1);
    line.park(b"a");
    let second = line.witness(2);
    assert_eq!(line.hear(first, 1), Heard::Nothing, "the second read shows the same");
    assert_eq!(line.hear(second, 2), Heard::Proven);
}

/// Witnesses are bounded, and so is what one stands for. They are heard in order, round and round.
#[test]
fn witnesses_have_bounds() {
    let mut line = Line::new();
    for _ in 1..Proof::CLAIMS_MAX {
        line.park(b"k");
        assert!(!line.proof.is_full());
    }
    line.park(b"k");
    assert!(line.proof.is_full());
    line.proof.resigned();
    assert!(!line.proof.is_full());

    let key = |number: u8| [number];
    for start in [0_u8, 40, 80] {
        let mut out = Vec::new();
        for number in start.. {
            line.park(&key(number));
            if line.proof.need() == Need::Reads {
                line.proof.resigned();
                break;
            }
            out.push((line.witness(number), number));
        }
        assert_eq!(out.len(), 64);
        let (oldest, number) = out.remove(0);
        assert_eq!(line.hear(oldest, number), Heard::Proven);
        line.park(&key(200));
        out.push((line.witness(200), 200));
        for (read, number) in out {
            assert_eq!(line.hear(read, number), Heard::Proven, "{number}");
        }
    }
}

#[test]
fn what_a_proven_claim_reads() {
    let refused = Answer::Refused(Refusal::OutOfMemory);
    assert_eq!(proven(Answer::Ok, token(1)), Some(Answer::Token(token(1))));
    assert_eq!(proven(Answer::Nil, token(1)), Some(Answer::Value));
    for open in [refused, Answer::Lost, Answer::Unexpected, Answer::Integer(1)] {
        assert_eq!(proven(open, token(1)), None);
    }
}
