//! The lock component of the pip-services family for Rust: what that family has under these names,
//! configured by the same parameters and found by the same descriptors.
//!
//! ```no_run
//! use redlatch_component::{ConfigParams, RedisLock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), redlatch_component::Error> {
//! let lock = RedisLock::new();
//! lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", 6379)))?;
//! lock.open("123").await?;
//!
//! lock.acquire_lock("123", "key1", 3000, 1000).await?;
//! // Processing…
//! lock.release_lock("123", "key1").await?;
//!
//! lock.close("123").await?;
//! # Ok(())
//! # }
//! ```
//!
//! All parameters, references and methods are in the [manual]. A container makes the lock by its
//! descriptor, `pip-services:lock:redis:*:1.0`, with a [`Factory`].
//!
//! # What is in here
//!
//! | what | names |
//! | --- | --- |
//! | locks | [`Lock`], [`RedisLock`], [`MemoryLock`], [`NullLock`]; for threads, the same in [`blocking`] |
//! | configuration | [`ConfigParams`], [`Configurable`] |
//! | references | [`Descriptor`], [`References`], [`Component`], [`Referenceable`], [`Factory`] |
//! | connections | [`ConnectionParams`], [`ConnectionResolver`], [`Discovery`], [`MemoryDiscovery`] |
//! | credentials | [`CredentialParams`], [`CredentialResolver`], [`CredentialStore`], [`MemoryCredentialStore`] |
//! | life | [`Openable`] |
//! | calls | [`Context`], [`Pending`], [`Error`] with [`Category`] and [`code`] |
//!
//! Components take `&self` everywhere, so one can be shared before it is configured; a factory does
//! that.
//!
//! # What differs from the other languages, and why
//!
//! | here | there | why |
//! | --- | --- | --- |
//! | keys of parameters are sensitive to letter case, and a key in another case is an error that says how to spell it | sensitive in Python, Node, Go and Dart; not in .NET; in Java for keys and not for sections | nothing is ignored or mixed up in silence |
//! | a parameter that no lock reads is an error | ignored | a typing mistake should not run with a default |
//! | a malformed number is an error | the default, silently; `12.7` is 12 or 13 | the same |
//! | `from_string` takes off spaces around keys and values | Node does, Python does not | a password with outer spaces goes through `from_tuples` |
//! | `=v` is a value under the empty key | in Python; in Node, a key `=v` | it is unknown, and so an error |
//! | [`ConfigParams::from_tuples`] with an odd number of arguments does not compile | the last one is dropped | |
//! | `configure` replaces what an earlier call set | connections and credentials are added, and the first one counts | a lock can be moved to another server |
//! | `host` and `port` without a section work | only in .NET, though the documentation shows it everywhere | |
//! | nothing configured is `NO_CONNECTION` | Python connects to localhost | a lock on the wrong server excludes nobody |
//! | sections come in the order in which they were written | at random in Go and Java | |
//! | two parameters that contradict each other are an error | one of them counts | |
//! | several connections of one configuration can all be used: [`ConnectionResolver::resolve_all`] | the first one only | |
//! | what discovery or a credential store finds is set on top of what is configured beside the key | so for connections, except in Go and Dart; not for credentials | one rule for both |
//! | services are looked up when `set_references` is called, under version 1.0 as documented | when they are needed, in any version | no component keeps another alive in a circle |
//! | `store_key` finds `*:credential-store:*:*:1.0` | `credential_store` in Go, Java and .NET, which finds nothing | |
//! | an unknown `store_key` is `MISSING_CREDENTIALS` | there is no login, except in Go | |
//! | the user name is used; without a password it is an error | it is ignored | servers have had users since Redis 6 |
//! | an acquisition tries once more when its timeout is over | the last attempt is up to a pause earlier | who waits for a second gets a whole second |
//! | `retry_timeout` counts | in .NET only | |
//! | ttl and timeout are checked, also by [`NullLock`] | the server complains, or the lock never expires | |
//! | each [`MemoryLock`] has its own locks | in Python, all of a process share theirs | |
//! | every acquisition has a token of its own, of 40 digits | one of 32 for the whole component | a release that comes late does not free a later holder; nobody reads it |
//! | a release is one atomic compare-and-delete | `WATCH` on a shared connection | releases at the same time cannot undo each other's protection |
//! | a release says on demand whether the lock was ours: `release_lock_outcome` | never | who lost it may have to undo something |
//! | `open` connects and logs in, or fails | Python and Node succeed where nothing listens | the mistake is found where it was made |
//! | `open` while it is open does nothing | the client is replaced, and in Node never closed | |
//! | `close` ends the connections, and waits that are under way | Python leaves that to the garbage collector | |
//! | `options.release_on_close` releases at a close | nowhere | |
//! | who waits is told that a lock is free, unless `options.wake` is off | nowhere: they poll | |
//! | `retries` and `timeout` bound the opening | mostly read and never used | each has one meaning |
//! | connections that break come back by themselves | not in Go; in Node not after a restart | |
//! | what the driver says has a code, a category, the correlation id and a cause | it comes as it is | |
//! | a refused login is not tried again | in Node it ends the process | it would lock the account |
//! | `uri` is read in full, also `rediss` and `unix` | it fails in Python and is ignored in Java and Dart | |
//! | `options.db_num`, `tls.*` and `options.quorum` | `db_num` in Go | |
//! | a release before `open` is `NOT_OPENED` | a missing attribute in Python | |
//! | dropping the component is like closing it | | the family leaves locks to their ttl |
//! | to release what is not held is no error | in Python's `MemoryLock`, it is | |
#![forbid(unsafe_code)]

mod auth;
pub mod blocking;
mod config;
mod connect;
mod context;
mod error;
mod lock;
pub mod manual;
mod pending;
mod redis;
mod refer;
mod sync;

pub use auth::{CredentialParams, CredentialResolver, CredentialStore, MemoryCredentialStore};
pub use config::{ConfigParams, ConfigValue, Tuples};
pub use connect::{ConnectionParams, ConnectionResolver, Discovery, MemoryDiscovery};
pub use context::Context;
pub use error::{Category, Error, code};
pub use lock::{Lock, MemoryLock, NullLock};
pub use pending::Pending;
pub use redis::RedisLock;
pub use redlatch_client::{Address, ConfigError, Secret};
pub use refer::{
    Component, Configurable, Descriptor, Factory, Openable, Referenceable, References,
};
