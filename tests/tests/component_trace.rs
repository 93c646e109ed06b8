//! What the component tells to `tracing`: every event with the correlation id of its call, and no
//! secret. Requirement 18.

#[path = "book/mod.rs"]
mod book;

use book::Book;
use redlatch_component::ConfigParams;
use redlatch_component::blocking::RedisLock;
use redlatch_testkit::model::{ModelServer, Settings, Value};

/// One process has one subscriber, so this is one test.
#[test]
fn every_event_has_its_correlation_id_and_no_secret() {
    let book = Book::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(book.clone())
        .init();
    let server = ModelServer::with_settings(Settings::with_password("sentinel")).expect("a port");
    let port = server.addr().expect("a port").port();
    let config = format!("uri=redis://:sentinel@127.0.0.1:{port}");

    let lock = RedisLock::new();
    lock.configure(&ConfigParams::from_string(&config)).expect("a URI");
    lock.release_lock("id-0\n", "a\nkey").expect_err("closed");
    lock.open("id-1").expect("a server");
    assert!(lock.try_acquire_lock("id-2", "a\nkey", 30_000).expect("answered"));
    let Some(Value::Text(token)) = server.with(|server| server.get(0, b"a\nkey").cloned()) else {
        panic!("no token");
    };
    assert!(!lock.try_acquire_lock("id-3", "a\nkey", 30_000).expect("answered"));
    lock.acquire_lock("id-4", "a\nkey", 30_000, 1).expect_err("held");
    lock.release_lock("id-5", "a\nkey").expect("answered");
    lock.release_lock("id-6", "a\nkey").expect("answered");
    lock.acquire_lock(None, "other", 30_000, 1).expect("free");
    lock.close("id-7").expect("open");

    let text = book.text();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains("redlatch_component")).collect();
    let expected: [(&str, &str); 9] = [
        ("failed", r#"correlation_id="id-0\\n" key=a\nkey error=Connection is not opened"#),
        ("opened", r#"correlation_id="id-1""#),
        ("acquired", r#"correlation_id="id-2" key=a\nkey"#),
        ("refused", r#"correlation_id="id-3" key=a\nkey"#),
        ("held by somebody else until the timeout", r#"correlation_id="id-4" key=a\nkey"#),
        ("released", r#"correlation_id="id-5" key=a\nkey"#),
        ("not held", r#"correlation_id="id-6" key=a\nkey"#),
        ("acquired", "key=other"),
        ("closed", r#"correlation_id="id-7""#),
    ];
    assert_eq!(ours.len(), expected.len(), "{text}");
    for (line, (what, fields)) in ours.iter().zip(expected) {
        assert!(line.contains(what) && line.contains(fields), "{what} {fields}:\n{text}");
    }
    let token = String::from_utf8(token).expect("text");
    assert!(!text.contains("sentinel") && !text.contains(&token), "{text}");
}
