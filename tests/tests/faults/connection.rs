//! Faults of the way between a client and a server: bytes that are lost, late, repeated or cut.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use redlatch_std::{Client, Error, Guard, Protocol};
use redlatch_testkit::proxy::{Behaviour, End, Proxy, Strike, Way};

use super::stand::{LONG, PATIENCE, Stand, eventually, everywhere, held, patient};

/// A reply timeout for tests in which replies fail to come.
const SOON: Duration = Duration::from_millis(200);

/// A client behind a proxy. Both scripts are known to the server.
fn through_proxy(stand: &Stand, reply_timeout: Duration) -> (Proxy, Client) {
    through_proxy_with(stand, reply_timeout, true)
}

fn through_proxy_with(stand: &Stand, reply_timeout: Duration, wake: bool) -> (Proxy, Client) {
    let proxy = Proxy::start(stand.address()).expect("a port");
    let builder = stand.builder_for(&proxy.url()).reply_timeout(reply_timeout).wake(wake);
    let client = builder.connect().expect("connected");
    let mut guard = held(&client, "warm");
    guard.extend().expect("ours");
    assert!(guard.release().expect("answered"));
    (proxy, client)
}

/// Gives a lock back while a strike is under way: its reply may be lost, its key is not left.
fn give_back(stand: &Stand, proxy: &Proxy, guard: Guard, strike: &str) {
    let released = guard.release();
    assert!(matches!(released, Ok(true) | Err(Error::Unconfirmed)), "{strike}: {released:?}");
    eventually("it is given back", || stand.is_free("key"));
    eventually("the strikes have happened", || proxy.counters().pending == 0);
}

/// An error that no table knows leaves everything open: here the request was carried out. It is taken for
/// neither a yes nor a no, the lock is had in the end, and nothing is left.
#[test]
fn f26_an_error_that_nobody_knows() {
    everywhere(|stand| {
        for line in ["-ERR something new\r\n", "-NEWCODE of a later version\r\n", "-\r\n"] {
            // It ends the use of the server's own release command on its connection.
            let (proxy, client) = through_proxy(stand, SOON);
            for command in ["SET", "GET", stand.release_command()] {
                let strike = Strike::Replace(line.into());
                proxy.strike_on(command, strike.clone()).expect("carried out");
                let guard = client.lock_with("key", LONG, patient()).expect("had in the end");
                let token = stand.value("key").expect("it is held");
                assert_eq!(token.len(), 40, "{command} {line:?}");
                give_back(stand, &proxy, guard, &format!("{command} {line:?}"));

                let mut guard = held(&client, "key");
                proxy.strike_on("EVALSHA", strike).expect("carried out");
                let extended = guard.extend();
                assert!(
                    matches!(extended, Ok(_) | Err(Error::NotExtended { .. })),
                    "{line:?}: {extended:?}"
                );
                assert!(guard.is_valid(), "{line:?}");
                assert!(guard.release().expect("answered"), "{line:?}");
            }
        }
        assert!(stand.is_free("key"));
    });
}

/// Ways to lose a reply whose request was carried out.
fn losses() -> Vec<Strike> {
    let ends = [End::Close, End::Reset, End::Silence];
    ends.into_iter().flat_map(|end| [0, 3].map(|bytes| Strike::Cut { bytes, end })).collect()
}

/// Applied, and the reply is lost: the key is read back and the lock is had, or the key is given back
/// and taken anew. Either way its validity counts from before it was first asked for.
#[test]
fn f30_the_reply_to_a_claim_is_lost() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        for command in ["SET", "GET"] {
            for loss in losses() {
                proxy.strike_on(command, loss.clone()).expect("carried out");
                let begun = Instant::now();
                let guard = client.lock_with("key", LONG, patient()).expect("had in the end");
                let left = stand.ask(&["PTTL", "key"]).integer().expect("a number");
                let left = Duration::from_millis(left.unsigned_abs());
                assert!(guard.validity() < left, "{command} {loss:?}: {guard:?}, {left:?} left");
                assert!(guard.validity() + Duration::from_millis(600) <= LONG, "the drift is off");
                assert!(begun.elapsed() < PATIENCE && proxy.counters().pending == 0);
                assert!(guard.release().expect("answered"), "{command} {loss:?}");
                eventually("nothing is left", || stand.is_free("key"));
            }
        }
    });
}

