//! Errors in words. The adapters' own texts need `core::fmt`.

use redlatch_bare::{Error, Fault, Loss};

/// What went wrong, and a second word for why.
pub(crate) const fn error(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::KeyTooLong => ("key-too-long", ""),
        Error::InvalidTtl => ("invalid-ttl", ""),
        Error::TooManyLocks => ("too-many-locks", ""),
        Error::Random => ("random", ""),
        Error::Refused(_) => ("refused", ""),
        Error::Unavailable { fault: Some((_, why)), .. } => ("unavailable ", fault(*why)),
        Error::Unavailable { .. } => ("unavailable ", "no-answer"),
        Error::NotExtended(_) => ("not-extended", ""),
        Error::Unconfirmed => ("unconfirmed", ""),
        _ => ("unknown", ""),
    }
}

const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Stream(_) => "stream",
        Fault::NotOpen => "not-open",
        Fault::Noise => "noise",
        Fault::Silent => "silent",
        Fault::Closed => "closed",
        Fault::Malformed(_) => "malformed",
        Fault::NotRedis => "not-redis",
        Fault::Refused(_) => "refused",
        Fault::OutOfStep => "out-of-step",
        _ => "unknown",
    }
}

/// Why a lock was lost, as the `hold-*` examples say it.
pub(crate) const fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::Expired => "expired",
        Loss::Deleted => "deleted",
        Loss::ServerRestarted => "server-restarted",
        Loss::Stolen => "stolen",
        Loss::Unreachable => "unreachable",
        Loss::Refused => "refused",
        Loss::Capped => "capped",
        _ => "unknown",
    }
}
