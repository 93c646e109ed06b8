//! The classifier of error replies against every line of real servers that we know (R17).

use redlatch_core::{Answer, Class, Refusal, Reply};
use redlatch_testkit::model::{ERRORS, Outcome};

#[test]
fn r17_every_known_error_line_has_its_class() {
    for line in ERRORS {
        let wanted = match line.outcome {
            Outcome::Refused => Class::Refused,
            Outcome::Permanent => Class::Permanent,
            Outcome::Held => Class::Held,
            Outcome::Unknown => Class::Unknown,
        };
        let refusal = Refusal::classify(line.text.as_bytes());
        assert_eq!(refusal.class(), wanted, "{} {}: read as {refusal:?}", line.fault, line.when);
    }
}

#[test]
fn r17_lines_are_told_apart() {
    #[rustfmt::skip]
    let rows: &[(&str, Refusal)] = &[
        ("NOSCRIPT No matching script.", Refusal::NoScript),
        ("BUSY Redis is busy", Refusal::Busy),
        ("ERR Script killed by user with SCRIPT KILL...", Refusal::ScriptKilled),
        ("ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -READONLY You can't", Refusal::ReadOnly),
        ("ERR Error running script (call to f_0): @user_script:1: WRONGTYPE Operation", Refusal::WrongType),
        ("ERR Error running script", Refusal::Other),
        ("MOVED 1 :6379", Refusal::Moved),
        ("MOVED", Refusal::Moved),
        ("ASK", Refusal::Ask),
        ("DENIED Redis is running in protected mode", Refusal::ProtectedMode),
        ("ERR max number of clients reached", Refusal::TooManyClients),
        ("ERR max number of clients + cluster connections reached", Refusal::TooManyClients),
        // Nothing may be concluded from what only looks like a known line.
        ("noauth lower case", Refusal::Other),
        ("NOAUTHX", Refusal::Other),
        (" NOAUTH leading blank", Refusal::Other),
        ("READONLY\tYou can't", Refusal::Other),
        ("ERR READONLYX", Refusal::Other),
        ("ERR", Refusal::Other),
        ("ERR ", Refusal::Other),
        ("", Refusal::Other),
        ("\u{0}", Refusal::Other),
    ];
    for (line, wanted) in rows {
        assert_eq!(Refusal::classify(line.as_bytes()), *wanted, "{line:?}");
        assert_eq!(Answer::from(Reply::Error(line.as_bytes())), Answer::Refused(*wanted));
    }
}

/// R18: every refusal says what to do, in one line.
#[test]
fn r18_every_refusal_speaks_one_sentence() {
    for line in ERRORS {
        let text = Refusal::classify(line.text.as_bytes()).to_string();
        assert!(text.len() > 20 && !text.contains('\n'), "{text:?}");
    }
}
