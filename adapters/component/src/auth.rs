//! Who we are to the server.

mod memory;
mod params;
mod resolver;
mod store;

pub use memory::MemoryCredentialStore;
pub use params::CredentialParams;
pub use resolver::CredentialResolver;
pub use store::CredentialStore;

pub(crate) use params::PLACE;
