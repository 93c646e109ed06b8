//! Where a server is and who we are to it: `redis://` and `unix://` URLs.

use core::fmt;
use core::str::FromStr;
use std::ffi::OsString;
use std::path::PathBuf;

use redlatch_core::{Login, Protocol};

use crate::config::ConfigError;
use crate::secret::Secret;
use crate::url::{Authority, Url, decode};

/// Where Redis and Valkey listen unless told otherwise.
const DEFAULT_PORT: u16 = 6379;

/// One server: its address, the login, the database.
///
/// Read from one of
/// * `redis://[user[:password]@]host[:port][/db]`, where the host is a name, an IPv4 address or an
///   IPv6 address in brackets, and `redis://:password@host` gives a password for the default user;
/// * `rediss://…`, the same over TLS, with the feature `tls`: see `Tls`;
/// * `unix:///path/to.sock[?db=N&user=…&password=…]`, also written `redis+unix:///…`.
///
/// User, password, path and parameters may be percent-encoded. `Debug` and `Display` show the
/// address and no login.
pub struct Endpoint {
    address: Address,
    username: Option<Vec<u8>>,
    password: Option<Secret>,
    /// `None` is not named, and so the first.
    database: Option<u32>,
    encrypted: bool,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// Over TCP.
    Tcp {
        /// A name, or an IP address without brackets.
        host: String,
        /// The port, never zero.
        port: u16,
    },
    /// Over a unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads URLs separated by commas. A comma inside a URL must be written `%2C`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first URL that is wrong. An empty list is no error here.
    pub fn parse_list(urls: &str) -> Result<Vec<Self>, ConfigError> {
        let mut endpoints = Vec::new();
        for url in urls.split(',').map(str::trim) {
            if !url.is_empty() {
                endpoints.push(url.parse()?);
            }
        }
        Ok(endpoints)
    }

    /// A server over TCP, with the default user and the first database. An IPv6 address comes without
    /// brackets.
    ///
    /// # Errors
    /// [`ConfigError::NoHost`], [`ConfigError::Host`] and [`ConfigError::Port`].
    pub fn tcp(host: &str, port: u16) -> Result<Self, ConfigError> {
        if host.is_empty() {
            return Err(ConfigError::NoHost);
        }
        if !is_host(host) {
            return Err(ConfigError::Host);
        }
        if port == 0 {
            return Err(ConfigError::Port);
        }
        let address = Address::Tcp { host: host.to_owned(), port };
        Ok(Self { address, username: None, password: None, database: None, encrypted: false })
    }

    /// The same server, to which we are this user; the default user if it is `None`.
    #[must_use]
    pub fn with_login(mut self, username: Option<&str>, password: Secret) -> Self {
        self.username = username.map(|username| username.as_bytes().to_vec());
        self.password = Some(password);
        self
    }

    /// The same server, with locks in this database.
    #[must_use]
    pub const fn with_database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// The same server over TLS. A unix socket, which never leaves the machine, stays as it is.
    #[cfg(feature = "tls")]
    #[must_use]
    pub const fn with_tls(mut self) -> Self {
        self.encrypted = matches!(self.address, Address::Tcp { .. });
        self
    }

    /// How the server is reached.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the server is spoken to over TLS.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The user, if one is named.
    #[must_use]
    pub fn username(&self) -> Option<&[u8]> {
        self.username.as_deref()
    }

    /// The database, if one is named.
    #[must_use]
    pub const fn database(&self) -> Option<u32> {
        self.database
    }

    /// The password, if there is one.
    #[must_use]
    pub const fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// What to tell the server when connecting.
    #[must_use]
    pub fn login<'a>(&'a self, protocol: Protocol, name: Option<&'a str>) -> Login<'a> {
        Login {
            protocol,
            username: self.username.as_deref(),
            password: self.password.as_ref().map(Secret::expose),
            database: self.database.unwrap_or_default(),
            name: name.map(str::as_bytes),
        }
    }
}

impl FromStr for Endpoint {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let uri = Url::parse(url).ok_or(ConfigError::Url)?;
        if uri.fragment.is_some() {
            return Err(ConfigError::Fragment);
        }
        match uri.scheme.to_ascii_lowercase().as_str() {
            "redis" => tcp(&uri),
            "unix" | "redis+unix" => unix(&uri),
            "rediss" if cfg!(feature = "tls") => Ok(Endpoint { encrypted: true, ..tcp(&uri)? }),
            "rediss" => Err(ConfigError::Tls),
            _ => Err(ConfigError::Scheme),
        }
    }
}

