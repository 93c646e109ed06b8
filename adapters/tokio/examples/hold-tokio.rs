//! Takes a lock, holds it, and says what happens: `hold-tokio URL[,URL...] KEY TTL_MS HOLD_MS [--wait
//! MS] [--extend]`.
//!
//! Every adapter has this program, with the same arguments, lines and exit status, so that two of
//! them can be tried against each other from a shell. The contract is told in
//! `redlatch_testkit::hold`, where the program is too.

use std::process::ExitCode;

use redlatch_testkit::hold::hold;
use redlatch_tokio::Tokio;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    hold::<Tokio>("hold-tokio").await
}
