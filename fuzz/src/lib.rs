//! What must hold for every input, as functions that panic where it does not. libFuzzer runs them with inputs that it
//! makes up, see `fuzz_targets/`; `cargo test` runs them with stored ones, see `tests/replay.rs`, and with structured
//! ones, see `tests/properties.rs`.
#![forbid(unsafe_code)]

mod choices;
mod connection;
mod encode;
mod handshake;
mod lock;
mod oracle;
mod pushes;
mod quorum;
mod refusal;
mod reply;
mod scanner;
mod tree;
mod url;

pub use connection::connection;
pub use encode::encode;
pub use handshake::handshake;
pub use lock::lock;
pub use oracle::oracle;
pub use pushes::pushes;
pub use quorum::quorum;
pub use refusal::refusal;
pub use reply::reply;
pub use scanner::scanner;
pub use url::url;

/// Panics where it does not hold for these bytes.
pub type Property = fn(&[u8]);

/// Every property with its name, which is also that of its target and of its folders.
pub const TARGETS: [(&str, Property); 11] = [
    ("scanner", scanner),
    ("reply", reply),
    ("encode", encode),
    ("oracle", oracle),
    ("refusal", refusal),
    ("handshake", handshake),
    ("connection", connection),
    ("lock", lock),
    ("quorum", quorum),
    ("url", url),
    ("pushes", pushes),
];
