//! How a connection comes to be told of changes.

use crate::answer::{Answer, Class, Refusal};
use crate::command::{Command, Protocol};
use crate::defect::{Defect, has};

/// What one connection does so that its server tells of changes of keys.
///
/// A driver asks it for every [`Command::Expiry`]: [`Tracking::before_expiry`] gives what to send in front
/// of it, [`Tracking::heard`] takes the answers to that, and [`Tracking::told`] the answer to the
/// question itself, which means less where the server will not tell. What the server tells then is read
/// by [`Invalidation`](crate::Invalidation).
///
/// Only keys that are asked for are tracked (`OPTIN`): a lock that nobody waits for costs the server
/// nothing more. The server is told so when the first one waits. Own changes are told too (no `NOLOOP`):
/// else they would end the tracking of a key without a word.
///
/// ```text
///   Off -- OK --> On           Off, On -- refused for now --> Failed -- OK --> On
///                              any -- refused --> Never
/// ```
///
/// Source: [`CLIENT TRACKING`](https://redis.io/docs/latest/commands/client-tracking/).
#[derive(Clone, Copy, Debug)]
pub struct Tracking {
    state: State,
    /// Somebody asked in vain, and that was not said yet.
    news: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    On,
    /// Not now.
    Failed(Refusal),
    /// Not on this connection.
    Never(Refusal),
}

impl Tracking {
    /// Of a fresh connection. There are no messages in RESP2.
    #[must_use]
    pub const fn new(protocol: Protocol) -> Self {
        let state = match protocol {
            Protocol::Resp2 => State::Never(Refusal::NoProtocol),
            Protocol::Resp3 => State::Off,
        };
        Self { state, news: matches!(protocol, Protocol::Resp2) }
    }

    /// What to send in front of [`Command::Expiry`], in this order and with nothing in between.
    ///
    /// # Errors
    /// The answer, if the question is of no use.
    pub const fn before_expiry(&self) -> Result<&'static [Command<'static>], Answer> {
        const FIRST: [Command<'static>; 2] = [Command::Tracking, Command::Caching];
        const LATER: [Command<'static>; 1] = [Command::Caching];
        match self.state {
            State::Off | State::Failed(_) => Ok(&FIRST),
            State::On => Ok(&LATER),
            State::Never(refusal) => Err(Answer::Refused(refusal)),
        }
    }

    /// Takes the answer to one of these commands. False when it answers none of them: then requests and
    /// replies are out of step.
    #[must_use]
    pub fn heard(&mut self, answer: Answer) -> bool {
        match (self.state, answer) {
            (State::Never(_), Answer::Ok | Answer::Refused(_)) => {}
            (_, Answer::Ok) => self.state = State::On,
            (_, Answer::Refused(_)) if has(Defect::RefusalIsConsent) => self.state = State::On,
            // The command that was refused for now is why the one behind it says this.
            (State::Failed(_), Answer::Refused(Refusal::Other)) => {}
            (_, Answer::Refused(refusal)) => {
                let for_now = matches!(refusal.class(), Class::Refused);
                self.state = if for_now { State::Failed(refusal) } else { State::Never(refusal) };
                self.news |= !for_now;
            }
            _ => return false,
        }
        true
    }

    /// What the answer to [`Command::Expiry`] means.
    #[must_use]
    pub const fn told(&self, answer: Answer) -> Answer {
        match self.state {
            State::Off | State::On => answer,
            State::Failed(refusal) | State::Never(refusal) => Answer::Refused(refusal),
        }
    }

    /// Why this server wakes nobody, once somebody has waited for it; said once.
    pub fn take_refusal(&mut self) -> Option<Refusal> {
        match self.state {
            State::Never(refusal) if core::mem::take(&mut self.news) => Some(refusal),
            _ => None,
        }
    }
}
