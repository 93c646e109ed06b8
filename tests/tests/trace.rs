//! What is told to `tracing`: what happens, in its order, and no secret. Requirement 18, S7.

#[path = "book/mod.rs"]
mod book;

use core::time::Duration;

use book::Book;
use redlatch_core::{Renew, Retry, Token};
use redlatch_std::Client;
use redlatch_testkit::model::{Fault, ModelServer, Rule, Settings, Value};
use tracing_subscriber::fmt::format::FmtSpan;

const TTL: Duration = Duration::from_secs(30);

/// Runs this with everything written down that any thread tells.
fn open() -> Book {
    let book = Book::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(book.clone())
        .init();
    book
}

/// Waits for this in what was told.
fn until(book: &Book, what: &str) {
    let begun = std::time::Instant::now();
    while !book.text().contains(what) {
        assert!(begun.elapsed() < TTL, "never told: {what}\n{}", book.text());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One process has one subscriber, so this is one test.
#[test]
fn what_happens_is_told_in_order_and_without_secrets() {
    let book = open();
    let settings = Settings::with_password("sentinel");
    let server = ModelServer::with_settings(settings).expect("a free port");
    let pause = Duration::from_millis(1);
    let builder = Client::builder().server(&server.url().replace("redis://", "redis://:sentinel@"));
    let client = builder.reconnect(pause, pause).connect().expect("connected");
    until(&book, "connected");

    let guard = client.lock("a\nkey", TTL).expect("free");
    assert!(client.try_lock("a\nkey", TTL).expect("asked").is_none());
    assert!(guard.release().expect("answered"));
    let mut tokens = vec![];
    let mut guard = client.lock("stolen", TTL).expect("free");
    guard.extend().expect("ours");
    tokens.extend(server.with(|server| server.get(0, b"stolen").cloned()));
    server.with(|server| server.put(0, b"stolen", Value::Text(b"theirs".to_vec()), Some(TTL)));
    assert!(guard.extend().is_err());
    server.with(|server| server.fail(Rule::next(Fault::CloseAfter)));
    let _lost = client.lock_with("again", TTL, Retry::until(TTL)).expect("free").release();
    until(&book, "not connected");
    let often = Renew { divisor: 1000, most: None };
    let renewed = client.renewing(often).lock("renewed", TTL).expect("free");
    until(&book, "extended key=renewed");
    drop(renewed);
    assert!(client.shutdown(TTL));

    let text = book.text();
    let mut rest = &*text;
    for expected in [
        "connected",
        r"lock{key=a\nkey}: redlatch: acquired",
        r"lock{key=a\nkey}: redlatch: denied",
        r"release{key=a\nkey}: redlatch: released",
        "lock{key=stolen}: redlatch: acquired",
        "extend{key=stolen}: redlatch: extended",
        // Whoever comes first tells it: the caller, within its span, or the reaper.
        "redlatch: lost key=stolen reason=Stolen",
        "WARN",
        "not connected server=",
        "DEBUG redlatch: connected server=",
        "redlatch: extended key=renewed",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no {expected:?} in order:\n{text}"));
        rest = &rest[at + expected.len()..];
    }
    assert!(!text.contains("sentinel") && !text.contains("a\nkey"), "{text}");
    let hex_run = |line: &str| {
        line.split(|c: char| !c.is_ascii_hexdigit()).any(|w| w.len() >= Token::LEN / 4)
    };
    assert!(!text.lines().any(hex_run), "{text}");
    let [Value::Text(token)] = &*tokens else { panic!("{tokens:?}") };
    assert!(!text.contains(&*String::from_utf8_lossy(token)));
}
