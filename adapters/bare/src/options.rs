//! How a client behaves.

use core::time::Duration;

use redlatch_core::{Drift, Limits, Renew, Retry, Settings, Ttl};

use crate::error::Error;

/// How a client behaves. The defaults suit a board on a local network.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Longest time for opening a stream, waiting for a quiet line and greeting included.
    pub connect_timeout: Duration,
    /// Longest time for an answer. A server that takes longer is disconnected; it should be small
    /// against the ttl, because what an attempt waits is gone from the lease. On a serial line allow
    /// for the bytes: a claim and its answers are some 250, 22 ms at 115 200 baud, 260 ms at 9 600.
    pub reply_timeout: Duration,
    /// How long and how often `lock` tries.
    pub retry: Retry,
    /// Whether a lock that waits asks the servers to tell when its key changes, and tries again then; if
    /// not, and where a server cannot tell, it tries again when `retry` says. RESP3 only.
    pub wake: bool,
    /// Whether and how locks are extended by themselves while they are held.
    pub renew: Option<Renew>,
    /// What is taken off a ttl for clocks of different speed. The default allows for a clock that is
    /// off by 0.4 %; the oscillator inside a microcontroller can be off by 1 to 3 % without a crystal.
    pub drift: Drift,
    /// What a server can make this client store. At most six requests are in flight on one connection,
    /// whatever this says.
    pub limits: Limits,
    /// A server that was started more recently than this has no vote: it may have forgotten locks
    /// that are still held. Set it to the longest ttl in use, unless the servers write every change to
    /// disk before they answer. Off by default: it makes every restart an outage that long for a
    /// client of one server, and its answer to `INFO` wants a receive buffer of about 1 KiB. Where that
    /// is smaller, or this user may not ask, the server counts as just started on every connection.
    pub restart_delay: Option<Duration>,
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

impl Options {
    /// The defaults: two seconds to connect, half a second to answer, no renewing.
    pub const DEFAULT: Self = Self {
        connect_timeout: Duration::from_secs(2),
        reply_timeout: Duration::from_millis(500),
        retry: Retry::until(Duration::from_secs(10)),
        wake: true,
        renew: None,
        drift: Drift::DEFAULT,
        limits: Limits::EMBEDDED,
        restart_delay: None,
        reconnect: Reconnect { base: Duration::from_millis(10), cap: Duration::from_secs(5) },
    };

    pub(crate) fn settings(&self, ttl: Duration, retry: Retry) -> Result<Settings, Error> {
        let ttl = Ttl::new(ttl).map_err(|_| Error::InvalidTtl)?;
        if self.drift.of(ttl) >= ttl.as_duration() {
            return Err(Error::InvalidTtl);
        }
        let Self { drift, reply_timeout, wake, renew, .. } = *self;
        Ok(Settings { ttl, drift, reply_timeout, retry, wake, renew })
    }

    pub(crate) const fn reconnecting(&self) -> Retry {
        let Reconnect { base, cap } = self.reconnect;
        let delay = redlatch_core::Delay::Exponential { base, cap };
        Retry { delay, retries: None, deadline: None }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
