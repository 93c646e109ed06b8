//! What we ask a server: each command as a list of arguments.

mod ready;

use core::fmt;

use crate::defect::{Defect, has};
use crate::dialect::Native;
use crate::resp::{Arguments, Decimal, encode_visited};
use crate::script::{EXTEND, RELEASE, Script};
use crate::time::Ttl;
use crate::token::Token;

/// Version of the wire protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2: every server.
    Resp2,
    /// RESP3: Redis 6 and later, Valkey. Needed for pushes.
    #[default]
    Resp3,
}

/// Who we are, as told to a server when connecting. `Debug` hides the password.
#[derive(Clone, Copy, Default)]
pub struct Login<'a> {
    /// Protocol to ask for. A server that does not know `HELLO` is spoken to in RESP2.
    pub protocol: Protocol,
    /// ACL user; `None` is the user `default`.
    pub username: Option<&'a [u8]>,
    /// Password; `None` sends none.
    pub password: Option<&'a [u8]>,
    /// Database number; 0 is where every connection starts.
    pub database: u32,
    /// Name of the connection, shown by `CLIENT LIST`. The server refuses blanks and line ends.
    pub name: Option<&'a [u8]>,
}

impl Login<'_> {
    /// RESP3, no password, database 0, no name: what a server without users wants.
    pub const NONE: Self =
        Self { protocol: Protocol::Resp3, username: None, password: None, database: 0, name: None };
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("protocol", &self.protocol)
            .field("password", &self.password.map(|_| "***"))
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// How a script is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `EVALSHA` and the digest: 40 bytes, if the server knows the script.
    Digest,
    /// `EVAL` and the full text, which the server then remembers.
    Source,
}

/// One request.
///
/// Sources: the pages [`HELLO`](https://redis.io/docs/latest/commands/hello/),
/// [`AUTH`](https://redis.io/docs/latest/commands/auth/),
/// [`SELECT`](https://redis.io/docs/latest/commands/select/),
/// [`ROLE`](https://redis.io/docs/latest/commands/role/),
/// [`INFO`](https://redis.io/docs/latest/commands/info/),
/// [`SET`](https://redis.io/docs/latest/commands/set/),
/// [`GET`](https://redis.io/docs/latest/commands/get/),
/// [`EVALSHA`](https://redis.io/docs/latest/commands/evalsha/),
/// [`PTTL`](https://redis.io/docs/latest/commands/pttl/),
/// [`CLIENT TRACKING`](https://redis.io/docs/latest/commands/client-tracking/),
/// [`CLIENT CACHING`](https://redis.io/docs/latest/commands/client-caching/),
/// [`DELIFEQ`](https://valkey.io/commands/delifeq/),
/// [`DELEX`](https://redis.io/docs/latest/commands/delex/).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `HELLO 2|3 [AUTH user password] [SETNAME name]`.
    Hello(Login<'a>),
    /// `AUTH [user] password`, for servers without `HELLO`.
    Auth(Login<'a>),
    /// `SELECT database`.
    Select(u32),
    /// `ROLE`, for servers without `HELLO`.
    Role,
    /// `INFO server`, to learn how long the server has been up.
    Info,
    /// `SET key token NX PX ttl`: take the key if nobody has it.
    Claim {
        /// The lock's key.
        key: &'a [u8],
        /// The claimant's token.
        token: &'a Token,
        /// When the server frees the key by itself.
        ttl: Ttl,
    },
    /// `GET key`: whose is it?
    Read {
        /// The lock's key.
        key: &'a [u8],
    },
    /// `PTTL key`: when does it expire? Behind [`Command::Caching`] the server also remembers to tell of
    /// the next change of the key.
    Expiry {
        /// The lock's key.
        key: &'a [u8],
    },
    /// `CLIENT TRACKING ON OPTIN`: tell of changes of the keys that are named to be told of. RESP3 only.
    Tracking,
    /// `CLIENT CACHING YES`: the next command names such keys.
    Caching,
    /// The compare-and-extend script.
    Extend {
        /// The lock's key.
        key: &'a [u8],
        /// The owner's token.
        token: &'a Token,
        /// The new ttl, counted from when the server runs the script.
        ttl: Ttl,
        /// How the script is named.
        form: Form,
    },
    /// The compare-and-delete script.
    Release {
        /// The lock's key.
        key: &'a [u8],
        /// The owner's token.
        token: &'a Token,
        /// How the script is named.
        form: Form,
    },
    /// The same as [`Command::Release`], where the server has a command for it.
    Delete {
        /// The lock's key.
        key: &'a [u8],
        /// The owner's token.
        token: &'a Token,
        /// The server's command.
        native: Native,
    },
}

impl Arguments for Command<'_> {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        match *self {
            Self::Hello(login) => hello(login, put),
            Self::Auth(login) => auth(login, put),
            Self::Select(database) => {
                put(b"SELECT");
                put(Decimal::new(database.into()).as_bytes());
            }
            Self::Role => put(b"ROLE"),
            Self::Info => {
                put(b"INFO");
                put(b"server");
            }
            Self::Claim { key, token, ttl } => {
                put(b"SET");
                put(key);
                put(&token.to_hex());
                if !has(Defect::NoCondition) {
                    put(b"NX");
                }
                if !has(Defect::NoExpiry) {
                    put(b"PX");
                    put(Decimal::new(ttl.as_millis()).as_bytes());
                }
            }
            Self::Read { key } => {
                put(b"GET");
                put(key);
            }
            Self::Expiry { key } => {
                put(b"PTTL");
                put(key);
            }
            Self::Tracking => {
                put(b"CLIENT");
                put(b"TRACKING");
                put(b"ON");
                put(b"OPTIN");
            }
            Self::Caching => {
                put(b"CLIENT");
                put(b"CACHING");
                put(b"YES");
            }
            Self::Extend { key, ttl, .. } if has(Defect::PlainExtend) => {
                put(b"PEXPIRE");
                put(key);
                put(Decimal::new(ttl.as_millis()).as_bytes());
            }
            Self::Release { key, .. } | Self::Delete { key, .. } if has(Defect::PlainDelete) => {
                put(b"DEL");
                put(key);
            }
            Self::Extend { key, token, ttl, form } => {
                script(&EXTEND, form, key, token, put);
                put(Decimal::new(ttl.as_millis()).as_bytes());
            }
            Self::Release { key, token, form } => script(&RELEASE, form, key, token, put),
            Self::Delete { key, token, native } => delete(native, key, token, put),
        }
    }

    fn write(&self, out: &mut [u8]) -> Option<usize> {
        match *self {
            // A defect is one of what is visited.
            _ if cfg!(redlatch_defects) || !ready::IS_USED => encode_visited(self, out),
            Self::Claim { key, token, ttl } => ready::claim(key, token, ttl, out),
            Self::Read { key } => ready::read(key, out),
            Self::Extend { key, token, ttl, form: Form::Digest } => {
                ready::extend(key, token, ttl, out)
            }
            Self::Release { key, token, form: Form::Digest } => ready::release(key, token, out),
            _ => encode_visited(self, out),
        }
    }
}