/// The release or the extension was carried out, and its reply is lost: it is asked again, and never
/// is said that the lock was not ours.
#[test]
fn f30_the_reply_to_a_script_is_lost() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        for loss in losses() {
            let mut guard = held(&client, "key");
            proxy.strike_on("EVALSHA", loss.clone()).expect("carried out");
            let extended = guard.extend();
            assert!(
                matches!(extended, Ok(_) | Err(Error::NotExtended { .. })),
                "{loss:?}: {extended:?}"
            );
            assert!(guard.is_valid(), "{loss:?}");
            proxy.strike_on(stand.release_command(), loss.clone()).expect("carried out");
            give_back(stand, &proxy, guard, &format!("{loss:?}"));
        }
        stand.works(&client, "key");
    });
}

/// The connection dies and the claim is still on its way. Meanwhile the caller has the lock over the next
/// connection, and gives it back. Then the old claim arrives, behind the release that was sent for it:
/// that one is repeated once a reply timeout has passed since the claim. Whatever takes longer on its way
/// is left to its ttl.
#[test]
fn f31_a_claim_arrives_after_its_release() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, Duration::from_secs(3));
        let releases = stand.releases();
        proxy.hold().expect("carried out");
        let asking = {
            let client = client.clone();
            thread::spawn(move || client.lock_with("key", LONG, patient()))
        };
        assert!(proxy.wait_for(|now| now.held > 0, PATIENCE));
        proxy.forsake().expect("carried out");
        let guard = asking.join().expect("no panic").expect("had over the next connection");
        assert!(stand.releases() > releases, "the claim in doubt was released");
        assert!(guard.release().expect("answered") && stand.is_free("key"));

        let claims = stand.calls("set");
        proxy.let_go().expect("the server takes it");
        assert!(stand.calls("set") > claims, "the claim has come");
        eventually("it is given back", || stand.is_free("key"));
        assert!(client.shutdown(LONG), "nothing is owed any more");
    });
}

/// The same while the lock is held: the old claim finds the key taken.
#[test]
fn f31_a_claim_arrives_while_the_next_one_holds() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        proxy.hold().expect("carried out");
        let asking = {
            let client = client.clone();
            thread::spawn(move || client.lock_with("key", LONG, patient()))
        };
        assert!(proxy.wait_for(|now| now.held > 0, PATIENCE));
        proxy.forsake().expect("carried out");
        let mut guard = asking.join().expect("no panic").expect("had over the next connection");
        let token = stand.value("key");
        proxy.let_go().expect("the server takes it");
        assert_eq!(stand.value("key"), token);
        assert!(guard.extend().expect("ours") > LONG / 2);
        assert!(guard.release().expect("answered") && stand.is_free("key"));
    });
}

/// A release that comes late, over a connection that is long dead, finds the token of somebody else.
#[test]
fn f39_a_late_release_leaves_the_next_lock_alone() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        let guard = held(&client, "key");
        proxy.hold().expect("carried out");
        let releasing = thread::spawn(move || guard.release());
        assert!(proxy.wait_for(|now| now.held > 0, PATIENCE));
        proxy.forsake().expect("carried out");
        let released = releasing.join().expect("no panic");
        assert!(matches!(released, Ok(true) | Err(Error::Unconfirmed)), "{released:?}");
        eventually("it is released over a new connection", || stand.is_free("key"));

        let next = held(&client, "key");
        let (token, scripts) = (stand.value("key"), stand.releases());
        proxy.let_go().expect("the server takes it");
        assert!(stand.releases() > scripts, "the old release has come");
        assert_eq!(stand.value("key"), token);
        assert!(next.release().expect("answered") && stand.is_free("key"));
    });
}

fn surplus(bytes: &[u8]) -> Strike {
    Strike::Garbage { at: 0, bytes: bytes.to_vec() }
}

/// Ways to get out of step that show at once.
fn confusions() -> [Strike; 6] {
    [
        Strike::Duplicate,
        Strike::Swallow,
        surplus(b"+OK\r\n"),
        surplus(b":1\r\n"),
        surplus(b"?"),
        Strike::Garbage { at: 2, bytes: b"\r\n\r\n".to_vec() },
    ]
}

/// A reply twice, or one that belongs to nothing: never is that taken for a grant.
#[test]
fn f40_replies_out_of_step_do_not_acquire() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        stand.ask(&["SET", "key", "somebody else"]);
        for command in ["SET", "GET"] {
            for strike in confusions().into_iter().chain([surplus(b"$-1\r\n")]) {
                proxy.strike_on(command, strike.clone()).expect("carried out");
                while proxy.counters().pending > 0 {
                    let outcome = client.try_lock("key", LONG);
                    assert!(!matches!(outcome, Ok(Some(_))), "{command} {strike:?}: {outcome:?}");
                }
            }
        }
        assert!(proxy.counters().accepted > 1, "connections were given up");
        assert_eq!(stand.value("key").as_deref(), Some("somebody else"));
    });
}

