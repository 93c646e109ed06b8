//! Faults of some of several servers, of all versions at once.

use core::time::Duration;
use std::time::Instant;

use redlatch_std::{Client, Error, Protocol, Retry};
use redlatch_testkit::proxy::{Behaviour, Proxy};
use redlatch_testkit::server::Kind;

use super::stand::{LONG, Stand, eventually, start};

/// Behind a proxy each.
struct Servers(Vec<(Stand, Proxy)>);

impl Servers {
    /// All versions, and again from the first.
    fn start(count: usize, protocol: Protocol) -> Self {
        let kinds = Kind::ALL.into_iter().cycle().take(count);
        let stands = kinds.map(|kind| {
            let stand = Stand::new(start(kind, &[]), protocol);
            let proxy = Proxy::start(stand.address()).expect("a port");
            (stand, proxy)
        });
        Self(stands.collect())
    }

    fn client(&self, reply_timeout: Duration) -> Client {
        let urls: Vec<_> = self.0.iter().map(|(_, proxy)| proxy.url()).collect();
        let protocol = self.0[0].0.protocol;
        let builder = Client::builder().servers(&urls.join(",")).protocol(protocol);
        let (base, cap) = (Duration::from_millis(1), Duration::from_millis(20));
        let builder = builder.reply_timeout(reply_timeout).reconnect(base, cap);
        let client = builder.connect().expect("connected");
        let all = || client.servers().iter().all(|server| server.connected);
        eventually("all are connected", all);
        client
    }

    fn set(&self, behaviours: &[Behaviour]) {
        for ((_, proxy), behaviour) in self.0.iter().zip(behaviours) {
            proxy.set(*behaviour).expect("carried out");
            if *behaviour == Behaviour::REFUSE {
                proxy.reset().expect("carried out");
            }
        }
    }

    fn holding(&self, key: &str) -> usize {
        self.0.iter().filter(|(stand, _)| !stand.is_free(key)).count()
    }
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Resp2, Protocol::Resp3];

/// A tie is settled at once, by a majority of the configured number.
#[test]
fn f41_a_tie() {
    for protocol in PROTOCOLS {
        for count in [2, 4] {
            let servers = Servers::start(count, protocol);
            let client = servers.client(LONG);
            for (stand, _) in &servers.0[..count / 2] {
                stand.ask(&["SET", "key", "somebody else"]);
            }
            let begun = Instant::now();
            assert!(client.try_lock("key", LONG).expect("asked").is_none());
            assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
            eventually("what was won is given back", || servers.holding("key") == count / 2);
        }
    }
}

/// One accepts and never answers, one is gone: the three others decide, as fast as they answer.
#[test]
fn f42_a_hung_server() {
    for protocol in PROTOCOLS {
        let servers = Servers::start(5, protocol);
        let client = servers.client(LONG);
        servers.set(&[Behaviour::HALF_OPEN, Behaviour::REFUSE]);
        // What is sent into a connection that is dead is in doubt, and owed for a reply timeout.
        eventually("it is noticed", || !client.servers()[1].connected);
        let begun = Instant::now();
        let mut guard = client.try_lock("key", LONG).expect("asked").expect("free");
        guard.extend().expect("three are enough");
        assert_eq!(servers.holding("key"), 3);
        assert!(guard.release().expect("three are enough"));
        assert!(begun.elapsed() < LONG / 2, "nobody waits for the silent: {:?}", begun.elapsed());
        servers.set(&[Behaviour::CARRY, Behaviour::CARRY]);
        eventually("the hung one is given its release", || servers.holding("key") == 0);
    }
}

/// Too many are gone or hang: an error that says so, within the deadline, and nothing is kept.
#[test]
fn f43_all_servers_are_down() {
    const REPLY: Duration = Duration::from_millis(200);
    for protocol in PROTOCOLS {
        let servers = Servers::start(3, protocol);
        let client = servers.client(REPLY);
        for gone in [
            [Behaviour::REFUSE; 3],
            [Behaviour::HALF_OPEN; 3],
            [Behaviour::REFUSE, Behaviour::HALF_OPEN, Behaviour::CARRY],
        ] {
            servers.set(&gone);
            let begun = Instant::now();
            let outcome = client.try_lock("key", LONG);
            let Err(Error::Unavailable { tally, causes }) = &outcome else { panic!("{outcome:?}") };
            assert!(tally.configured == 3 && causes.len() >= 2, "{outcome:?}");
            let bounded = Retry::until(REPLY);
            let outcome = client.lock_with("key", LONG, bounded);
            assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
            assert!(begun.elapsed() < REPLY * 20, "{:?}", begun.elapsed());
            servers.set(&[Behaviour::CARRY; 3]);
            eventually("nothing is kept", || servers.holding("key") == 0);
            eventually("all are connected again", || {
                client.servers().iter().all(|server| server.connected)
            });
        }
        let guard = client.lock("key", LONG).expect("it works again");
        assert!(guard.release().expect("answered"));
    }
}
