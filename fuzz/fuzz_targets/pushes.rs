//! `cargo +nightly fuzz run pushes`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::pushes(data));
