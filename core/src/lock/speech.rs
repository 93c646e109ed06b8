//! Releases in the words of a connection: its [`Dialect`] says them, and hears what became of them.
//!
//! The machine knows the script only. A driver puts every request into the dialect of the connection
//! that carries it, and every answer back, with the ticket that went out.

use super::request::{Expects, Ticket};
use crate::answer::{Answer, Refusal};
use crate::command::{Command, Form};
use crate::dialect::Dialect;

impl Ticket {
    /// The request as the connection says it, and the ticket to keep for its answer. A release in full
    /// stays what it is: the machine asks for it once the short one was refused.
    #[must_use]
    pub fn say(self, command: Command<'_>, dialect: Dialect) -> (Self, Command<'_>) {
        match (command, dialect.native()) {
            (Command::Release { key, token, form: Form::Digest }, Some(native)) => {
                let ticket = Self { expects: Expects::Count, ..self };
                (ticket, Command::Delete { key, token, native })
            }
            _ => (self, command),
        }
    }

    /// What an answer says to the machine. When the server's own command was refused as such, the
    /// connection has scripts from now on, and the machine sends the script at once. An error that says
    /// nothing certain leads to scripts as well, but stays in doubt.
    #[must_use]
    pub fn hear(self, answer: Answer, dialect: &mut Dialect) -> Answer {
        let Answer::Refused(refusal) = answer else { return answer };
        if self.expects != Expects::Count {
            return answer;
        }
        match refusal {
            Refusal::UnknownCommand | Refusal::NoPermission => {
                *dialect = Dialect::SCRIPTS;
                Answer::Refused(Refusal::NoScript)
            }
            Refusal::Other => {
                *dialect = Dialect::SCRIPTS;
                answer
            }
            _ => answer,
        }
    }
}
