//! One server of a small world: a key that expires, two scripts that it knows or not, and what is asked of it.

use redlatch_core::{Arguments, Command, Form, Token};

/// Whose token, of which attempt: 16 attempts for each client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TokenId(pub(crate) u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// `not_exists`: only if there is no key, as it must be.
    Claim {
        token: TokenId,
        not_exists: bool,
        ttl: u64,
    },
    Read,
    Extend {
        token: TokenId,
        in_full: bool,
        ttl: u64,
    },
    Release {
        token: TokenId,
        in_full: bool,
    },
    /// And to be told of the next change.
    Expiry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reply {
    Ok,
    Nil,
    /// A script found no key.
    Nothing,
    /// A script found another's.
    Theirs,
    Shows(TokenId),
    /// The key expires in so many milliseconds, or is gone.
    Left(u64),
    Gone,
    /// No reply: the key has changed.
    Push,
    NoScript,
    Loading,
    NoAuth,
    /// An error of which nothing may be concluded.
    Other,
    Unreachable,
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) token: TokenId,
    /// Microseconds until it expires.
    pub(crate) left: u64,
}

/// A server that was spoiled in one way, to show that the explorer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    None,
    /// `SET` without `NX`.
    Overwrites,
    /// The release deletes whatever stands there.
    DeletesAll,
    /// The extension extends whatever stands there.
    ExtendsAll,
    /// Nobody is told of changes.
    TellsNobody,
    /// A key that is gone when somebody asks to be told has a minute left.
    GoneLasts,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) entry: Option<Entry>,
    pub(crate) knows_scripts: bool,
    /// Clients that are told of the next change, a bit for each. A key that expires is gone without a word until
    /// the next claim.
    pub(crate) watchers: u8,
}

/// A script changed a key that is not the sender's (I4).
pub(crate) struct Foreign;

impl Server {
    pub(crate) const NEW: Self = Self { entry: None, knows_scripts: true, watchers: 0 };

    pub(crate) fn pass(&mut self, micros: u64) {
        self.entry = self
            .entry
            .map(|entry| Entry { left: entry.left.saturating_sub(micros), ..entry })
            .filter(|entry| entry.left > 0);
    }

    pub(crate) fn execute(&mut self, request: Request, defect: Defect) -> Result<Reply, Foreign> {
        Ok(match request {
            Request::Claim { token, not_exists, ttl } => {
                let refused = not_exists && defect != Defect::Overwrites;
                if refused && self.entry.is_some() {
                    return Ok(Reply::Nil);
                }
                self.entry = Some(Entry { token, left: ttl });
                Reply::Ok
            }
            Request::Expiry => match self.entry {
                Some(entry) => Reply::Left(entry.left / 1_000),
                None if defect == Defect::GoneLasts => Reply::Left(60_000),
                None => Reply::Gone,
            },
            Request::Read => self.entry.map_or(Reply::Nil, |entry| Reply::Shows(entry.token)),
            Request::Extend { in_full: false, .. } | Request::Release { in_full: false, .. }
                if !self.knows_scripts =>
            {
                Reply::NoScript
            }
            Request::Extend { token, ttl, .. } => {
                let changed = self.entry.map(|entry| Entry { left: ttl, ..entry });
                self.script(token, changed, defect == Defect::ExtendsAll)?
            }
            Request::Release { token, .. } => {
                self.script(token, None, defect == Defect::DeletesAll)?
            }
        })
    }

    fn script(
        &mut self,
        token: TokenId,
        changed: Option<Entry>,
        regardless: bool,
    ) -> Result<Reply, Foreign> {
        self.knows_scripts = true;
        match self.entry {
            None => Ok(Reply::Nothing),
            Some(entry) if entry.token == token => {
                self.entry = changed;
                Ok(Reply::Shows(token))
            }
            Some(_) if regardless => Err(Foreign),
            Some(_) => Ok(Reply::Theirs),
        }
    }
}

impl Request {
    pub(crate) fn of(command: &Command<'_>) -> Self {
        match *command {
            Command::Claim { token, ttl, .. } => {
                Self::Claim { token: id(token), not_exists: has(command, b"NX"), ttl: micros(ttl) }
            }
            Command::Read { .. } => Self::Read,
            Command::Extend { token, ttl, form, .. } => {
                Self::Extend { token: id(token), in_full: form == Form::Source, ttl: micros(ttl) }
            }
            Command::Release { token, form, .. } => {
                Self::Release { token: id(token), in_full: form == Form::Source }
            }
            Command::Expiry { .. } => Self::Expiry,
            _ => unreachable!("a lock asks for nothing else"),
        }
    }

    pub(crate) const fn token(self) -> Option<TokenId> {
        match self {
            Self::Read | Self::Expiry => None,
            Self::Claim { token, .. }
            | Self::Extend { token, .. }
            | Self::Release { token, .. } => Some(token),
        }
    }
}

/// Whether a word is among the arguments that go over the wire.
fn has(command: &Command<'_>, word: &[u8]) -> bool {
    let mut found = false;
    command.visit(&mut |argument| found |= argument == word);
    found
}

fn micros(ttl: redlatch_core::Ttl) -> u64 {
    ttl.as_millis() * 1_000
}

fn id(token: &Token) -> TokenId {
    let [high, low, ..] = token.to_hex();
    let digit = |hex: u8| char::from(hex).to_digit(16).expect("hexadecimal");
    TokenId(u8::try_from(digit(high) * 16 + digit(low)).expect("a byte"))
}

impl TokenId {
    pub(crate) const fn new(client: u8, attempt: u8) -> Self {
        assert!(attempt < 16, "few attempts");
        Self(client * 16 + attempt)
    }

    pub(crate) const fn client(self) -> usize {
        (self.0 / 16) as usize
    }
}

impl core::fmt::Debug for TokenId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "token {}.{}", self.0 / 16, self.0 % 16)
    }
}
