//! One server's part in an extension. It may be asked again and again: extending twice is extending.
//!
//! ```text
//!   Idle -- extend --> Due -- script --> Sent -- our token --> Done
//!                       ^                 |----- 0 ----------> Gone
//!                       |                 |----- -1 ---------> Stolen
//!                       +-- not sent, ----+----- error ------> Refused
//!                           or lost
//! ```

use super::request::{ASK_AGAIN, Want};
use crate::answer::{Answer, Class, Refusal};
use crate::command::Form;
use crate::defect::{Defect, has};
use crate::time::Instant;
use crate::token::Token;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Renewal {
    #[default]
    Idle,
    Due {
        at: Instant,
        form: Form,
    },
    Sent {
        number: u32,
        form: Form,
    },
    Done,
    /// The key is gone.
    Gone,
    /// The key has another value.
    Stolen,
    Refused(Refusal),
}

impl Renewal {
    /// The next request, if it is due.
    pub(super) fn poll(&mut self, now: Instant, number: u32) -> Option<Want> {
        match *self {
            Self::Due { at, form } if at <= now => {
                *self = Self::Sent { number, form };
                Some(Want::Extend(form))
            }
            _ => None,
        }
    }

    pub(super) fn handle_answer(
        &mut self,
        number: u32,
        answer: Answer,
        token: Token,
        now: Instant,
    ) {
        let form = match *self {
            Self::Sent { number: sent, form } if sent == number || has(Defect::OldReplyExtends) => {
                form
            }
            _ => return,
        };
        *self = match answer {
            Answer::Token(shown) if shown == token => Self::Done,
            Answer::Integer(0) if has(Defect::GoneIsExtended) => Self::Done,
            Answer::Integer(0) => Self::Gone,
            Answer::Integer(_) => Self::Stolen,
            Answer::Refused(Refusal::NoScript) if form == Form::Digest => {
                Self::Due { at: now, form: Form::Source }
            }
            Answer::Refused(refusal) if refusal.class() == Class::Held => Self::Stolen,
            Answer::Refused(refusal) => Self::Refused(refusal),
            _ => Self::Due { at: now.plus(ASK_AGAIN), form: Form::Digest },
        };
    }
}
