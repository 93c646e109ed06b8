//! The parameters of a connection.

use redlatch_client::{Address, ConfigError, Endpoint};

use crate::config::place::Place;
use crate::config::section::{Displaces, Section};
use crate::config::{ConfigParams, invalid};
use crate::error::Error;

const HOST_WANTED: &str = "a host name or an IP address, without a port";
const PORT_WANTED: &str = "a port, a number from 1 to 65535";

/// Where connections are written.
pub(crate) const PLACE: Place = Place {
    single: "connection",
    group: "connections",
    keys: &["discovery_key", "host", "ip", "port", "uri"],
};

/// What discovery finds displaces what says the same in other words.
const DISPLACES: [Displaces; 2] =
    [(&["uri"], &["uri", "host", "ip", "port"]), (&["host", "ip"], &["uri", "host", "ip"])];

/// Where a server is: its address, or the key under which discovery knows it.
///
/// | parameter | meaning |
/// | --- | --- |
/// | `discovery_key` | the key under which to ask discovery |
/// | `host` (or `ip`) | host name or IP address |
/// | `port` | port, 6379 if there is none |
/// | `uri` | `redis://[user[:password]@]host[:port][/db]` or `unix:///path[?db=N&…]` |
///
/// Other parameters may be there for other components. `Debug` shows keys and no values: a URI may
/// have a password in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionParams(Section);

impl ConnectionParams {
    /// The port of Redis and Valkey, where none is given.
    pub const DEFAULT_PORT: u16 = 6379;

    /// A connection without parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection to this host, at the default port.
    #[must_use]
    pub fn from_host(host: &str) -> Self {
        Self::from(ConfigParams::from_tuples(("host", host)))
    }

    /// A connection to this host and port.
    #[must_use]
    pub fn from_host_and_port(host: &str, port: u16) -> Self {
        Self::from(ConfigParams::from_tuples(("host", host, "port", port)))
    }

    /// A connection to the server of this URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Self {
        Self::from(ConfigParams::from_tuples(("uri", uri)))
    }

    /// The connections of a component's configuration, in the order in which they were written:
    /// those of the sections `connections.<name>`; if there are none, that of the section
    /// `connection`; if there is none either, that of the keys without a section.
    ///
    /// # Errors
    /// * [`UNKNOWN_KEY`](crate::code::UNKNOWN_KEY) for a key in these sections that is not in the
    ///   table above.
    /// * [`CONFIG_CONFLICT`](crate::code::CONFIG_CONFLICT) when keys without a section say something
    ///   else than the sections.
    pub fn many_from_config(config: &ConfigParams) -> Result<Vec<Self>, Error> {
        Ok(PLACE.sections(config)?.into_iter().map(Self).collect())
    }

    /// The key under which to ask discovery.
    #[must_use]
    pub fn discovery_key(&self) -> Option<&str> {
        self.0.text("discovery_key")
    }

    /// The host, without a look at the URI. An IPv6 address comes without brackets.
    ///
    /// # Errors
    /// `CONFIG_CONFLICT` when `host` and `ip` differ; `INVALID_VALUE` when it is no host.
    pub fn host(&self) -> Result<Option<&str>, Error> {
        let Some((name, host)) = self.0.either("host", "ip")? else {
            return Ok(None);
        };
        let host = unbracketed(host.trim());
        if is_host(host) {
            return Ok(Some(host));
        }
        Err(invalid::value(&self.0.key(name), HOST_WANTED))
    }

    /// The port, without a look at the URI.
    ///
    /// # Errors
    /// [`INVALID_VALUE`](crate::code::INVALID_VALUE) when it is not a number from 1 to 65535.
    pub fn port(&self) -> Result<Option<u16>, Error> {
        let Some(text) = self.0.text("port") else {
            return Ok(None);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let port = digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0);
        port.map(Some).ok_or_else(|| invalid::value(&self.0.key("port"), PORT_WANTED))
    }

    /// The URI. It may have a password in it.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        self.0.text("uri")
    }

    /// The address of the server: that of the URI, or host and port. `None` when there is no host.
    ///
    /// # Errors
    /// * [`INVALID_VALUE`](crate::code::INVALID_VALUE) when one of them is malformed; the cause says
    ///   what is wrong with a URI.
    /// * [`CONFIG_CONFLICT`](crate::code::CONFIG_CONFLICT) when the URI and the host or the port
    ///   differ, or `host` and `ip`.
    pub fn address(&self) -> Result<Option<Address>, Error> {
        let (host, port) = (self.host()?, self.port()?);
        let Some(uri) = self.uri() else {
            let address = |host: &str| Address::Tcp {
                host: host.to_owned(),
                port: port.unwrap_or(Self::DEFAULT_PORT),
            };
            return Ok(host.map(address));
        };
        let endpoint = self.parsed(uri)?;
        match rival(endpoint.address(), host, port) {
            Some(name) => Err(invalid::conflict(&self.0.key("uri"), &self.0.key(name))),
            None => Ok(Some(endpoint.address().clone())),
        }
    }

    /// The server of the URI, if there is one.
    pub(crate) fn endpoint(&self) -> Result<Option<Endpoint>, Error> {
        self.uri().map(|uri| self.parsed(uri)).transpose()
    }

    fn parsed(&self, uri: &str) -> Result<Endpoint, Error> {
        uri.parse().map_err(|error| {
            let wanted = match error {
                ConfigError::Tls => {
                    "a URI without TLS, unless the feature tls of redlatch-component is on"
                }
                _ => "a Redis URI: see the cause",
            };
            invalid::value(&self.0.key("uri"), wanted).with_cause(error)
        })
    }

    /// All parameters, as they were set.
    #[must_use]
    pub fn as_config(&self) -> &ConfigParams {
        self.0.params()
    }

    /// This connection with what discovery found set on top.
    pub(crate) fn overridden_by(&self, found: &Self) -> Self {
        Self(self.0.overridden_by(found.as_config(), &DISPLACES))
    }

    /// The whole key of a parameter, as the user wrote it.
    pub(crate) fn key(&self, name: &str) -> String {
        self.0.key(name)
    }
}

/// What says something else than the address of a URI.
fn rival(address: &Address, host: Option<&str>, port: Option<u16>) -> Option<&'static str> {
    let (same_host, same_port) = match address {
        Address::Tcp { host: own, port: own_port } => (
            host.is_none_or(|host| host.eq_ignore_ascii_case(own)),
            port.is_none_or(|port| port == *own_port),
        ),
        _ => (host.is_none(), port.is_none()),
    };
    match (same_host, same_port) {
        (false, _) => Some("host"),
        (_, false) => Some("port"),
        _ => None,
    }
}

/// `[::1]` as `::1`.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<core::net::Ipv6Addr>().is_ok();
    }
    let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "/@?#[]%".contains(c);
    !host.is_empty() && !host.contains(is_foreign)
}

impl From<ConfigParams> for ConnectionParams {
    fn from(params: ConfigParams) -> Self {
        Self(Section::new(String::new(), params))
    }
}

impl From<ConnectionParams> for ConfigParams {
    fn from(connection: ConnectionParams) -> Self {
        connection.0.into_params()
    }
}
