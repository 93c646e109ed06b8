//! The same for threads: methods that return when they are done.
//!
//! The names are those of the async face. One implementation decides for both; here the calling
//! thread waits, and no runtime is needed.

mod face;
mod memory;
mod null;
mod redis;
mod wait;

pub use face::{Lock, Openable};
pub use memory::MemoryLock;
pub use null::NullLock;
pub use redis::RedisLock;
