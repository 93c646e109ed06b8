//! A server that wakes nobody is told to `tracing` once for each connection.

#[path = "book/mod.rs"]
mod book;

use core::time::Duration;
use std::thread;

use book::Book;
use redlatch_core::{Protocol, Retry};
use redlatch_std::Client;
use redlatch_testkit::model::{ModelServer, Settings, User, Value};

const TTL: Duration = Duration::from_secs(30);
const TOLD: &str = "waiters are not woken";

/// Waits for the lock of a stranger, who gives it back in the end.
fn wait(server: &ModelServer, client: &Client) {
    server.with(|server| server.put(0, b"key", Value::Text(b"foreign".to_vec()), Some(TTL)));
    let claims = || server.with(|server| server.command_count("SET"));
    let before = claims();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.lock_with("key", TTL, Retry::until(TTL)));
        let begun = std::time::Instant::now();
        while claims() < before + 5 {
            assert!(begun.elapsed() < TTL, "it does not poll");
            thread::sleep(Duration::from_millis(1));
        }
        server.with(|server| server.remove(0, b"key"));
        let guard = waiting.join().expect("no panic").expect("its turn");
        assert!(guard.release().expect("answered"));
    });
}

/// One process has one subscriber, so this is one test.
#[test]
fn a_server_that_wakes_nobody_is_told_once_and_only_if_somebody_waits() {
    let book = Book::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(book.clone())
        .init();
    let told = || book.text().lines().filter(|line| line.contains(TOLD)).count();

    let commands = ["hello", "set", "get", "pttl", "del", "pexpire", "eval", "evalsha"];
    let user = User::new("default").commands(&commands);
    let server = ModelServer::with_settings(Settings::default().user(user)).expect("a free port");
    let client = Client::connect(&server.url()).expect("connected");
    assert!(client.lock("key", TTL).expect("free").release().expect("answered"));
    assert_eq!(told(), 0, "nobody has waited");
    wait(&server, &client);
    assert_eq!(told(), 1, "{}", book.text());
    wait(&server, &client);
    assert_eq!(told(), 1, "{}", book.text());

    let server = ModelServer::start().expect("a free port");
    let old = Client::builder().server(&server.url()).protocol(Protocol::Resp2);
    let old = old.connect().expect("connected");
    wait(&server, &old);
    wait(&server, &old);
    assert_eq!(told(), 2, "{}", book.text());

    let woken = Client::connect(&server.url()).expect("connected");
    server.with(|server| server.put(0, b"key", Value::Text(b"foreign".to_vec()), Some(TTL / 100)));
    assert!(woken.lock("key", TTL).expect("its turn").release().expect("answered"));
    assert_eq!(told(), 2, "this one is woken\n{}", book.text());
}
