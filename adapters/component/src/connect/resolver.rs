//! From a configuration to a server.

use std::sync::Arc;

use super::discovery::Discovery;
use super::params::ConnectionParams;
use crate::config::ConfigParams;
use crate::context::{Context, shown};
use crate::error::{Category, Error, code};
use crate::refer::{Descriptor, References, not_found};

/// Finds the connections that a component is configured with, by discovery where they have a
/// `discovery_key`.
///
/// What discovery finds is set on top of what is configured beside the key. Connections that are
/// written out come before those that have to be discovered, each in the order in which they were
/// written.
#[derive(Clone)]
pub struct ConnectionResolver {
    connections: Vec<ConnectionParams>,
    /// The last one first, or why there is none.
    discoveries: Result<Vec<Arc<dyn Discovery>>, Error>,
}

impl Default for ConnectionResolver {
    fn default() -> Self {
        Self { connections: Vec::new(), discoveries: Err(not_found(&locator(), None)) }
    }
}

impl ConnectionResolver {
    /// One without connections and without discovery.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the connections of a configuration, in place of those of an earlier call. An error
    /// changes nothing. See [`ConnectionParams::many_from_config`].
    ///
    /// # Errors
    /// As [`ConnectionParams::many_from_config`] and [`ConnectionParams::address`].
    pub fn configure(&mut self, config: &ConfigParams) -> Result<(), Error> {
        let connections = ConnectionParams::many_from_config(config)?;
        for connection in &connections {
            connection.address()?;
        }
        self.connections = connections;
        Ok(())
    }

    /// Takes the [`Discovery`] services under `*:discovery:*:*:1.0`. To have none is an error only
    /// once one is needed.
    pub fn set_references(&mut self, references: &References) {
        self.discoveries = references.get_required(&locator());
    }

    /// The connections as they are configured.
    #[must_use]
    pub fn connections(&self) -> &[ConnectionParams] {
        &self.connections
    }

    /// The first connection: one that is written out, or else one that discovery knows.
    ///
    /// # Errors
    /// As [`ConnectionResolver::resolve_all`], except that an unknown key is no error while discovery
    /// knows another.
    pub async fn resolve(&self, context: Context<'_>) -> Result<ConnectionParams, Error> {
        self.first(context).await.map_err(|error| error.in_context(context))
    }

    /// All connections, in the order in which they are to be tried.
    ///
    /// # Errors
    /// * [`NO_CONNECTION`](code::NO_CONNECTION): none is configured, one has no host, or discovery
    ///   knows nothing under a key, which is the detail `discovery_key`.
    /// * [`REF_ERROR`](code::REF_ERROR): discovery is needed, and there is none in the references.
    /// * What [`ConnectionParams::address`] says of a connection that was discovered, and what the
    ///   discovery service says.
    pub async fn resolve_all(&self, context: Context<'_>) -> Result<Vec<ConnectionParams>, Error> {
        self.all(context).await.map_err(|error| error.in_context(context))
    }

    async fn first(&self, context: Context<'_>) -> Result<ConnectionParams, Error> {
        if let Some(connection) = self.written().next() {
            return addressed(connection.clone());
        }
        let mut failure = not_configured();
        for (connection, key) in self.discovered() {
            match self.discover_one(context, key).await? {
                Some(found) => return addressed(connection.overridden_by(&found)),
                None => failure = unknown(connection, key),
            }
        }
        Err(failure)
    }

    async fn all(&self, context: Context<'_>) -> Result<Vec<ConnectionParams>, Error> {
        let mut resolved: Vec<_> =
            self.written().cloned().map(addressed).collect::<Result<_, _>>()?;
        for (connection, key) in self.discovered() {
            let found = self.discover_all(context, key).await?;
            if found.is_empty() {
                return Err(unknown(connection, key));
            }
            for found in &found {
                resolved.push(addressed(connection.overridden_by(found))?);
            }
        }
        if resolved.is_empty() { Err(not_configured()) } else { Ok(resolved) }
    }

    fn written(&self) -> impl Iterator<Item = &ConnectionParams> {
        self.connections.iter().filter(|connection| connection.discovery_key().is_none())
    }

    fn discovered(&self) -> impl Iterator<Item = (&ConnectionParams, &str)> {
        self.connections.iter().filter_map(|it| Some((it, it.discovery_key()?)))
    }

    fn discoveries(&self) -> Result<&[Arc<dyn Discovery>], Error> {
        self.discoveries.as_deref().map_err(Clone::clone)
    }

    async fn discover_one(
        &self,
        context: Context<'_>,
        key: &str,
    ) -> Result<Option<ConnectionParams>, Error> {
        for discovery in self.discoveries()? {
            if let Some(found) = discovery.resolve_one(context, key).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn discover_all(
        &self,
        context: Context<'_>,
        key: &str,
    ) -> Result<Vec<ConnectionParams>, Error> {
        for discovery in self.discoveries()? {
            let found = discovery.resolve_all(context, key).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

fn locator() -> Descriptor {
    Descriptor::new("*", "discovery", "*", "*", "1.0")
}

fn addressed(connection: ConnectionParams) -> Result<ConnectionParams, Error> {
    if connection.address()?.is_some() {
        return Ok(connection);
    }
    let key = connection.key("host");
    let message = format!("Connection is not configured: {key} is missing; set it, or a uri");
    Err(no_connection(message).with_detail("key", key))
}

fn not_configured() -> Error {
    no_connection("Connection is not configured: set host or uri, or a discovery_key".to_owned())
}

fn unknown(connection: &ConnectionParams, key: &str) -> Error {
    let message = format!(
        "Connection is not configured: discovery knows nothing under the key {}; register it there or \
         correct {}",
        shown(key),
        connection.key("discovery_key")
    );
    no_connection(message).with_detail("discovery_key", key)
}

fn no_connection(message: String) -> Error {
    Error::new(Category::Misconfiguration, code::NO_CONNECTION, message)
}

impl core::fmt::Debug for ConnectionResolver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let discoveries = self.discoveries.as_ref().map_or(0, Vec::len);
        f.debug_struct("ConnectionResolver")
            .field("connections", &self.connections)
            .field("discoveries", &discoveries)
            .finish()
    }
}
