//! Requirement 11: whoever keeps its lock as a key with `SET key token NX PX ttl` shares it with
//! redlatch. Here these are redis-py, node-redlock and rslock themselves, as their registries have
//! them, each against the blocking client and the one on tokio, on Redis 7.0 and on Valkey 9.1.

#[path = "foreign_clients/party.rs"]
mod party;
#[path = "foreign_clients/program.rs"]
mod program;

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use redlatch_testkit::server::{Kind, Server, Value};

use party::{PATIENCE, Party};

const KINDS: [Kind; 2] = [Kind::Redis7, Kind::Valkey9];
/// No lock of a test expires by itself that has this ttl.
const LONG: Duration = Duration::from_secs(60);
/// It is waited for, and yet leaves a busy machine the time to take the lock in.
const SHORT: Duration = Duration::from_millis(500);
/// The servers expire by whole milliseconds of another clock.
const GRAIN: Duration = Duration::from_millis(10);

/// How a client is started on a URL.
type Start = fn(&str) -> Box<dyn Party>;

/// A client of another make, and its words for a lock that somebody else has meanwhile.
struct Make {
    name: &'static str,
    start: Start,
    cannot_extend: &'static str,
    cannot_release: &'static str,
}

const THEIRS: [Make; 3] = [
    Make {
        name: "redis-py",
        start: program::redis_py,
        cannot_extend: "LockNotOwnedError",
        cannot_release: "LockNotOwnedError",
    },
    Make {
        name: "node-redlock",
        start: program::node_redlock,
        // It goes by its own clock and does not even ask.
        cannot_extend: "ExecutionError",
        cannot_release: "ExecutionError ResourceLockedError",
    },
    Make {
        name: "rslock",
        start: party::rslock,
        cannot_extend: "Unavailable",
        cannot_release: "RedisKeyMismatch",
    },
];

const OURS: [(&str, Start); 2] =
    [("redlatch-std", party::redlatch_std), ("redlatch-tokio", party::redlatch_tokio)];

/// Two clients that want one key of one server.
struct Pair<'a> {
    make: &'a Make,
    server: &'a Server,
    key: &'a str,
    ours: &'a mut dyn Party,
    theirs: &'a mut dyn Party,
}

/// Runs this for each of ours with each of theirs on each server, on a key that tells the pair.
fn each_pair(test: fn(&mut Pair<'_>)) {
    thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(move || {
                let server = Server::start(kind).unwrap_or_else(|error| panic!("{error}"));
                for make in &THEIRS {
                    let mut theirs = (make.start)(&server.url());
                    for (name, start) in OURS {
                        let mut ours = start(&server.url());
                        let key = format!("{name}:{}:{kind}", make.name).replace(' ', "-");
                        let (ours, theirs, server) = (&mut *ours, &mut *theirs, &server);
                        test(&mut Pair { make, server, key: &key, ours, theirs });
                    }
                }
            });
        }
    });
}

