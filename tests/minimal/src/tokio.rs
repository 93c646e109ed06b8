//! Locks and unlocks on tokio: `minimal-tokio URL`.

use core::error::Error;
use core::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: minimal-tokio URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = redlatch_tokio::Client::connect(&url).await?;
        let guard = client.lock("minimal", Duration::from_secs(10)).await?;
        println!("released: {}", guard.release().await?);
        Ok(())
    })
}
