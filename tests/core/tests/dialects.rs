//! What is said on a connection: with the server's own compare-and-delete, or with scripts (R1, R16).

mod lock_bench;

use lock_bench::{Bench, ONCE};
use redlatch_core::dialect::{Dialect, Native};
use redlatch_core::resp::{encode, encoded_len};
use redlatch_core::{
    Answer, Command, Form, Handshake, Login, Output, Protocol, Refusal, Reply, Ticket, Ttl,
};

const DELIFEQ: Option<Native> = Some(Native::Delifeq);
const DELEX: Option<Native> = Some(Native::Delex);

#[test]
fn the_version_says_what_a_server_knows() {
    let rows: &[(&str, &str, Option<Native>)] = &[
        ("valkey", "9.1.2", DELIFEQ),
        ("valkey", "9.0.0", DELIFEQ),
        ("valkey", "10.0", DELIFEQ),
        ("valkey", "9.0.0-rc1", DELIFEQ),
        ("valkey", "8.1.4", None),
        ("valkey", "8.99.99", None),
        ("redis", "8.4.0", DELEX),
        ("redis", "8.6.2", DELEX),
        ("redis", "8.10.0", DELEX),
        ("redis", "9.0.0", DELEX),
        ("redis", "8.3.9", None),
        ("redis", "8.2.3", None),
        ("redis", "7.4.1", None),
        ("redis", "7.99.99", None),
        ("dragonfly", "9.0.0", None),
        ("Valkey", "9.0.0", None),
        ("", "9.0.0", None),
        // In doubt, scripts.
        ("valkey", "", None),
        ("valkey", "9", None),
        ("valkey", "9.", None),
        ("valkey", ".9", None),
        ("valkey", "9.x", None),
        ("valkey", "v9.1", None),
        ("valkey", "-9.1", None),
        ("valkey", "99999999999999999999.1", None),
        ("redis", "\u{ff}8.4", None),
    ];
    for (server, version, wanted) in rows {
        let dialect = Dialect::of(server.as_bytes(), version.as_bytes());
        assert_eq!(dialect.native(), *wanted, "{server} {version}");
    }
    assert_eq!(Dialect::of(b"valkey", b"\xff.\xff").native(), None);
    assert_eq!(Dialect::default(), Dialect::SCRIPTS);
    assert_eq!(Dialect::SCRIPTS.native(), None);
}

/// Word for word what Valkey 9.1.2 and Redis 8.6.2 and 7.0.15 said.
#[test]
fn real_greetings_tell_the_dialect() {
    let valkey = "$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$5\r\n9.1.2\r\n\
        $5\r\nproto\r\n:{proto}\r\n$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n\
        $4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*1\r\n{module}$4\r\nname\r\n$3\r\nlua\r\n\
        $3\r\nver\r\n:1\r\n$4\r\npath\r\n$3\r\nlua\r\n$4\r\nargs\r\n*0\r\n";
    let redis = "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.6.2\r\n\
        $5\r\nproto\r\n:{proto}\r\n$2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n\
        $4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*1\r\n{module}$4\r\nname\r\n\
        $9\r\nvectorset\r\n$3\r\nver\r\n:1\r\n$4\r\npath\r\n$0\r\n\r\n$4\r\nargs\r\n*0\r\n";
    let old = redis.replace("8.6.2", "7.0.9");
    for (text, wanted) in [(valkey, DELIFEQ), (redis, DELEX), (&old, None)] {
        for (protocol, proto, head, module) in [
            (Protocol::Resp3, "3", "%7\r\n", "%4\r\n"),
            (Protocol::Resp2, "2", "*14\r\n", "*8\r\n"),
        ] {
            let text = format!("{head}{text}");
            let text = text.replace("{proto}", proto).replace("{module}", module);
            let login = Login { protocol, ..Login::NONE };
            let mut handshake = Handshake::new(false);
            assert!(handshake.poll_command(&login).is_some());
            let taken = handshake.handle_reply(&login, Reply::from_frame(text.as_bytes()));
            assert_eq!(taken, Ok(()), "{text}");
            let greeting = handshake.finished().expect("nothing else is asked");
            assert_eq!(greeting.dialect.native(), wanted, "{text}");
        }
    }
}

/// Whoever told nothing is asked in scripts.
#[test]
fn a_server_without_a_greeting_knows_scripts_only() {
    let talk: [&[&str]; 3] = [
        &[
            "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n",
            "*1\r\n$6\r\nmaster\r\n",
        ],
        &["%1\r\n$5\r\nproto\r\n:3\r\n"],
        &["%3\r\n$6\r\nserver\r\n:1\r\n$7\r\nversion\r\n*0\r\n$5\r\nproto\r\n:3\r\n"],
    ];
    for replies in talk {
        let mut handshake = Handshake::new(false);
        for reply in replies {
            assert!(handshake.poll_command(&Login::NONE).is_some());
            let taken = handshake.handle_reply(&Login::NONE, Reply::from_frame(reply.as_bytes()));
            assert_eq!(taken, Ok(()), "{reply}");
        }
        let greeting = handshake.finished().expect("ready");
        assert_eq!(greeting.dialect, Dialect::SCRIPTS, "{replies:?}");
    }
}

/// A machine that holds a lock and is asked to release it: the ticket of the release, and the bench.
fn releasing() -> (Bench, Ticket) {
    let mut bench = Bench::new(1, ONCE);
    for step in ["acquire", "provide", "0.claim=ok", "0.read=ours", "release"] {
        bench.step(step);
    }
    bench.output.clear();
    let (ticket, _) = bench.sent["0.release"];
    (bench, ticket)
}

