//! A socket and nothing else: `floor-std ADDRESS`.

use core::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: floor-std ADDRESS")?;
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    println!("answered: {}", answer == *b"+PONG\r\n");
    Ok(())
}
