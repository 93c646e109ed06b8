//! Services that keep credentials.

use super::params::CredentialParams;
use crate::context::Context;
use crate::pending::Pending;

/// A service that keeps credentials by key; `ICredentialStore` in the family. Put it into the
/// [`References`](crate::References) under a descriptor that matches `*:credential-store:*:*:1.0`,
/// with [`Component::of::<dyn CredentialStore>`](crate::Component::of).
///
/// Both faces of the lock use it, as they do with a [`Discovery`](crate::Discovery).
pub trait CredentialStore: Send + Sync {
    /// Keeps a credential under a key, in place of the one that was there; `None` removes it.
    ///
    /// # Errors
    /// What keeps the service from doing that.
    fn store<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        credential: Option<CredentialParams>,
    ) -> Pending<'a, ()>;

    /// The credential under a key. `None` when there is none.
    ///
    /// # Errors
    /// What keeps the service from telling.
    fn lookup<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Option<CredentialParams>>;
}
