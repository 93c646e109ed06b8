//! The example of the family's documentation, line for line.
//!
//! usage: redis-lock [PORT]

use core::error::Error;

use redlatch_component::{ConfigParams, RedisLock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(6379), |port| port.parse())?;

    let lock = RedisLock::new();
    lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", port)))?;

    lock.open("123").await?;

    lock.acquire_lock("123", "key1", 3000, 1000).await?;
    let processed = process().await;
    // This is `finally`: it comes whether or not the processing has failed.
    lock.release_lock("123", "key1").await?;
    processed?;

    lock.close("123").await?;
    Ok(())
}

async fn process() -> Result<(), Box<dyn Error>> {
    println!("Processing...");
    Ok(())
}
