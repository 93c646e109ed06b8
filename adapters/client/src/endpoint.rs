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
    database: u32,
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
        let urls = urls.split(',').map(str::trim);
        urls.filter(|url| !url.is_empty()).map(str::parse).collect()
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
            database: self.database,
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
        "" => 0,
        digits => number(digits).ok_or(ConfigError::Database)?,
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
        database: 0,
        encrypted: false,
    };
    let mut seen_database = false;
    for pair in uri.query.into_iter().flat_map(|query| query.split('&')) {
        let (name, value) = pair.split_once('=').ok_or(ConfigError::Parameter)?;
        match name {
            "db" if !core::mem::replace(&mut seen_database, true) => {
                endpoint.database = number(value).ok_or(ConfigError::Database)?;
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
            Self::Unix(path) => write!(f, "unix:{}", path.to_string_lossy().escape_debug()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Endpoint};
    use crate::config::ConfigError;
    use redlatch_core::Protocol;

    /// URL, address, user, password, database.
    type Case = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, u32);

    #[test]
    fn every_form_of_url_is_read() {
        let cases: [Case; 17] = [
            ("redis://127.0.0.1", "127.0.0.1:6379", None, None, 0),
            ("redis://127.0.0.1:", "127.0.0.1:6379", None, None, 0),
            ("redis://locks.example:7000", "locks.example:7000", None, None, 0),
            ("redis://localhost/", "localhost:6379", None, None, 0),
            ("REDIS://localhost:1/15", "localhost:1", None, None, 15),
            ("redis://[::1]:65535/4294967295", "[::1]:65535", None, None, u32::MAX),
            ("redis://:pw@h", "h:6379", None, Some("pw"), 0),
            ("redis://user:pw@h", "h:6379", Some("user"), Some("pw"), 0),
            ("redis://u:@h", "h:6379", Some("u"), Some(""), 0),
            ("redis://@h", "h:6379", None, None, 0),
            ("redis://u%3A:p%40%2f%23%00@h", "h:6379", Some("u:"), Some("p@/#\0"), 0),
            ("redis://u:a:b:c@h", "h:6379", Some("u"), Some("a:b:c"), 0),
            ("unix:///run/r.sock", "unix:/run/r.sock", None, None, 0),
            ("unix:/run/r.sock", "unix:/run/r.sock", None, None, 0),
            ("redis+unix:///r%20s", "unix:/r s", None, None, 0),
            ("unix:///s?db=3&user=me&password=p%26q", "unix:/s", Some("me"), Some("p&q"), 3),
            ("unix:///s?password=pw", "unix:/s", None, Some("pw"), 0),
        ];
        for (url, address, user, password, database) in cases {
            let endpoint: Endpoint = url.parse().unwrap_or_else(|e| panic!("{url}: {e}"));
            let login = endpoint.login(Protocol::Resp3, Some("name"));
            assert_eq!(endpoint.to_string(), address, "{url}");
            assert_eq!(login.username, user.map(str::as_bytes), "{url}");
            assert_eq!(login.password, password.map(str::as_bytes), "{url}");
            assert_eq!(login.database, database, "{url}");
            assert_eq!(login.name, Some(b"name".as_slice()), "{url}");
        }
    }

    #[test]
    fn every_mistake_is_named_without_repeating_the_input() {
        let cases = [
            ("", ConfigError::Url),
            ("127.0.0.1:6379", ConfigError::Url),
            ("redis://h:sentinel@[x]", ConfigError::Url),
            ("redis://u:sentinel%zz@h", ConfigError::Url),
            ("redis://u:sentinel sentinel@h", ConfigError::Url),
            ("redis://h/\u{e9}sentinel", ConfigError::Url),
            ("http://sentinel", ConfigError::Scheme),
            ("redis:sentinel", ConfigError::NoHost),
            ("redis://", ConfigError::NoHost),
            ("redis://:sentinel@", ConfigError::NoHost),
            ("redis://:6379", ConfigError::NoHost),
            ("redis://sent%69nel", ConfigError::Host),
            ("redis://[v1.sentinel]", ConfigError::Host),
            ("redis://h:0", ConfigError::Port),
            ("redis://h:65536", ConfigError::Port),
            ("redis://h/sentinel", ConfigError::Database),
            ("redis://h/+1", ConfigError::Database),
            ("redis://h/4294967296", ConfigError::Database),
            ("redis://h/0/1", ConfigError::Database),
            ("redis://sentinel@h", ConfigError::NoPassword),
            ("redis://h?db=1", ConfigError::Parameter),
            ("redis://u:a#sentinel@h", ConfigError::Url),
            ("redis://u:1#sentinel@h", ConfigError::Fragment),
            ("unix://", ConfigError::SocketPath),
            ("unix:///", ConfigError::SocketPath),
            ("unix:sentinel", ConfigError::SocketPath),
            ("unix://sentinel/s", ConfigError::SocketPath),
            ("unix:///s%00", ConfigError::SocketPath),
            ("unix:///s?db=x", ConfigError::Database),
            ("unix:///s?db", ConfigError::Parameter),
            ("unix:///s?db=1&db=1", ConfigError::Parameter),
            ("unix:///s?sentinel=1", ConfigError::Parameter),
            ("unix:///s?password=sentinel&password=b", ConfigError::Parameter),
            ("unix:///s?user=sentinel", ConfigError::NoPassword),
        ];
        for (url, expected) in cases {
            let error = url.parse::<Endpoint>().expect_err(url);
            assert_eq!(error, expected, "{url}");
            let said = format!("{error} {error:?}");
            assert!(!said.contains("sentinel") && !said.contains('\n'), "{url}: {said}");
        }
    }

    #[test]
    fn rediss_is_redis_over_tls_where_that_is_built_in() {
        let read = "RediSS://u:sentinel@h:7/3".parse::<Endpoint>();
        if cfg!(feature = "tls") {
            let endpoint = read.expect("a server");
            assert!(endpoint.is_encrypted() && endpoint.to_string() == "h:7");
            assert_eq!(endpoint.login(Protocol::Resp3, None).database, 3);
            let plain = "redis://h".parse::<Endpoint>().expect("a server");
            assert!(!plain.is_encrypted());
        } else {
            assert_eq!(read.expect_err("TLS"), ConfigError::Tls);
        }
    }

    #[test]
    fn nothing_shown_holds_a_login() {
        for url in ["redis://sentinel:sentinel@h:1", "unix:///s?user=sentinel&password=sentinel"] {
            let endpoint: Endpoint = url.parse().expect(url);
            let shown =
                format!("{endpoint} {endpoint:?} {:?}", endpoint.login(Protocol::Resp3, None));
            assert!(!shown.contains("sentinel"), "{shown}");
        }
    }

    #[test]
    fn a_list_is_separated_by_commas() {
        let list = Endpoint::parse_list("redis://a, redis://b:1 ,").expect("two servers");
        let addresses: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["a:6379", "b:1"]);
        assert!(Endpoint::parse_list("").expect("none").is_empty());
        assert!(matches!(list[0].address(), Address::Tcp { port: 6379, .. }));
    }
}
