//! What the server says about a key, by a connection of our own and by the server's own tool.

use core::time::Duration;
use std::process::Command;

use redlatch_testkit::server::{Inspector, Kind, Server, Value};

/// A look into a server.
pub(crate) struct View(Inspector);

impl View {
    pub(crate) fn of(server: &Server) -> Self {
        Self(server.inspect().expect("a connection"))
    }

    pub(crate) fn ask(&mut self, question: &[&str]) -> Value {
        self.0.command(question).expect("an answer")
    }

    /// The token of redlatch that the key holds, and how long the server will keep it.
    pub(crate) fn token(&mut self, key: &str) -> Option<(String, Duration)> {
        let Value::Bulk(token) = self.ask(&["GET", key]) else { return None };
        let left = self.ask(&["PTTL", key]).integer().and_then(|left| u64::try_from(left).ok())?;
        let is_ours = token.len() == 40 && token.iter().all(u8::is_ascii_hexdigit);
        let token = String::from_utf8(token).ok().filter(|_| is_ours)?;
        Some((token, Duration::from_millis(left)))
    }
}

/// What `redis-cli` says: the one that was unpacked beside the server, else the machine's.
pub(crate) fn redis_cli(server: &Server, question: &[&str]) -> String {
    let found = Kind::Redis7.find().expect("a server");
    let root = found.parent().and_then(|bin| bin.parent()).map(|store| store.join("root/usr"));
    let unpacked = root.as_ref().map(|root| root.join("bin/redis-cli")).filter(|cli| cli.is_file());
    let mut command = Command::new(unpacked.unwrap_or_else(|| "redis-cli".into()));
    if let Some(root) = root {
        // Its libraries are there as well, in a folder that is named for the processor.
        let folders = std::fs::read_dir(root.join("lib")).into_iter().flatten().flatten();
        let folders: Vec<_> = folders.map(|entry| entry.path()).collect();
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders).expect("paths"));
    }
    let port = server.address().port().to_string();
    let output = command.args(["-p", &port]).args(question).output();
    let output = output.unwrap_or_else(|error| panic!("redis-cli: {error}"));
    assert!(output.status.success(), "redis-cli: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
