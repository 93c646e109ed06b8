//! The handshake, one row one server: what is asked, what is answered, what comes of it (R14).

use core::time::Duration;

use redlatch_core::resp::{encode, encoded_len};
use redlatch_core::{Command, Handshake, HandshakeError, Login, Protocol, Refusal, Reply, Role};

const HELLO_3: &str = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n\
    $5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n\
    $6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
const HELLO_2: &str = "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n\
    $5\r\nproto\r\n:2\r\n$2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n\
    $6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
const REPLICA_3: &str = "%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$7\r\nreplica\r\n";
const ROLELESS_3: &str = "%1\r\n$5\r\nproto\r\n:3\r\n";
const NO_HELLO: &str = "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n";
const MASTER: &str = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
const SLAVE: &str = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$7\r\nconnect\r\n:0\r\n";
const UP_7: &str = "$44\r\n# Server\r\nrun_id:ab\r\nuptime_in_seconds:7\r\nx:1\r\n";
const UP_7_VERBATIM: &str = "=48\r\ntxt:# Server\r\nrun_id:ab\r\nuptime_in_seconds:7\r\nx:1\r\n";

struct Row {
    name: &'static str,
    login: Login<'static>,
    uptime: bool,
    /// Question and answer, in turn.
    talk: &'static [(&'static str, &'static str)],
    end: Result<(Protocol, Role, Option<u64>), HandshakeError>,
}

const PLAIN: Login<'static> =
    Login { protocol: Protocol::Resp3, username: None, password: None, database: 0, name: None };
const TWO: Login<'static> = Login { protocol: Protocol::Resp2, ..PLAIN };
const SECRET: Login<'static> = Login { password: Some(b"pw"), database: 3, ..PLAIN };
const USER: Login<'static> = Login { username: Some(b"u"), name: Some(b"n"), ..SECRET };

const fn refused(refusal: Refusal) -> Result<(Protocol, Role, Option<u64>), HandshakeError> {
    Err(HandshakeError::Refused(refusal))
}

