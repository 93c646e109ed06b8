//! Error lines: every line has a class, and none claims more than a known text says.

use redlatch_core::{Answer, Class, Refusal, Reply};
use redlatch_model::{ERRORS, Outcome};

use crate::choices::Choices;

/// First words that say all; written down here once more, on purpose.
const CODES: [&str; 19] = [
    "NOSCRIPT",
    "BUSY",
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "CROSSSLOT",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "WRONGTYPE",
    "NOPROTO",
    "DENIED",
];

/// What a text behind `ERR` begins with.
const TEXTS: [&str; 11] = [
    "Script killed by user",
    "Script attempted to access a non local key",
    "AUTH <password> called without",
    "Client sent AUTH, but no password is set",
    "invalid password",
    "The user executing the script can't run",
    "ACL failure in script",
    "max number of clients",
    "invalid expire time",
    "unknown command",
    "Key should be of string type",
];

/// The lines of scripts before version 7, whose real error stands behind the last of these.
const MARK: &[u8] = b"@user_script";

/// Classifies the input, and the input behind and in the middle of a line that a server says.
///
/// # Panics
/// A property does not hold.
pub fn refusal(data: &[u8]) {
    check_line(data);
    let mut choices = Choices::new(data);
    let known = ERRORS[choices.up_to(ERRORS.len() - 1)];
    let cut = usize::from(choices.byte());
    let noise = choices.take_all();
    check_known(known.text.as_bytes(), known.outcome, noise);
    let at = cut.min(known.text.len());
    let (head, tail) = known.text.as_bytes().split_at(at);
    check_line(&[head, noise, tail].concat());
}

fn check_line(line: &[u8]) {
    let refusal = Refusal::classify(line);
    let class = refusal.class();
    assert_eq!(Answer::from(Reply::Error(line)), Answer::Refused(refusal));
    assert_eq!(
        class == Class::Held,
        refusal == Refusal::WrongType,
        "only a key of another type is held"
    );
    assert_eq!(class == Class::Unknown, refusal == Refusal::Other);
    assert_ne!(refusal, Refusal::Restarted, "that is our own word");
    if refusal != Refusal::Other {
        check_evidence(line, refusal);
    }
    check_case(line);
    check_cuts(line, refusal);
    check_suffixes(line, refusal);
    let text = refusal.to_string();
    assert!(text.len() > 20 && text.is_ascii(), "a sentence of ours, not of the peer");
}

/// Something known stands in the line: at its beginning, behind `ERR`, or behind the mark of a script.
fn check_evidence(line: &[u8], refusal: Refusal) {
    let text = line.strip_prefix(b"ERR ").unwrap_or_default();
    let behind = text.starts_with(b"Error running script").then(|| behind_mark(text)).flatten();
    let is_known = has_code(line) || is_known(text) || behind.is_some_and(is_known);
    assert!(is_known, "{refusal:?} from {}", line.escape_ascii());
    if refusal.class() == Class::Held {
        assert!(contains(line, b"WRONGTYPE") || contains(line, b"Key should be of string type"));
    }
}

fn is_known(text: &[u8]) -> bool {
    has_code(text) || TEXTS.iter().any(|known| text.starts_with(known.as_bytes()))
}

/// A code is a whole word.
fn has_code(text: &[u8]) -> bool {
    let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    CODES.iter().any(|known| known.as_bytes() == word)
}

fn behind_mark(line: &[u8]) -> Option<&[u8]> {
    let at = line.windows(MARK.len()).rposition(|window| window == MARK)?;
    let rest = &line[at + MARK.len()..];
    let skipped = rest.iter().take_while(|byte| b": -0123456789".contains(byte)).count();
    Some(&rest[skipped..])
}

/// Codes are upper case; nothing is concluded from what only looks like one.
fn check_case(line: &[u8]) {
    assert_eq!(Refusal::classify(&line.to_ascii_lowercase()), Refusal::Other);
}

/// A line that is cut says the same or nothing. A code that is cut in its middle may be another code, and a script's
/// line before its last mark is another line.
fn check_cuts(line: &[u8], refusal: Refusal) {
    if contains(line, MARK) {
        return;
    }
    let word = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let behind = line
        .strip_prefix(b"ERR ")
        .map_or(word, |rest| 4 + rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len()));
    for at in [behind, behind + 1, line.len().saturating_sub(1), line.len() / 2, line.len() * 3 / 4]
    {
        if (behind..line.len()).contains(&at) {
            let cut = Refusal::classify(&line[..at]);
            assert!(cut == refusal || cut == Refusal::Other, "{cut:?} from a part of {refusal:?}");
        }
    }
}

/// What a server, or whoever has a say in its text, adds behind the line changes nothing.
fn check_suffixes(line: &[u8], refusal: Refusal) {
    if refusal == Refusal::Other || contains(line, b"Error running script") {
        return;
    }
    for suffix in [
        b" ".as_slice(),
        b" WRONGTYPE",
        b" ERR unknown command",
        b" @user_script:1: WRONGTYPE x",
        b" \xff\0",
    ] {
        assert_eq!(Refusal::classify(&[line, suffix].concat()), refusal);
    }
}

/// Noise behind what a server says changes nothing either.
fn check_known(line: &[u8], outcome: Outcome, noise: &[u8]) {
    let class = |line: &[u8]| match Refusal::classify(line).class() {
        Class::Refused => Outcome::Refused,
        Class::Permanent => Outcome::Permanent,
        Class::Held => Outcome::Held,
        Class::Unknown => Outcome::Unknown,
    };
    assert_eq!(class(line), outcome);
    if !line.is_empty() && line.contains(&b' ') && !contains(noise, MARK) {
        assert_eq!(class(&[line, b" ", noise].concat()), outcome);
    }
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    line.windows(text.len()).any(|window| window == text)
}
