//! Locks that outlive the client that took them.

use core::fmt;
use std::sync::Arc;

use redlatch_core::{Retry, Settings, Ttl};

use crate::config::ConfigError;
use crate::drive::{Drive, Wish};
use crate::engine::Engine;
use crate::error::Error;
use crate::held::Releasing;
use crate::key::Key;
use crate::os;
use crate::owned::{Leaves, Owned};
use crate::session::Session;
use crate::trace::Span;

/// A lock that is held and that no client keeps any more: it stays until its ttl, unless a client of
/// the same servers [releases](Engine::release_detached) it.
///
/// It is `Send` and not `Clone`, and shows no token. Dropping it leaves the key to its ttl.
#[must_use = "dropping it leaves the key to its ttl"]
pub struct Detached {
    key: Key,
    ttl: Ttl,
    lock: redlatch_core::Detached,
    servers: Servers,
}

/// Addresses and databases, in an order of their own.
#[derive(PartialEq, Eq)]
pub(crate) struct Servers(Vec<(String, u32)>);

impl Servers {
    fn of(engine: &Engine) -> Self {
        let endpoints = engine.options().endpoints.iter();
        let place = |it: &crate::Endpoint| (it.to_string(), it.database().unwrap_or_default());
        let mut servers: Vec<_> = endpoints.map(place).collect();
        servers.sort();
        Self(servers)
    }
}

impl Detached {
    pub(crate) fn new(engine: &Engine, key: &Key, ttl: Ttl, lock: redlatch_core::Detached) -> Self {
        Self { key: key.clone(), ttl, lock, servers: Servers::of(engine) }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Whether the key has surely expired; there is nothing to release then.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.lock.is_over(os::now())
    }
}

impl Engine {
    /// Begins to give back a lock that was [detached](crate::Held::detach) from this client or another
    /// one of the same servers. From here on it is given back whatever happens to what is returned.
    ///
    /// # Errors
    /// [`ConfigError::OtherServers`], [`Error::Closed`]: the key is left to its ttl.
    pub fn release_detached(self: &Arc<Self>, detached: Detached) -> Result<Releasing, Error> {
        let Detached { key, ttl, lock, servers } = detached;
        if servers != Servers::of(self) {
            return Err(ConfigError::OtherServers.into());
        }
        if self.is_closed() {
            return Err(Error::Closed);
        }
        let options = self.options();
        let settings = Settings {
            drift: options.drift,
            reply_timeout: options.reply_timeout,
            retry: Retry::NONE,
            ..Settings::new(ttl)
        };
        let span = Span::release(&key);
        let session = Session::new(key, self.links.len(), settings);
        // A fresh machine is idle and refuses nothing.
        let _adopted = session.machine().lock.adopt(lock, os::now());
        let owned = Owned::new(self, session, Leaves::Unfinished);
        Ok(Releasing::new(Drive::new(owned, span, Wish::Release).begun()))
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached")
            .field("key", &format_args!("{}", self.key))
            .finish_non_exhaustive()
    }
}
