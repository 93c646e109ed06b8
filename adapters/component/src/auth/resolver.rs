//! From a configuration to a login.

use core::fmt;
use std::sync::Arc;

use super::params::CredentialParams;
use super::store::CredentialStore;
use crate::config::ConfigParams;
use crate::context::{Context, shown};
use crate::error::{Category, Error, code};
use crate::refer::{Descriptor, References, not_found};

/// Finds the credential that a component is configured with, in a credential store where it has a
/// `store_key`.
///
/// What a store finds is set on top of what is configured beside the key. A credential that is
/// written out comes before those that a store has to be asked for.
#[derive(Clone)]
pub struct CredentialResolver {
    credentials: Vec<CredentialParams>,
    /// The last one first, or why there is none.
    stores: Result<Vec<Arc<dyn CredentialStore>>, Error>,
}

impl Default for CredentialResolver {
    fn default() -> Self {
        Self { credentials: Vec::new(), stores: Err(not_found(&locator(), None)) }
    }
}

impl CredentialResolver {
    /// One without credentials and without a store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the credentials of a configuration, in place of those of an earlier call. An error
    /// changes nothing. See [`CredentialParams::many_from_config`].
    ///
    /// # Errors
    /// As [`CredentialParams::many_from_config`]; [`CONFIG_CONFLICT`](code::CONFIG_CONFLICT) when two
    /// names of one parameter differ; [`MISSING_CREDENTIALS`](code::MISSING_CREDENTIALS) for a user
    /// without a password.
    pub fn configure(&mut self, config: &ConfigParams) -> Result<(), Error> {
        let mut credentials = CredentialParams::many_from_config(config)?;
        credentials.retain(|credential| !credential.is_blank());
        for credential in credentials.iter().filter(|credential| credential.store_key().is_none()) {
            credential.check()?;
        }
        self.credentials = credentials;
        Ok(())
    }

    /// Takes the [`CredentialStore`] services under `*:credential-store:*:*:1.0`. To have none is an
    /// error only once one is needed.
    pub fn set_references(&mut self, references: &References) {
        self.stores = references.get_required(&locator());
    }

    /// The credentials as they are configured.
    #[must_use]
    pub fn credentials(&self) -> &[CredentialParams] {
        &self.credentials
    }

    /// The first credential: one that is written out, or else one that a store knows. `None` when
    /// none is configured.
    ///
    /// # Errors
    /// * [`MISSING_CREDENTIALS`](code::MISSING_CREDENTIALS): no store knows any of the keys, of which
    ///   the last is the detail `store_key`; or what was found is a user without a password.
    /// * [`REF_ERROR`](code::REF_ERROR): a store is needed, and there is none in the references.
    /// * What the store says.
    pub async fn lookup(&self, context: Context<'_>) -> Result<Option<CredentialParams>, Error> {
        self.found(context).await.map_err(|error| error.in_context(context))
    }

    async fn found(&self, context: Context<'_>) -> Result<Option<CredentialParams>, Error> {
        let is_written = |it: &&CredentialParams| it.store_key().is_none();
        if let Some(credential) = self.credentials.iter().find(is_written) {
            return Ok(Some(credential.clone()));
        }
        let mut failure = None;
        let keyed = self.credentials.iter().filter_map(|it| Some((it, it.store_key()?)));
        for (credential, key) in keyed {
            match self.ask(context, key).await? {
                Some(found) => {
                    let credential = credential.overridden_by(&found);
                    return credential.check().map(|()| Some(credential));
                }
                None => failure = Some(unknown(credential, key)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    async fn ask(
        &self,
        context: Context<'_>,
        key: &str,
    ) -> Result<Option<CredentialParams>, Error> {
        for store in self.stores.as_deref().map_err(Clone::clone)? {
            if let Some(found) = store.lookup(context, key).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn locator() -> Descriptor {
    Descriptor::new("*", "credential-store", "*", "*", "1.0")
}

fn unknown(credential: &CredentialParams, key: &str) -> Error {
    let message = format!(
        "The credential store knows nothing under the key {}; store it there or correct {}",
        shown(key),
        credential.key("store_key")
    );
    Error::new(Category::Misconfiguration, code::MISSING_CREDENTIALS, message)
        .with_detail("store_key", key)
}

impl fmt::Debug for CredentialResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stores = self.stores.as_ref().map_or(0, Vec::len);
        f.debug_struct("CredentialResolver")
            .field("credentials", &self.credentials)
            .field("stores", &stores)
            .finish()
    }
}
