//! Instructions of the codec, counted by callgrind: repeatable, whatever else the machine does.
//!
//! `cargo bench -p redlatch-testkit --bench instructions` runs itself under valgrind, each piece of
//! work with none and with a thousand repetitions, and prints the difference divided by a thousand.

#[path = "instructions/callgrind.rs"]
mod callgrind;

use core::hint::black_box;
use core::time::Duration;

use redlatch_core::resp::encode;
use redlatch_core::{
    Answer, Command, Connection, Form, Incoming, Instant, Limits, Reply, Scanner, Token, Ttl,
};

const REPETITIONS: u64 = 1_000;
const WORKS: [&str; 6] = [
    "encode claim",
    "encode release",
    "decode +OK",
    "decode token",
    "decode HELLO map",
    "claim and read through Connection",
];

const OK: &[u8] = b"+OK\r\n";
const SHOWN: &[u8] = b"$40\r\n000102030405060708090a0b0c0d0e0f10111213\r\n";
const BOTH: &[u8] = b"+OK\r\n$40\r\n000102030405060708090a0b0c0d0e0f10111213\r\n";
const HELLO: &[u8] = b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n\
    $5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n\
    $6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, work, repetitions] = arguments.as_slice()
        && flag == "--work"
    {
        return run(work, repetitions.parse().expect("a number"));
    }
    println!("instructions each, by callgrind");
    for work in WORKS {
        let count = |times: u64| callgrind::count(&["--work", work, &times.to_string()]);
        let each = (count(REPETITIONS) - count(0)) / REPETITIONS;
        println!("{each:6}  {work}");
    }
}

fn run(work: &str, repetitions: u64) {
    let token = Token::from_random(core::array::from_fn(|i| i as u8)).expect("not constant");
    let ttl = Ttl::from_millis(30_000).expect("good");
    let key: &[u8] = b"orders:17";
    let claim = Command::Claim { key, token: &token, ttl };
    let release = Command::Release { key, token: &token, form: Form::Digest };
    let mut out = [0; 512];
    let mut scanner = Scanner::new(Limits::HOSTED);
    let mut connection =
        Connection::new([0; 512], [0; 512], Limits::HOSTED, Duration::from_secs(1));
    for _ in 0..repetitions {
        match work {
            "encode claim" => _ = black_box(encode(black_box(&claim), &mut out)),
            "encode release" => _ = black_box(encode(black_box(&release), &mut out)),
            "decode +OK" => decode(&mut scanner, OK),
            "decode token" => decode(&mut scanner, SHOWN),
            "decode HELLO map" => decode(&mut scanner, HELLO),
            _ => round_trip(&mut connection, &claim, &Command::Read { key }),
        }
    }
}

fn decode(scanner: &mut Scanner, bytes: &[u8]) {
    let scanned = scanner.advance(black_box(bytes)).expect("RESP");
    assert!(scanned.ended);
    match Reply::from_frame(bytes) {
        Reply::Map(fields) => _ = black_box(fields.count()),
        reply => _ = black_box(Answer::from(reply)),
    }
}

fn round_trip(connection: &mut Connection<[u8; 512]>, claim: &Command<'_>, read: &Command<'_>) {
    connection.submit(claim, Instant::ZERO).expect("room");
    connection.submit(read, Instant::ZERO).expect("room");
    let sent = black_box(connection.io().pending).len();
    connection.wrote(sent);
    connection.io().space[..BOTH.len()].copy_from_slice(black_box(BOTH));
    connection.received(BOTH.len());
    while let Some(incoming) = connection.poll().expect("RESP") {
        if let Incoming::Reply { reply, .. } = incoming {
            black_box(Answer::from(reply));
        }
    }
}