const ROWS: &[Row] = {
    use Protocol::{Resp2, Resp3};
    use Role::{Master, Unknown};
    const NONSENSE: Result<(Protocol, Role, Option<u64>), HandshakeError> =
        Err(HandshakeError::Nonsense);
    macro_rules! row {
        ($name:literal, $login:expr, $uptime:literal, [$($talk:expr),*], $end:expr) => {
            Row { name: $name, login: $login, uptime: $uptime, talk: &[$($talk),*], end: $end }
        };
    }
    &[
        row!("RESP3", PLAIN, false, [("HELLO 3", HELLO_3)], Ok((Resp3, Master, None))),
        row!("RESP2 by HELLO", TWO, false, [("HELLO 2", HELLO_2)], Ok((Resp2, Master, None))),
        row!(
            "login and name in one write, then the database",
            USER,
            false,
            [("HELLO 3 AUTH u pw SETNAME n", HELLO_3), ("SELECT 3", "+OK\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "only a password: the default user",
            SECRET,
            false,
            [("HELLO 3 AUTH default pw", HELLO_3), ("SELECT 3", "+OK\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "before version 6: AUTH, SELECT, ROLE",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", NO_HELLO),
                ("AUTH pw", "+OK\r\n"),
                ("SELECT 3", "+OK\r\n"),
                ("ROLE", MASTER)
            ],
            Ok((Resp2, Master, None))
        ),
        row!(
            "RESP3 not spoken",
            PLAIN,
            false,
            [("HELLO 3", "-NOPROTO unsupported protocol version\r\n"), ("ROLE", MASTER)],
            Ok((Resp2, Master, None))
        ),
        row!(
            "before version 6, a replica (F4)",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", SLAVE)],
            Err(HandshakeError::Replica)
        ),
        row!(
            "ROLE forbidden",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", "-NOPERM no\r\n")],
            Ok((Resp2, Unknown, None))
        ),
        row!(
            "a replica (F4)",
            PLAIN,
            false,
            [("HELLO 3", REPLICA_3)],
            Err(HandshakeError::Replica)
        ),
        row!("no role told", PLAIN, false, [("HELLO 3", ROLELESS_3)], Ok((Resp3, Unknown, None))),
        row!(
            "uptime (P27)",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", UP_7_VERBATIM)],
            Ok((Resp3, Master, Some(7)))
        ),
        row!(
            "uptime in RESP2 (P27)",
            TWO,
            true,
            [("HELLO 2", HELLO_2), ("INFO server", UP_7)],
            Ok((Resp2, Master, Some(7)))
        ),
        row!(
            "uptime forbidden",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "-NOPERM no\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "wrong password (F15)",
            SECRET,
            false,
            [("HELLO 3 AUTH default pw", "-WRONGPASS invalid username-password pair\r\n")],
            refused(Refusal::WrongPassword)
        ),
        row!(
            "password missing (F15)",
            PLAIN,
            false,
            [("HELLO 3", "-NOAUTH HELLO must be called with\r\n")],
            refused(Refusal::NoAuth)
        ),
        // Valkey 9 says so of any command that it does not know, before anybody is logged in.
        row!(
            "HELLO unknown, behind a login (F25)",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", "-NOAUTH Authentication required.\r\n"),
                ("AUTH pw", "+OK\r\n"),
                ("SELECT 3", "+OK\r\n"),
                ("ROLE", MASTER)
            ],
            Ok((Resp2, Master, None))
        ),
        row!(
            "HELLO unknown, behind a login, wrong password (F15)",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", "-NOAUTH Authentication required.\r\n"),
                ("AUTH pw", "-WRONGPASS invalid\r\n")
            ],
            refused(Refusal::WrongPassword)
        ),
        row!(
            "password not wanted (F15)",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", NO_HELLO),
                ("AUTH pw", "-ERR Client sent AUTH, but no password is set\r\n")
            ],
            refused(Refusal::PasswordNotSet)
        ),
        row!(
            "database out of range",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", HELLO_3),
                ("SELECT 3", "-ERR DB index is out of range\r\n")
            ],
            refused(Refusal::Other)
        ),
        row!(
            "AUTH answers nil",
            SECRET,
            false,
            [("HELLO 3 AUTH default pw", NO_HELLO), ("AUTH pw", "$-1\r\n")],
            NONSENSE
        ),
        row!(
            "RESP3 not spoken, with a password",
            SECRET,
            false,
            [
                ("HELLO 3 AUTH default pw", "-NOPROTO unsupported protocol version\r\n"),
                ("AUTH pw", "+OK\r\n"),
                ("SELECT 3", "+OK\r\n"),
                ("ROLE", MASTER)
            ],
            Ok((Resp2, Master, None))
        ),
        row!(
            "before version 6, with the uptime",
            PLAIN,
            true,
            [("HELLO 3", NO_HELLO), ("ROLE", MASTER), ("INFO server", UP_7)],
            Ok((Resp2, Master, Some(7)))
        ),
        row!(
            "a role that we do not know",
            PLAIN,
            false,
            [("HELLO 3", "%2\r\n+proto\r\n:3\r\n+role\r\n+sentinel\r\n")],
            Ok((Resp3, Unknown, None))
        ),
        row!(
            "a role that is no text",
            PLAIN,
            false,
            [("HELLO 3", "%2\r\n+proto\r\n:3\r\n+role\r\n:1\r\n")],
            Ok((Resp3, Unknown, None))
        ),
        row!(
            "a replica says slave",
            PLAIN,
            false,
            [("HELLO 3", "%2\r\n+role\r\n+slave\r\n+proto\r\n:3\r\n")],
            Err(HandshakeError::Replica)
        ),
        row!(
            "ROLE not known",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", "-ERR unknown command 'ROLE'\r\n")],
            Ok((Resp2, Unknown, None))
        ),
        row!(
            "ROLE answers nothing",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", "*0\r\n")],
            Ok((Resp2, Unknown, None))
        ),
        row!(
            "ROLE refused (F5)",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", "-LOADING Redis is loading\r\n")],
            refused(Refusal::Loading)
        ),
        row!(
            "ROLE answers OK",
            PLAIN,
            false,
            [("HELLO 3", NO_HELLO), ("ROLE", "+OK\r\n")],
            NONSENSE
        ),
        row!(
            "uptime not known",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "-ERR unknown command 'INFO'\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "uptime refused (F5)",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "-LOADING Redis is loading\r\n")],
            refused(Refusal::Loading)
        ),
        row!(
            "uptime not told",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "$4\r\nx:1\n\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "uptime that is no number",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "$21\r\nuptime_in_seconds:7 s\r\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "uptime below zero",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "$20\r\nuptime_in_seconds:-7\r\n")],
            Ok((Resp3, Master, None))
        ),
        row!(
            "INFO answers OK",
            PLAIN,
            true,
            [("HELLO 3", HELLO_3), ("INFO server", "+OK\r\n")],
            NONSENSE
        ),
        row!(
            "SELECT answers nil",
            SECRET,
            false,
            [("HELLO 3 AUTH default pw", HELLO_3), ("SELECT 3", "_\r\n")],
            NONSENSE
        ),
        row!("an integer", PLAIN, false, [("HELLO 3", ":3\r\n")], NONSENSE),
        row!("OK", PLAIN, false, [("HELLO 3", "+OK\r\n")], NONSENSE),
        row!("an empty map", PLAIN, false, [("HELLO 3", "%0\r\n")], NONSENSE),
        row!("proto 2 when 3 was asked", PLAIN, false, [("HELLO 3", HELLO_2)], NONSENSE),
        row!("proto 3 when 2 was asked", TWO, false, [("HELLO 2", HELLO_3)], NONSENSE),
        row!(
            "proto is no number",
            PLAIN,
            false,
            [("HELLO 3", "%1\r\n$5\r\nproto\r\n+3\r\n")],
            NONSENSE
        ),
        row!("proto 4", PLAIN, false, [("HELLO 3", "%1\r\n$5\r\nproto\r\n:4\r\n")], NONSENSE),
        row!(
            "loading (F5)",
            PLAIN,
            false,
            [("HELLO 3", "-LOADING Redis is loading\r\n")],
            refused(Refusal::Loading)
        ),
        row!(
            "no connection left (F18)",
            PLAIN,
            false,
            [("HELLO 3", "-ERR max number of clients reached\r\n")],
            refused(Refusal::TooManyClients)
        ),
    ]
};

