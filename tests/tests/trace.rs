//! What is told to `tracing`: what happens, in its order, and no secret. Requirement 18, S7.

use core::time::Duration;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use redlatch_core::{Renew, Retry, Token};
use redlatch_std::Client;
use redlatch_testkit::model::{Fault, ModelServer, Rule, Settings, Value};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

const TTL: Duration = Duration::from_secs(30);

/// Everything that was told.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<u8>>>);

impl Book {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }

    /// Runs this with everything written down that any thread tells.
    fn open() -> Self {
        let book = Self::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(book.clone())
            .init();
        book
    }

    /// Waits for this in what was told.
    fn until(&self, what: &str) {
        let begun = std::time::Instant::now();
        while !self.text().contains(what) {
            assert!(begun.elapsed() < TTL, "never told: {what}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Write for Book {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Book {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// One process has one subscriber, so this is one test.
#[test]
fn what_happens_is_told_in_order_and_without_secrets() {
    let book = Book::open();
    let settings = Settings::with_password("sentinel");
    let server = ModelServer::with_settings(settings).expect("a free port");
    let pause = Duration::from_millis(1);
    let builder = Client::builder().server(&server.url().replace("redis://", "redis://:sentinel@"));
    let client = builder.reconnect(pause, pause).connect().expect("connected");
    book.until("connected");

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
    book.until("not connected");
    let often = Renew { divisor: 1000, most: None };
    let renewed = client.renewing(often).lock("renewed", TTL).expect("free");
    book.until("extended key=renewed");
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
