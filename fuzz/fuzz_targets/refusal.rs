//! `cargo +nightly fuzz run refusal`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redlatch_fuzz::refusal(data));
