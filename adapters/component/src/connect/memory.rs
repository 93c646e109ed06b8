//! Discovery from a configuration.

use core::future::ready;
use std::sync::{Arc, Mutex};

use super::discovery::Discovery;
use super::params::ConnectionParams;
use crate::config::ConfigParams;
use crate::config::keyed::keyed;
use crate::context::Context;
use crate::error::Error;
use crate::pending::Pending;
use crate::refer::{Component, Configurable};
use crate::sync::lock;

/// Connections by key, from a configuration and from [`Discovery::register`].
///
/// It is configured with `<key>.host`, `<key>.port` and so on. The older form
/// `connections.<key>.host` is read as well.
///
/// ```
/// use redlatch_component::{ConfigParams, Configurable, MemoryDiscovery};
///
/// let discovery = MemoryDiscovery::new();
/// discovery.configure(&ConfigParams::from_tuples(("main.host", "10.0.0.7", "main.port", 6379)))?;
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryDiscovery {
    connections: Mutex<Vec<(String, ConnectionParams)>>,
}

impl MemoryDiscovery {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self, key: &str) -> Vec<ConnectionParams> {
        let known = lock(&self.connections);
        let known = known.iter().filter(|(name, _)| name == key);
        known.map(|(_, connection)| connection.clone()).collect()
    }
}

impl Configurable for MemoryDiscovery {
    fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        let sections = keyed(config, "connections")?;
        let known = sections.into_iter().map(|(key, params)| (key, params.into())).collect();
        *lock(&self.connections) = known;
        Ok(())
    }
}

impl Discovery for MemoryDiscovery {
    fn register<'a>(
        &'a self,
        _: Context<'a>,
        key: &'a str,
        connection: ConnectionParams,
    ) -> Pending<'a, ConnectionParams> {
        lock(&self.connections).push((key.to_owned(), connection.clone()));
        Box::pin(ready(Ok(connection)))
    }

    fn resolve_one<'a>(
        &'a self,
        _: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Option<ConnectionParams>> {
        Box::pin(ready(Ok(self.known(key).into_iter().next())))
    }

    fn resolve_all<'a>(
        &'a self,
        _: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Vec<ConnectionParams>> {
        Box::pin(ready(Ok(self.known(key))))
    }
}

impl From<Arc<MemoryDiscovery>> for Component {
    fn from(discovery: Arc<MemoryDiscovery>) -> Self {
        Self::of(Arc::clone(&discovery))
            .and::<dyn Configurable>(Arc::clone(&discovery) as _)
            .and::<dyn Discovery>(discovery)
    }
}
