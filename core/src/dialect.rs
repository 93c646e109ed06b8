//! How a server compares and deletes: with a command of its own, or with our script.
//!
//! | server | since | asks | says |
//! | --- | --- | --- | --- |
//! | Valkey | 9.0 | `DELIFEQ key token` | 1 or 0 |
//! | Redis | 8.4 | `DELEX key IFEQ token` | 1 or 0 |
//! | any other | | the [release script](crate::script::RELEASE) | the token, 0 or -1 |
//!
//! Its own command costs a server half of what the script does, and it need not know the script. For
//! that a `1` proves less than the token: one that slipped in from elsewhere is taken for a release,
//! and then the key is left to its ttl. It never grants anything: what grants is a token.
//!
//! Extensions stay with the script. Both servers know `SET key token IFEQ token PX ttl`, but refuse
//! it when their memory is full, and a lock that is still held would be lost.
//!
//! Sources: the pages [`DELIFEQ`](https://valkey.io/commands/delifeq/),
//! [`DELEX`](https://redis.io/docs/latest/commands/delex/),
//! [`HELLO`](https://redis.io/docs/latest/commands/hello/).

/// A server's own command that compares and deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// `DELIFEQ key token`.
    Delifeq,
    /// `DELEX key IFEQ token`.
    Delex,
}

/// What is said on one connection: told by the reply to `HELLO`, and for good without the server's own
/// command once that was refused there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    native: Option<Native>,
}

impl Dialect {
    /// The scripts, which every server knows.
    pub const SCRIPTS: Self = Self { native: None };

    /// The dialect of a server that `HELLO` names so, in this version. Scripts, in doubt.
    #[must_use]
    pub fn of(server: &[u8], version: &[u8]) -> Self {
        let version = major_minor(version);
        let since = |first| version.is_some_and(|version| version >= first);
        let native = match server {
            b"valkey" if since((9, 0)) => Some(Native::Delifeq),
            b"redis" if since((8, 4)) => Some(Native::Delex),
            _ => None,
        };
        Self { native }
    }

    /// The server's own command, if it has one and did not refuse it.
    #[must_use]
    pub const fn native(self) -> Option<Native> {
        self.native
    }
}

/// The first two numbers of `9.1.2`.
fn major_minor(version: &[u8]) -> Option<(u32, u32)> {
    let mut numbers = version.split(|byte| *byte == b'.').map(number);
    Some((numbers.next()??, numbers.next()??))
}

fn number(digits: &[u8]) -> Option<u32> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}
