//! TLS on every adapter, against a real Redis: who is let in and who is not, and why. Security S6.

mod async_faces;
#[path = "tls/authority.rs"]
mod authority;
#[path = "tls/drip.rs"]
mod drip;
#[path = "tls/guarded.rs"]
mod guarded;

use core::time::Duration;
use std::thread;

use async_faces::{Face, LONG, on_every_face};
use authority::{Authority, Identity, self_signed};
use guarded::Guarded;
use redlatch_futures::{
    Cause, Client, ConfigError, Delay, Error, Guard, Key, Retry, Tls, TlsFault,
};
use redlatch_testkit::server::{Kind, Server};

const LOCALHOST: &[&str] = &["localhost", "127.0.0.1"];

on_every_face! {
    the_right_chain_is_accepted_under_every_name_it_holds;
    every_wrong_server_is_refused_with_its_reason;
    a_client_certificate_is_shown_to_whoever_wants_one;
    a_hundred_tasks_over_one_encrypted_connection_are_exclusive;
    an_encrypted_connection_that_dies_is_replaced;
    keys_of_every_length_cross_the_records_of_tls;
    records_that_come_byte_by_byte_are_put_together;
}

fn trusting(root: &str) -> Tls {
    Tls::new().roots(root.as_bytes()).expect("a root")
}

async fn connect<F: Face>(url: &str, tls: &Tls) -> Result<Client<F::Runtime>, Error> {
    let pause = Duration::from_millis(1);
    let builder = Client::<F::Runtime>::builder().server(url).tls(tls.clone());
    builder.connect_timeout(Duration::from_secs(10)).reconnect(pause, pause).connect().await
}

fn connect_std(url: &str, tls: &Tls) -> Result<redlatch_std::Client, Error> {
    let builder = redlatch_std::Client::builder().server(url).tls(tls.clone());
    builder.connect_timeout(Duration::from_secs(10)).connect()
}

#[track_caller]
fn expect_fault<C: core::fmt::Debug>(connected: Result<C, Error>, expected: TlsFault) {
    let error = connected.expect_err("refused");
    let fault = match &error {
        Error::Connect { cause: Cause::Tls(fault), .. } => *fault,
        other => panic!("{expected:?}: {other}"),
    };
    assert_eq!(fault, expected);
    assert!(error.to_string().contains(&fault.to_string()), "{error}");
}

fn the_right_chain_is_accepted_under_every_name_it_holds<F: Face>() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    let (face, tls) = (F::start(), trusting(&authority.pem()));
    face.block_on(async {
        for host in LOCALHOST {
            let client = connect::<F>(&server.url(host), &tls).await.expect(host);
            let guard = client.lock("key", LONG).await.expect("free");
            assert!(client.try_lock("key", LONG).await.expect("asked").is_none());
            assert!(guard.release().await.expect("answered"));
            assert!(client.shutdown(LONG).await);
        }
    });
}

/// Each server is wrong in one thing; the reason names it.
fn wrong_servers(authority: &Authority) -> Vec<(Identity, TlsFault)> {
    vec![
        (authority.issue(&["elsewhere.example"]), TlsFault::WrongName),
        (authority.issue_expired(LOCALHOST), TlsFault::Expired),
        (authority.issue_early(LOCALHOST), TlsFault::NotYetValid),
        (self_signed(LOCALHOST), TlsFault::UnknownIssuer),
        (Authority::new("another").issue(LOCALHOST), TlsFault::UnknownIssuer),
        // The same name does not make it the same authority.
        (Authority::new("ours").issue(LOCALHOST), TlsFault::UnknownIssuer),
    ]
}

fn every_wrong_server_is_refused_with_its_reason<F: Face>() {
    let authority = Authority::new("ours");
    let (face, tls) = (F::start(), trusting(&authority.pem()));
    for (identity, fault) in wrong_servers(&authority) {
        let server = Guarded::start(&identity, None);
        face.block_on(async {
            expect_fault(connect::<F>(&server.url("localhost"), &tls).await, fault);
        });
    }
}

