//! What must hold for every input, as functions that panic where it does not. libFuzzer runs them with inputs that it
//! makes up, see `fuzz_targets/`; `cargo test` runs them with stored and with generated ones, see `tests/replay.rs`.
#![forbid(unsafe_code)]

mod choices;
mod connection;
mod scanner;

pub use connection::connection;
pub use scanner::scanner;
