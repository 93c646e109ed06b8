//! The same on real servers: what the model server cannot be wrong about.

mod common;

use core::time::Duration;
use std::thread;
use std::time::Instant;

use common::{LONG, eventually};
use redlatch_std::{Client, Error, Protocol, Retry};
use redlatch_testkit::server::{Data, Kind, Server};

fn is_free(server: &Server) -> bool {
    server.command(&["EXISTS", "key"]).expect("answered").integer() == Some(0)
}

#[test]
fn a_lock_works_on_every_server() {
    for kind in Kind::ALL {
        let server = Server::builder(kind).password("secret").unix_socket().start();
        let server = server.expect("installed");
        let path = server.unix_path().expect("asked for");
        let unix = format!("unix://{}?password=secret", path.display());
        for (url, protocol) in [(server.url(), Protocol::Resp2), (unix, Protocol::Resp3)] {
            let builder = Client::builder().server(&url).protocol(protocol).name("redlatch");
            let client = builder.connect().expect("connected");
            let mut guard = client.lock("key", Duration::from_secs(5)).expect("free");
            assert!(client.try_lock("key", LONG).expect("asked").is_none());
            assert!(guard.extend().expect("ours") > Duration::from_secs(4));
            assert!(guard.release().expect("answered"), "{kind:?}");
            assert!(is_free(&server));
            drop(client.lock("key", LONG).expect("free"));
            eventually("the key is given back", || is_free(&server));
        }
        let wrong = server.url().replace("secret", "sentinel");
        let error = Client::connect(&wrong).map(drop).expect_err("wrong password");
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("sentinel"), "{error}");
    }
}

/// Frozen, killed and started again, while somebody waits and somebody gives up.
#[test]
fn a_client_survives_what_happens_to_its_server() {
    let mut server = Server::start(Kind::Redis7).expect("installed");
    let client = Client::connect(&server.url()).expect("connected");
    let held = client.lock("key", LONG).expect("free");
    server.pause().expect("it runs");
    let began = Instant::now();
    let error = client.try_lock("other", LONG).expect_err("frozen");
    assert!(matches!(error, Error::Silent { .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    server.resume().expect("it runs");
    eventually("the late claim is given back", || {
        server.command(&["EXISTS", "other"]).expect("answered").integer() == Some(0)
    });
    let waiter = {
        let client = client.clone();
        thread::spawn(move || client.lock_with("key", LONG, Retry::until(LONG))?.release())
    };
    server.kill9().expect("it runs");
    server.restart(Data::Lose).expect("the same port");
    assert!(waiter.join().expect("no panic").expect("answered"));
    assert!(!held.release().expect("answered"), "the server forgot it");
}
