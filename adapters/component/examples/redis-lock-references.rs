//! A lock that finds its server by discovery and its password in a credential store.
//!
//! usage: redis-lock-references [PORT [PASSWORD]]

use core::error::Error;
use std::sync::Arc;

use redlatch_component::{
    ConfigParams, Configurable, Descriptor, MemoryCredentialStore, MemoryDiscovery, RedisLock,
    References,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(6379), |port| port.parse())?;
    let password = arguments.next().unwrap_or_default();

    // In a program of components a container makes these, from its configuration.
    let discovery = MemoryDiscovery::new();
    discovery.configure(&ConfigParams::from_tuples((
        "locks.host",
        "localhost",
        "locks.port",
        port,
    )))?;
    let store = MemoryCredentialStore::new();
    store.configure(&ConfigParams::from_tuples(("locks.password", password)))?;

    let mut references = References::new();
    let locator: Descriptor = "pip-services:discovery:memory:default:1.0".parse()?;
    references.put(locator, Arc::new(discovery));
    let locator: Descriptor = "pip-services:credential-store:memory:default:1.0".parse()?;
    references.put(locator, Arc::new(store));

    let lock = RedisLock::new();
    lock.configure(&ConfigParams::from_tuples((
        "connection.discovery_key",
        "locks",
        "credential.store_key",
        "locks",
    )))?;
    lock.set_references(&references)?;
    lock.open("123").await?;

    if lock.try_acquire_lock("123", "key1", 3000).await? {
        println!("Processing...");
        let ours = lock.release_lock_outcome("123", "key1").await?;
        println!("It was ours until now: {ours}");
    }

    lock.close("123").await?;
    Ok(())
}
