//! The arithmetic of the benchmarks.

#[path = "../benches/growth/told.rs"]
mod grown;
#[path = "measures/grown_tests.rs"]
mod grown_tests;
#[path = "../benches/handover/history.rs"]
mod history;
#[path = "measures/history_tests.rs"]
mod history_tests;
#[path = "../benches/measure/picture.rs"]
mod picture;
#[path = "measures/picture_tests.rs"]
mod picture_tests;
#[path = "../benches/handover/relay.rs"]
mod relay;
#[path = "measures/relay_tests.rs"]
mod relay_tests;
#[path = "../benches/measure/scale.rs"]
mod scale;
#[path = "measures/scale_tests.rs"]
mod scale_tests;
#[path = "../benches/handover/sent.rs"]
mod sent;
#[path = "measures/sent_tests.rs"]
mod sent_tests;
#[path = "../benches/measure/spread.rs"]
mod spread;
#[path = "measures/spread_tests.rs"]
mod spread_tests;
#[path = "../benches/handover/told.rs"]
mod told;
#[path = "measures/told_tests.rs"]
mod told_tests;
