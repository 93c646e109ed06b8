//! What a reply means: small values without text, which cross any channel.

use core::fmt;

use crate::resp::Reply;
use crate::token::Token;

/// The meaning of one reply, or of its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// `+OK`.
    Ok,
    /// A null: nothing there, or a condition not met.
    Nil,
    /// An integer.
    Integer(i64),
    /// A bulk string that has the shape of one of our tokens.
    Token(Token),
    /// Any other bulk string: a value that somebody else wrote.
    Value,
    /// An error reply.
    Refused(Refusal),
    /// A reply that answers none of our questions.
    Unexpected,
    /// The request never left this machine: surely not applied.
    Unreachable,
    /// The request may have left, its reply never came: in doubt.
    Lost,
}

impl From<Reply<'_>> for Answer {
    fn from(reply: Reply<'_>) -> Self {
        match reply {
            Reply::Simple(b"OK") => Self::Ok,
            Reply::Null => Self::Nil,
            Reply::Integer(number) => Self::Integer(number),
            Reply::Bulk(value) => Token::from_wire(value).map_or(Self::Value, Self::Token),
            // Only a value written by somebody else can be longer than what we keep.
            Reply::TooLong => Self::Value,
            Reply::Error(line) => Self::Refused(Refusal::classify(line)),
            _ => Self::Unexpected,
        }
    }
}

/// Why a server said no. Read from an error reply by [`Refusal::classify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// `NOSCRIPT`: the script must be sent in full once.
    NoScript,
    /// `BUSY`: another script is running.
    Busy,
    /// A script was killed before it wrote anything.
    ScriptKilled,
    /// `READONLY`: a replica.
    ReadOnly,
    /// `LOADING`: the server reads its data set after a start.
    Loading,
    /// `MASTERDOWN`: a replica cut off from its master.
    MasterDown,
    /// `OOM`: the memory is full.
    OutOfMemory,
    /// `MISCONF`: the server cannot write to its disk.
    Misconfigured,
    /// `NOREPLICAS`: too few replicas are attached.
    NoReplicas,
    /// `CLUSTERDOWN`: the slot is not served.
    ClusterDown,
    /// `MOVED`: another node serves the slot.
    Moved,
    /// `ASK`: another node serves this key for now.
    Ask,
    /// `TRYAGAIN`: the slot is being moved.
    TryAgain,
    /// `CROSSSLOT`, or a script that touched a key of another node.
    CrossSlot,
    /// `NOAUTH`: no password was given and the server wants one.
    NoAuth,
    /// `WRONGPASS`: user name or password is wrong.
    WrongPassword,
    /// A password was given to a server that has none.
    PasswordNotSet,
    /// `DENIED`: protected mode refuses clients from other machines.
    ProtectedMode,
    /// `NOPERM`, or the same inside a script: the user may not run the command or touch the key.
    NoPermission,
    /// `WRONGTYPE`: a value of another type stands under the key.
    WrongType,
    /// The server has no connection left.
    TooManyClients,
    /// The server does not accept the ttl.
    InvalidExpire,
    /// The server does not know the command.
    UnknownCommand,
    /// `NOPROTO`: the server does not speak the protocol version asked for.
    NoProtocol,
    /// The server restarted so recently that it may have forgotten locks; it has no vote yet.
    Restarted,
    /// Any other error.
    Other,
}

/// What a refusal says about the request, which decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Surely not applied; it may work later.
    Refused,
    /// Surely not applied, and it will not work later either: the set-up is wrong.
    Permanent,
    /// Surely not applied: the key is held, in a format that is not ours.
    Held,
    /// Nothing is certain; the request may have been applied.
    Unknown,
}

/// First words that say all.
const CODES: [(&[u8], Refusal); 20] = [
    (b"NOSCRIPT", Refusal::NoScript),
    (b"BUSY", Refusal::Busy),
    (b"READONLY", Refusal::ReadOnly),
    (b"LOADING", Refusal::Loading),
    (b"MASTERDOWN", Refusal::MasterDown),
    (b"OOM", Refusal::OutOfMemory),
    (b"MISCONF", Refusal::Misconfigured),
    (b"NOREPLICAS", Refusal::NoReplicas),
    (b"CLUSTERDOWN", Refusal::ClusterDown),
    (b"MOVED", Refusal::Moved),
    (b"ASK", Refusal::Ask),
    (b"TRYAGAIN", Refusal::TryAgain),
    (b"CROSSSLOT", Refusal::CrossSlot),
    (b"NOAUTH", Refusal::NoAuth),
    (b"WRONGPASS", Refusal::WrongPassword),
    (b"NOPERM", Refusal::NoPermission),
    (b"WRONGTYPE", Refusal::WrongType),
    (b"NOPROTO", Refusal::NoProtocol),
    (b"DENIED", Refusal::ProtectedMode),
    (b"ERR", Refusal::Other),
];

