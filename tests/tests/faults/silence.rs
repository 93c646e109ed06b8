//! Faults that no server tells: time, memory and servers are gone without a word.

use core::time::Duration;
use std::thread;

use redlatch_std::{Error, Loss, Refusal, Renew};
use redlatch_testkit::proxy::{Behaviour, Proxy};
use redlatch_testkit::server::Data;

use super::stand::{LONG, Stand, eventually, everywhere, held, on_every_kind, refusal, start};

/// Asks every 60 ms, with [`LONG`] as the ttl.
const OFTEN: Renew = Renew { divisor: 1000, most: None };

/// Killed by an administrator, closed for idling, reset by something in between: it is connected again,
/// and the lock is held.
#[test]
fn f19_connections_are_killed() {
    everywhere(|stand| {
        let proxy = Proxy::start(stand.address()).expect("a port");
        let client = stand.builder_for(&proxy.url()).connect().expect("connected");
        let by_hand = || drop(stand.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]));
        let close = || proxy.close().expect("carried out");
        let reset = || proxy.reset().expect("carried out");
        for kill in [&by_hand as &dyn Fn(), &close, &reset] {
            let mut guard = held(&client, "key");
            kill();
            assert!(guard.extend().expect("ours") > LONG / 2);
            kill();
            let refused = || client.try_lock("key", LONG).is_ok_and(|other| other.is_none());
            eventually("somebody else is refused", refused);
            kill();
            assert!(guard.release().expect("answered") && stand.is_free("key"));
        }
        assert!(proxy.counters().accepted > 3, "{:?}", proxy.counters());
    });
}

/// The claim waits longer than its ttl: it is granted too late, is not believed, and is given back.
#[test]
fn f20_a_claim_is_granted_too_late() {
    const TTL: Duration = Duration::from_millis(300);
    everywhere(|stand| {
        let proxy = Proxy::start(stand.address()).expect("a port");
        let builder = stand.builder_for(&proxy.url()).reply_timeout(LONG);
        let client = builder.connect().expect("connected");
        stand.ask(&["CLIENT", "PAUSE", "20000", "WRITE"]);
        let sent = proxy.counters().bytes_up;
        let claiming = thread::spawn(move || client.try_lock("key", TTL).map(|it| (it, client)));
        assert!(proxy.wait_for(|now| now.bytes_up > sent, LONG));
        thread::sleep(TTL);
        stand.ask(&["CLIENT", "UNPAUSE"]);
        let (guard, client) = claiming.join().expect("no panic").expect("asked");
        assert!(guard.is_none(), "{guard:?}");
        assert!(client.shutdown(LONG), "it is given back");
        assert_eq!((stand.value("key"), stand.deletions()), (None, 1), "by us, not by its ttl");
    });
}

/// Locks are evicted like anything else. Who renews is told; who does not is still inside when the next
/// one comes: a server for locks needs `maxmemory-policy noeviction`, and nobody checks that yet.
#[test]
fn f21_eviction() {
    everywhere(|stand| {
        let client = stand.client();
        let renewed = held(&client.renewing(OFTEN), "renewed");
        let mut trusting = held(&client, "trusting");
        stand.set("maxmemory-policy", "volatile-ttl");
        stand.set("maxmemory", "1");
        assert_eq!(renewed.wait_lost(LONG), Some(Loss::Deleted));
        eventually("both are evicted", || stand.ask(&["DBSIZE"]).integer() == Some(0));
        stand.set("maxmemory", "0");

        let second = client.try_lock("trusting", LONG).expect("asked").expect("it is free");
        assert!(trusting.is_valid() && second.is_valid(), "the hole is there");
        assert!(matches!(trusting.extend(), Err(Error::Lost(Loss::Stolen))));
        assert!(!trusting.release().expect("answered"));
        assert!(second.release().expect("answered"), "and nobody took it from the second");
    });
}

/// A server forgets all. Who renews is told why; a cautious client waits until nothing that was
/// forgotten can be held any more.
#[test]
fn f22_crash_and_restart_without_data() {
    everywhere(|stand| {
        let client = stand.client();
        // The number of our connection must be out of reach of the next life of the server.
        for _ in 0..64 {
            drop(stand.inspect().expect("a connection of its own"));
        }
        let client_of_later = stand.builder().connect().expect("connected");
        let renewed = held(&client_of_later.renewing(OFTEN), "renewed");
        let trusting = held(&client, "trusting");
        stand.server.kill9().expect("it ran");
        stand.server.restart(Data::Lose).expect("the same port");
        assert_eq!(renewed.wait_lost(LONG), Some(Loss::ServerRestarted));
        let cautious = stand.builder().restart_delay(LONG).connect().expect("connected");
        assert_eq!(refusal(cautious.try_lock("trusting", LONG)), Refusal::Restarted);

        // In the line of its own client it would wait for the lease to end.
        let other = stand.client();
        let second = held(&other, "trusting");
        assert!(trusting.is_valid() && second.is_valid(), "the hole without a delay");
        assert!(!trusting.release().expect("answered"));
        assert!(second.release().expect("answered"));
    });
}

