//! What is shown: errors that say who is to blame and what to do, and no secrets.

use core::fmt::Debug;

use redlatch_bare::{Error, ErrorKind, Fault, Login, Loss, Options, Refusal, Retry, Tally};
use redlatch_testkit::model::{Fault as Trouble, Rule, Settings};

use super::engine::{Bench, TTL};
use super::world::{MS, World};

const NAME: &str = "sentinel-name";
const PASSWORD: &str = "sentinel-password";

/// Requirement 17: each says what is wrong and, where something can be done, what.
#[test]
fn every_error_is_one_line_that_names_who_is_to_blame() {
    let tally = Tally { configured: 3, granted: 1, held: 1, unreachable: 1, ..Tally::default() };
    let late = Tally { configured: 1, granted: 1, ..Tally::default() };
    let unavailable = |fault| Error::Unavailable { tally, fault };
    let rows: [(Error, &[&str]); 20] = [
        (Error::KeyTooLong, &["key", "buffer", "enlarge"]),
        (Error::InvalidTtl, &["ttl", "1 ms", "drift"]),
        (Error::TooManyLocks, &["place", "give the client more"]),
        (Error::Random, &["random generator", "no token"]),
        (Error::Reentered, &["clock", "inside"]),
        (Error::TimedOut(tally), &["somebody else"]),
        (Error::TimedOut(late), &["late", "use a longer"]),
        (Error::Refused(Refusal::NoPermission), &["the server refused"]),
        (unavailable(None), &["2 of 3 servers", "did not answer"]),
        (unavailable(Some((2, Fault::Closed))), &["2 of 3 servers", "server 2", "closed"]),
        (Error::Lost(Loss::Expired), &["lost", "time ran out"]),
        (Error::Lost(Loss::Unreachable), &["lost", "too few servers"]),
        (Error::Lost(Loss::Refused), &["lost", "refused"]),
        (Error::Lost(Loss::Capped), &["lost", "allowed"]),
        (Error::Lost(Loss::Deleted), &["lost", "deleted", "evicted"]),
        (Error::Lost(Loss::ServerRestarted), &["lost", "restarted"]),
        (Error::Lost(Loss::Stolen), &["lost", "somebody else"]),
        (Error::NotExtended(tally), &["old lease stands", "1 of 3"]),
        (Error::Unconfirmed, &["release", "repeated"]),
        (unavailable(Some((0, Fault::Silent))), &["server 0", "see whether it runs"]),
    ];
    expect_lines(&rows);
}

#[test]
fn every_fault_is_one_line_that_names_who_is_to_blame() {
    let malformed = malformed();
    let rows: [(Fault, &[&str]); 11] = [
        (Fault::Stream(ErrorKind::BrokenPipe), &["stream", "BrokenPipe"]),
        (Fault::NotOpen, &["stream", "look into the network"]),
        (Fault::Noise, &["line", "see who else talks"]),
        (Fault::Silent, &["server", "see whether it runs"]),
        (Fault::Closed, &["server", "closed"]),
        (malformed, &["peer"]),
        (Fault::NotRedis, &["peer", "Redis or Valkey"]),
        (Fault::Replica, &["replica", "connect to the master"]),
        (Fault::Refused(Refusal::WrongPassword), &["the server refused", "password"]),
        (Fault::OutOfStep, &["out of step", "look into the line"]),
        (Fault::LoginTooLong, &["login", "longer buffer"]),
    ];
    expect_lines(&rows);
}

fn expect_lines<E: core::error::Error + Debug>(rows: &[(E, &[&str])]) {
    for (at, (error, words)) in rows.iter().enumerate() {
        let text = error.to_string();
        assert!(!text.contains('\n') && text.len() > 20 && text.len() < 160, "{text}");
        assert!(!text.ends_with(['.', ' ']) && text.starts_with(char::is_lowercase), "{text}");
        for word in *words {
            assert!(text.contains(word), "{error:?} says {text:?}, without {word:?}");
        }
        let same = |(other, _): &(E, &[&str])| other.to_string() == text;
        assert!(!rows[..at].iter().any(same), "{text} is said twice");
    }
}

/// As a peer that speaks HTTP causes it.
fn malformed() -> Fault {
    let mut bench = Bench::<1, 2, 256>::new(Options::DEFAULT);
    let http = Trouble::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    bench.world.servers[0].fail(Rule::on("HELLO", http));
    bench.fault().0
}

fn expect_no_secret(what: &str, shown: &impl Debug) {
    let shown = [format!("{shown:?}"), format!("{shown:#?}")];
    // A token as it is drawn here, in hexadecimal and as numbers; and logins as numbers.
    let numbers = |text: &str| format!("{:?}", text.as_bytes());
    let numbers = [numbers(NAME), numbers(PASSWORD), "90, 90".into()];
    for secret in ["sentinel", "5a5a", "5A5A"]
        .into_iter()
        .chain(numbers.iter().map(|all| &all[1..20.min(all.len() - 1)]))
    {
        for shown in &shown {
            let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!flat.contains(secret), "{what} shows {secret:?}: {shown}");
        }
    }
}

/// At every moment of the life of a connection and of a lock.
#[test]
fn no_secret_is_shown() {
    let settings = Settings::with_password(PASSWORD);
    let login = Login {
        password: Some(PASSWORD.as_bytes()),
        name: Some(NAME.as_bytes()),
        ..Login::default()
    };
    expect_no_secret("a login", &login.password.map(|_| login));
    let mut bench = Bench::<1, 2, 256>::on(World::of(vec![settings]), login, Options::DEFAULT);
    let delay = || Trouble::Delay { hold: 10 * MS };
    for command in ["HELLO", "SET", "EVALSHA"] {
        bench.world.servers[0].fail(Rule::on(command, delay()));
    }
    let lock = bench.begin("key", TTL, Retry::NONE);
    for moment in 0..60 {
        match moment {
            20 => assert_eq!(bench.engine.poll_acquired(&lock), Some(Ok(()))),
            25 => {
                let now = bench.now();
                bench.engine.extend(&lock, now);
                let _ = bench.engine.poll_stream(0, now);
            }
            40 => assert_eq!(bench.engine.poll_extended(&lock), Some(Ok(()))),
            41 => bench.abandon(&lock),
            50 => bench.world.kill(0),
            _ => {}
        }
        expect_no_secret("an engine", &bench.engine);
        expect_no_secret("a server", &bench.engine.servers());
        expect_no_secret("the name of a lock", &lock);
        bench.pass(1);
    }
    assert!(bench.engine.is_settled() && bench.world.count("EVALSHA") > 1);
}

/// Nor by the errors that a server's word causes.
#[test]
fn no_word_of_a_server_is_shown() {
    let mut bench = Bench::<1, 2, 256>::new(Options::DEFAULT);
    bench.connect().expect("a server");
    let rude = Trouble::Error("ERR sentinel \u{1b}[31m".into());
    bench.world.servers[0].fail(Rule::on("SET", rude).forever());
    let error = bench.denied("key");
    expect_no_secret("an error", &error);
    assert!(!error.to_string().contains("sentinel"), "{error}");
}
