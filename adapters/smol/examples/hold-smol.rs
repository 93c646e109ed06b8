//! Takes a lock, holds it, and says what happens: `hold-smol URL[,URL...] KEY TTL_MS HOLD_MS [--wait
//! MS] [--extend]`.
//!
//! Every adapter has this program, with the same arguments, lines and exit status, so that two of
//! them can be tried against each other from a shell. The contract is told in
//! `redlatch_testkit::hold`, where the program is too.

use std::process::ExitCode;

use redlatch_smol::Smol;
use redlatch_testkit::hold::hold;

fn main() -> ExitCode {
    smol::block_on(hold::<Smol>("hold-smol"))
}