fn question(handshake: &mut Handshake, login: &Login<'_>) -> Option<String> {
    let command = handshake.poll_command(login)?;
    let mut out = vec![0; encoded_len(&command)];
    encode(&command, &mut out).expect("room");
    let text = String::from_utf8(out).expect("ASCII");
    let words = text.split("\r\n").skip(2).step_by(2);
    Some(words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

#[test]
fn r14_every_server() {
    for row in ROWS {
        let mut handshake = Handshake::new(row.uptime);
        let mut end = None;
        for (at, (asked, answer)) in row.talk.iter().enumerate() {
            assert_eq!(
                question(&mut handshake, &row.login).as_deref(),
                Some(*asked),
                "{} {at}",
                row.name
            );
            assert_eq!(
                question(&mut handshake, &row.login),
                None,
                "{}: one question at a time",
                row.name
            );
            if let Err(error) =
                handshake.handle_reply(&row.login, Reply::from_frame(answer.as_bytes()))
            {
                assert_eq!(at + 1, row.talk.len(), "{}: {error:?}", row.name);
                end = Some(Err(error));
            }
        }
        let end = end.unwrap_or_else(|| {
            let greeting = handshake.finished().unwrap_or_else(|| panic!("{}", row.name));
            Ok((greeting.protocol, greeting.role, greeting.uptime.map(|up| up.as_secs())))
        });
        assert_eq!(end, row.end, "{}", row.name);
    }
}

/// A reply to HELLO too long to keep is a greeting: an error would be short.
#[test]
fn a_module_list_too_long_to_keep_is_a_greeting() {
    let mut handshake = Handshake::new(false);
    question(&mut handshake, &PLAIN).expect("HELLO");
    handshake.handle_reply(&PLAIN, Reply::TooLong).expect("greeted");
    assert_eq!(handshake.finished().map(|greeting| greeting.role), Some(Role::Unknown));
}

/// So is a list of what the server is; how long it has been up stays unknown then.
#[test]
fn an_info_too_long_to_keep_tells_no_uptime() {
    let mut handshake = Handshake::new(true);
    question(&mut handshake, &PLAIN).expect("HELLO");
    handshake.handle_reply(&PLAIN, Reply::from_frame(HELLO_3.as_bytes())).expect("greeted");
    assert_eq!(handshake.finished(), None, "one question is left");
    question(&mut handshake, &PLAIN).expect("INFO");
    handshake.handle_reply(&PLAIN, Reply::TooLong).expect("answered");
    let greeting = handshake.finished().expect("all is said");
    assert_eq!((greeting.role, greeting.uptime), (Role::Master, None));
    assert_eq!(question(&mut handshake, &PLAIN), None, "nothing is left to ask");
    let more = handshake.handle_reply(&PLAIN, Reply::TooLong);
    assert_eq!(more, Err(HandshakeError::Nonsense), "nothing was asked");
}

#[test]
fn a_reply_to_nothing_is_nonsense() {
    let mut handshake = Handshake::new(false);
    let early = handshake.handle_reply(&PLAIN, Reply::from_frame(HELLO_3.as_bytes()));
    assert_eq!(early, Err(HandshakeError::Nonsense));
}

/// P27: a server that restarted a moment ago has no vote until the longest ttl has passed. One that says
/// that it has been up for a second may have been up for a millisecond: it subtracts two clocks that
/// were cut to seconds.
#[test]
fn p27_a_young_server_abstains() {
    let longest = Duration::from_secs(30);
    let after = |uptime| redlatch_core::Greeting { uptime, ..redlatch_core::Greeting::default() };
    let abstains =
        |uptime| after(Some(Duration::from_secs(uptime))).abstains_for(longest).as_secs();
    for (uptime, seconds) in [(0, 30), (1, 30), (7, 24), (30, 1), (31, 0), (u64::MAX, 0)] {
        assert_eq!(abstains(uptime), seconds, "{uptime}");
    }
    assert_eq!(after(None).abstains_for(longest).as_secs(), 30, "it may be as young as that");
}

/// What proves a restart between two greetings, the second 10 s after the first, and what does not.
#[test]
fn a_restart_is_told_only_where_it_is_proved() {
    let said = |id, uptime: Option<u64>| {
        let uptime = uptime.map(Duration::from_secs);
        redlatch_core::Greeting { id, uptime, ..redlatch_core::Greeting::default() }
    };
    let nothing = said(None, None);
    let rows = [
        (said(Some(9), None), said(Some(10), None), false),
        (said(Some(9), None), said(Some(9), None), true),
        (said(Some(9), None), said(Some(3), None), true),
        (said(Some(9), None), nothing, false),
        (nothing, said(Some(3), None), false),
        (nothing, said(None, Some(8)), true),
        // Cut to whole seconds, so it may have been up for 9.99 s, and the clock may round as well.
        (nothing, said(None, Some(9)), false),
        (said(None, Some(100)), said(Some(3), Some(110)), false),
        (nothing, said(None, Some(11)), false),
        (said(Some(9), None), said(Some(10), Some(1)), true),
        (nothing, said(None, Some(u64::MAX)), false),
    ];
    for (then, now, proved) in rows {
        let told = now.proves_restart(&then, Duration::from_secs(10));
        assert_eq!(told, proved, "{then:?} {now:?}");
    }
}

/// `HELLO` tells the number of the connection, in both protocols.
#[test]
fn the_number_of_the_connection_is_read() {
    for (login, hello) in [(PLAIN, HELLO_3), (TWO, HELLO_2)] {
        let mut handshake = Handshake::new(false);
        let _hello = handshake.poll_command(&login);
        handshake.handle_reply(&login, Reply::from_frame(hello.as_bytes())).expect("greeted");
        assert_eq!(handshake.finished().expect("all is said").id, Some(4), "{hello}");
    }
}

/// R14: after a refusal nothing is asked any more, above all not with the password.
#[test]
fn r14_a_handshake_that_failed_is_over() {
    let refusals = ["-WRONGPASS no\r\n", "-LOADING wait\r\n", ":3\r\n", REPLICA_3];
    for refusal in refusals {
        let mut handshake = Handshake::new(false);
        assert!(handshake.poll_command(&SECRET).is_some());
        let refusal = Reply::from_frame(refusal.as_bytes());
        assert!(handshake.handle_reply(&SECRET, refusal).is_err());
        assert!(handshake.poll_command(&SECRET).is_none(), "asks again after {refusal:?}");
        let late = handshake.handle_reply(&SECRET, Reply::from_frame(HELLO_3.as_bytes()));
        assert_eq!(late, Err(HandshakeError::Nonsense));
        assert_eq!(handshake.finished(), None);
    }
}

/// R18, S7: the password is in no debug output.
#[test]
fn r18_debug_hides_the_password() {
    let text = format!("{USER:?} {:?}", Command::Hello(USER));
    assert!(!text.contains("pw") && !text.contains("112, 119"), "{text}");
}
