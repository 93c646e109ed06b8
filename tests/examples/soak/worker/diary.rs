//! Where a worker tells what it did.

use core::fmt::Write as _;
use std::io::{self, Write as _};

use redlatch_client::Error;
use redlatch_core::Loss;

use crate::line::Line;

/// Standard output, shared by all lanes.
#[derive(Clone)]
pub(crate) struct Diary;

impl Diary {
    /// Writes the lines at once, so that those of two lanes do not mix.
    pub(crate) fn tell(&self, lines: &[Line]) {
        let mut text = String::new();
        for line in lines {
            let _ = writeln!(text, "{}", line.to_string().replace('\n', " "));
        }
        // Nobody reads any more: then the end is near.
        let _ = io::stdout().lock().write_all(text.as_bytes());
    }
}

/// The kind of an error of acquiring or of giving back, as a word.
pub(crate) const fn kind(error: &Error) -> &'static str {
    match error {
        Error::TimedOut { .. } => "timed-out",
        Error::Unavailable { .. } => "unavailable",
        Error::Connect { .. } => "no-connection",
        Error::Silent { .. } => "silent",
        Error::Refused { .. } => "refused",
        Error::NotRedis { .. } => "not-redis",
        Error::NotExtended { .. } => "not-extended",
        Error::Unconfirmed => "unconfirmed",
        Error::Lost(loss) => lost(*loss),
        // None of these belongs into a soak.
        _ => "unexpected",
    }
}

pub(crate) const fn lost(loss: Loss) -> &'static str {
    match loss {
        Loss::Expired => "lost-expired",
        Loss::Deleted => "lost-deleted",
        Loss::ServerRestarted => "lost-restarted",
        Loss::Stolen => "lost-stolen",
        Loss::Unreachable => "lost-unreachable",
        Loss::Refused => "lost-refused",
        Loss::Capped => "lost-capped",
        _ => "unexpected",
    }
}
