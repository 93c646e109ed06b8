//! The life of a lock on a server: closing, opening again, losing the connection, several servers.

mod subject;

use core::time::Duration;
use std::sync::Arc;

use redlatch_component::{
    ConfigParams, Configurable, Descriptor, MemoryCredentialStore, MemoryDiscovery, References,
};
use redlatch_testkit::model::{Data, Fault, ModelServer, Rule, Settings};
use subject::{
    LONG, Subject, at, count, eventually, free_port, is_held, model, model_with, port, steal,
};

fn connections(server: &ModelServer) -> usize {
    server.with(|server| server.sessions().count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_ends_the_connection_and_leaves_the_lock() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        server.with(|server| server.reset_history());
        subject.close("123").await.expect("open");
        eventually("the connections end", || connections(&server) <= 1);
        assert!(!subject.is_open() && is_held(&server, "key"));
        assert_eq!(count(&server, "EVALSHA") + count(&server, "EVAL"), 0, "no release was sent");
        subject.open("123").await.expect("a server");
        assert!(subject.release("key").await.expect("answered"));
        subject.close("123").await.expect("open");
        eventually("the connections end", || connections(&server) <= 1);
    }
}

#[tokio::test]
async fn a_lock_taken_before_a_close_is_released_after_the_next_open() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        for _ in 0..3 {
            subject.close("123").await.expect("open");
            subject.open("123").await.expect("a server");
            assert!(!subject.attempt("key", LONG).await.expect("answered"), "it is held");
        }
        assert!(subject.release("key").await.expect("answered"), "ours until now");
        assert!(!is_held(&server, "key"));
        assert!(!subject.release("key").await.expect("answered"), "not any more");
    }
}

#[tokio::test]
async fn a_lock_that_somebody_took_meanwhile_is_not_released_after_the_next_open() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        subject.close("123").await.expect("open");
        steal(&server, "key");
        subject.open("123").await.expect("a server");
        assert!(!subject.release("key").await.expect("answered"));
        assert!(is_held(&server, "key"), "somebody else's");
        server.with(|server| server.remove(0, b"key"));
    }
}

#[tokio::test]
async fn with_release_on_close_locks_are_released() {
    let server = model();
    for subject in
        Subject::both_open(&format!("{};options.release_on_close=yes", at(&server))).await
    {
        for key in ["a", "b", "c"] {
            assert!(subject.attempt(key, LONG).await.expect("answered"));
        }
        subject.close("123").await.expect("all released");
        assert!(!["a", "b", "c"].iter().any(|key| is_held(&server, key)));
    }
}

/// A server that does not answer holds up a close for a reply timeout, not longer, and that is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_release_on_close_a_silent_server_is_told() {
    let server = model();
    for subject in
        Subject::both_open(&format!("{};options.release_on_close=yes", at(&server))).await
    {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        server.pause().expect("a thread");
        let begun = std::time::Instant::now();
        let error = subject.close("123").await.expect_err("it is silent");
        assert_eq!((error.code(), error.correlation_id()), ("UNCONFIRMED", Some("123")));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(!subject.is_open(), "closed all the same");
        server.resume().expect("a thread");
        server.with(|server| server.remove(0, b"key"));
    }
}

#[tokio::test]
async fn a_connection_that_drops_comes_back() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        server.kill_connections();
        subject.acquire("other", LONG, 5000).await.expect("it comes back");
        assert!(subject.release("key").await.expect("answered"), "taken before the drop");
        assert!(subject.release("other").await.expect("answered"));
        server.restart(Data::Keep).expect("its port");
        subject.acquire("key", LONG, 5000).await.expect("it comes back");
        assert!(subject.is_open() && subject.release("key").await.expect("answered"));
    }
}

/// The server executed the release, and its answer was lost: nobody can tell, which is an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_is_not_confirmed_is_told_and_goes_on() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        server.pause().expect("a thread");
        let error = subject.release("key").await.expect_err("it is silent");
        assert_eq!((error.category().as_str(), error.code()), ("NoResponse", "UNCONFIRMED"));
        assert_eq!(error.detail("key"), Some("key"));
        server.resume().expect("a thread");
        eventually("it is released", || !is_held(&server, "key"));
    }
}

/// One client, one connection, whatever the number of locks.
#[tokio::test]
async fn nothing_is_sent_for_a_lock_that_is_not_held() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        steal(&server, "foreign");
        server.with(|server| server.reset_history());
        for key in ["never", "foreign"] {
            assert!(!subject.release(key).await.expect("no error"));
        }
        assert_eq!(server.with(|server| server.commands().len()), 0);
        assert!(is_held(&server, "foreign"));
    }
}

#[tokio::test]
async fn configure_replaces_and_takes_effect_at_the_next_open() {
    let (one, two) = (model(), model());
    for subject in Subject::both_open(&at(&one)).await {
        subject.configure(&at(&two)).expect("a connection");
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        assert!(is_held(&one, "key") && !is_held(&two, "key"), "not yet");
        let error = subject.configure("options.retries=x").expect_err("a mistake");
        assert_eq!(error.code(), "INVALID_VALUE");
        subject.close("123").await.expect("open");
        subject.open("123").await.expect("a server");
        assert!(subject.attempt("new", LONG).await.expect("answered"));
        assert!(is_held(&two, "new") && !is_held(&one, "new"), "a mistake changes nothing");

        let error = subject.release("key").await.expect_err("taken elsewhere");
        assert_eq!((error.category().as_str(), error.code()), ("InvalidState", "OTHER_SERVERS"));
        assert!(is_held(&one, "key"), "left to its ttl");
        one.with(|server| server.remove(0, b"key"));
        assert!(subject.release("new").await.expect("answered"));
    }
}