fn a_client_certificate_is_shown_to_whoever_wants_one<F: Face>() {
    let (authority, face) = (Authority::new("ours"), F::start());
    let right = authority.issue(&["client"]);
    let wrong = Authority::new("another").issue(&["client"]);
    let with = |identity: &Identity| {
        let (chain, key) = (identity.certificate.as_bytes(), identity.key.as_bytes());
        trusting(&authority.pem()).identity(chain, key).expect("they belong together")
    };
    for protocols in ["TLSv1.2", "TLSv1.3"] {
        let more = ["--tls-protocols", protocols];
        let identity = authority.issue(LOCALHOST);
        let server = Guarded::start_with(&identity, Some(&authority.pem()), &more);
        let url = server.url("localhost");
        face.block_on(async {
            let client = connect::<F>(&url, &with(&right)).await.expect("let in");
            assert!(
                client.lock("key", LONG).await.expect("free").release().await.expect("answered")
            );
            assert!(client.shutdown(LONG).await);
            // TLS 1.2 has no word for a certificate that is missing.
            let missing =
                if protocols == "TLSv1.3" { TlsFault::NoIdentity } else { TlsFault::Refused };
            expect_fault(connect::<F>(&url, &trusting(&authority.pem())).await, missing);
            expect_fault(connect::<F>(&url, &with(&wrong)).await, TlsFault::IdentityRefused);
        });
    }
}

fn eager() -> Retry {
    let delay =
        Delay::Exponential { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    Retry { delay, retries: None, deadline: Some(LONG) }
}

/// Requirement 1, encrypted.
fn a_hundred_tasks_over_one_encrypted_connection_are_exclusive<F: Face>() {
    use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::Arc;
    const KEYS: usize = 50;
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    let face = F::start();
    let inside: Arc<[AtomicBool]> = (0..KEYS).map(|_| AtomicBool::new(false)).collect();
    face.block_on(async {
        let tls = trusting(&authority.pem());
        let client = connect::<F>(&server.url("localhost"), &tls).await.expect("let in");
        let tasks: Vec<_> = (0..2 * KEYS)
            .map(|task| {
                let (client, inside) = (client.clone(), Arc::clone(&inside));
                face.spawn(async move {
                    let key = task % KEYS;
                    for _ in 0..10 {
                        let guard = client.lock_with(format!("key:{key}"), LONG, eager()).await;
                        let guard = guard.expect("in turn");
                        assert!(!inside[key].swap(true, SeqCst), "two are inside");
                        smol::future::yield_now().await;
                        inside[key].store(false, SeqCst);
                        assert!(guard.release().await.expect("answered"));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert!(client.shutdown(LONG).await);
    });
    assert_eq!(server.server.command(&["DBSIZE"]).expect("an answer").integer(), Some(0));
}

/// Requirement 6, encrypted: what was in flight is settled over the next connection.
fn an_encrypted_connection_that_dies_is_replaced<F: Face>() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    F::start().block_on(async {
        let tls = trusting(&authority.pem());
        let client = connect::<F>(&server.url("localhost"), &tls).await.expect("let in");
        for round in 0..5 {
            let guard =
                client.lock_with(format!("key:{round}"), LONG, eager()).await.expect("free");
            server.server.command(&["CLIENT", "KILL", "TYPE", "normal"]).expect("a count");
            let released = guard.release().await;
            assert!(matches!(released, Ok(true) | Err(Error::Unconfirmed)), "{released:?}");
        }
        assert!(client.shutdown(LONG).await, "everything is given back");
    });
    assert_eq!(server.server.command(&["DBSIZE"]).expect("an answer").integer(), Some(0));
}

/// A record of TLS holds 16 KiB; requests are cut and put together wherever that falls.
fn keys_of_every_length_cross_the_records_of_tls<F: Face>() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    F::start().block_on(async {
        let tls = trusting(&authority.pem());
        let client = connect::<F>(&server.url("localhost"), &tls).await.expect("let in");
        let mut guards: Vec<Guard> = Vec::new();
        for length in [0, 1, 16_000, 16_300, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536] {
            let key = Key::from(vec![b'k'; length]);
            guards.push(client.try_lock(key, LONG).await.expect("asked").expect("free"));
        }
        for guard in guards {
            assert!(guard.release().await.expect("answered"));
        }
        assert!(client.shutdown(LONG).await);
    });
}

/// Requirement 13, encrypted: however the network cuts the records.
fn records_that_come_byte_by_byte_are_put_together<F: Face>() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    let drip = drip::to(server.tls_port());
    F::start().block_on(async {
        let tls = trusting(&authority.pem());
        let url = format!("rediss://localhost:{drip}");
        let client = connect::<F>(&url, &tls).await.expect("let in");
        for _ in 0..3 {
            let guard = client.try_lock("key", LONG).await.expect("asked").expect("free");
            assert!(guard.release().await.expect("answered"));
        }
        assert!(client.shutdown(LONG).await);
    });
}

#[test]
fn the_blocking_adapter_speaks_tls_from_any_number_of_threads() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    let client =
        connect_std(&server.url("localhost"), &trusting(&authority.pem())).expect("let in");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let guard = client.lock_with("key", LONG, eager()).expect("in turn");
                    assert!(guard.release().expect("answered"));
                }
            });
        }
    });
    assert!(client.shutdown(LONG));
}