/// Beginnings of the text after `ERR`.
const TEXTS: [(&[u8], Refusal); 11] = [
    (b"Script killed by user", Refusal::ScriptKilled),
    (b"Script attempted to access a non local key", Refusal::CrossSlot),
    (b"AUTH <password> called without", Refusal::PasswordNotSet),
    (b"Client sent AUTH, but no password is set", Refusal::PasswordNotSet),
    (b"invalid password", Refusal::WrongPassword),
    (b"The user executing the script can't run", Refusal::NoPermission),
    (b"ACL failure in script", Refusal::NoPermission),
    (b"max number of clients", Refusal::TooManyClients),
    (b"invalid expire time", Refusal::InvalidExpire),
    (b"unknown command", Refusal::UnknownCommand),
    // `DELEX`, of a value of another type.
    (b"Key should be of string type", Refusal::WrongType),
];

impl Refusal {
    /// Reads an error line, without its leading `-`. Unknown codes and texts are
    /// [`Refusal::Other`]: nothing may be concluded from them.
    #[must_use]
    pub fn classify(line: &[u8]) -> Self {
        let (code, text) = split_word(line);
        match CODES.iter().find(|(known, _)| *known == code) {
            Some((_, Self::Other)) => classify_text(text),
            Some((_, refusal)) => *refusal,
            None => Self::Other,
        }
    }

    /// What may be concluded from this refusal.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::CrossSlot
            | Self::NoAuth
            | Self::WrongPassword
            | Self::PasswordNotSet
            | Self::ProtectedMode
            | Self::NoPermission
            | Self::UnknownCommand
            | Self::NoProtocol => Class::Permanent,
            Self::WrongType => Class::Held,
            Self::Other => Class::Unknown,
            _ => Class::Refused,
        }
    }
}

fn classify_text(text: &[u8]) -> Refusal {
    // Before version 7 an error inside a script is wrapped: the real one follows the position.
    let text = if text.starts_with(b"Error running script") { unwrapped(text) } else { text };
    let (code, _) = split_word(text);
    let by_code = CODES.iter().find(|(known, _)| *known == code);
    let by_text = || TEXTS.iter().find(|(known, _)| text.starts_with(known));
    by_code.or_else(by_text).map_or(Refusal::Other, |(_, refusal)| *refusal)
}

/// What follows the last `@user_script:1:` or `@user_script: 1: -`.
fn unwrapped(text: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"@user_script";
    let Some(last) = text.windows(MARK.len()).rposition(|window| window == MARK) else {
        return text;
    };
    let mut rest = text.get(last.saturating_add(MARK.len())..).unwrap_or_default();
    while let [b':' | b' ' | b'-' | b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    rest
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (word, rest.strip_prefix(b" ").unwrap_or(rest))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScript => "it does not keep the script, not even when sent in full",
            Self::Busy => "it is busy running another script; kill that script or wait",
            Self::ScriptKilled => "somebody killed the running script; try again",
            Self::ReadOnly => "it is a read-only replica; connect to the master",
            Self::Loading => "it is loading its data set; wait until it is ready",
            Self::MasterDown => "it is a replica without its master; connect to the master",
            Self::OutOfMemory => "its memory is full; raise maxmemory or free memory",
            Self::Misconfigured => "it cannot write to its disk; look into its log",
            Self::NoReplicas => "too few replicas are attached for it to accept writes",
            Self::ClusterDown => "its cluster does not serve the key; repair the cluster",
            Self::Moved | Self::Ask => {
                "it is a cluster node and another one serves the key; connect to that one"
            }
            Self::TryAgain => "its cluster is moving the key; try again",
            Self::CrossSlot => "the keys lie on several cluster nodes; use one hash tag",
            Self::NoAuth => "it wants a password and got none; give one",
            Self::WrongPassword => "user name or password is wrong; correct them",
            Self::PasswordNotSet => "it has no password but was given one; remove it",
            Self::ProtectedMode => {
                "it is in protected mode and refuses other machines; give it a password"
            }
            Self::NoPermission => {
                "the user lacks rights; allow set, get, del, pexpire, eval, evalsha on the key"
            }
            Self::WrongType => "a value of another type stands under the key; use another key",
            Self::TooManyClients => "it has no connection left; raise maxclients",
            Self::InvalidExpire => "it does not accept the ttl; use a shorter one",
            Self::UnknownCommand => "it does not know a command that locks need",
            Self::NoProtocol => "it does not speak this version of the protocol",
            Self::Restarted => "it restarted a moment ago and may have forgotten locks; wait",
            Self::Other => "it answered with an unknown error",
        })
    }
}

impl core::error::Error for Refusal {}
