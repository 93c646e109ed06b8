//! From a fresh connection to one that is ready for locks.
//!
//! ```text
//!            +- no HELLO here -> Auth? -> Select? -> Role -+
//!   Hello ---+                                             +-> Info? -> ready
//!            +- greeted -------> Select? ------------------+
//! ```
//!
//! Steps with a question mark are left out when there is nothing to say. One question is out at a
//! time, except that `HELLO` carries the login and the name of the connection with it.
//!
//! Source: the [`HELLO`](https://redis.io/docs/latest/commands/hello/) page and the RESP
//! specification, section "Client handshake".

use core::fmt;
use core::time::Duration;

use crate::answer::Refusal;
use crate::command::{Command, Login, Protocol};
use crate::defect::{Defect, has};
use crate::dialect::Dialect;
use crate::resp::{Elements, Integer, Reply};
use crate::time::micros;

/// Whether a server may vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It said that it is a master.
    Master,
    /// It did not say.
    #[default]
    Unknown,
}

/// What a server said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// The protocol both sides speak from now on.
    pub protocol: Protocol,
    /// Its role. A replica is never greeted: that is [`HandshakeError::Replica`].
    pub role: Role,
    /// How long it has been up, as it says: less than a second too much or too little, because it
    /// subtracts clocks that are cut to seconds. `None` when not asked for or not told.
    pub uptime: Option<Duration>,
    /// The number of this connection, told by `HELLO`: a server counts them from one in each of its
    /// lives. `None` when not told.
    pub id: Option<u64>,
    /// How it compares and deletes. Scripts, when not told.
    pub dialect: Dialect,
}

/// What a server says of its uptime is off by less than this, in microseconds.
const UPTIME_OFF: u64 = 1_000_000;

impl Greeting {
    /// How long the server must stay without a vote: a server that forgot its keys in a restart
    /// may grant a lock that is still held, until the longest ttl in use (`longest`) has passed.
    /// All of that when the server did not tell its uptime: it may have been started a moment ago.
    ///
    /// Source: "Distributed locks with Redis", section on crash recovery and delayed restarts.
    #[must_use]
    pub fn abstains_for(&self, longest: Duration) -> Duration {
        if has(Defect::NoAbstention) {
            return Duration::ZERO;
        }
        let surely = self.uptime.map_or(0, |uptime| micros(uptime).saturating_sub(UPTIME_OFF));
        Duration::from_micros(micros(longest).saturating_sub(surely))
    }

    /// Whether the server has surely been started again since `earlier`, an earlier connection to
    /// it that was greeted `ago`. False when nothing told proves it.
    ///
    /// Source: [`CLIENT ID`](https://redis.io/docs/latest/commands/client-id/): the number is never
    /// repeated and grows with every connection.
    #[must_use]
    pub fn proves_restart(&self, earlier: &Self, ago: Duration) -> bool {
        let counted_anew = self.id.zip(earlier.id).is_some_and(|(now, then)| now <= then);
        let young =
            self.uptime.is_some_and(|up| micros(up).saturating_add(UPTIME_OFF) < micros(ago));
        counted_anew || young
    }
}

/// Why a connection cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The server refused a step.
    Refused(Refusal),
    /// The server is a replica: its word counts for nothing.
    Replica,
    /// The answer is none that a Redis or Valkey server gives.
    Nonsense,
}

/// Asks and listens; the caller carries, and keeps the login: the same for every call.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    wants_uptime: bool,
    step: Step,
    asked: bool,
    greeting: Greeting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Hello,
    Auth,
    Select {
        greeted: bool,
    },
    Role,
    Info,
    Ready,
    /// Nothing is asked any more: the login is not sent again to a server that refused it.
    Failed,
}

impl Handshake {
    /// A handshake for a fresh connection. With `wants_uptime` it also asks how long the server
    /// has been up, for [`Greeting::abstains_for`].
    #[must_use]
    pub const fn new(wants_uptime: bool) -> Self {
        let greeting = Greeting {
            protocol: Protocol::Resp2,
            role: Role::Unknown,
            uptime: None,
            id: None,
            dialect: Dialect::SCRIPTS,
        };
        Self { wants_uptime, step: Step::Hello, asked: false, greeting }
    }

