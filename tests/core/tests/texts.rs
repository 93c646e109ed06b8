//! What errors and reasons say, word for word, and what `Debug` shows (R17, R18).

use core::fmt::{Debug, Display};
use core::time::Duration;

use redlatch_core::dialect::Native;
use redlatch_core::resp::Decimal;
use redlatch_core::{
    Buffer, Command, Connection, Form, Full, HandshakeError, InvalidTtl, Limits, Login, Loss,
    Malformed, Refusal, Reply, Token, Ttl, WeakRandomness, WireError,
};

fn speaks<T: Display + Debug>(rows: &[(T, &str)]) {
    for (value, words) in rows {
        assert_eq!(value.to_string(), *words, "{value:?}");
    }
}

#[test]
fn r17_malformed_bytes_are_the_peers() {
    use Malformed::*;
    speaks(&[
        (
            UnknownType(b'H'),
            "the peer does not speak RESP: a value begins with byte 0x48, perhaps HTTP",
        ),
        (
            UnknownType(b'S'),
            "the peer does not speak RESP: a value begins with byte 0x53, perhaps SSH",
        ),
        (
            UnknownType(0x15),
            "the peer does not speak RESP: a value begins with byte 0x15, perhaps TLS",
        ),
        (
            UnknownType(0x16),
            "the peer does not speak RESP: a value begins with byte 0x16, perhaps TLS",
        ),
        (UnknownType(b'x'), "the peer does not speak RESP: a value begins with byte 0x78"),
        (Length, "the peer does not speak RESP: a length or count is not a plain number"),
        (Integer, "the peer does not speak RESP: an integer is not one of 64 bits"),
        (Double, "the peer does not speak RESP: a double is not written as one"),
        (Boolean, "the peer does not speak RESP: a boolean is neither true nor false"),
        (Null, "the peer does not speak RESP: a null holds something"),
        (BigNumber, "the peer does not speak RESP: a big number is not one"),
        (Verbatim, "the peer does not speak RESP: a verbatim string has no format"),
        (LineEnd, "the peer does not speak RESP: a line or string does not end with CR LF"),
        (
            Streamed,
            "the peer does not speak RESP: it sends a string or aggregate of unknown length",
        ),
        (TooDeep, "the peer's reply exceeds the limit on depth"),
        (TooManyElements, "the peer's reply exceeds the limit on elements"),
        (TooLarge, "the peer's reply exceeds the limit on bytes"),
    ]);
}

#[test]
fn r17_a_connection_ends_with_a_reason() {
    speaks(&[
        (
            WireError::Malformed(Malformed::Null),
            "the peer does not speak RESP: a null holds something",
        ),
        (WireError::Unsolicited, "the server sent a reply that nobody asked for"),
        (
            WireError::Rejected(Refusal::TooManyClients),
            "the server turned the connection away: it has no connection left; raise maxclients",
        ),
        (WireError::Closed, "the server closed the connection"),
        (WireError::TimedOut, "the server did not answer in time"),
    ]);
    speaks(&[
        (HandshakeError::Refused(Refusal::NoAuth), "it wants a password and got none; give one"),
        (HandshakeError::Replica, "it is a replica; connect to the master"),
        (HandshakeError::Nonsense, "its answer is none that Redis or Valkey gives"),
    ]);
}

#[test]
fn r17_a_lock_is_lost_for_a_reason() {
    speaks(&[
        (Loss::Expired, "its time ran out before it was extended"),
        (Loss::Unreachable, "too few servers answered when it was renewed"),
        (Loss::Refused, "servers refused to renew it"),
        (Loss::Capped, "it was renewed for as long as allowed"),
        (Loss::Deleted, "its key was deleted, evicted or expired early"),
        (Loss::ServerRestarted, "the server was restarted and had not kept its key"),
        (Loss::Stolen, "somebody else has taken it"),
    ]);
}

