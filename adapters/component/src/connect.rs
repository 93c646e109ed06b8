//! Where the server is.

mod discovery;
mod memory;
mod params;
mod resolver;

pub use discovery::Discovery;
pub use memory::MemoryDiscovery;
pub use params::ConnectionParams;
pub use resolver::ConnectionResolver;

pub(crate) use params::PLACE;
