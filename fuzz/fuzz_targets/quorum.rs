//! `cargo +nightly fuzz run quorum`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::quorum(data));
