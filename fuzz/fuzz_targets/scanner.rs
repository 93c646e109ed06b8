//! `cargo +nightly fuzz run scanner`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::scanner(data));
