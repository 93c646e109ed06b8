//! Golden transcripts: every command byte for byte, and what every reply to it means, in RESP2 and
//! RESP3 (R1, R11, R14, R15).

use redlatch_core::dialect::Native;
use redlatch_core::resp::{encode, encoded_len};
use redlatch_core::script::{EXTEND, RELEASE};
use redlatch_core::{Answer, Command, Form, Login, Protocol, Refusal, Reply, Token, Ttl};

const HEX: &str = "000102030405060708090a0b0c0d0e0f10111213";

fn token() -> Token {
    Token::from_random(core::array::from_fn(|i| i as u8)).expect("not constant")
}

fn wire(command: Command<'_>) -> String {
    let mut out = vec![0; encoded_len(&command)];
    assert_eq!(encode(&command, &mut out), Some(out.len()), "the length is exact");
    assert_eq!(encode(&command, &mut vec![0; out.len() - 1]), None, "all or nothing");
    String::from_utf8(out).expect("ASCII here").replace("\r\n", " ")
}

fn login(protocol: Protocol) -> Login<'static> {
    Login { protocol, ..Login::default() }
}

#[test]
fn r15_every_command_byte_for_byte() {
    let token = token();
    let ttl = Ttl::from_millis(30_000).expect("good");
    let full = Login {
        username: Some(b"locker"),
        password: Some(b"s3cret"),
        name: Some(b"worker-1"),
        ..login(Protocol::Resp3)
    };
    let only_password = Login { password: Some(b"s3cret"), ..login(Protocol::Resp2) };
    let key = b"jobs";
    let digest =
        |script: redlatch_core::Script| String::from_utf8_lossy(script.digest()).into_owned();
    let source =
        |script: redlatch_core::Script| format!("${} {}", script.source().len(), script.source());
    let rows = [
        (Command::Hello(login(Protocol::Resp3)), "*2 $5 HELLO $1 3 ".into()),
        (Command::Hello(login(Protocol::Resp2)), "*2 $5 HELLO $1 2 ".into()),
        (
            Command::Hello(full),
            "*7 $5 HELLO $1 3 $4 AUTH $6 locker $6 s3cret $7 SETNAME $8 worker-1 ".into(),
        ),
        (Command::Hello(only_password), "*5 $5 HELLO $1 2 $4 AUTH $7 default $6 s3cret ".into()),
        (Command::Auth(full), "*3 $4 AUTH $6 locker $6 s3cret ".into()),
        (Command::Auth(only_password), "*2 $4 AUTH $6 s3cret ".into()),
        (Command::Select(15), "*2 $6 SELECT $2 15 ".into()),
        (Command::Role, "*1 $4 ROLE ".into()),
        (Command::Info, "*2 $4 INFO $6 server ".into()),
        (
            Command::Claim { key, token: &token, ttl },
            format!("*6 $3 SET $4 jobs $40 {HEX} $2 NX $2 PX $5 30000 "),
        ),
        (Command::Read { key }, "*2 $3 GET $4 jobs ".into()),
        (
            Command::Extend { key, token: &token, ttl, form: Form::Digest },
            format!("*6 $7 EVALSHA $40 {} $1 1 $4 jobs $40 {HEX} $5 30000 ", digest(EXTEND)),
        ),
        (
            Command::Extend { key, token: &token, ttl, form: Form::Source },
            format!("*6 $4 EVAL {} $1 1 $4 jobs $40 {HEX} $5 30000 ", source(EXTEND)),
        ),
        (
            Command::Release { key, token: &token, form: Form::Digest },
            format!("*5 $7 EVALSHA $40 {} $1 1 $4 jobs $40 {HEX} ", digest(RELEASE)),
        ),
        (
            Command::Release { key, token: &token, form: Form::Source },
            format!("*5 $4 EVAL {} $1 1 $4 jobs $40 {HEX} ", source(RELEASE)),
        ),
        (
            Command::Delete { key, token: &token, native: Native::Delifeq },
            format!("*3 $7 DELIFEQ $4 jobs $40 {HEX} "),
        ),
        (
            Command::Delete { key, token: &token, native: Native::Delex },
            format!("*4 $5 DELEX $4 jobs $4 IFEQ $40 {HEX} "),
        ),
    ];
    for (command, wanted) in rows {
        assert_eq!(wire(command), wanted, "{command:?}");
    }
}

/// R15: the length stands before the bytes, so bytes are never read as commands.
#[test]
fn r15_keys_may_hold_any_bytes() {
    let token = token();
    let ttl = Ttl::from_millis(1).expect("good");
    let hostile: [&[u8]; 6] =
        [b"", b"\r\n", b"\0\xff", b"*1\r\n$8\r\nFLUSHALL\r\n", b"{}", &[b'k'; 70_000]];
    for key in hostile {
        let command = Command::Claim { key, token: &token, ttl };
        let mut out = vec![0; encoded_len(&command)];
        encode(&command, &mut out).expect("room");
        let mut wanted = format!("*6\r\n$3\r\nSET\r\n${}\r\n", key.len()).into_bytes();
        wanted.extend_from_slice(key);
        wanted.extend_from_slice(
            format!("\r\n$40\r\n{HEX}\r\n$2\r\nNX\r\n$2\r\nPX\r\n$1\r\n1\r\n").as_bytes(),
        );
        assert_eq!(out, wanted);
    }
}

#[test]
fn digests_are_the_sha1_of_the_scripts() {
    for script in [RELEASE, EXTEND] {
        let wanted = sha1_smol::Sha1::from(script.source()).digest().to_string();
        assert_eq!(script.digest().as_slice(), wanted.as_bytes());
    }
}

#[test]
fn every_reply_and_its_meaning() {
    let ours = format!("$40\r\n{HEX}\r\n");
    let upper = format!("$40\r\n{}\r\n", HEX.to_uppercase());
    #[rustfmt::skip]
    let rows: &[(&str, Answer)] = &[
        // SET … NX PX
        ("+OK\r\n", Answer::Ok),
        ("$-1\r\n", Answer::Nil),
        ("*-1\r\n", Answer::Nil),
        ("_\r\n", Answer::Nil),
        ("+QUEUED\r\n", Answer::Unexpected),
        ("+ok\r\n", Answer::Unexpected),
        ("$2\r\nOK\r\n", Answer::Value),
        // GET
        (&ours, Answer::Token(token())),
        (&upper, Answer::Value),
        ("$0\r\n\r\n", Answer::Value),
        ("$5\r\nother\r\n", Answer::Value),
        // scripts, and DELIFEQ and DELEX
        (":1\r\n", Answer::Integer(1)),
        (":0\r\n", Answer::Integer(0)),
        (":-1\r\n", Answer::Integer(-1)),
        ("#t\r\n", Answer::Unexpected),
        (",1\r\n", Answer::Unexpected),
        ("(1\r\n", Answer::Unexpected),
        ("$1\r\n1\r\n", Answer::Value),
        ("*0\r\n", Answer::Unexpected),
        ("%0\r\n", Answer::Unexpected),
        // errors
        ("-NOSCRIPT No matching script. Please use EVAL.\r\n", Answer::Refused(Refusal::NoScript)),
        ("!11\r\nNOSCRIPT No\r\n", Answer::Refused(Refusal::NoScript)),
        ("-\r\n", Answer::Refused(Refusal::Other)),
    ];
    for (frame, wanted) in rows {
        assert_eq!(Answer::from(Reply::from_frame(frame.as_bytes())), *wanted, "{frame:?}");
    }
    assert_eq!(Answer::from(Reply::TooLong), Answer::Value);
}
