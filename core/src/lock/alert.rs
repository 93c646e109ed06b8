//! One server's part in a wait: when its key expires, and whether it will say that the key has changed.
//!
//! Asked of a server that has the key with another value, while the lock pauses. The driver sends it so
//! that the server remembers the key and tells of its next change, once: see
//! [`Tracking`](crate::Tracking). What happened before the server came to the question is in its answer,
//! what happens after that is told: nothing is missed in between.
//!
//! ```text
//!   Off -- the attempt failed --> Due -- PTTL --> Asked --+-- -2 ------------------> Free
//!                                                         +-- ttl, or none --------> Set
//!                                                         +-- refused, lost, unsent > Deaf
//! ```

use super::request::Want;
use crate::answer::Answer;
use crate::defect::{Defect, has};
use crate::time::Instant;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Alert {
    /// The server was not asked.
    #[default]
    Off,
    Due,
    Asked(u32),
    /// It will say when the key changes. At this moment the key has expired, which it may say late.
    Set(Instant),
    /// The key is gone.
    Free,
    /// It will say nothing.
    Deaf,
}

/// A key without a ttl is looked at again after so long, in microseconds, although nothing was said.
const LOOK_AGAIN: u64 = 30_000_000;

/// A server counts in milliseconds, and has a key for the whole of the one in which its ttl ends: at most for
/// so long, in microseconds, beyond what it tells. Seen of Redis 7.0 and Valkey 9.1: 990 us after the moment
/// that `PEXPIRETIME` gives the key was there, after 1 010 us it was gone.
const MARGIN: u64 = 1_000;

impl Alert {
    pub(super) fn poll(&mut self, number: u32) -> Option<Want> {
        (*self == Self::Due).then(|| {
            *self = Self::Asked(number);
            Want::Expiry
        })
    }

    pub(super) fn handle_answer(&mut self, number: u32, answer: Answer, now: Instant) {
        if *self != Self::Asked(number) {
            return;
        }
        *self = match answer {
            Answer::Integer(-2) if has(Defect::AlertForgotten) => Self::Set(now.plus(LOOK_AGAIN)),
            Answer::Integer(-2) => Self::Free,
            Answer::Integer(_) if has(Defect::ExpiryTimerNever) => Self::Set(now.plus(LOOK_AGAIN)),
            Answer::Integer(millis) if has(Defect::ExpiryTimerEarly) && millis > 0 => {
                Self::Set(now.plus(millis.unsigned_abs().saturating_mul(500)))
            }
            Answer::Integer(-1) => Self::Set(now.plus(LOOK_AGAIN)),
            Answer::Integer(millis) => {
                let micros = u64::try_from(millis).unwrap_or(0).saturating_mul(1000);
                Self::Set(now.plus(micros.saturating_add(MARGIN)))
            }
            _ => Self::Deaf,
        };
    }
}
