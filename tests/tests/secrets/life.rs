//! The whole life of locks and clients, and what they show at every moment of it.

use core::fmt::Debug;
use core::time::Duration;

use redlatch_futures::{Error, Retry};
use redlatch_testkit::proxy::{Behaviour, End, Proxy, Strike};
use redlatch_testkit::server::{Kind, Server};

use super::exhibits::{ENCODED, Exhibits, PASSWORD};
use crate::async_faces::{AsyncStd, Face, Smol, Tokio, eventually};

const TTL: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(200);

/// A server that wants the password, and a proxy in front of it.
fn stand(kind: Kind) -> (Server, Proxy, String) {
    // Its own client of the kit sends the password as it is.
    let server = Server::builder(kind).password(PASSWORD).start();
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    let proxy = Proxy::start(server.address()).expect("a port");
    let url = proxy.url().replace("//", &format!("//:{ENCODED}@"));
    (server, proxy, url)
}

/// Ways to make the server say no to a claim, and to take that back.
const REFUSALS: [[&[&str]; 2]; 3] = [
    [&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]],
    [&["ACL", "SETUSER", "default", "-set"], &["ACL", "SETUSER", "default", "+set"]],
    [
        &["CONFIG", "SET", "min-replicas-to-write", "1"],
        &["CONFIG", "SET", "min-replicas-to-write", "0"],
    ],
];

/// The life of a client and of its locks. It is written once: `$wait` is `.await`, or nothing.
macro_rules! life {
    ($exhibits:ident, $what:expr, $connect:expr, $server:ident, $proxy:ident, [$($wait:tt)*]) => {{
        let mut debug = |value: &dyn Debug| $exhibits.debug($what, &value);
        let client = $connect$($wait)*.expect("the password is right");
        debug(&client);
        debug(&client.servers());
        let mut guard = client.lock("key", TTL)$($wait)*.expect("free");
        debug(&guard);
        debug(guard.key());

        let mut errors: Vec<Error> = Vec::new();
        let mut failed = |error: Option<Error>| errors.push(error.expect("it fails"));
        failed(client.lock_with("key", TTL, Retry::until(SOON))$($wait)*.err());
        failed(client.lock("key", Duration::ZERO)$($wait)*.err());
        for [on, off] in REFUSALS {
            let _ = $server.command(on).expect("an answer");
            let error = client.try_lock("other", TTL)$($wait)*.err();
            assert!(matches!(error, Some(Error::Refused { .. })), "{error:?}");
            failed(error);
            let _ = guard.extend()$($wait)*.map_err(|error| failed(Some(error)));
            let _ = $server.command(off).expect("an answer");
        }

        $proxy.set(Behaviour::HALF_OPEN).expect("carried out");
        failed(client.try_lock("other", TTL)$($wait)*.err());
        failed(guard.extend()$($wait)*.err());
        debug(&client.servers());
        $proxy.set(Behaviour::CARRY).expect("carried out");
        for strike in strikes() {
            $proxy.strike_on("SET", strike).expect("carried out");
            let _ = client.try_lock("other", TTL)$($wait)*.map_err(|error| failed(Some(error)));
            let other = client.lock_with("other", TTL, Retry::until(TTL))$($wait)*;
            let _ = other.expect("had in the end").release()$($wait)*;
        }

        let _ = $server.command(&["SET", "key", "theirs"]).expect("an answer");
        failed(guard.extend()$($wait)*.err());
        assert!(!guard.is_valid(), "it is stolen");
        debug(&guard);
        let other = client.lock("detached", TTL)$($wait)*.expect("free");
        debug(&other.detach().expect("held"));
        $proxy.set(Behaviour::REFUSE).expect("carried out");
        $proxy.reset().expect("carried out");
        failed(client.try_lock("other", TTL)$($wait)*.err());
        debug(&client);
        let late = client.clone();
        let _ = client.shutdown(SOON)$($wait)*;
        failed(late.try_lock("key", TTL)$($wait)*.err());
        debug(&late);
        errors.iter().for_each(|error| $exhibits.error($what, error));
    }};
}

/// Replies that are none, with the password in them.
fn strikes() -> [Strike; 4] {
    let garbage = |at, text: String| Strike::Garbage { at, bytes: text.into_bytes() };
    [
        garbage(0, format!("+{PASSWORD}\r\n")),
        garbage(0, format!("-ERR {PASSWORD}\r\n")),
        garbage(1, PASSWORD.to_owned()),
        Strike::Cut { bytes: 1, end: End::Reset },
    ]
}

fn on_face<F: Face>(exhibits: &mut Exhibits, what: &str, kind: Kind) {
    let (server, proxy, url) = stand(kind);
    let pause = Duration::from_millis(1);
    let builder = redlatch_futures::Client::<F::Runtime>::builder().server(&url);
    let builder = builder.reply_timeout(SOON).reconnect(pause, pause);
    exhibits.debug(what, &builder);
    F::start().block_on(async {
        life!(exhibits, what, builder.connect(), server, proxy, [.await]);
        eventually("the connection is closed", || proxy.counters().open == 0).await;
    });
}

#[test]
fn nothing_that_lives_shows_a_secret() {
    let mut exhibits = Exhibits::open();
    for kind in Kind::ALL {
        let (server, proxy, url) = stand(kind);
        let pause = Duration::from_millis(1);
        let builder = redlatch_std::Client::builder().server(&url);
        let builder = builder.reply_timeout(SOON).reconnect(pause, pause);
        exhibits.debug("std", &builder);
        life!(exhibits, "std", builder.connect(), server, proxy, []);
    }
    on_face::<Tokio>(&mut exhibits, "tokio", Kind::Redis8);
    on_face::<Smol>(&mut exhibits, "smol", Kind::Valkey9);
    on_face::<AsyncStd>(&mut exhibits, "async-std", Kind::Redis6);
    let log = exhibits.log();
    for told in ["acquired", "lost", "not connected", "TRACE", "WARN"] {
        assert!(log.contains(told), "the log tells {told}");
    }
    exhibits.close();
}
