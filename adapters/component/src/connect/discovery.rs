//! Services that know where servers are.

use super::params::ConnectionParams;
use crate::context::Context;
use crate::pending::Pending;

/// A service that knows connections by key; `IDiscovery` in the family. Put it into the
/// [`References`](crate::References) under a descriptor that matches `*:discovery:*:*:1.0`, with
/// [`Component::of::<dyn Discovery>`](crate::Component::of).
///
/// Both faces of the lock use it. The blocking one waits for the futures on its own thread, without a
/// runtime: a service that needs one enters it by itself.
pub trait Discovery: Send + Sync {
    /// Adds a connection under a key, and gives back the connection as it is known now.
    ///
    /// # Errors
    /// What keeps the service from doing that.
    fn register<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        connection: ConnectionParams,
    ) -> Pending<'a, ConnectionParams>;

    /// The first connection under a key. `None` when there is none.
    ///
    /// # Errors
    /// What keeps the service from telling.
    fn resolve_one<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Option<ConnectionParams>>;

    /// All connections under a key.
    ///
    /// # Errors
    /// What keeps the service from telling.
    fn resolve_all<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Vec<ConnectionParams>>;
}
