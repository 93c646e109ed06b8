//! Servers, a client, and what must be so after each drop.

use core::time::Duration;
use std::collections::BTreeSet;

use redlatch_futures::{Client, Delay, Retry, Runtime};
use redlatch_testkit::model::{Change, Fault, ModelServer, Rule};

use crate::async_faces::{LONG, STRANGER, eventually, is_held, server, sessions, steal, urls};

/// What goes wrong while the future runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Calm,
    /// Each reply comes two milliseconds late: what was asked is done, and not yet known.
    Late,
    /// Some request is carried out, and the connection ends without its reply.
    Dying {
        /// So many requests pass before it.
        after: u32,
    },
    /// The connection ends with the first request, which is not carried out.
    Deaf,
}

impl Weather {
    /// Whether the connection must survive it.
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Self::Calm | Self::Late)
    }

    fn rule(self) -> Option<Rule> {
        match self {
            Self::Calm => None,
            Self::Late => Some(Rule::next(Fault::Delay { hold: 2_000 }).forever()),
            Self::Dying { after } => Some(Rule::next(Fault::CloseAfter).after(after)),
            Self::Deaf => Some(Rule::next(Fault::CloseBefore)),
        }
    }
}

/// Servers, and a client of them that sees all drops.
pub(crate) struct World<R: Runtime> {
    pub(crate) servers: Vec<ModelServer>,
    pub(crate) client: Client<R>,
    pub(crate) weather: Weather,
}

/// It connects again soon, however often its connections die.
async fn client<R: Runtime>(servers: &[ModelServer]) -> Client<R> {
    let (base, cap) = (Duration::from_millis(1), Duration::from_millis(5));
    let builder = Client::<R>::builder().servers(&urls(servers)).reconnect(base, cap);
    builder.connect().await.expect("connected")
}

/// Waits for as long as it takes, and asks often.
pub(crate) fn patient() -> Retry {
    Retry { delay: Delay::Fixed(Duration::from_millis(3)), retries: None, deadline: Some(LONG) }
}

impl<R: Runtime> World<R> {
    pub(crate) async fn new(servers: usize, weather: Weather) -> Self {
        let servers: Vec<_> = (0..servers).map(|_| server()).collect();
        let client = client(&servers).await;
        Self { servers, client, weather }
    }

    /// Another client, with connections of its own.
    pub(crate) async fn connect(&self) -> Client<R> {
        client(&self.servers).await
    }

    /// The weather begins.
    pub(crate) fn trouble(&self) {
        for server in &self.servers {
            if let Some(rule) = self.weather.rule() {
                server.with(|server| server.fail(rule));
            }
        }
    }

    /// Somebody else takes the key, on all servers.
    pub(crate) fn steal(&self, key: &str, ttl: Duration) {
        self.servers.iter().for_each(|server| steal(server, key, ttl));
    }

    /// Somebody else still has it everywhere, and gives it back.
    pub(crate) fn give_back_stolen(&self, key: &str) {
        for server in &self.servers {
            let value = server.with(|server| server.get(0, key.as_bytes()).cloned());
            let value = value.and_then(|value| value.text().map(<[u8]>::to_vec));
            assert_eq!(value.as_deref(), Some(STRANGER), "{key}");
        }
        self.delete(key);
    }

    /// Somebody deletes the key, whosesoever it is.
    pub(crate) fn delete(&self, key: &str) {
        self.servers.iter().for_each(|server| {
            server.with(|server| server.remove(0, key.as_bytes()));
        });
    }

    /// What the key has left on the server that will lose it last.
    pub(crate) fn remaining(&self, key: &str) -> Duration {
        let left = |server: &ModelServer| server.with(|server| server.remaining(0, key.as_bytes()));
        self.servers.iter().filter_map(left).max().unwrap_or_default()
    }

    /// Connections that were ever made.
    pub(crate) fn connections(&self) -> u64 {
        self.servers.iter().map(|server| server.with(|server| server.connections())).sum()
    }

    /// Nothing of ours is left, the next lock works, and nobody else's connections are there.
    pub(crate) async fn expect_in_order(&self, key: &str) {
        self.expect_gone(key).await;
        self.servers.iter().for_each(|server| server.with(|server| server.heal()));
        let guard = self.client.lock_with(key, LONG, patient()).await;
        let guard = guard.unwrap_or_else(|error| panic!("{key}: the next lock: {error}"));
        assert!(guard.is_valid(), "{key}");
        let released = guard.release().await;
        assert_eq!(released.ok(), Some(true), "{key}: the release of the next lock");
        self.expect_gone(key).await;
        for server in &self.servers {
            eventually(&format!("{key}: one connection"), || sessions(server) == 1).await;
        }
    }

    async fn expect_gone(&self, key: &str) {
        for server in &self.servers {
            eventually(&format!("{key} is free"), || !is_held(server, key)).await;
        }
    }

    /// Whatever was dropped, every lock was given back by its owner and none was left to its ttl.
    pub(crate) async fn end(self) {
        assert!(self.client.shutdown(LONG).await, "everything is given back");
        for server in &self.servers {
            eventually("the connection is closed", || sessions(server) == 0).await;
            server.with(|server| {
                assert_eq!(server.keys(0).count(), 0);
                assert_eq!(server.forgotten_effects(), 0, "the history is whole");
                let ours = server.effects().iter().filter(|effect| effect.token != STRANGER);
                let (mut held, mut locks) = (BTreeSet::new(), 0);
                for effect in ours {
                    let lock = (&effect.key, &effect.token);
                    match effect.change {
                        Change::Set(_) => {
                            assert!(held.insert(lock), "taken twice: {effect:?}");
                            locks += 1;
                        }
                        Change::Deleted => assert!(held.remove(&lock), "not held: {effect:?}"),
                        Change::Extended(_) => assert!(held.contains(&lock), "{effect:?}"),
                        Change::Expired | Change::Lost => panic!("left behind: {effect:?}"),
                    }
                }
                assert!(held.is_empty() && locks > 20, "{locks} locks, still there: {held:?}");
            });
        }
    }
}
