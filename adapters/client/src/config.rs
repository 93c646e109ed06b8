//! Mistakes of the caller, found before anything is sent.

use core::fmt;
use core::time::Duration;

/// The caller asked for something that cannot work. It says what is wrong and never repeats the
/// input, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The URL does not follow the grammar of URLs (RFC 3986).
    Url,
    /// The scheme is none of `redis`, `rediss`, `unix` and `redis+unix`.
    Scheme,
    /// The scheme is `rediss`, and the feature `tls` is off.
    Tls,
    /// The root certificates are no PEM, hold none, or one that cannot be read.
    Roots,
    /// The operating system trusts no certificate, and no root was set.
    NoRoots,
    /// The certificate or the private key of the client cannot be read, or they do not belong
    /// together.
    Identity,
    /// The URL names no host.
    NoHost,
    /// The host has percent-encoding in it, or a form of address that is not supported.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The database is not a number from 0 to 4294967295, or given twice.
    Database,
    /// A user is named, but no password.
    NoPassword,
    /// The path of the unix socket is missing or not absolute.
    SocketPath,
    /// The URL has a query parameter that this scheme does not know, or one that is given twice.
    Parameter,
    /// The URL has a fragment (`#…`).
    Fragment,
    /// No server is configured.
    NoServers,
    /// More servers are configured than this number, [`SERVERS_MAX`](crate::SERVERS_MAX).
    TooManyServers(usize),
    /// The lock was taken on other servers, or in another database.
    OtherServers,
    /// One server is configured twice: it must not vote twice.
    Duplicate,
    /// The name of the connection is empty, too long, or holds a byte that servers refuse.
    Name,
    /// The option of this name is zero.
    Zero(&'static str),
    /// The option of this name is longer than an hour.
    TooLong(&'static str),
    /// The ttl is below 1 ms or above 2^53 - 1 ms.
    Ttl,
    /// The drift takes this much, which leaves nothing of the ttl.
    NoValidity {
        /// The ttl.
        ttl: Duration,
        /// What clock drift takes off it.
        drift: Duration,
    },
    /// The key is longer than this number of bytes, [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX).
    KeyTooLong(usize),
    /// User, password and name together are longer than a request may be.
    LoginTooLong,
    /// This system cannot do it; unix sockets outside unix, for example.
    Unsupported,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Url => {
                "the server URL is not valid; percent-encode special characters in user and password"
            }
            Self::Scheme => {
                "the server URL has an unknown scheme; use redis://host:port, rediss://host:port or unix:///path"
            }
            Self::Tls => "TLS is not built in; turn the feature `tls` of the adapter on, or use redis://",
            Self::Roots => "the root certificates cannot be read; give PEM with at least one",
            Self::NoRoots => "this system trusts no certificate; set the root of the server",
            Self::Identity => {
                "the certificate of the client cannot be read, or its key is not the right one; give \
                 both as PEM"
            }
            Self::NoHost => "the server URL names no host; write redis://127.0.0.1:6379, say",
            Self::Host => "the host in the server URL is not a name or an IP address",
            Self::Port => "the port in the server URL is not a number from 1 to 65535",
            Self::Database => "the database in the server URL is not a single number from 0 on",
            Self::NoPassword => "the server URL names a user without a password; write user:password@",
            Self::SocketPath => "the path of the unix socket is not absolute; write unix:///path",
            Self::Parameter => {
                "the server URL has an unknown or repeated parameter; unix:// takes db, user and \
                 password once each, redis:// takes none"
            }
            Self::Fragment => {
                "the server URL has a fragment; percent-encode # in user and password as %23"
            }
            Self::NoServers => "no server is configured; give at least one URL",
            Self::TooManyServers(most) => {
                return write!(f, "too many servers are configured; {most} is the most");
            }
            Self::OtherServers => {
                "the lock was taken on other servers or in another database; release it there"
            }
            Self::Duplicate => "a server is configured twice; it must not vote twice",
            Self::Name => {
                "the client name must be 1 to 64 printable ASCII characters without blanks"
            }
            Self::Zero(option) => return write!(f, "{option} is zero; it must be positive"),
            Self::TooLong(option) => return write!(f, "{option} is longer than an hour"),
            Self::Ttl => "the ttl must be at least 1 ms and less than 2^53 ms",
            Self::NoValidity { ttl, drift } => {
                return write!(
                    f,
                    "a ttl of {ttl:?} leaves no validity: clock drift takes {drift:?}; use a longer one"
                );
            }
            Self::KeyTooLong(most) => return write!(f, "the key is longer than {most} bytes"),
            Self::LoginTooLong => "user and password are too long to be sent",
            Self::Unsupported => "this system has no unix sockets; use redis://host:port",
        })
    }
}

impl core::error::Error for ConfigError {}
