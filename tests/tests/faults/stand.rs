//! What the tests of faults share: the servers, and questions to them.

use core::ops::Deref;
use core::time::Duration;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use redlatch_std::{Builder, Client, Delay, Error, Guard, Protocol, Refusal, Retry};
use redlatch_testkit::server::{Inspector, Kind, Server, Value};

/// A ttl that no test outlives.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// Within this everything that is bound to happen has happened.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One server, and the protocol that is spoken to it.
pub(crate) struct Stand {
    pub(crate) protocol: Protocol,
    pub(crate) server: Server,
    /// Open since the start, so that it also works when no connection can be made any more.
    inspector: Mutex<Inspector>,
}

/// Runs a test on every server in both protocols, at once.
pub(crate) fn everywhere(test: impl Fn(&mut Stand) + Sync) {
    everywhere_with(&[], test);
}

/// The same on servers that are started with these arguments.
pub(crate) fn everywhere_with(arguments: &[&str], test: impl Fn(&mut Stand) + Sync) {
    on_every_kind(|kind, protocol| test(&mut Stand::new(start(kind, arguments), protocol)));
}

/// Runs a test on every server, where the protocol is not for the test to choose.
pub(crate) fn on_every_server(start: impl Fn(Kind) -> Server + Sync, test: impl Fn(&Stand) + Sync) {
    on_every_kind(|kind, protocol| {
        if protocol == Protocol::default() {
            test(&Stand::new(start(kind), protocol));
        }
    });
}

/// Runs a test for every server and protocol, at once.
pub(crate) fn on_every_kind(test: impl Fn(Kind, Protocol) + Sync) {
    let test = &test;
    let pairs = Kind::ALL
        .into_iter()
        .flat_map(|kind| [Protocol::Resp2, Protocol::Resp3].map(|protocol| (kind, protocol)));
    thread::scope(|scope| {
        let running: Vec<_> = pairs
            .map(|(kind, protocol)| {
                // A panic names its thread.
                let thread = thread::Builder::new().name(format!("{kind}, {protocol:?}"));
                thread.spawn_scoped(scope, move || test(kind, protocol)).expect("a thread")
            })
            .collect();
        let failed = running.into_iter().filter_map(|thread| {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            thread.join().is_err().then_some(name)
        });
        let failed: Vec<_> = failed.collect();
        assert!(failed.is_empty(), "it failed on {failed:?}");
    });
}

/// A server of this kind, as it comes.
pub(crate) fn plain(kind: Kind) -> Server {
    start(kind, &[])
}

/// A server of this kind, with these arguments.
pub(crate) fn start(kind: Kind, arguments: &[&str]) -> Server {
    let server = Server::builder(kind).arguments(arguments.iter().copied()).start();
    server.unwrap_or_else(|error| panic!("{error}"))
}

impl Stand {
    pub(crate) fn new(server: Server, protocol: Protocol) -> Self {
        let inspector = Mutex::new(server.inspect().expect("a connection"));
        Self { protocol, server, inspector }
    }

    /// A builder for clients of this server, which connect again at once.
    pub(crate) fn builder(&self) -> Builder {
        self.builder_for(&self.server.url())
    }

    pub(crate) fn builder_for(&self, url: &str) -> Builder {
        let (base, cap) = (Duration::from_millis(1), Duration::from_millis(20));
        Client::builder().server(url).protocol(self.protocol).reconnect(base, cap)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().connect().expect("connected")
    }

    /// What the server answers, errors included.
    pub(crate) fn say(&self, question: &[&str]) -> Value {
        let mut inspector = self.inspector.lock().expect("no panic");
        inspector.command(question).expect("an answer")
    }

    /// What the server answers; an error fails the test.
    pub(crate) fn ask(&self, question: &[&str]) -> Value {
        let answer = self.say(question);
        assert!(!matches!(answer, Value::Error(_)), "{question:?}: {answer:?}");
        answer
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.ask(&["CONFIG", "SET", name, value]);
    }

    /// The value of the key: a token, if there is any. Looks again while the server is not able to say.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        match self.ask(&["GET", key]) {
            Value::Nil => None,
            value => Some(value.text()),
        }
    }

    pub(crate) fn is_free(&self, key: &str) -> bool {
        self.value(key).is_none()
    }

    /// How often this command was carried out, those that scripts call included.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let stats = self.ask(&["INFO", "commandstats"]).text();
        let line = format!("cmdstat_{command}:calls=");
        let count = stats.lines().find_map(|stat| stat.strip_prefix(&line)?.split(',').next());
        count.map_or(0, |count| count.parse().expect("a number"))
    }

    /// The command that a release is: the server's own one, where it has one.
    pub(crate) fn release_command(&self) -> &'static str {
        let known = |command: &&str| {
            let info = self.ask(&["COMMAND", "INFO", command]);
            info != Value::Nil && info != Value::Array(vec![Value::Nil])
        };
        ["DELIFEQ", "DELEX"].into_iter().find(known).unwrap_or("EVALSHA")
    }

    /// How often this command was refused before it was carried out; Redis 6.2 and later tell.
    pub(crate) fn rejected(&self, command: &str) -> u64 {
        let stats = self.ask(&["INFO", "commandstats"]).text();
        let line = format!("cmdstat_{command}:");
        let stat = stats.lines().find_map(|stat| stat.strip_prefix(&line));
        let count =
            stat.and_then(|stat| stat.split(',').find_map(|it| it.strip_prefix("rejected_calls=")));
        count.map_or(0, |count| count.parse().expect("a number"))
    }

    /// How often a release was carried out, or an extension by the same command.
    pub(crate) fn releases(&self) -> u64 {
        self.calls(&self.release_command().to_ascii_lowercase())
    }

    /// How often a key was deleted, or was to be deleted by the server's own compare-and-delete.
    pub(crate) fn deletions(&self) -> u64 {
        ["del", "delifeq", "delex"].map(|command| self.calls(command)).iter().sum()
    }

    /// A field of `INFO`.
    pub(crate) fn info(&self, field: &str) -> String {
        let info = self.ask(&["INFO", "everything"]).text();
        let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("no {field} in {info}")).trim_end().to_owned()
    }

    /// A whole cycle works, and leaves nothing.
    pub(crate) fn works(&self, client: &Client, key: &str) {
        let guard = client.lock_with(key, LONG, patient()).expect("it works again");
        assert!(self.value(key).is_some());
        assert!(guard.release().expect("answered"));
        assert!(self.is_free(key));
    }
}

impl Deref for Stand {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Tries often, and for as long as a test may take.
pub(crate) fn patient() -> Retry {
    let delay =
        Delay::Exponential { base: Duration::from_millis(2), cap: Duration::from_millis(50) };
    Retry { delay, retries: None, deadline: Some(PATIENCE) }
}

/// Takes a free lock.
#[track_caller]
pub(crate) fn held(client: &Client, key: &str) -> Guard {
    client.lock_with(key, LONG, patient()).expect("free")
}

/// The refusal that this error is about.
#[track_caller]
pub(crate) fn refusal<T>(outcome: Result<T, Error>) -> Refusal {
    match outcome.map(drop) {
        Err(Error::Refused { notice, .. }) => notice.refusal(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Waits for something that another thread or the server does; fails when it does not come.
#[track_caller]
pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
