//! `cargo +nightly fuzz run oracle`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::oracle(data));