impl Pair<'_> {
    fn ask(&self, question: &[&str]) -> Value {
        self.server.command(question).expect("an answer")
    }

    /// The token on the server, which must be there and expire.
    #[track_caller]
    fn token(&self) -> Vec<u8> {
        let left = self.ask(&["PTTL", self.key]).integer();
        assert!(left.is_some_and(|left| left > 0), "{}: {left:?} ms are left", self.key);
        match self.ask(&["GET", self.key]) {
            Value::Bulk(token) => token,
            other => panic!("{}: {other:?}", self.key),
        }
    }

    #[track_caller]
    fn expect_free(&self) {
        assert_eq!(self.ask(&["GET", self.key]), Value::Nil, "{}", self.key);
    }

    /// Does this and asserts that the lock stays as it is: the same token, and no more time than before.
    #[track_caller]
    fn unharmed<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        let (token, left) = (self.token(), self.ask(&["PTTL", self.key]).integer());
        let done = what(self);
        assert_eq!(self.token(), token, "{}: the token", self.key);
        assert!(self.ask(&["PTTL", self.key]).integer() <= left, "{}: the time left", self.key);
        done
    }

    /// This client asks until the lock of the other has expired and it has it.
    #[track_caller]
    fn takes_over(&mut self, who: fn(&mut Self) -> &mut dyn Party) {
        let deadline = Instant::now() + PATIENCE;
        let key = self.key;
        while !who(self).try_lock(key, LONG) {
            assert!(Instant::now() < deadline, "{key} never expires");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Requirement 11.
#[test]
fn what_they_hold_is_refused_to_us_and_stays_theirs() {
    each_pair(|pair| {
        let key = pair.key;
        assert!(pair.theirs.try_lock(key, LONG), "{key} is free");
        assert!(!pair.unharmed(|pair| pair.ours.try_lock(key, LONG)), "{key} is held");
        assert_eq!(pair.theirs.release(), "released", "{key}");
    });
}

/// Requirement 11. node-redlock and rslock send a release after every refusal: it must miss ours.
#[test]
fn what_we_hold_is_refused_to_them_and_stays_ours() {
    each_pair(|pair| {
        let key = pair.key;
        assert!(pair.ours.try_lock(key, LONG), "{key} is free");
        assert!(!pair.unharmed(|pair| pair.theirs.try_lock(key, LONG)), "{key} is held");
        assert_eq!(pair.ours.extend(LONG), "extended", "{key}");
        assert_eq!(pair.ours.release(), "released", "{key}");
    });
}

/// Requirement 11.
#[test]
fn what_one_releases_is_free_for_the_other_at_once() {
    each_pair(|pair| {
        let key = pair.key;
        for round in 0..3 {
            assert!(pair.theirs.try_lock(key, LONG), "{key}, round {round}: after ours");
            pair.token();
            assert_eq!(pair.theirs.release(), "released", "{key}");
            pair.expect_free();
            assert!(pair.ours.try_lock(key, LONG), "{key}, round {round}: after theirs");
            pair.token();
            assert_eq!(pair.ours.release(), "released", "{key}");
            pair.expect_free();
        }
    });
}

/// Requirement 11.
#[test]
fn what_one_extends_is_refused_to_the_other_for_longer() {
    each_pair(|pair| {
        let key = pair.key;
        assert!(pair.theirs.try_lock(key, LONG / 2), "{key} is free");
        assert_eq!(pair.theirs.extend(LONG), "extended", "{key}");
        let left = pair.ask(&["PTTL", key]).integer();
        assert!(left > Some(LONG.as_millis() as i64 / 2), "{key}: {left:?}");
        assert!(!pair.unharmed(|pair| pair.ours.try_lock(key, LONG)), "{key} is held");
        assert_eq!(pair.theirs.release(), "released", "{key}");

        assert!(pair.ours.try_lock(key, LONG), "{key} is free");
        pair.ask(&["PEXPIRE", key, "30000"]);
        assert_eq!(pair.ours.extend(LONG), "extended", "{key}");
        let left = pair.ask(&["PTTL", key]).integer();
        assert!(left > Some(LONG.as_millis() as i64 / 2), "{key}: {left:?}");
        assert!(!pair.unharmed(|pair| pair.theirs.try_lock(key, LONG)), "{key} is held");
        assert_eq!(pair.ours.release(), "released", "{key}");
    });
}

/// Requirement 11.
#[test]
fn what_they_let_expire_is_ours_and_they_can_neither_extend_nor_release_it() {
    each_pair(|pair| {
        let (key, make) = (pair.key, pair.make);
        let began = Instant::now();
        assert!(pair.theirs.try_lock(key, SHORT), "{key} is free");
        pair.takes_over(|pair| pair.ours);
        assert!(began.elapsed() + GRAIN >= SHORT, "{key} was taken while it was held");
        assert_eq!(pair.unharmed(|pair| pair.theirs.extend(LONG)), make.cannot_extend, "{key}");
        assert_eq!(pair.unharmed(|pair| pair.theirs.release()), make.cannot_release, "{key}");
        assert_eq!(pair.ours.extend(LONG), "extended", "{key}");
        assert_eq!(pair.ours.release(), "released", "{key}");
        pair.expect_free();
    });
}

/// Requirement 11.
#[test]
fn what_we_let_expire_is_theirs_and_we_can_neither_extend_nor_release_it() {
    each_pair(|pair| {
        let key = pair.key;
        let began = Instant::now();
        assert!(pair.ours.try_lock(key, SHORT), "{key} is free");
        pair.takes_over(|pair| pair.theirs);
        assert!(began.elapsed() + GRAIN >= SHORT, "{key} was taken while it was held");
        assert_eq!(pair.unharmed(|pair| pair.ours.extend(LONG)), "lost", "{key}");
        assert_eq!(pair.unharmed(|pair| pair.ours.release()), "not ours", "{key}");
        assert_eq!(pair.theirs.extend(LONG), "extended", "{key}");
        assert_eq!(pair.theirs.release(), "released", "{key}");
        pair.expect_free();
    });
}

/// Requirement 11. Here both believe that they hold it, so only the comparison on the server is left.
#[test]
fn what_somebody_deletes_and_the_other_takes_cannot_be_released() {
    each_pair(|pair| {
        let key = pair.key;
        assert!(pair.theirs.try_lock(key, LONG), "{key} is free");
        pair.ask(&["DEL", key]);
        assert!(pair.ours.try_lock(key, LONG), "{key} is free");
        let cannot_release = pair.make.cannot_release;
        assert_eq!(pair.unharmed(|pair| pair.theirs.release()), cannot_release, "{key}");

        let guarded = pair.token();
        pair.ask(&["DEL", key]);
        assert!(pair.theirs.try_lock(key, LONG), "{key} is free");
        assert_ne!(pair.token(), guarded, "{key}");
        assert_eq!(pair.unharmed(|pair| pair.ours.release()), "not ours", "{key}");
        assert_eq!(pair.theirs.release(), "released", "{key}");
    });
}

/// Two keys do not exclude each other: else the tests above could pass for the wrong reason.
#[test]
fn what_they_hold_of_another_key_is_nothing_to_us() {
    each_pair(|pair| {
        assert!(pair.theirs.try_lock("another", LONG), "free");
        assert!(pair.ours.try_lock(pair.key, LONG), "{} is free", pair.key);
        assert_eq!(pair.theirs.release(), "released");
        assert_eq!(pair.ours.release(), "released");
    });
}

/// Requirements 1 and 11: all five want one key again and again, each waiting in its own way. What
/// the lock guards is a number that none adds to in one step.
#[test]
fn five_clients_that_wait_for_one_key_are_never_inside_together() {
    const ROUNDS: u32 = 30;
    for kind in KINDS {
        let server = &Server::start(kind).unwrap_or_else(|error| panic!("{error}"));
        let theirs = THEIRS.iter().map(|make| (make.name, make.start));
        let inside = &AtomicU32::new(0);
        let clients: Vec<_> = theirs.chain(OURS).collect();
        thread::scope(|scope| {
            for (name, start) in &clients {
                scope.spawn(move || {
                    let mut client = start(&server.url());
                    for round in 0..ROUNDS {
                        client.wait_lock("shared", LONG);
                        let others = inside.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(others, 0, "{name} is not alone on {kind}, round {round}");
                        add_slowly(server, name);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        assert_eq!(client.release(), "released", "{name} on {kind}");
                    }
                });
            }
        });
        let count = |what: &str| server.command(&["GET", what]).expect("an answer").text();
        assert_eq!(count("total"), (ROUNDS * clients.len() as u32).to_string(), "{kind}");
        for (name, _) in &clients {
            assert_eq!(count(name), ROUNDS.to_string(), "{name} on {kind}");
        }
    }
}

/// One more in all and one more for this client, read and written apart, with time for others between.
fn add_slowly(server: &Server, name: &str) {
    let mut connection = server.inspect().expect("a connection");
    let mut ask = |question: &[&str]| connection.command(question).expect("an answer");
    for counter in ["total", name] {
        let before: u32 = ask(&["GET", counter]).text().parse().unwrap_or(0);
        thread::sleep(Duration::from_millis(1));
        ask(&["SET", counter, &(before + 1).to_string()]);
    }
}