fn tcp(uri: &Url<'_>) -> Result<Endpoint, ConfigError> {
    let authority = uri.authority.ok_or(ConfigError::NoHost)?;
    if uri.query.is_some() {
        return Err(ConfigError::Parameter);
    }
    let (username, password) = login(&authority)?;
    let database = match uri.path.trim_start_matches('/') {
        "" => None,
        digits => Some(number(digits).ok_or(ConfigError::Database)?),
    };
    Ok(Endpoint {
        address: Address::Tcp { host: host(&authority)?, port: port(&authority)? },
        username,
        password,
        database,
        encrypted: false,
    })
}

/// `user:password`, `:password`, or nothing.
fn login(authority: &Authority<'_>) -> Result<(Option<Vec<u8>>, Option<Secret>), ConfigError> {
    let Some(info) = authority.userinfo else {
        return Ok((None, None));
    };
    let Some((user, password)) = info.split_once(':') else {
        return if info.is_empty() { Ok((None, None)) } else { Err(ConfigError::NoPassword) };
    };
    let user = (!user.is_empty()).then(|| decode(user));
    Ok((user, Some(Secret::new(decode(password)))))
}

fn host(authority: &Authority<'_>) -> Result<String, ConfigError> {
    let host = authority.host;
    let bare = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) if literal.parse::<core::net::Ipv6Addr>().is_ok() => literal,
        Some(_) => return Err(ConfigError::Host),
        None => host,
    };
    match bare {
        "" => Err(ConfigError::NoHost),
        encoded if encoded.contains('%') => Err(ConfigError::Host),
        host => Ok(host.to_owned()),
    }
}

/// Nothing that would be another part of a URL, and no blanks.
fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<core::net::Ipv6Addr>().is_ok();
    }
    !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#[]%".contains(c))
}

fn port(authority: &Authority<'_>) -> Result<u16, ConfigError> {
    let digits = authority.port.unwrap_or_default();
    match digits {
        "" => Ok(DEFAULT_PORT),
        digits => number(digits).filter(|port| *port != 0).ok_or(ConfigError::Port),
    }
}

fn unix(uri: &Url<'_>) -> Result<Endpoint, ConfigError> {
    let hostless = uri.authority.is_none_or(|authority| authority.is_empty());
    let path = decode(uri.path);
    if !hostless || path.len() < 2 || path.first() != Some(&b'/') || path.contains(&0) {
        return Err(ConfigError::SocketPath);
    }
    let mut endpoint = Endpoint {
        address: Address::Unix(PathBuf::from(os_string(path)?)),
        username: None,
        password: None,
        database: None,
        encrypted: false,
    };
    for pair in uri.query.into_iter().flat_map(|query| query.split('&')) {
        let (name, value) = pair.split_once('=').ok_or(ConfigError::Parameter)?;
        match name {
            "db" if endpoint.database.is_none() => {
                endpoint.database = Some(number(value).ok_or(ConfigError::Database)?);
            }
            "user" if endpoint.username.is_none() => endpoint.username = Some(decode(value)),
            "password" if endpoint.password.is_none() => {
                endpoint.password = Some(Secret::new(decode(value)));
            }
            _ => return Err(ConfigError::Parameter),
        }
    }
    if endpoint.username.is_some() && endpoint.password.is_none() {
        return Err(ConfigError::NoPassword);
    }
    Ok(endpoint)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn os_string(bytes: Vec<u8>) -> Result<OsString, ConfigError> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(_: Vec<u8>) -> Result<OsString, ConfigError> {
    Err(ConfigError::Unsupported)
}

/// Digits only: `parse` alone would take a sign.
fn number<N: FromStr>(digits: &str) -> Option<N> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            // A path is any bytes; escaped, it stays on one line.
            Self::Unix(path) => {
                f.write_str("unix:")?;
                let path = path.to_string_lossy();
                path.chars().try_for_each(|char| fmt::Display::fmt(&char.escape_debug(), f))
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.address)
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
