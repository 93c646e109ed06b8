//! How a client behaves.

use core::time::Duration;

use redlatch_core::{Drift, Limits, Protocol, Renew, Retry, Settings, Ttl};

use crate::config::ConfigError;
use crate::endpoint::{Address, Endpoint};
use crate::tls::{TlsConfig, is_server_name};

/// Most servers of one client.
pub const SERVERS_MAX: usize = 32;

/// Longest key, in bytes. A request must fit the transmit buffer of a connection whole.
pub const KEY_BYTES_MAX: usize = 64 * 1024;

/// Longest name of a client, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Shortest and longest of the times below: what every operating system can wait for.
const TIME_MIN: Duration = Duration::from_micros(1);
const TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// How a client behaves, whichever runtime it is on. [`Options::validate`] before use.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// The servers. One is a plain lock, several are a quorum; all must be independent masters.
    pub endpoints: Vec<Endpoint>,
    /// Protocol to ask for. Servers before Redis 6 are spoken to in RESP2 whatever it is.
    pub protocol: Protocol,
    /// Name of the connections, shown by `CLIENT LIST`.
    pub name: Option<String>,
    /// Longest time for opening a connection, resolving and greeting included.
    pub connect_timeout: Duration,
    /// Longest time for an answer. A server that takes longer is disconnected; it should be small
    /// against the ttl, because what an attempt waits is gone from the lease.
    pub reply_timeout: Duration,
    /// How long and how often `lock` tries.
    pub retry: Retry,
    /// Whether a lock that waits asks the servers to tell when its key changes, and tries again then; if
    /// not, and where a server cannot tell, it tries again when `retry` says. RESP3 only.
    pub wake: bool,
    /// Whether and how locks are extended by themselves while they are held.
    pub renew: Option<Renew>,
    /// What is taken off a ttl for clocks of different speed.
    pub drift: Drift,
    /// What a server can make this client store.
    pub limits: Limits,
    /// A server that was started more recently than this has no vote: it may have forgotten locks
    /// that are still held. Set it to the longest ttl in use, unless the servers write every change
    /// to disk before they answer (`appendfsync always`). `None` is the default because it makes
    /// every restart an outage that long for a client of one server, and costs `INFO` on connect. It
    /// may last up to two seconds longer, because servers tell their uptime in whole seconds. A server
    /// that does not let this user ask for `INFO` counts as just started on every connection.
    ///
    /// Source: "Distributed locks with Redis", section on crash recovery and delayed restarts.
    pub restart_delay: Option<Duration>,
    /// How servers at `rediss://` URLs are verified.
    #[cfg(feature = "tls")]
    pub tls: crate::tls::Tls,
    /// When to connect again.
    pub reconnect: Reconnect,
}

/// Time between two attempts to connect: random, up to `base` after the first failure, doubling to
/// at most `cap`. A server whose refusal no retry can change is asked again every `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// Bound of the first delay.
    pub base: Duration,
    /// Bound of every delay.
    pub cap: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            protocol: Protocol::default(),
            name: None,
            connect_timeout: Duration::from_secs(2),
            reply_timeout: Duration::from_millis(500),
            retry: Retry::until(Duration::from_secs(10)),
            wake: true,
            renew: None,
            drift: Drift::DEFAULT,
            // Many locks share one connection.
            limits: Limits { in_flight: 4096, ..Limits::HOSTED },
            restart_delay: None,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::default(),
            reconnect: Reconnect { base: Duration::from_millis(10), cap: Duration::from_secs(5) },
        }
    }
}

impl Options {
    /// Checks what can be checked without a network.
    ///
    /// # Errors
    /// [`ConfigError`] for the first option that cannot work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self.endpoints.len() {
            0 => return Err(ConfigError::NoServers),
            1..=SERVERS_MAX => {}
            _ => return Err(ConfigError::TooManyServers(SERVERS_MAX)),
        }
        if !self.endpoints.iter().all(can_be_verified) {
            return Err(ConfigError::Host);
        }
        if self.has_duplicate() {
            return Err(ConfigError::Duplicate);
        }
        if self.name.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(ConfigError::Name);
        }
        if self.limits.in_flight == 0 {
            return Err(ConfigError::Zero("limits.in_flight"));
        }
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("reply_timeout", self.reply_timeout),
            ("reconnect.base", self.reconnect.base),
            ("reconnect.cap", self.reconnect.cap),
        ];
        for (option, time) in times {
            if time < TIME_MIN {
                return Err(ConfigError::Zero(option));
            }
            if time > TIME_MAX {
                return Err(ConfigError::TooLong(option));
            }
        }
        Ok(())
    }

    /// Settings of one lock on `key` that lives for `ttl`.
    ///
    /// # Errors
    /// [`ConfigError`] when the key is too long, or the ttl is out of range or eaten up by drift.
    pub fn settings(
        &self,
        key: &[u8],
        ttl: Duration,
        retry: Retry,
    ) -> Result<Settings, ConfigError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(ConfigError::KeyTooLong(KEY_BYTES_MAX));
        }
        let ttl = Ttl::new(ttl).map_err(|_| ConfigError::Ttl)?;
        let (span, drift) = (ttl.as_duration(), self.drift.of(ttl));
        if drift >= span {
            return Err(ConfigError::NoValidity { ttl: span, drift });
        }
        let Self { drift, reply_timeout, wake, renew, .. } = *self;
        Ok(Settings { ttl, drift, reply_timeout, retry, wake, renew })
    }

    /// What encrypted connections have in common; `None` when there is none.
    pub(crate) fn tls_config(&self) -> Result<Option<TlsConfig>, ConfigError> {
        #[cfg(feature = "tls")]
        if self.endpoints.iter().any(Endpoint::is_encrypted) {
            return self.tls.config().map(Some);
        }
        Ok(None)
    }

    fn has_duplicate(&self) -> bool {
        let mut servers = self.endpoints.iter().enumerate();
        servers.any(|(at, one)| {
            self.endpoints[..at].iter().any(|other| other.address() == one.address())
        })
    }
}

