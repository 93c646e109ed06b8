//! `cargo +nightly fuzz run connection`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::connection(data));