#[test]
fn the_blocking_adapter_refuses_every_wrong_server_with_its_reason() {
    let authority = Authority::new("ours");
    let tls = trusting(&authority.pem());
    for (identity, fault) in wrong_servers(&authority) {
        let server = Guarded::start(&identity, None);
        expect_fault(connect_std(&server.url("localhost"), &tls), fault);
    }
    let identity = authority.issue(LOCALHOST);
    let server = Guarded::start(&identity, Some(&authority.pem()));
    expect_fault(connect_std(&server.url("localhost"), &tls), TlsFault::NoIdentity);
}

/// The machine's own roots do not know our authority.
#[test]
fn without_a_root_of_ours_only_the_systems_are_trusted() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(LOCALHOST), None);
    match connect_std(&server.url("localhost"), &Tls::new()) {
        // A machine without any root says so.
        Err(Error::Config(error)) => assert_eq!(error, ConfigError::NoRoots),
        connected => expect_fault(connected, TlsFault::UnknownIssuer),
    }
}

#[test]
fn a_plain_port_and_an_encrypted_one_are_told_apart() {
    let authority = Authority::new("ours");
    let plain = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
    let url = plain.url().replace("redis://", "rediss://");
    // It takes the greeting of TLS for the beginning of a line, and answers if there is an end in it.
    let builder = redlatch_std::Client::builder().server(&url).tls(trusting(&authority.pem()));
    let error = builder.connect_timeout(Duration::from_millis(300)).connect().expect_err("no TLS");
    let told = |fault: &TlsFault| matches!(fault, TlsFault::NotTls | TlsFault::NoAnswer);
    assert!(
        matches!(&error, Error::Connect { cause: Cause::Tls(fault), .. } if told(fault)),
        "{error}"
    );
    let guarded = Guarded::start(&authority.issue(LOCALHOST), None);
    let error = redlatch_std::Client::connect(&guarded.plain_url()).expect_err("no greeting");
    assert!(matches!(error, Error::Connect { .. } | Error::NotRedis { .. }), "{error}");
}

/// Requirement 18: what cannot be used is told before anything is sent, and shows no key.
#[test]
fn settings_that_cannot_work_are_told_at_once() {
    let (ours, other) = (Authority::new("ours").issue(LOCALHOST), self_signed(LOCALHOST));
    let roots = |pem: &str| Tls::new().roots(pem.as_bytes()).map(drop);
    let cut = ours.certificate.replace("END", "");
    for pem in ["", "no PEM", &cut, &ours.key] {
        assert_eq!(roots(pem), Err(ConfigError::Roots), "{pem}");
    }
    let identity = |chain: &str, key: &str| {
        Tls::new().identity(chain.as_bytes(), key.as_bytes()).map(|tls| format!("{tls:?}"))
    };
    for (chain, key) in [
        ("", &*ours.key),
        (&*ours.certificate, ""),
        (&*ours.certificate, &*ours.certificate),
        (&*ours.certificate, &*other.key),
    ] {
        assert_eq!(identity(chain, key), Err(ConfigError::Identity));
    }
    let shown = identity(&ours.certificate, &ours.key).expect("they belong together");
    assert_eq!(shown, "Tls { own_roots: None, identity: true }");
    let host = redlatch_std::Client::connect("rediss://a!b");
    assert!(matches!(host, Err(Error::Config(ConfigError::Host))), "{host:?}");
}
