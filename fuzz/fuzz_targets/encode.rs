//! `cargo +nightly fuzz run encode`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::encode(data));
