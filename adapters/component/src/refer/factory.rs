//! Making components by descriptor.

use core::fmt;

use std::sync::Arc;

use super::component::Component;
use super::descriptor::Descriptor;
use crate::auth::MemoryCredentialStore;
use crate::connect::MemoryDiscovery;
use crate::error::{Category, Error, code};
use crate::lock::{MemoryLock, NullLock};
use crate::redis::RedisLock;

type Make = Arc<dyn Fn(&Descriptor) -> Component + Send + Sync>;

/// Makes components by descriptor. [`Factory::default`] makes those of this crate:
///
/// | descriptor | component |
/// | --- | --- |
/// | `pip-services:lock:redis:*:1.0` | [`RedisLock`] |
/// | `pip-services:lock:null:*:1.0` | [`NullLock`] |
/// | `pip-services:lock:memory:*:1.0` | [`MemoryLock`] |
/// | `pip-services:discovery:memory:*:1.0` | [`MemoryDiscovery`] |
/// | `pip-services:credential-store:memory:*:1.0` | [`MemoryCredentialStore`] |
#[derive(Clone)]
pub struct Factory {
    makers: Vec<(Descriptor, Make)>,
}

impl Factory {
    /// A factory that makes nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { makers: Vec::new() }
    }

    /// Makes with `make` what matches `locator`. What was registered first comes first.
    pub fn register<C: Into<Component>>(
        &mut self,
        locator: Descriptor,
        make: impl Fn(&Descriptor) -> C + Send + Sync + 'static,
    ) {
        self.makers.push((locator, Arc::new(move |locator| make(locator).into())));
    }

    /// The registered descriptor that matches, if one does.
    #[must_use]
    pub fn can_create(&self, locator: &Descriptor) -> Option<&Descriptor> {
        self.maker(locator).map(|(registered, _)| registered)
    }

    /// Makes a component, not configured yet.
    ///
    /// # Errors
    /// [`CANNOT_CREATE`](code::CANNOT_CREATE) when nothing that is registered matches.
    pub fn create(&self, locator: &Descriptor) -> Result<Component, Error> {
        let (_, make) = self.maker(locator).ok_or_else(|| cannot_create(locator))?;
        Ok(make(locator))
    }

    fn maker(&self, locator: &Descriptor) -> Option<&(Descriptor, Make)> {
        self.makers.iter().find(|(registered, _)| registered.matches(locator))
    }
}

impl Default for Factory {
    fn default() -> Self {
        let ours = |what, kind| Descriptor::new("pip-services", what, kind, "*", "1.0");
        let mut factory = Self::new();
        factory.register(ours("lock", "redis"), |_| Arc::new(RedisLock::new()));
        factory.register(ours("lock", "null"), |_| NullLock::new());
        factory.register(ours("lock", "memory"), |_| Arc::new(MemoryLock::new()));
        factory.register(ours("discovery", "memory"), |_| Arc::new(MemoryDiscovery::new()));
        factory.register(ours("credential-store", "memory"), |_| {
            Arc::new(MemoryCredentialStore::new())
        });
        factory
    }
}

fn cannot_create(locator: &Descriptor) -> Error {
    let message = format!("Nothing makes {locator}; register it with the factory before");
    Error::new(Category::Internal, code::CANNOT_CREATE, message)
        .with_detail("locator", locator.to_string())
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registered = self.makers.iter().map(|(locator, _)| locator);
        f.debug_list().entries(registered).finish()
    }
}
