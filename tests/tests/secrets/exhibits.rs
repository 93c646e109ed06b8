//! What was shown, and the search for secrets in it.

use core::fmt::Debug;
use std::io::{self, Write};
use std::panic;
use std::sync::OnceLock;
use std::thread;

use redlatch_core::Token;

use crate::book::Book;

/// The password of all these tests, in no other word of this project.
pub(crate) const PASSWORD: &str = "Xyzzy p@ss/7f";
/// The same in a URL.
pub(crate) const ENCODED: &str = "Xyzzy%20p%40ss%2f7f";

/// The name of a thread whose panic need not be told to whoever reads the output of the tests.
const ON_PURPOSE: &str = "on purpose";

/// How much of a secret is too much: servers cut what they repeat anywhere.
const PART: usize = 5;
/// So many hexadecimal digits in a row, not all of them decimal, may be a token or a part of one.
const HEX_RUN: usize = Token::LEN / 4;

/// Everything that one test has shown. It also listens to `tracing`, at every level, and to panics.
pub(crate) struct Exhibits {
    shown: Vec<(String, String)>,
    log: Book,
}

impl Exhibits {
    pub(crate) fn open() -> Self {
        Self { shown: Vec::new(), log: listen().clone() }
    }

    /// In every form that `Debug` has.
    pub(crate) fn debug(&mut self, what: &str, value: &impl Debug) {
        self.text(what, format!("{value:?}"));
        self.text(what, format!("{value:#?}"));
    }

    /// In every form, and with everything that caused it.
    pub(crate) fn error(&mut self, what: &str, error: &(impl core::error::Error + 'static)) {
        self.debug(what, error);
        let mut cause: Option<&dyn core::error::Error> = Some(error);
        while let Some(error) = cause {
            self.text(what, error.to_string());
            self.text(what, format!("{error:?}"));
            cause = error.source();
        }
    }

    /// As the message of a panic.
    pub(crate) fn unwrap<E: Debug + Send + 'static>(&mut self, what: &str, error: E) {
        let outcome: fn(E) -> Result<(), E> = Err;
        let thread = thread::Builder::new().name(ON_PURPOSE.to_owned());
        let panicking = thread.spawn(move || outcome(error).unwrap()).expect("a thread");
        let message = panicking.join().expect_err("it panics");
        self.text(what, message.downcast_ref::<String>().expect("a text").clone());
    }

    pub(crate) fn text(&mut self, what: &str, text: String) {
        self.shown.push((what.to_owned(), text));
    }

    /// Fails if a secret was shown, or if nothing was.
    #[track_caller]
    pub(crate) fn close(self) {
        assert!(!self.shown.is_empty());
        let offenders = self.offenders();
        assert!(offenders.is_empty(), "{}", offenders.join("\n"));
    }

    fn offenders(&self) -> Vec<String> {
        let log = self.log.text();
        let shown = self.shown.iter().map(|(what, text)| (&**what, &**text));
        shown
            .chain(log.lines().map(|line| ("the log", line)))
            .filter_map(|(what, text)| Some(format!("{what} shows {:?}: {text}", secret(text)?)))
            .collect()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }
}

/// One process has one subscriber and one hook for panics.
fn listen() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let book = Book::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(book.clone())
            .init();
        let (usual, writer) = (panic::take_hook(), book.clone());
        panic::set_hook(Box::new(move |info| {
            let _ = writeln!(writer.clone(), "{info}");
            if thread::current().name() != Some(ON_PURPOSE) {
                usual(info);
            }
        }));
        book
    })
}

/// A secret in this text, or a telling part of one: as it is, as numbers, in hexadecimal.
fn secret(text: &str) -> Option<String> {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let part = PASSWORD.get(..PART).expect("it is longer");
    let numbers = format!("{:?}", part.as_bytes());
    let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [part.to_owned(), numbers.trim_matches(['[', ']']).to_owned(), hex];
    let form = forms.into_iter().find(|form| flat.to_lowercase().contains(&form.to_lowercase()));
    form.or_else(|| token(&flat))
}

fn token(text: &str) -> Option<String> {
    let mut runs = text.split(|sign: char| !sign.is_ascii_hexdigit());
    let is_number = |run: &str| run.bytes().all(|digit| digit.is_ascii_digit());
    runs.find(|run| run.len() >= HEX_RUN && !is_number(run)).map(str::to_owned)
}

#[test]
fn a_secret_is_found_in_every_form() {
    for text in [
        format!("wrong: {PASSWORD}"),
        format!("redis://:{ENCODED}@h"),
        "cut: 'Xyzzy".to_owned(),
        format!("{:?}", PASSWORD.as_bytes()),
        format!("{:#?}", PASSWORD.as_bytes()),
        "58797a7a792070".to_owned(),
        "58797A7A79".to_owned(),
        "token 0123456789ab".to_owned(),
        format!("lower {}", PASSWORD.to_lowercase()),
    ] {
        assert!(secret(&text).is_some(), "{text}");
    }
    for text in
        ["*** 127.0.0.1:6379 2026-01-01T00:00:00.123456Z", "facade decade", "Xyz zy", "12345678901"]
    {
        assert_eq!(secret(text), None);
    }
}

#[test]
fn what_is_shown_and_logged_and_panicked_is_searched() {
    // Nothing is to reach the log that all tests of this process share.
    let offenders = |tell: &dyn Fn(&mut Exhibits)| {
        let mut exhibits = Exhibits { shown: Vec::new(), log: Book::default() };
        tell(&mut exhibits);
        exhibits.offenders().len()
    };
    assert_eq!(offenders(&|exhibits| exhibits.debug("something", &"harmless")), 0);
    assert_eq!(offenders(&|exhibits| exhibits.debug("a number", &PASSWORD.as_bytes())), 2);
    assert!(offenders(&|exhibits| exhibits.error("an error", &io::Error::other(PASSWORD))) > 2);
    assert_eq!(offenders(&|exhibits| exhibits.log.write_all(b"Xyzzy").expect("memory")), 1);
    let line = |text: &str| {
        let before = listen().text().len();
        tracing::trace!(text);
        listen().text()[before..].contains(text)
    };
    assert!(line("a line of the log"));
    let mut exhibits = Exhibits { shown: Vec::new(), log: Book::default() };
    exhibits.unwrap("something", "a message of a panic");
    assert!(exhibits.shown[0].1.contains("a message of a panic"));
    assert!(listen().text().contains("a message of a panic"));
}
