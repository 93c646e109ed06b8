//! Locks and unlocks in threads: `minimal-std URL`.

use core::error::Error;
use core::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: minimal-std URL")?;
    let client = redlatch_std::Client::connect(&url)?;
    let guard = client.lock("minimal", Duration::from_secs(10))?;
    println!("released: {}", guard.release()?);
    Ok(())
}
