//! The lock as the family knows it.

pub(crate) mod arguments;
mod face;
pub(crate) mod inherent;
pub(crate) mod ledger;
pub(crate) mod local;
mod memory;
mod null;
pub(crate) mod options;

pub use face::Lock;
pub use memory::MemoryLock;
pub use null::NullLock;
