//! A socket, a timer and a task of tokio, and nothing else: `floor-tokio ADDRESS`.

use core::error::Error;
use core::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: floor-tokio ADDRESS")?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answered = tokio::spawn(ask(address));
        let answered = timeout(Duration::from_secs(10), answered).await???;
        println!("answered: {answered}");
        Ok(())
    })
}

/// Without traits of tokio for reading and writing, which its smallest form lacks.
async fn ask(address: String) -> std::io::Result<bool> {
    let stream = TcpStream::connect(address).await?;
    stream.writable().await?;
    stream.try_write(b"PING\r\n")?;
    stream.readable().await?;
    let mut answer = [0; 7];
    let read = stream.try_read(&mut answer)?;
    Ok(answer[..read] == *b"+PONG\r\n")
}