/// A master and its replica, behind a proxy that leads to the master.
struct Pair {
    master: Stand,
    replica: Stand,
    /// Between the two.
    replication: Proxy,
    front: Proxy,
}

impl Pair {
    /// The replica has all that was written so far. `WAIT` knows only of what its own connection wrote.
    fn catch_up(&self) {
        self.master.ask(&["SET", "last", "written"]);
        assert_eq!(self.master.ask(&["WAIT", "1", "20000"]).integer(), Some(1));
    }

    fn fail_over(&self) {
        self.replica.ask(&["REPLICAOF", "NO", "ONE"]);
        self.front.retarget(self.replica.address()).expect("carried out");
        self.front.reset().expect("carried out");
    }
}

fn on_every_pair(test: fn(Pair)) {
    on_every_kind(|kind, protocol| {
        let arguments = ["--repl-diskless-sync-delay", "0"];
        let master = Stand::new(start(kind, &arguments), protocol);
        let replica = Stand::new(start(kind, &arguments), protocol);
        let replication = Proxy::start(master.address()).expect("a port");
        let port = replication.address().port().to_string();
        replica.ask(&["REPLICAOF", "127.0.0.1", &port]);
        eventually("the link is up", || replica.info("master_link_status") == "up");
        let front = Proxy::start(master.address()).expect("a port");
        test(Pair { master, replica, replication, front });
    });
}

/// The replica that takes over knows nothing of the lock: said in the README, shown here.
#[test]
fn f23_fail_over_to_a_lagging_replica() {
    on_every_pair(|pair| {
        let [client, other] = [(); 2]
            .map(|()| pair.master.builder_for(&pair.front.url()).connect().expect("connected"));
        pair.replication.set(Behaviour::HALF_OPEN).expect("carried out");
        let renewed = held(&client.renewing(OFTEN), "renewed");
        let trusting = held(&client, "trusting");
        pair.fail_over();
        let loss = renewed.wait_lost(LONG);
        assert!(matches!(loss, Some(Loss::Deleted | Loss::ServerRestarted)), "{loss:?}");
        let second = held(&other, "trusting");
        assert!(trusting.is_valid() && second.is_valid(), "the hole is there");
        assert!(!trusting.release().expect("answered"));
        assert!(second.release().expect("answered"));
    });
}

/// A replica that kept up takes over, and nobody notices.
#[test]
fn f23_fail_over_to_a_replica_that_knows() {
    on_every_pair(|pair| {
        let client = pair.master.builder_for(&pair.front.url()).connect().expect("connected");
        let mut guard = held(&client, "key");
        pair.catch_up();
        pair.fail_over();
        assert!(guard.extend().expect("ours") > LONG / 2);
        assert!(guard.release().expect("answered") && pair.replica.is_free("key"));
    });
}

/// The name leads elsewhere. To a replica: it is refused on each connection. To another master: it does
/// not know our token, so the lock is lost, and nobody's key is touched.
#[test]
fn f50_the_address_leads_to_another_server() {
    on_every_pair(|pair| {
        let client = pair.master.builder_for(&pair.front.url()).connect().expect("connected");
        let mut guard = held(&client, "key");
        pair.catch_up();
        pair.front.retarget(pair.replica.address()).expect("carried out");
        pair.front.reset().expect("carried out");
        eventually("it is told", || {
            matches!(client.try_lock("key", LONG), Err(Error::Replica { .. }))
        });
        assert!(matches!(guard.extend(), Err(Error::NotExtended { .. })) && guard.is_valid());

        pair.replica.ask(&["REPLICAOF", "NO", "ONE"]);
        pair.replica.ask(&["SET", "key", "theirs"]);
        eventually("the other master is asked", || {
            client.try_lock("key", LONG).is_ok_and(|guard| guard.is_none())
        });
        assert!(matches!(guard.extend(), Err(Error::Lost(Loss::Stolen))));
        assert!(!guard.release().expect("answered"));
        assert_eq!(pair.replica.value("key").as_deref(), Some("theirs"));
    });
}
