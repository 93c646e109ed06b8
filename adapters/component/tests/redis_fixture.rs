//! The family's fixture on real servers, on both faces, and what stands on the server meanwhile.

mod fixture;
mod subject;

use core::time::Duration;

use fixture::Promise;
use redlatch_component::{Component, Configurable, Descriptor, Factory, Lock, Openable, blocking};
use redlatch_component::{ConfigParams, Context, RedisLock};
use redlatch_testkit::server::{Kind, Server};
use subject::{LONG, Subject};

fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

fn config(server: &Server) -> ConfigParams {
    let address = server.address();
    let host = address.ip().to_string();
    ConfigParams::from_tuples(("connection.host", host, "connection.port", address.port()))
}

async fn fixture_passes(kind: Kind) {
    let server = start(kind);
    let lock = RedisLock::new();
    lock.configure(&config(&server)).expect("a connection");
    lock.open("123").await.expect("a server");
    fixture::run(&lock, Promise::Excludes).await;
    lock.close("123").await.expect("open");

    let lock = blocking::RedisLock::new();
    lock.configure(&config(&server)).expect("a connection");
    lock.open("123").expect("a server");
    fixture::run_blocking(&lock, Promise::Excludes).await;
    lock.close("123").expect("open");
    assert_eq!(server.command(&["DBSIZE"]).expect("answered").integer(), Some(0));
}

#[tokio::test]
async fn the_fixture_passes_on_redis_7_with_both_faces() {
    fixture_passes(Kind::Redis7).await;
}

#[tokio::test]
async fn the_fixture_passes_on_redis_8_with_both_faces() {
    fixture_passes(Kind::Redis8).await;
}

#[tokio::test]
async fn the_fixture_passes_on_valkey_9_with_both_faces() {
    fixture_passes(Kind::Valkey9).await;
}

/// As a container makes it: by its descriptor, used as trait objects.
#[tokio::test]
async fn the_fixture_passes_on_the_lock_of_the_factory() {
    let server = start(Kind::Redis7);
    let locator: Descriptor = "pip-services:lock:redis:default:1.0".parse().expect("five fields");
    let made: Component = Factory::default().create(&locator).expect("a lock");
    let configurable = made.get::<dyn Configurable>().expect("a face");
    configurable.configure(&config(&server)).expect("a connection");

    let openable = made.get::<dyn Openable>().expect("a face");
    openable.open(Context::new("123")).await.expect("a server");
    let lock = made.get::<dyn Lock>().expect("a face");
    fixture::run(&*lock, Promise::Excludes).await;

    let openable = made.get::<dyn blocking::Openable>().expect("a face");
    assert!(!openable.is_open(), "each face is opened by itself");
    openable.open(Context::new("123")).expect("the same configuration");
    let other = made.get::<dyn blocking::Lock>().expect("a face");
    fixture::run_blocking(&*other, Promise::Excludes).await;
    assert!(lock.try_acquire_lock(Context::NONE, "one", LONG).await.expect("answered"));
    assert!(!other.try_acquire_lock(Context::NONE, "one", LONG).expect("answered"), "two holders");
}

/// What other languages find: a plain string under the key as it is, with the ttl.
#[tokio::test]
async fn the_key_is_taken_as_it_is_and_the_value_is_text_with_a_ttl() {
    let server = start(Kind::Redis8);
    let address = server.address();
    let text = format!("host=127.0.0.1;port={}", address.port());
    for subject in Subject::both_open(&text).await {
        for key in ["", "a b", "a\nb", "ключ 🔒", "key1"] {
            assert!(subject.attempt(key, 3000).await.expect("answered"), "{key:?}");
            let ask = |words: &[&str]| server.command(words).expect("answered");
            assert_eq!(ask(&["TYPE", key]).text(), "string");
            let ttl = ask(&["PTTL", key]).integer().expect("a number");
            assert!((1..=3000).contains(&ttl), "{ttl}");
            let token = ask(&["GET", key]).text();
            assert!(token.len() >= 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(!subject.attempt(key, 3000).await.expect("answered"), "not reentrant");
            assert!(subject.release(key).await.expect("answered"), "ours");
            assert!(!subject.release(key).await.expect("answered"), "not any more");
            assert!(subject.attempt(key, 3000).await.expect("answered"), "{key:?}");
            assert_ne!(ask(&["GET", key]).text(), token, "a fresh token");
            subject.release(key).await.expect("answered");
        }
    }
}

/// A release that comes too late frees nobody else's lock, not even one of the same component.
#[tokio::test]
async fn a_release_after_the_ttl_does_not_free_the_next_holder() {
    let server = start(Kind::Valkey9);
    let text = format!("host=127.0.0.1;port={}", server.address().port());
    let [one, two] = Subject::both_open(&text).await;
    for (first, second) in [(&one, &two), (&two, &one)] {
        assert!(first.attempt("key", 100).await.expect("answered"));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(second.attempt("key", LONG).await.expect("expired"));
        assert!(!first.release("key").await.expect("answered"), "not ours");
        assert!(!first.attempt("key", LONG).await.expect("answered"), "still held");
        assert!(second.release("key").await.expect("answered"));
    }
}
