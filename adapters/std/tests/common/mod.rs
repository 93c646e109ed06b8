//! What the tests of this folder share.
#![allow(dead_code, reason = "every test file uses its part")]

use core::time::Duration;
use std::thread;
use std::time::Instant;

use redlatch_std::Client;
use redlatch_testkit::model::{ModelServer, Value};

/// A ttl that no test outlives.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Within this everything that is bound to happen has happened.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn server() -> ModelServer {
    ModelServer::start().expect("a free port")
}

pub(crate) fn client(server: &ModelServer) -> Client {
    Client::connect(&server.url()).expect("the model server accepts")
}

pub(crate) fn urls(servers: &[ModelServer]) -> String {
    servers.iter().map(ModelServer::url).collect::<Vec<_>>().join(",")
}

/// Waits for something that another thread does; fails when it does not come.
#[track_caller]
pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the key is there.
pub(crate) fn is_held(server: &ModelServer, key: &str) -> bool {
    server.with(|server| server.get(0, key.as_bytes()).is_some())
}

/// How often the server was asked this.
pub(crate) fn count(server: &ModelServer, command: &str) -> u64 {
    server.with(|server| server.command_count(command))
}

/// Somebody else takes the key.
pub(crate) fn steal(server: &ModelServer, key: &str, ttl: Duration) {
    let value = Value::Text(b"somebody else".to_vec());
    server.with(|server| server.put(0, key.as_bytes(), value, Some(ttl)));
}
