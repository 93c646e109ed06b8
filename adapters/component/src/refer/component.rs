//! A component as the references hold it.

use core::any::{Any, TypeId, type_name};
use core::fmt;
use std::sync::Arc;

/// A component and the faces that it shows: the types under which it can be found, mostly trait
/// objects such as `dyn Discovery`.
///
/// The components of this crate turn into one by themselves, and so do trait objects. Your own need
/// to say what they are:
///
/// ```
/// # use redlatch_component::{ConnectionParams, Context, Discovery, Pending};
/// use redlatch_component::{Component, Descriptor, References};
/// use std::sync::Arc;
///
/// struct Registry;
/// impl Discovery for Registry {
///     // …
/// #   fn register<'a>(&'a self, _: Context<'a>, _: &'a str, connection: ConnectionParams)
/// #       -> Pending<'a, ConnectionParams> { Box::pin(async { Ok(connection) }) }
/// #   fn resolve_one<'a>(&'a self, _: Context<'a>, _: &'a str)
/// #       -> Pending<'a, Option<ConnectionParams>> { Box::pin(async { Ok(None) }) }
/// #   fn resolve_all<'a>(&'a self, _: Context<'a>, _: &'a str)
/// #       -> Pending<'a, Vec<ConnectionParams>> { Box::pin(async { Ok(Vec::new()) }) }
/// }
///
/// let mut references = References::new();
/// let locator = Descriptor::new("mine", "discovery", "registry", "default", "1.0");
/// references.put(locator, Component::of::<dyn Discovery>(Arc::new(Registry)));
///
/// let pattern = "*:discovery:*:*:1.0".parse()?;
/// let found: Arc<dyn Discovery> = references.get_one_required(&pattern)?;
/// # let _ = found;
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Clone)]
pub struct Component {
    faces: Vec<Face>,
}

#[derive(Clone)]
struct Face {
    of: TypeId,
    name: &'static str,
    /// An `Arc<T>`, in an `Arc` of its own so that the list can be cloned.
    component: Arc<dyn Any + Send + Sync>,
}

impl Component {
    /// A component that is found as `T`.
    #[must_use]
    pub fn of<T: ?Sized + Send + Sync + 'static>(component: Arc<T>) -> Self {
        Self { faces: Vec::new() }.and::<T>(component)
    }

    /// The same component, also found as `T`.
    #[must_use]
    pub fn and<T: ?Sized + Send + Sync + 'static>(mut self, component: Arc<T>) -> Self {
        let of = TypeId::of::<T>();
        self.faces.retain(|face| face.of != of);
        self.faces.push(Face { of, name: type_name::<T>(), component: Arc::new(component) });
        self
    }

    /// The component as `T`, if that is one of its faces.
    #[must_use]
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let face = self.faces.iter().find(|face| face.of == TypeId::of::<T>())?;
        face.component.downcast_ref::<Arc<T>>().map(Arc::clone)
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Component ")?;
        f.debug_list().entries(self.faces.iter().map(|face| face.name)).finish()
    }
}

/// Trait objects are components with one face.
macro_rules! from_objects {
    ($($face:path),* $(,)?) => {$(
        impl From<Arc<dyn $face>> for Component {
            fn from(component: Arc<dyn $face>) -> Self {
                Self::of::<dyn $face>(component)
            }
        }
    )*};
}

from_objects!(
    crate::auth::CredentialStore,
    crate::connect::Discovery,
    crate::lock::Lock,
    crate::blocking::Lock,
);