    /// The next question. `None` while one is out, and when all is said.
    #[must_use]
    pub fn poll_command<'a>(&mut self, login: &Login<'a>) -> Option<Command<'a>> {
        if self.asked {
            return None;
        }
        let command = match self.step {
            Step::Hello => Command::Hello(*login),
            Step::Auth => Command::Auth(*login),
            Step::Select { .. } => Command::Select(login.database),
            Step::Role => Command::Role,
            Step::Info => Command::Info,
            Step::Ready | Step::Failed => return None,
        };
        self.asked = true;
        Some(command)
    }

    /// Takes the reply to the question that is out.
    ///
    /// # Errors
    /// [`HandshakeError`]: close the connection. This handshake is over.
    pub fn handle_reply(
        &mut self,
        login: &Login<'_>,
        reply: Reply<'_>,
    ) -> Result<(), HandshakeError> {
        let asked = core::mem::replace(&mut self.asked, false).then_some(self.step);
        let next = self.answered(asked, login, reply);
        self.step = next.unwrap_or(Step::Failed);
        next.map(|_| ())
    }

    fn answered(
        &mut self,
        asked: Option<Step>,
        login: &Login<'_>,
        reply: Reply<'_>,
    ) -> Result<Step, HandshakeError> {
        Ok(match asked {
            Some(Step::Hello) => self.greeted(login, reply)?,
            Some(Step::Auth) => {
                accepted(reply)?;
                self.after_login(login, false)
            }
            Some(Step::Select { greeted }) => {
                accepted(reply)?;
                self.after_select(greeted)
            }
            Some(Step::Role) => {
                self.greeting.role = role_reply(reply)?;
                self.after_role()
            }
            Some(Step::Info) => {
                self.greeting.uptime = uptime(reply)?;
                Step::Ready
            }
            Some(Step::Ready | Step::Failed) | None => return Err(HandshakeError::Nonsense),
        })
    }

    /// What the server said of itself, once all is said.
    #[must_use]
    pub fn finished(&self) -> Option<Greeting> {
        (self.step == Step::Ready).then_some(self.greeting)
    }

    fn greeted(&mut self, login: &Login<'_>, reply: Reply<'_>) -> Result<Step, HandshakeError> {
        match reply {
            Reply::Map(fields) | Reply::Array(fields) => {
                self.greeting = greeting(fields, login.protocol)?;
                Ok(self.after_login(login, true))
            }
            // Too long a list of modules to keep. The server did switch: an error is short.
            Reply::TooLong => {
                self.greeting.protocol = login.protocol;
                Ok(self.after_login(login, true))
            }
            Reply::Error(line) => match Refusal::classify(line) {
                Refusal::UnknownCommand | Refusal::NoProtocol => Ok(self.without_hello(login)),
                // A login came with it: whoever says that it lacks has not understood `HELLO`. So does
                // Valkey 9, which tells strangers nothing of the commands that it knows.
                Refusal::NoAuth if login.password.is_some() => Ok(Step::Auth),
                refusal => Err(HandshakeError::Refused(refusal)),
            },
            _ => Err(HandshakeError::Nonsense),
        }
    }

    fn without_hello(&self, login: &Login<'_>) -> Step {
        if login.password.is_some() { Step::Auth } else { self.after_login(login, false) }
    }

    fn after_login(&self, login: &Login<'_>, greeted: bool) -> Step {
        if login.database == 0 { self.after_select(greeted) } else { Step::Select { greeted } }
    }

    fn after_select(&self, greeted: bool) -> Step {
        if greeted { self.after_role() } else { Step::Role }
    }

    fn after_role(&self) -> Step {
        if self.wants_uptime { Step::Info } else { Step::Ready }
    }
}

/// Reads the map that `HELLO` gives; RESP2 sends it flat, as an array.
fn greeting(mut fields: Elements<'_>, asked: Protocol) -> Result<Greeting, HandshakeError> {
    let wanted = match asked {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    let mut role = Role::Unknown;
    let (mut speaks, mut id) = (None, None);
    let (mut server, mut software) = (None, None);
    while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
        match (text(field), value) {
            (Some(b"proto"), Reply::Integer(version)) => speaks = Some(version),
            (Some(b"role"), value) => role = role_text(value)?,
            (Some(b"server"), value) => server = text(value),
            (Some(b"version"), value) => software = text(value),
            (Some(b"id"), Reply::Integer(number)) => id = u64::try_from(number).ok(),
            _ => {}
        }
    }
    if speaks != Some(wanted) {
        return Err(HandshakeError::Nonsense);
    }
    let dialect = Dialect::of(server.unwrap_or_default(), software.unwrap_or_default());
    Ok(Greeting { protocol: asked, role, uptime: None, id, dialect })
}

/// `ROLE` names the role first. A server may forbid or lack it: then the role stays unknown.
fn role_reply(reply: Reply<'_>) -> Result<Role, HandshakeError> {
    match reply {
        Reply::Array(mut fields) => fields.next().map_or(Ok(Role::Unknown), role_text),
        Reply::Error(line) => forbidden(line).map(|()| Role::Unknown),
        _ => Err(HandshakeError::Nonsense),
    }
}

fn role_text(value: Reply<'_>) -> Result<Role, HandshakeError> {
    match text(value) {
        Some(b"master") => Ok(Role::Master),
        Some(b"replica" | b"slave") => Err(HandshakeError::Replica),
        _ => Ok(Role::Unknown),
    }
}

fn uptime(reply: Reply<'_>) -> Result<Option<Duration>, HandshakeError> {
    match reply {
        Reply::Bulk(info) | Reply::Verbatim(info) => Ok(info
            .split(|byte| *byte == b'\n')
            .find_map(|line| line.strip_prefix(b"uptime_in_seconds:"))
            .and_then(|digits| Integer::read(digits.trim_ascii_end()))
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs)),
        Reply::TooLong => Ok(None),
        Reply::Error(line) => forbidden(line).map(|()| None),
        _ => Err(HandshakeError::Nonsense),
    }
}

/// A question that a server may forbid or not know, without harm.
fn forbidden(line: &[u8]) -> Result<(), HandshakeError> {
    match Refusal::classify(line) {
        Refusal::NoPermission | Refusal::UnknownCommand => Ok(()),
        refusal => Err(HandshakeError::Refused(refusal)),
    }
}

fn accepted(reply: Reply<'_>) -> Result<(), HandshakeError> {
    match reply {
        Reply::Simple(b"OK") => Ok(()),
        Reply::Error(line) => Err(HandshakeError::Refused(Refusal::classify(line))),
        _ => Err(HandshakeError::Nonsense),
    }
}

fn text(reply: Reply<'_>) -> Option<&[u8]> {
    match reply {
        Reply::Simple(text) | Reply::Bulk(text) => Some(text),
        _ => None,
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Replica => f.write_str("it is a replica; connect to the master"),
            Self::Nonsense => f.write_str("its answer is none that Redis or Valkey gives"),
        }
    }
}

impl core::error::Error for HandshakeError {}
