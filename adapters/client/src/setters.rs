//! The options of a client as the builders of all adapters have them: written once, so that they
//! cannot drift apart.

pub use redlatch_core::{Drift, Limits, Protocol, Renew, Retry};

/// The methods of a builder that has the fields `options: Options` and `error: Option<ConfigError>`.
#[doc(hidden)]
#[macro_export]
macro_rules! builder_setters {
    () => {
        /// Adds one server: `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for the same over
        /// TLS, or `unix:///path/to.sock[?db=N&user=…&password=…]`. A URL that is wrong is an error of
        /// [`Builder::connect`].
        pub fn server(mut self, url: &str) -> Self {
            match url.parse::<$crate::Endpoint>() {
                Ok(endpoint) => self.options.endpoints.push(endpoint),
                Err(error) => self.error = self.error.or(Some(error)),
            }
            self
        }

        /// Adds servers whose URLs are separated by commas. More than one is a quorum: a majority
        /// decides, and each must be a master of its own.
        pub fn servers(mut self, urls: &str) -> Self {
            match $crate::Endpoint::parse_list(urls) {
                Ok(endpoints) => self.options.endpoints.extend(endpoints),
                Err(error) => self.error = self.error.or(Some(error)),
            }
            self
        }

        /// Adds one server that is put together from its parts, or whose URL was read before.
        pub fn endpoint(mut self, endpoint: $crate::Endpoint) -> Self {
            self.options.endpoints.push(endpoint);
            self
        }

        /// Protocol to ask for. Default: RESP3, on servers that know it.
        pub fn protocol(mut self, protocol: $crate::setters::Protocol) -> Self {
            self.options.protocol = protocol;
            self
        }

        /// Name of the connections, shown by `CLIENT LIST`. Default: none.
        pub fn name(mut self, name: &str) -> Self {
            self.options.name = Some(name.to_owned());
            self
        }

        /// Longest time for opening a connection, greeting included. Default: 2 s.
        pub fn connect_timeout(mut self, timeout: ::core::time::Duration) -> Self {
            self.options.connect_timeout = timeout;
            self
        }

        /// Longest time for an answer. Default: 500 ms.
        pub fn reply_timeout(mut self, timeout: ::core::time::Duration) -> Self {
            self.options.reply_timeout = timeout;
            self
        }

        /// How long and how often [`Client::lock`] tries. Default: up to 10 s, at random moments at
        /// most 100 ms apart.
        pub fn retry(mut self, retry: $crate::setters::Retry) -> Self {
            self.options.retry = retry;
            self
        }

        /// Whether a lock that waits asks the servers to tell when its key changes (`CLIENT TRACKING`) and
        /// tries again then, and when the key has expired. Default: yes.
        ///
        /// That costs three commands more for each time it is refused and nothing while it waits. If not, and
        /// where a server cannot tell, it tries again when the retry policy says: over RESP2, and where the
        /// user may not run `CLIENT`. `tracing` is told of such a server once for each connection.
        pub fn wake(mut self, wake: bool) -> Self {
            self.options.wake = wake;
            self
        }

        /// Extends all locks by themselves while they are held. Default: off. See [`Client::renewing`].
        pub fn renew(mut self, renew: $crate::setters::Renew) -> Self {
            self.options.renew = Some(renew);
            self
        }

        /// What is taken off a ttl for clocks of different speed. Default: 1 % and 2 ms.
        pub fn drift(mut self, drift: $crate::setters::Drift) -> Self {
            self.options.drift = drift;
            self
        }

        /// What a server can make this client store. Default: [`Limits::HOSTED`] with 4096 requests in
        /// flight.
        pub fn limits(mut self, limits: $crate::setters::Limits) -> Self {
            self.options.limits = limits;
            self
        }

        /// A server that was started more recently than this has no vote: it may have forgotten locks
        /// that are still held. Set it to the longest ttl in use, unless the servers write every change
        /// to disk before they answer. Default: none, because a client of one server could then take
        /// no lock for that long after every restart, and up to two seconds longer.
        pub fn restart_delay(mut self, delay: ::core::time::Duration) -> Self {
            self.options.restart_delay = Some(delay);
            self
        }

        /// How servers at `rediss://` URLs are verified, and who the client is to them. Default: what the
        /// operating system trusts, and nobody.
        #[cfg(feature = "tls")]
        pub fn tls(mut self, tls: $crate::Tls) -> Self {
            self.options.tls = tls;
            self
        }

        /// Pause before connecting again: random, up to `base` at first, doubling up to `cap`. Default:
        /// 10 ms and 5 s.
        pub fn reconnect(
            mut self,
            base: ::core::time::Duration,
            cap: ::core::time::Duration,
        ) -> Self {
            self.options.reconnect = $crate::Reconnect { base, cap };
            self
        }
    };
}