fn hello(login: Login<'_>, put: &mut dyn FnMut(&[u8])) {
    put(b"HELLO");
    put(match login.protocol {
        Protocol::Resp2 => b"2",
        Protocol::Resp3 => b"3",
    });
    if let Some(password) = login.password {
        put(b"AUTH");
        put(login.username.unwrap_or(b"default"));
        put(password);
    }
    if let Some(name) = login.name {
        put(b"SETNAME");
        put(name);
    }
}

fn auth(login: Login<'_>, put: &mut dyn FnMut(&[u8])) {
    put(b"AUTH");
    if let Some(username) = login.username {
        put(username);
    }
    put(login.password.unwrap_or_default());
}

fn delete(native: Native, key: &[u8], token: &Token, put: &mut dyn FnMut(&[u8])) {
    match native {
        Native::Delifeq => {
            put(b"DELIFEQ");
            put(key);
        }
        Native::Delex => {
            put(b"DELEX");
            put(key);
            put(b"IFEQ");
        }
    }
    put(&token.to_hex());
}

fn script(script: &Script, form: Form, key: &[u8], token: &Token, put: &mut dyn FnMut(&[u8])) {
    match form {
        Form::Digest => {
            put(b"EVALSHA");
            put(script.digest());
        }
        Form::Source => {
            put(b"EVAL");
            put(script.source().as_bytes());
        }
    }
    put(b"1");
    put(key);
    put(&token.to_hex());
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hello(_) => "Hello",
            Self::Auth(_) => "Auth",
            Self::Select(_) => "Select",
            Self::Role => "Role",
            Self::Info => "Info",
            Self::Claim { .. } => "Claim",
            Self::Read { .. } => "Read",
            Self::Expiry { .. } => "Expiry",
            Self::Tracking => "Tracking",
            Self::Caching => "Caching",
            Self::Extend { .. } => "Extend",
            Self::Release { .. } => "Release",
            Self::Delete { .. } => "Delete",
        })
    }
}