#[tokio::test]
async fn several_connections_are_tried_in_order() {
    let (first, second) = (model(), model());
    let config = format!(
        "connections.a.host=127.0.0.1;connections.a.port={};connections.b.host=127.0.0.1;\
         connections.b.port={};connections.c.host=127.0.0.1;connections.c.port={}",
        free_port(),
        port(&first),
        port(&second)
    );
    for subject in Subject::both_open(&config).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        assert!(is_held(&first, "key") && !is_held(&second, "key"));
        assert_eq!(connections(&second), 0, "no quorum unless asked for");
        assert!(subject.release("key").await.expect("answered"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_quorum_a_majority_decides() {
    let servers = [model(), model(), model()];
    let mut config = "options.quorum=true".to_owned();
    for (name, server) in ["a", "b", "c"].iter().zip(&servers) {
        let port = port(server);
        config += &format!(";connections.{name}.host=127.0.0.1;connections.{name}.port={port}");
    }
    for subject in Subject::both_open(&config).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        for server in &servers {
            eventually("all are asked", || is_held(server, "key"));
        }
        subject.close("123").await.expect("open");
        subject.open("123").await.expect("servers");
        assert!(subject.release("key").await.expect("answered"), "of all three");
        for server in &servers {
            eventually("all are released", || !is_held(server, "key"));
        }
        steal(&servers[0], "key");
        assert!(subject.attempt("key", LONG).await.expect("answered"), "two of three");
        assert!(subject.release("key").await.expect("answered"));
        steal(&servers[1], "key");
        assert!(!subject.attempt("key", LONG).await.expect("answered"), "one of three");
        for server in &servers {
            server.with(|server| server.remove(0, b"key"));
        }
    }
}

#[tokio::test]
async fn the_database_comes_from_the_uri_or_from_db_num() {
    let server = model();
    let port = port(&server);
    let configs = [
        format!("{};options.db_num=3", at(&server)),
        format!("uri=redis://127.0.0.1:{port}/3"),
        format!("uri=redis://127.0.0.1:{port};options.db_num=3"),
        format!("uri=redis://127.0.0.1:{port}/3;options.db_num=3"),
    ];
    for config in configs {
        for subject in Subject::both_open(&config).await {
            assert!(subject.attempt("key", LONG).await.expect("answered"));
            assert!(server.with(|server| server.get(3, b"key").is_some()), "{config}");
            assert!(subject.release("key").await.expect("answered"));
        }
    }
}

#[tokio::test]
async fn discovery_and_the_credential_store_are_asked() {
    let server = model_with(Settings::with_password("right"));
    let (discovery, store) = (MemoryDiscovery::new(), MemoryCredentialStore::new());
    let known = format!("locks.host=127.0.0.1;locks.port={}", port(&server));
    discovery.configure(&ConfigParams::from_string(&known)).expect("a connection");
    store.configure(&ConfigParams::from_string("locks.password=right")).expect("a credential");
    let mut references = References::new();
    let locator = |what| Descriptor::new("test", what, "memory", "default", "1.0");
    references.put(locator("discovery"), Arc::new(discovery));
    references.put(locator("credential-store"), Arc::new(store));
    for subject in Subject::both() {
        subject.set_references(&references);
        let config = "connection.discovery_key=locks;credential.store_key=locks";
        subject.configure(config).expect("two keys");
        subject.open("123").await.expect("found");
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        assert!(subject.release("key").await.expect("answered"));
    }
}

/// Somebody opens while somebody else does: both have it open, with one client.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opening_by_many_at_once_leaves_one_client() {
    let server = model();
    for subject in Subject::both() {
        subject.configure(&at(&server)).expect("a connection");
        let openers: Vec<_> = (0..8)
            .map(|_| {
                let subject = subject.clone();
                tokio::spawn(async move { subject.open("123").await })
            })
            .collect();
        for opener in openers {
            opener.await.expect("no panic").expect("a server");
        }
        eventually("the superfluous ones end", || connections(&server) == 1);
        subject.close("123").await.expect("open");
        eventually("and the last one", || connections(&server) == 0);
    }
}

/// Requests that fail once are repeated by the machine of the lock, not by the component.
#[tokio::test]
async fn a_server_that_is_loading_is_waited_for() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        let fault = Fault::Error("LOADING Redis is loading the dataset in memory".into());
        server.with(|server| server.fail(Rule::on("SET", fault)));
        subject.acquire("key", LONG, 5000).await.expect("it is loaded");
        assert!(subject.release("key").await.expect("answered"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_it_is_like_closing_it() {
    for (option, held) in [("no", true), ("yes", false)] {
        let server = model();
        let config = format!("{};options.release_on_close={option}", at(&server));
        for subject in Subject::both_open(&config).await {
            assert!(subject.attempt("key", LONG).await.expect("answered"));
            drop(subject);
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            eventually("its connection ends", || connections(&server) <= 1);
            assert_eq!(is_held(&server, "key"), held, "{option}");
            server.with(|server| server.remove(0, b"key"));
        }
    }
}