#[test]
fn r17_our_own_limits_are_not_the_servers_fault() {
    speaks(&[(Full, "the connection takes no more requests now")]);
    speaks(&[(InvalidTtl, "a ttl must be at least 1 ms and less than 2^53 ms")]);
    speaks(&[(
        WeakRandomness,
        "the random generator gave twenty equal bytes: it is not seeded or not running",
    )]);
}

/// R18: kinds, counts and numbers, but no bytes.
#[test]
fn r18_debug_of_a_reply_shows_its_kind_and_length() {
    let rows: &[(&[u8], &str)] = &[
        (b"+OK\r\n", "Simple(2 bytes)"),
        (b"-ERR\r\n", "Error(3 bytes)"),
        (b":-7\r\n", "Integer(-7)"),
        (b"$3\r\nabc\r\n", "Bulk(3 bytes)"),
        (b"=7\r\ntxt:abc\r\n", "Verbatim(3 bytes)"),
        (b"$-1\r\n", "Null"),
        (b"#t\r\n", "Boolean(true)"),
        (b"#f\r\n", "Boolean(false)"),
        (b",1.5\r\n", "Double(3 bytes)"),
        (b"(12345\r\n", "BigNumber(5 bytes)"),
        (b"*2\r\n:1\r\n:2\r\n", "Array(2 elements)"),
        (b"~1\r\n:1\r\n", "Set(1 elements)"),
        (b"%1\r\n:1\r\n:2\r\n", "Map(2 elements)"),
        (b">0\r\n", "Push(0 elements)"),
        (b"", "TooLong"),
    ];
    for (frame, shown) in rows {
        assert_eq!(format!("{:?}", Reply::from_frame(frame)), *shown, "{}", frame.escape_ascii());
    }
}

#[test]
fn r18_debug_of_a_command_shows_only_its_kind() {
    let (key, form) = (b"k".as_slice(), Form::Digest);
    let token = Token::from_random(*b"0123456789abcdefghij").expect("not constant");
    let (token, ttl) = (&token, Ttl::from_millis(1).expect("good"));
    let rows = [
        (Command::Hello(Login::NONE), "Hello"),
        (Command::Auth(Login::NONE), "Auth"),
        (Command::Select(1), "Select"),
        (Command::Role, "Role"),
        (Command::Info, "Info"),
        (Command::Claim { key, token, ttl }, "Claim"),
        (Command::Read { key }, "Read"),
        (Command::Extend { key, token, ttl, form }, "Extend"),
        (Command::Release { key, token, form }, "Release"),
        (Command::Delete { key, token, native: Native::Delex }, "Delete"),
    ];
    for (command, shown) in rows {
        assert_eq!(format!("{command:?}"), shown);
    }
}

#[test]
fn r18_debug_of_storage_shows_how_much_is_in_it() {
    let mut buffer = Buffer::new([0; 4]);
    buffer.filled(3);
    assert_eq!(format!("{buffer:?}"), "Buffer(3 bytes)");
    assert_eq!(format!("{:?}", Decimal::new(1205)), "1205");
    let mut connection: Connection<[u8; 8], [u8; 8]> =
        Connection::new([0; 8], [0; 8], Limits::EMBEDDED, Duration::from_secs(1));
    assert_eq!(
        format!("{connection:?}"),
        "Connection { rx: Buffer(0 bytes), tx: Buffer(0 bytes), in_flight: 0, ended: None, .. }"
    );
    assert_eq!(format!("{:?}", connection.io()), "Io { space: 8, pending: 0 }");
}

/// R18: whether there is a password is shown, the password is not.
#[test]
fn r18_debug_of_a_login_hides_the_password() {
    let none = "Login { protocol: Resp3, password: None, database: 0, .. }";
    assert_eq!(format!("{:?}", Login::NONE), none);
    let login = Login { password: Some(b"pw"), database: 3, ..Login::NONE };
    let some = "Login { protocol: Resp3, password: Some(\"***\"), database: 3, .. }";
    assert_eq!(format!("{login:?}"), some);
}
