//! The example of the family's documentation, line for line, for threads.
//!
//! usage: redis-lock-blocking [PORT]

use core::error::Error;

use redlatch_component::ConfigParams;
use redlatch_component::blocking::RedisLock;

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(6379), |port| port.parse())?;

    let lock = RedisLock::new();
    lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", port)))?;

    lock.open("123")?;

    lock.acquire_lock("123", "key1", 3000, 1000)?;
    let processed = process();
    // This is `finally`: it comes whether or not the processing has failed.
    lock.release_lock("123", "key1")?;
    processed?;

    lock.close("123")?;
    Ok(())
}

fn process() -> Result<(), Box<dyn Error>> {
    println!("Processing...");
    Ok(())
}
