//! Who takes and releases in threads.

use redis::Script;
use redlatch_std::Client;

use crate::contenders::{RELEASE, TTL, claim};
use crate::token::Token;

/// Takes a key and releases it, and panics unless both were done.
pub(crate) trait Blocking: Send + Sized {
    /// Whether it has no threads of its own.
    const IS_ALONE: bool;

    fn cycle(&mut self, key: &str);

    /// For another thread.
    fn another(&self) -> Self;
}

/// One client of redlatch for all threads.
pub(crate) struct Std(Client);

impl Std {
    pub(crate) fn connect(url: &str) -> Self {
        Self(Client::connect(url).expect("connected"))
    }
}

impl Blocking for Std {
    const IS_ALONE: bool = false;

    fn cycle(&mut self, key: &str) {
        let guard = self.0.lock(key, TTL).expect("taken");
        assert!(guard.release().expect("released"), "ours until now");
    }

    fn another(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Bare commands through the blocking connection of the `redis` crate, which one thread at a time can use.
pub(crate) struct Connection {
    url: String,
    connection: redis::Connection,
    script: Script,
}

impl Connection {
    pub(crate) fn connect(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_connection().expect("connected");
        Self { url: url.to_owned(), connection, script: Script::new(RELEASE) }
    }
}

impl Blocking for Connection {
    const IS_ALONE: bool = true;

    fn cycle(&mut self, key: &str) {
        let token = Token::fresh();
        assert!(claim(key, &token).query::<bool>(&mut self.connection).expect("claimed"));
        let mut release = self.script.prepare_invoke();
        release.key(key).arg(token.text());
        assert_eq!(release.invoke::<u8>(&mut self.connection).expect("released"), 1);
    }

    fn another(&self) -> Self {
        Self::connect(&self.url)
    }
}