/// And of a free key nothing is left behind.
#[test]
fn f40_replies_out_of_step_leave_nothing() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        for command in ["SET", "GET", stand.release_command()] {
            for strike in confusions() {
                proxy.strike_on(command, strike.clone()).expect("carried out");
                let guard = client.lock_with("key", LONG, patient()).expect("had in the end");
                give_back(stand, &proxy, guard, &format!("{command} {strike:?}"));
            }
        }
    });
}

fn null(stand: &Stand) -> Strike {
    surplus(match stand.protocol {
        Protocol::Resp2 => b"$-1\r\n",
        _ => b"_\r\n",
    })
}

/// A null in front of the `OK` to a claim says that somebody else has the key. It is believed, and the
/// `OK` shows that replies are out of step: the key is given back.
#[test]
fn f40_a_surplus_null_leaves_nothing() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        let claims = stand.calls("set");
        proxy.strike_on("SET", null(stand)).expect("carried out");
        assert!(client.try_lock("key", LONG).expect("asked").is_none());
        assert_eq!(stand.calls("set"), claims + 1, "the claim was carried out");
        eventually("it is given back", || stand.is_free("key"));
        assert!(proxy.counters().accepted > 1, "its connection was given up");
        stand.works(&client, "key");
    });
}

/// A waiter that polls sends its claim alone. By the time the `OK` shows that the null was none of its own, nobody
/// waits for a reply any more: nobody holds the key twice, and it is left to its ttl.
#[test]
fn f40_a_surplus_null_costs_a_waiter_a_ttl() {
    const TTL: Duration = Duration::from_millis(800);
    everywhere(|stand| {
        let (proxy, client) = through_proxy_with(stand, SOON, false);
        stand.ask(&["SET", "key", "somebody else"]);
        let claims = stand.calls("set");
        let waiter = {
            let client = client.clone();
            thread::spawn(move || client.lock_with("key", TTL, patient()).map(|it| it.release()))
        };
        eventually("it waits", || stand.calls("set") > claims + 2);
        proxy.set(Behaviour { up: Way::STOPPED, ..Behaviour::CARRY }).expect("carried out");
        stand.ask(&["DEL", "key"]);
        proxy.strike_on("SET", null(stand)).expect("carried out");
        proxy.set(Behaviour::CARRY).expect("carried out");
        let released = waiter.join().expect("no panic").expect("had in the end");
        assert!(released.expect("answered"));
        assert_eq!(proxy.counters().pending, 0);
        eventually("nothing is left", || stand.is_free("key"));
    });
}

/// Half a request is sent when the connection dies. The half is nothing to the server, and what comes
/// then goes over another connection.
#[test]
fn f49_half_a_request_is_sent() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        let claims = stand.calls("set");
        let sent = proxy.counters().bytes_up;
        let slow = Way { pace: Some(Duration::from_millis(1)), ..Way::CARRY };
        proxy.set(Behaviour { up: slow, ..Behaviour::CARRY }).expect("carried out");
        let asking = {
            let client = client.clone();
            thread::spawn(move || client.try_lock("key", LONG).map(drop))
        };
        assert!(proxy.wait_for(|now| now.bytes_up >= sent + 20, PATIENCE));
        proxy.reset().expect("carried out");
        proxy.set(Behaviour::CARRY).expect("carried out");
        let _ = asking.join().expect("no panic");
        eventually("nothing is left of it", || stand.is_free("key"));
        stand.works(&client, "key");
        assert!(proxy.counters().accepted > 1, "{:?}", proxy.counters());
        assert!(stand.calls("set") <= claims + 2, "one for each attempt that was whole");
    });
}

/// A connection on which a reply did not come in time is never used again: its replies come too late.
#[test]
fn f49_a_silent_connection_is_not_used_again() {
    everywhere(|stand| {
        let (proxy, client) = through_proxy(stand, SOON);
        proxy.set(Behaviour { down: Way::STOPPED, ..Behaviour::CARRY }).expect("carried out");
        let outcome = client.try_lock("key", LONG);
        assert!(matches!(outcome, Err(Error::Silent { .. })), "{outcome:?}");
        proxy.set(Behaviour::CARRY).expect("carried out");
        stand.works(&client, "key");
        assert!(proxy.counters().accepted > 1, "{:?}", proxy.counters());
        eventually("nothing is left", || stand.is_free("key"));
    });
}
