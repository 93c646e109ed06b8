//! What can go wrong for the owner of a lock, by who is to blame.

use core::fmt;

use redlatch_core::{Denial, Loss, Refusal, Tally};

use crate::fault::Fault;

/// What can go wrong for the owner of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Caller: the key is longer than the room for keys, or a request with it is longer than the
    /// transmit buffer of a server.
    KeyTooLong,
    /// Caller: the ttl, rounded down to milliseconds, is not from 1 to 2^53 - 1, or nothing is left of it
    /// after the allowance for clock drift.
    InvalidTtl,
    /// Limit: every place for a lock is in use. A lock that was dropped keeps its place until its keys
    /// are surely given back or expired.
    TooManyLocks,
    /// Caller: the random generator failed, repeated itself or gave twenty equal bytes. It is not
    /// seeded or not clocked, and tokens made with it could be guessed.
    Random,
    /// Caller: a method of the client was called from inside of its own clock, stream or generator.
    Reentered,
    /// Somebody else had the lock all the time, or the servers answered so late that nothing of the ttl
    /// was left.
    TimedOut(Tally),
    /// Server: too many of them refused, for this reason or a lesser one.
    Refused(Refusal),
    /// Network: too few servers could be asked.
    Unavailable {
        /// How the servers voted.
        tally: Tally,
        /// The first server without a connection, and why, if there is one.
        fault: Option<(usize, Fault)>,
    },
    /// The lock is not held any more, for ever.
    Lost(Loss),
    /// Too few servers agreed to extend it in time; the old lease still stands.
    NotExtended(Tally),
    /// Too few servers answered to tell whether the lock was still ours. The release is repeated until
    /// it is confirmed or the keys have expired.
    Unconfirmed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyTooLong => {
                "the key does not fit the room for keys or the transmit buffer; enlarge them"
            }
            Self::InvalidTtl => {
                "the ttl must be 1 ms to 2^53 ms and more than the allowance for clock drift"
            }
            Self::TooManyLocks => "every place for a lock is in use; give the client more",
            Self::Random => "the random generator is not seeded or not running: no token is safe",
            Self::Reentered => "the client was called from inside of its own clock or stream",
            Self::TimedOut(tally) if tally.denial() == Denial::TooLate => {
                "the servers answered so late that nothing of the ttl was left; use a longer one"
            }
            Self::TimedOut(_) => "the lock was not acquired in time: somebody else holds it",
            Self::Refused(refusal) => return write!(f, "the server refused: {refusal}"),
            Self::Unavailable { tally, fault } => return unavailable(f, tally, *fault),
            Self::Lost(loss) => return write!(f, "the lock was lost: {loss}"),
            Self::NotExtended(tally) => {
                return write!(
                    f,
                    "the lock was not extended, its old lease stands: {} of {} servers agreed",
                    tally.granted, tally.configured
                );
            }
            Self::Unconfirmed => {
                "the release was not confirmed in time; it is repeated until it is, or the key has expired"
            }
        })
    }
}

fn unavailable(
    f: &mut fmt::Formatter<'_>,
    tally: &Tally,
    fault: Option<(usize, Fault)>,
) -> fmt::Result {
    let voted = tally.granted.saturating_add(tally.held).saturating_add(tally.refused);
    write!(f, "only {voted} of {} servers could be asked", tally.configured)?;
    match fault {
        Some((server, fault)) => write!(f, "; server {server}: {fault}"),
        None => f.write_str("; the others did not answer in time"),
    }
}

impl core::error::Error for Error {}
