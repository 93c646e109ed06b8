//! `cargo +nightly fuzz run lock`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::lock(data));
