//! A credential store from a configuration.

use core::future::ready;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::params::CredentialParams;
use super::store::CredentialStore;
use crate::config::ConfigParams;
use crate::config::keyed::keyed;
use crate::context::Context;
use crate::error::Error;
use crate::pending::Pending;
use crate::refer::{Component, Configurable};
use crate::sync::lock;

/// Credentials by key, from a configuration and from [`CredentialStore::store`].
///
/// It is configured with `<key>.username`, `<key>.password` and so on. The older form
/// `credentials.<key>.password` is read as well.
#[derive(Debug, Default)]
pub struct MemoryCredentialStore {
    credentials: Mutex<HashMap<String, CredentialParams>>,
}

impl MemoryCredentialStore {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Configurable for MemoryCredentialStore {
    fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        let sections = keyed(config, "credentials")?;
        let known = sections.into_iter().map(|(key, params)| (key, params.into())).collect();
        *lock(&self.credentials) = known;
        Ok(())
    }
}

impl CredentialStore for MemoryCredentialStore {
    fn store<'a>(
        &'a self,
        _: Context<'a>,
        key: &'a str,
        credential: Option<CredentialParams>,
    ) -> Pending<'a, ()> {
        let mut known = lock(&self.credentials);
        match credential {
            Some(credential) => known.insert(key.to_owned(), credential),
            None => known.remove(key),
        };
        Box::pin(ready(Ok(())))
    }

    fn lookup<'a>(&'a self, _: Context<'a>, key: &'a str) -> Pending<'a, Option<CredentialParams>> {
        let found = lock(&self.credentials).get(key).cloned();
        Box::pin(ready(Ok(found)))
    }
}

impl From<Arc<MemoryCredentialStore>> for Component {
    fn from(store: Arc<MemoryCredentialStore>) -> Self {
        Self::of(Arc::clone(&store))
            .and::<dyn Configurable>(Arc::clone(&store) as _)
            .and::<dyn CredentialStore>(store)
    }
}
