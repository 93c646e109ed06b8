//! Connecting: every form of URL, and every way in which it fails, within the deadline.

mod common;

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use common::{LONG, count, eventually, server};
use redlatch_std::{Cause, Client, ConfigError, Error, Refusal};
use redlatch_testkit::model::{Fault, ModelServer, Rule, Settings, User};

const TIMEOUT: Duration = Duration::from_millis(300);

/// The error of one server, which must come in time and fit on one line without the password.
#[track_caller]
fn failure(url: &str) -> Error {
    let began = Instant::now();
    let connected = Client::builder().server(url).connect_timeout(TIMEOUT).connect();
    let error = connected.map(drop).expect_err(url);
    assert!(began.elapsed() < TIMEOUT * 3, "{:?}", began.elapsed());
    let text = error.to_string();
    assert!(!text.contains('\n') && !text.is_empty(), "{text}");
    assert!(!format!("{text} {error:?}").contains("sentinel"), "{text}");
    error
}

#[test]
fn every_form_of_url_connects() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("r.sock");
    let user = User::new("me").password("p@ss");
    let settings = Settings::with_password("secret").user(user);
    let tcp = ModelServer::with_settings(settings.clone()).expect("a port");
    let unix = ModelServer::on_unix_socket(&path, settings).expect("a socket");
    let (host, path) = (tcp.addr().expect("a port"), path.display());
    let urls = [
        format!("redis://:secret@{host}"),
        format!("redis://default:secret@{host}/"),
        format!("redis://me:p%40ss@{host}/2"),
        format!("redis://:secret@localhost:{}", host.port()),
        format!("unix://{path}?password=secret"),
        format!("redis+unix://{path}?user=me&password=p%40ss&db=1"),
    ];
    for url in urls {
        let client = Client::connect(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(client.lock("key", LONG).expect("free").release().expect("answered"), "{url}");
    }
    drop((tcp, unix));
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let error = failure(&format!("redis://:sentinel@{free}"));
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(error.to_string().contains("nothing listens there"), "{error}");
    let error = failure("unix:///nowhere/r.sock?password=sentinel");
    assert!(error.to_string().contains("there is no such socket"), "{error}");
    let error = failure("redis://no.such.host.invalid");
    assert!(matches!(error, Error::Connect { cause: Cause::Name(_), .. }), "{error:?}");
}

/// A server that accepts and says nothing, and one that drips a byte at a time.
#[test]
fn a_silent_or_dripping_server_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("bound"));
    assert!(matches!(failure(&url), Error::Silent { after: TIMEOUT, .. }));
    let dripping = server();
    dripping.with(|server| {
        server.fail(Rule::on("HELLO", Fault::Drip { interval: 20_000 }).forever());
    });
    assert!(matches!(failure(&dripping.url()), Error::Silent { .. }));
}

#[test]
fn something_else_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("bound"));
    let web = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let _request = stream.read(&mut [0; 512]);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("taken");
    });
    let error = failure(&url);
    assert!(error.to_string().contains("HTTP"), "{error}");
    assert!(matches!(error, Error::NotRedis { .. }), "{error:?}");
    web.join().expect("no panic");
}

#[test]
fn a_server_that_hangs_up_is_named() {
    let server = server();
    server.with(|server| server.fail(Rule::on("HELLO", Fault::CloseBefore).forever()));
    let error = failure(&server.url());
    assert!(matches!(error, Error::Connect { cause: Cause::Closed, .. }), "{error:?}");
}

#[test]
fn a_wrong_login_is_said_plainly_and_not_hammered() {
    let server = ModelServer::with_settings(Settings::with_password("right")).expect("a port");
    let address = server.addr().expect("a port");
    let cases = [
        (format!("redis://:sentinel@{address}"), Refusal::WrongPassword),
        (format!("redis://sentinel:sentinel@{address}"), Refusal::WrongPassword),
        (format!("redis://{address}"), Refusal::NoAuth),
    ];
    for (url, refusal) in cases {
        let error = failure(&url);
        let Error::Refused { notice, .. } = &error else { panic!("{error:?}") };
        assert_eq!(notice.refusal(), refusal);
    }
}

/// A refusal that no retry can change is not repeated every few milliseconds.
#[test]
fn a_wrong_login_is_not_hammered() {
    let locked = ModelServer::with_settings(Settings::with_password("right")).expect("a port");
    let open = [server(), server()];
    let builder = Client::builder().servers(&common::urls(&open)).server(&locked.url());
    let soon = Duration::from_millis(1);
    let client = builder.reconnect(soon, LONG).connect().expect("a majority");
    assert_eq!(count(&locked, "HELLO"), 1);
    for _ in 0..100 {
        assert!(client.lock("key", LONG).expect("free").release().expect("answered"));
        thread::sleep(soon);
    }
    assert_eq!(count(&locked, "HELLO"), 1);
}

/// Requirement 18: a server that repeats the password does not put it into our messages.
#[test]
fn a_password_that_the_server_echoes_is_taken_out() {
    let server = server();
    let echo = Fault::Error("ERR what is sentinel, please".into());
    server.with(|server| server.fail(Rule::on("HELLO", echo).forever()));
    let error = failure(&format!("redis://:sentinel@{}", server.addr().expect("a port")));
    assert!(error.to_string().contains("ERR what is ***, please"), "{error}");
}

#[test]
fn mistakes_of_the_caller_are_found_without_a_network() {
    let cases = [
        ("", ConfigError::NoServers),
        ("http://h", ConfigError::Scheme),
        ("redis://h,redis://h/1", ConfigError::Duplicate),
        ("redis://a,redis://u:sentinel@", ConfigError::NoHost),
    ];
    for (urls, expected) in cases {
        let error = Client::connect(urls).map(drop).expect_err(urls);
        assert!(matches!(error, Error::Config(is) if is == expected), "{urls}: {error:?}");
    }
}

/// M12: a server that was just started has no vote; releases and extensions still work.
#[test]
fn a_restarted_server_abstains() {
    let server = server();
    let builder = Client::builder().server(&server.url());
    let client = builder.restart_delay(Duration::from_secs(3600)).connect().expect("connected");
    let error = client.try_lock("key", LONG);
    let Err(Error::Refused { notice, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(notice.refusal(), Refusal::Restarted);
    assert_eq!(count(&server, "SET"), 0);
    assert_eq!(count(&server, "INFO"), 1);
}

/// A server that comes up later is found without help.
#[test]
fn servers_that_are_down_at_first_are_tried_again() {
    let servers = [server(), server(), server()];
    servers[2].crash().expect("a thread");
    let client = Client::connect(&common::urls(&servers)).expect("a majority is up");
    let up = || client.servers().iter().filter(|server| server.connected).count();
    assert_eq!(up(), 2);
    assert!(client.servers()[2].error.is_some());
    servers[2].restart(redlatch_testkit::model::Data::Keep).expect("the same port");
    eventually("the third is connected", || up() == 3);
    assert!(client.servers().iter().all(|server| server.error.is_none()));
}
