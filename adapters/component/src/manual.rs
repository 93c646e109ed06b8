//! The manual of [`RedisLock`](crate::RedisLock).
