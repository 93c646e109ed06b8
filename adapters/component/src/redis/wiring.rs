//! What a lock on a server was told before it is opened.

use std::sync::Mutex;

use redlatch_client::Endpoint;

use super::endpoints::endpoint;
use super::settings::Settings;
use crate::auth::{CredentialParams, CredentialResolver};
use crate::config::ConfigParams;
use crate::connect::{ConnectionParams, ConnectionResolver};
use crate::context::Context;
use crate::error::Error;
use crate::refer::References;
use crate::sync::lock;

/// Configuration and references. Both faces of one component share them; what is changed takes effect
/// at the next open.
#[derive(Debug, Default)]
pub(crate) struct Wiring(Mutex<Wired>);

#[derive(Clone, Debug, Default)]
struct Wired {
    settings: Settings,
    connections: ConnectionResolver,
    credentials: CredentialResolver,
}

/// Where to connect, and how.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    connections: Vec<ConnectionParams>,
    credential: Option<CredentialParams>,
}

impl Wiring {
    /// # Errors
    /// The first mistake, which leaves everything as it was.
    pub(crate) fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        let settings = Settings::from_config(config)?;
        let mut now = lock(&self.0);
        let mut wired = now.clone();
        wired.connections.configure(config)?;
        wired.credentials.configure(config)?;
        wired.settings = settings;
        *now = wired;
        Ok(())
    }

    pub(crate) fn set_references(&self, references: &References) {
        let mut now = lock(&self.0);
        let before = now.clone();
        now.connections.set_references(references);
        now.credentials.set_references(references);
        drop(now);
        // Services may do anything when they are dropped: not under the mutex.
        drop(before);
    }

    /// Finds connections and credential.
    ///
    /// # Errors
    /// As the resolvers, and `CONFIG_CONFLICT` when what was found does not fit together.
    pub(crate) async fn plan(&self, context: Context<'_>) -> Result<Plan, Error> {
        let Wired { settings, connections, credentials } = lock(&self.0).clone();
        let connections = connections.resolve_all(context).await?;
        let credential = credentials.lookup(context).await?;
        let plan = Plan { settings, connections, credential };
        plan.all().map_err(|error| error.in_context(context))?;
        Ok(plan)
    }
}

impl Plan {
    /// How many attempts a round has.
    pub(crate) fn targets(&self) -> usize {
        if self.settings.quorum { 1 } else { self.connections.len() }
    }

    /// The servers of one attempt.
    ///
    /// # Errors
    /// None that [`Wiring::plan`] has not found.
    pub(crate) fn endpoints(&self, target: usize) -> Result<Vec<Endpoint>, Error> {
        if self.settings.quorum {
            return self.all();
        }
        self.connections.get(target).map(|it| self.endpoint(it)).into_iter().collect()
    }

    fn all(&self) -> Result<Vec<Endpoint>, Error> {
        self.connections.iter().map(|it| self.endpoint(it)).collect()
    }

    fn endpoint(&self, connection: &ConnectionParams) -> Result<Endpoint, Error> {
        endpoint(connection, self.credential.as_ref(), &self.settings)
    }
}