/// What the machine says and how it ends, for each answer to the server's own command; and whether the
/// connection has scripts from then on.
#[test]
fn every_answer_to_a_native_release() {
    #[rustfmt::skip]
    let rows: &[(&str, &[&str], bool)] = &[
        ("1", &["released"], false),
        ("0", &["released not held"], false),
        ("WRONGTYPE Operation against", &["released not held"], false),
        ("ERR Key should be of string type if conditions are specified", &["released not held"], false),
        ("ERR unknown command 'DELIFEQ', with args beginning with: 'k' ", &["0.release in full"], true),
        ("NOPERM User u has no permissions to run the 'delifeq' command", &["0.release in full"], true),
        ("ERR wrong number of arguments for 'delifeq' command", &[], true),
        ("ERR syntax error", &[], true),
        ("READONLY You can't write", &[], false),
        ("LOADING x", &[], false),
        ("lost", &[], false),
        ("unsent", &[], false),
    ];
    for (text, wanted, scripts) in rows {
        let (mut bench, ticket) = releasing();
        let mut dialect = Dialect::of(b"valkey", b"9.1.2");
        let (ticket, command) = said(ticket, dialect);
        assert_eq!(command, "DELIFEQ k");
        let answer = bench.answer(text, None);
        assert!(ticket.fits(answer), "{text}");
        let heard = ticket.hear(answer, &mut dialect);
        bench.lock.handle_answer(ticket, heard, bench.now);
        bench.drain();
        assert_eq!(bench.output, *wanted, "{text}");
        assert_eq!(dialect == Dialect::SCRIPTS, *scripts, "{text}");
    }
}

/// An error that says nothing certain may have deleted the key: what is found later is not believed.
#[test]
fn an_unknown_error_leaves_a_native_release_in_doubt() {
    let (mut bench, ticket) = releasing();
    let mut dialect = Dialect::of(b"redis", b"8.4.0");
    let (ticket, command) = said(ticket, dialect);
    assert_eq!(command, "DELEX k IFEQ");
    let answer = ticket.hear(bench.answer("ERR syntax error", None), &mut dialect);
    bench.lock.handle_answer(ticket, answer, bench.now);
    bench.step("after 10");
    bench.step("0.release=0");
    assert_eq!(bench.output, ["0.release", "released unconfirmed"]);
}

/// Requirement 16: what cannot be the answer of the server's own command ends the connection, and what is
/// its answer is none to a script.
#[test]
fn a_count_answers_only_a_count() {
    let (bench, script) = releasing();
    let (native, _) = said(script, Dialect::of(b"valkey", b"9.0"));
    for (text, by_native, by_script) in [
        ("1", true, false),
        ("0", true, true),
        ("-1", false, true),
        ("ours", false, true),
        ("ok", false, false),
        ("nil", false, false),
        ("other", false, false),
        ("odd", false, false),
        ("lost", true, true),
        ("BUSY x", true, true),
    ] {
        let answer = bench.answer(text, None);
        assert_eq!((native.fits(answer), script.fits(answer)), (by_native, by_script), "{text}");
    }
    let two = Answer::Integer(2);
    assert!(!native.fits(two) && !script.fits(two));
}

/// Only a release by digest has other words; and only what was said so is heard so.
#[test]
fn everything_else_is_said_as_it_is() {
    let (bench, ticket) = releasing();
    let (token, ttl) = (bench.token(), Ttl::from_millis(5).expect("good"));
    let (key, token) = (b"k".as_slice(), &token);
    let form = Form::Digest;
    let mut dialect = Dialect::of(b"valkey", b"9.1.2");
    for command in [
        Command::Claim { key, token, ttl },
        Command::Read { key },
        Command::Extend { key, token, ttl, form },
        Command::Release { key, token, form: Form::Source },
    ] {
        let (same, said) = ticket.say(command, dialect);
        assert_eq!((same, wire(&said)), (ticket, wire(&command)));
        let refused = Answer::Refused(Refusal::NoPermission);
        assert_eq!(same.hear(refused, &mut dialect), refused);
        assert_ne!(dialect, Dialect::SCRIPTS);
    }
    let release = Command::Release { key, token, form };
    let (same, said) = ticket.say(release, Dialect::SCRIPTS);
    assert_eq!((same, wire(&said)), (ticket, wire(&release)));
}

/// The release as this dialect says it, without the token.
fn said(ticket: Ticket, dialect: Dialect) -> (Ticket, String) {
    let token = Bench::new(1, ONCE).token();
    let release = Command::Release { key: b"k", token: &token, form: Form::Digest };
    let (ticket, command) = ticket.say(release, dialect);
    let text = wire(&command);
    let words: Vec<_> = text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
    (ticket, words[..words.len() - 2].join(" "))
}

fn wire(command: &Command<'_>) -> String {
    let mut out = vec![0; encoded_len(command)];
    encode(command, &mut out).expect("room");
    String::from_utf8(out).expect("ASCII")
}

/// A machine gets the same in the end whichever way its releases are said.
#[test]
fn a_fallen_dialect_releases_by_script() {
    let (mut bench, ticket) = releasing();
    let mut dialect = Dialect::of(b"valkey", b"9.1.2");
    let (ticket, _) = said(ticket, dialect);
    let refused = Answer::Refused(Refusal::UnknownCommand);
    let answer = ticket.hear(refused, &mut dialect);
    bench.lock.handle_answer(ticket, answer, bench.now);
    let Output::Send { ticket, command } = bench.lock.poll_output() else { panic!("a release") };
    let (ticket, command) = ticket.say(command, dialect);
    assert!(wire(&command).contains("EVAL\r\n"));
    let token = Answer::Token(bench.token());
    bench.lock.handle_answer(ticket, ticket.hear(token, &mut dialect), bench.now);
    bench.drain();
    assert_eq!(bench.output, ["released"]);
}
