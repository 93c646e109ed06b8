//! The manual of [`RedisLock`](crate::RedisLock): what the family's page says, for users of Rust.
//!
//! # RedisLock
//!
//! | | |
//! | --- | --- |
//! | extends | [`Lock`](crate::Lock), for threads [`blocking::Lock`](crate::blocking::Lock) |
//! | implements | [`Referenceable`](crate::Referenceable), [`Configurable`](crate::Configurable), [`Openable`](crate::Openable) |
//! | descriptor | `pip-services:lock:redis:*:1.0` |
//!
//! [`RedisLock`](crate::RedisLock) is a distributed lock on the in-memory database Redis, or on Valkey. It
//! excludes the locks that the family's other languages take on the same server.
//!
//! A lock alone is for efficiency. Where correctness depends on it, the resource must check a fencing
//! token: a holder can be stopped for longer than its ttl and not notice.
//!
//! # Configuration parameters
//!
//! Sections in the plural hold named ones: `connections.main.host`. If there is one, those in the
//! singular are not read. `host`, `port`, `uri`, `username` and `password` also work without a section.
//!
//! | parameter | default | meaning |
//! | --- | --- | --- |
//! | `connection(s).discovery_key` | none | the key under which to ask [`Discovery`](crate::Discovery) |
//! | `connection(s).host`, or `ip` | none | host name or IP address |
//! | `connection(s).port` | 6379 | port number |
//! | `connection(s).uri` | none | all of it: `redis://[user[:password]@]host[:port][/db]`, `rediss://…`, `unix:///path` |
//! | `credential(s).store_key` | none | the key under which to ask the [`CredentialStore`](crate::CredentialStore) |
//! | `credential(s).username`, or `user` | the default user | the ACL user; it is used |
//! | `credential(s).password`, or `pass` | none | the password |
//! | `options.retry_timeout` | 100 | milliseconds between two attempts: to acquire a lock where servers do not tell that it is free, and to connect |
//! | `options.retries` | 3 | rounds of attempts to connect after the first one; locks are tried until their timeout |
//! | `options.timeout` | 30000 | milliseconds after which no other attempt to connect is made |
//! | `options.db_num` | that of the URI, or 0 | number of the database |
//! | `options.quorum` | `false` | whether a majority of all connections decides; see below |
//! | `options.release_on_close` | `false` | whether `close` releases what is held |
//! | `options.wake` | `true` | whether servers that can are asked to tell whoever waits that a lock is free |
//! | `tls.enabled` | `true` if another `tls.*` is set | whether `host` and `port` are spoken to over TLS; `rediss://` always is |
//! | `tls.ca` | what the system trusts | root certificates, as PEM or as the name of a file |
//! | `tls.cert`, `tls.key` | none | certificate and private key of the client, as PEM or as names of files |
//!
//! `tls.*` and `rediss://` need the feature `tls`. A parameter that is unknown or malformed is an error
//! of `configure`, which names its key. `configure` replaces what an earlier call set; it takes effect
//! at the next `open`, where two sources that say different things are
//! [`CONFIG_CONFLICT`](crate::code::CONFIG_CONFLICT), such as the login of a URI and that of a
//! credential. What one leaves open, the other fills.
//!
//! ## Several connections
//!
//! They are tried in order until one is there. **That is only sound where they are several names of one
//! service**, such as two addresses of one server: two servers that do not know of each other would
//! each give the same lock away. A lock that was acquired under one name can be released after a
//! re-open under the same name only, for nobody here knows that another leads to the same server.
//!
//! With `options.quorum=true` all of them are used at once, and a majority decides. Each must then be
//! a master of its own, five of them for two that may fail.
//!
//! # References
//!
//! | locator | service |
//! | --- | --- |
//! | `*:discovery:*:*:1.0` | (optional) [`Discovery`](crate::Discovery) services |
//! | `*:credential-store:*:*:1.0` | (optional) [`CredentialStore`](crate::CredentialStore) services to resolve credentials |
//!
//! # Instance methods
//!
//! Every `context` is a correlation id, `None` or a [`Context`](crate::Context); it is in every error and
//! every event of the call. Times are whole milliseconds. On [`blocking::RedisLock`](crate::blocking::RedisLock)
//! the same methods return when they are done.
//!
//! | method | |
//! | --- | --- |
//! | `configure(&config)` | Configures the component by passing its parameters. |
//! | `set_references(&references)` | Sets references to dependent components. |
//! | `is_open() -> bool` | Whether the component is open. That is not whether the server is there: connections come back by themselves. |
//! | `open(context)` | Opens the component: connects and logs in, or fails. Does nothing when it is open. |
//! | `close(context)` | Closes the component and frees what it uses. Calls that wait end with [`NOT_OPENED`](crate::code::NOT_OPENED). What is held stays held until its ttl, and can be released after the next `open`. |
//! | `try_acquire_lock(context, key, ttl) -> bool` | Makes a single attempt to acquire a lock by its key, and returns at once whether that succeeded. |
//! | `acquire_lock(context, key, ttl, timeout)` | Acquires a lock, and tries until the timeout is over: at once, when a server tells that the lock is free or it has expired, and once more at the end; where no server tells, every `retry_timeout`. |
//! | `release_lock(context, key)` | Releases a previously acquired lock by its key. Silent when it is not, or not any more, ours. |
//! | `release_lock_outcome(context, key) -> bool` | The same, and says whether it was ours until now. |
//!
//! # Errors
//!
//! | code | category | when |
//! | --- | --- | --- |
//! | [`NOT_OPENED`](crate::code::NOT_OPENED) | `InvalidState` | before `open`, after `close`, or closed meanwhile |
//! | [`NO_CONNECTION`](crate::code::NO_CONNECTION) | `Misconfiguration` | nothing is configured, or discovery knows none |
//! | [`CONNECT_FAILED`](crate::code::CONNECT_FAILED) | `NoResponse`, `Unauthorized` | the server is not there, or did not let us in |
//! | [`LOCK_TIMEOUT`](crate::code::LOCK_TIMEOUT) | `Conflict` | somebody else had it all the time; the detail `key` names it |
//! | [`INVALID_TTL`](crate::code::INVALID_TTL), [`INVALID_TIMEOUT`](crate::code::INVALID_TIMEOUT), [`INVALID_KEY`](crate::code::INVALID_KEY) | `BadRequest` | an argument cannot work |
//! | [`UNKNOWN_KEY`](crate::code::UNKNOWN_KEY), [`INVALID_VALUE`](crate::code::INVALID_VALUE), [`CONFIG_CONFLICT`](crate::code::CONFIG_CONFLICT), [`MISSING_CREDENTIALS`](crate::code::MISSING_CREDENTIALS) | `Misconfiguration` | the configuration cannot work |
//! | [`REF_ERROR`](crate::code::REF_ERROR) | `Internal` | a service is needed and not among the references |
//! | [`REFUSED`](crate::code::REFUSED) | `FailedInvocation`, `Unauthorized` | the server refused a command |
//! | [`UNCONFIRMED`](crate::code::UNCONFIRMED) | `NoResponse` | the server did not confirm a release in time; it is repeated |
//! | [`OTHER_SERVERS`](crate::code::OTHER_SERVERS) | `InvalidState` | the lock was acquired on other servers than those that are open now |
//!
//! # Example
//!
//! ```no_run
//! use redlatch_component::{ConfigParams, RedisLock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), redlatch_component::Error> {
//! let lock = RedisLock::new();
//! lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", 6379)))?;
//!
//! lock.open("123").await?;
//!
//! lock.acquire_lock("123", "key1", 3000, 1000).await?;
//! // Processing…
//! lock.release_lock("123", "key1").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is told to `tracing`
//!
//! With the feature `tracing`: what is opened, closed, acquired, refused and released, and every
//! failure, under the target `redlatch_component`, each with the correlation id of the call.
//!
//! # What differs from the other languages, and why
//!
//! The [front page](crate#what-differs-from-the-other-languages-and-why) has the table.
