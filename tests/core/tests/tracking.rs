//! How a connection comes to be told of changes: what it sends in front of each question, and what the answer
//! means, after each row of answers.

use redlatch_core::{Answer, Command, Protocol, Refusal, Tracking};

const OK: Answer = Answer::Ok;
const BUSY: Answer = Answer::Refused(Refusal::Busy);
const NOPERM: Answer = Answer::Refused(Refusal::NoPermission);
/// `ERR CLIENT CACHING can be called only when the client is in tracking mode`, or a text nobody knows.
const ERR: Answer = Answer::Refused(Refusal::Other);
/// The key expires in so many milliseconds.
const TTL: Answer = Answer::Integer(2000);

/// Name, protocol, answers so far, what is sent in front of the next question, what the answer to the last means.
type Row = (&'static str, Protocol, &'static [Answer], Result<&'static str, Answer>, Answer);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Protocol::{Resp2, Resp3};
    const FIRST: Result<&str, Answer> = Ok("tracking, caching");
    const LATER: Result<&str, Answer> = Ok("caching");
    &[
    ("fresh", Resp3, &[], FIRST, TTL),
    ("told so once", Resp3, &[OK, OK], LATER, TTL),
    ("each question is marked", Resp3, &[OK, OK, OK], LATER, TTL),
    ("two questions at once", Resp3, &[OK, OK, OK, OK], LATER, TTL),
    ("no messages in RESP2", Resp2, &[], Err(Answer::Refused(Refusal::NoProtocol)), Answer::Refused(Refusal::NoProtocol)),
    ("no right to ask", Resp3, &[NOPERM, NOPERM], Err(NOPERM), NOPERM),
    ("no right to ask, and what follows is refused for that", Resp3, &[NOPERM, ERR], Err(NOPERM), NOPERM),
    ("no right to mark", Resp3, &[OK, NOPERM], Err(NOPERM), NOPERM),
    ("an error that nobody knows", Resp3, &[ERR, ERR], Err(ERR), ERR),
    ("both refused for now", Resp3, &[BUSY, BUSY], FIRST, BUSY),
    ("the mark is refused for now", Resp3, &[OK, BUSY], FIRST, BUSY),
    ("refused for now, and what follows is refused for that", Resp3, &[BUSY, ERR], FIRST, BUSY),
    ("the next time it is not", Resp3, &[BUSY, ERR, OK, OK], LATER, TTL),
    ]
};

#[test]
fn every_row() {
    for (name, protocol, answers, before, told) in ROWS {
        let mut tracking = Tracking::new(*protocol);
        answers.iter().for_each(|answer| assert!(tracking.heard(*answer), "{name}"));
        let sent = tracking.before_expiry().map(|commands| {
            let names = commands.iter().map(|command| match command {
                Command::Tracking => "tracking",
                Command::Caching => "caching",
                other => panic!("{name}: {other:?}"),
            });
            names.collect::<Vec<_>>().join(", ")
        });
        assert_eq!(sent.as_deref().map_err(|answer| *answer), *before, "{name}");
        assert_eq!(tracking.told(TTL), *told, "{name}");
    }
}

#[test]
fn what_answers_neither_says_that_replies_are_out_of_step() {
    for answer in [TTL, Answer::Nil, Answer::Value, Answer::Unexpected] {
        assert!(!Tracking::new(Protocol::Resp3).heard(answer), "{answer:?}");
    }
}

#[test]
fn why_nobody_is_woken_is_said_once_and_only_if_somebody_waited() {
    let mut tracking = Tracking::new(Protocol::Resp3);
    assert_eq!(tracking.take_refusal(), None);
    assert!(tracking.heard(NOPERM) && tracking.heard(NOPERM));
    assert_eq!(tracking.take_refusal(), Some(Refusal::NoPermission));
    assert_eq!(tracking.take_refusal(), None);
}
