//! How components find one another.

mod component;
mod descriptor;
mod factory;
mod references;
mod roles;

pub use component::Component;
pub use descriptor::Descriptor;
pub use factory::Factory;
pub use references::References;
pub(crate) use references::not_found;
pub use roles::{Configurable, Openable, Referenceable};