/// Whether a certificate can be for the host, where that matters.
fn can_be_verified(endpoint: &Endpoint) -> bool {
    match endpoint.address() {
        Address::Tcp { host, .. } if endpoint.is_encrypted() => is_server_name(host),
        _ => true,
    }
}

/// What `CLIENT SETNAME` accepts.
fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES_MAX, Options, Reconnect, SERVERS_MAX};
    use crate::config::ConfigError;
    use crate::endpoint::Endpoint;
    use core::time::Duration;
    use redlatch_core::{Limits, Retry};

    fn options(urls: &str) -> Options {
        Options { endpoints: Endpoint::parse_list(urls).expect(urls), ..Options::default() }
    }

    #[test]
    fn what_cannot_work_is_an_error() {
        let many: Vec<_> = (1..=SERVERS_MAX + 1).map(|port| format!("redis://h:{port}")).collect();
        let good = || options("redis://a");
        let zero = Duration::ZERO;
        let cases = [
            (good(), Ok(())),
            (options(&many[1..].join(",")), Ok(())),
            (options(""), Err(ConfigError::NoServers)),
            (options(&many.join(",")), Err(ConfigError::TooManyServers(SERVERS_MAX))),
            (options("redis://a,redis://b,redis://:x@a:6379/3"), Err(ConfigError::Duplicate)),
            (options("unix:///s,redis+unix:///s?db=1"), Err(ConfigError::Duplicate)),
            (options("unix:///s,unix:///t"), Ok(())),
            (Options { name: Some("two words".into()), ..good() }, Err(ConfigError::Name)),
            (Options { name: Some(String::new()), ..good() }, Err(ConfigError::Name)),
            (Options { name: Some("ok-1".into()), ..good() }, Ok(())),
            (
                Options { connect_timeout: zero, ..good() },
                Err(ConfigError::Zero("connect_timeout")),
            ),
            (Options { reply_timeout: zero, ..good() }, Err(ConfigError::Zero("reply_timeout"))),
            (
                Options { reply_timeout: Duration::MAX, ..good() },
                Err(ConfigError::TooLong("reply_timeout")),
            ),
            (
                Options { limits: Limits { in_flight: 0, ..Limits::HOSTED }, ..good() },
                Err(ConfigError::Zero("limits.in_flight")),
            ),
            (
                Options { reconnect: Reconnect { base: zero, cap: zero }, ..good() },
                Err(ConfigError::Zero("reconnect.base")),
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(options.validate(), expected, "{options:?}");
        }
    }

    /// Requirement 9: a ttl of 1 ms and u64 extremes do not panic; peers.md M7.
    #[test]
    fn a_ttl_must_leave_validity() {
        let settings = |millis| {
            let ttl = Duration::from_millis(millis);
            options("redis://a").settings(b"key", ttl, Retry::NONE).map(|s| s.ttl.as_millis())
        };
        assert_eq!(settings(0), Err(ConfigError::Ttl));
        assert_eq!(settings(u64::MAX), Err(ConfigError::Ttl));
        assert_eq!(settings(3), Ok(3));
        let error = settings(1).expect_err("no validity");
        assert_eq!(
            error.to_string(),
            "a ttl of 1ms leaves no validity: clock drift takes 2.01ms; use a longer one"
        );
        assert!(settings(2).is_err());
    }

    #[test]
    fn a_key_must_fit_the_transmit_buffer() {
        let settings = |len| {
            let key = vec![b'k'; len];
            options("redis://a").settings(&key, Duration::from_secs(1), Retry::NONE)
        };
        assert!(settings(KEY_BYTES_MAX).is_ok() && settings(0).is_ok());
        assert_eq!(settings(KEY_BYTES_MAX + 1), Err(ConfigError::KeyTooLong(KEY_BYTES_MAX)));
    }
}
