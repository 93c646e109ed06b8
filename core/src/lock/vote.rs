//! One server's vote on one attempt.
//!
//! Only a `GET` that shows our token grants: an `OK` may be a reply that slipped in from elsewhere.
//! The same `GET` settles the doubt when the reply to `SET` is lost. On a first attempt both leave
//! together, so a free lock costs one round trip; a waiter, who is mostly refused, sends the `GET`
//! only when the `SET` was not. Of many locks on one connection a driver may let one `GET` stand for
//! several: see [`proof`](crate::proof).
//!
//! ```text
//!   Out -- attempt --> Due -- SET, GET --> Asked -- GET: our token ---------> Granted
//!    |                  ^                   |------ GET: another's, or gone -> Held
//!    |                  +---- never sent ---|------ SET: error --------------> Refused
//!    +-- owes too much ----> Unreachable <--+------ SET lost, GET: nothing
//!
//!   giving up:  Granted or Asked --> Returning -- release answered --> Returned | Absent | Unclear
//! ```

use super::request::{ASK_AGAIN, Fate, Want, is_doubtful};
use crate::answer::{Answer, Class, Refusal};
use crate::defect::{Defect, has};
use crate::time::Instant;
use crate::token::Token;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Vote {
    /// Nothing asked, nothing there.
    #[default]
    Out,
    /// To be asked from this moment on, eagerly or not.
    Due {
        at: Instant,
        eager: bool,
    },
    Asked {
        claim: Fate,
        read: Read,
    },
    Granted,
    Held,
    Refused(Refusal),
    Unreachable,
    /// Given up: a release is owed.
    Returning,
    /// The key was ours until the release.
    Returned,
    /// The release found nothing of ours.
    Absent,
    /// So did this one, but an earlier one may have been executed.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Wanted only when the claim was not refused.
    Waiting,
    Due(Instant),
    Sent(u32),
    /// The vote is over; nobody reads any more.
    Stopped,
}

impl Vote {
    /// The next request, if it is due.
    pub(super) fn poll(&mut self, now: Instant, number: u32) -> Option<Want> {
        match *self {
            Self::Due { at, eager } if at <= now => {
                let claim = Fate::Pending(number);
                let read = if eager { Read::Due(now) } else { Read::Waiting };
                *self = Self::Asked { claim, read };
                Some(Want::Claim)
            }
            Self::Asked { claim, read: Read::Due(at) } if at <= now => {
                *self = Self::Asked { claim, read: Read::Sent(number) };
                Some(Want::Read)
            }
            _ => None,
        }
    }

    /// Whether the server has a key of ours, or may have.
    pub(super) const fn may_hold(self) -> bool {
        self.fate().is_some()
    }

    /// What a release must know of the claim. `None` when nothing of ours can be there.
    pub(super) const fn fate(self) -> Option<Fate> {
        match self {
            Self::Granted => Some(Fate::Set),
            Self::Asked { claim: Fate::NotSet, .. } => None,
            Self::Asked { claim, .. } => Some(claim),
            _ => None,
        }
    }

    /// Stops asking: the attempt is decided without this vote.
    pub(super) const fn stop_asking(&mut self) {
        match *self {
            Self::Due { .. } => *self = Self::Unreachable,
            Self::Asked { claim, read: Read::Due(_) } => {
                *self = Self::Asked { claim, read: Read::Stopped };
            }
            _ => {}
        }
    }

    /// Takes an answer. Gives the fate of the claim when the vote is over and the claim may still
    /// come: then a release is owed.
    pub(super) fn handle_answer(
        &mut self,
        number: u32,
        answer: Answer,
        token: Token,
        now: Instant,
    ) -> Option<Fate> {
        match *self {
            Self::Asked { claim: Fate::Pending(claim), read } if claim == number => {
                *self = claimed(answer, read, now);
                None
            }
            Self::Asked { claim, read: Read::Sent(read) } if read == number => {
                *self = self::read(answer, claim, token, now);
                // The connection broke right behind the null that said no, perhaps because replies
                // were out of step: then the null may have been none of ours, and the claim be set.
                if claim == Fate::NotSet && is_doubtful(answer) {
                    return Some(Fate::Unknown);
                }
                let over = !matches!(self, Self::Asked { .. } | Self::Granted);
                let open = match self {
                    Self::Refused(_) => claim != Fate::NotSet,
                    _ => matches!(claim, Fate::Pending(_) | Fate::Unknown),
                };
                (over && open).then_some(claim)
            }
            _ => None,
        }
    }
}

/// The reply to `SET … NX PX`.
fn claimed(answer: Answer, read: Read, now: Instant) -> Vote {
    let claim = match answer {
        Answer::Ok if has(Defect::OkGrants) => return Vote::Granted,
        Answer::Ok => Fate::Set,
        Answer::Nil => Fate::NotSet,
        Answer::Unreachable => {
            let eager = read != Read::Waiting;
            return Vote::Due { at: now.plus(ASK_AGAIN), eager };
        }
        Answer::Refused(refusal) => match refusal.class() {
            Class::Refused | Class::Permanent => return Vote::Refused(refusal),
            Class::Held => return Vote::Held,
            Class::Unknown => Fate::Unknown,
        },
        _ => Fate::Unknown,
    };
    match (read, claim) {
        (Read::Waiting, Fate::NotSet) => Vote::Held,
        (Read::Waiting, _) => Vote::Asked { claim, read: Read::Due(now) },
        _ => Vote::Asked { claim, read },
    }
}

/// The reply to `GET`.
fn read(answer: Answer, claim: Fate, token: Token, now: Instant) -> Vote {
    match answer {
        Answer::Token(shown) if shown == token => Vote::Granted,
        Answer::Token(_) | Answer::Value => Vote::Held,
        // Nothing there although the claim was answered: it came and went, somebody was quicker.
        Answer::Nil => match claim {
            Fate::Set | Fate::NotSet => Vote::Held,
            Fate::Pending(_) | Fate::Unknown => Vote::Unreachable,
        },
        Answer::Refused(refusal) if refusal.class() == Class::Held => Vote::Held,
        _ if claim == Fate::NotSet => Vote::Held,
        Answer::Refused(refusal) if refusal.class() == Class::Permanent => Vote::Refused(refusal),
        _ => Vote::Asked { claim, read: Read::Due(now.plus(ASK_AGAIN)) },
    }
}
