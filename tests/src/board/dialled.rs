//! A network chip: a stream that is really opened and closed.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use embedded_io::{ErrorKind, ErrorType};
use smol::io::{AsyncReadExt, AsyncWriteExt};

/// How long the operating system may take to connect to a blocking stream on loopback.
const PATIENCE: Duration = Duration::from_millis(500);

/// A socket that is dialled anew whenever the connection was given up.
#[derive(Debug)]
pub struct Dialled {
    address: SocketAddr,
    blocking: Option<TcpStream>,
}

impl Dialled {
    /// A socket to this address, not connected yet.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, blocking: None }
    }

    fn dial(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    fn stream(&mut self) -> Result<&mut TcpStream, ErrorKind> {
        self.blocking.as_mut().ok_or(ErrorKind::NotConnected)
    }
}

fn unless_blocked(result: io::Result<usize>) -> Result<Option<usize>, ErrorKind> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.kind().into()),
    }
}

impl redlatch_embedded::Stream for Dialled {
    fn open(&mut self) -> Result<bool, ErrorKind> {
        self.blocking = Some(self.dial().map_err(|error| error.kind())?);
        Ok(true)
    }

    fn close(&mut self) {
        if let Some(stream) = self.blocking.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn read(&mut self, space: &mut [u8], _: bool) -> Result<Option<usize>, ErrorKind> {
        unless_blocked(self.stream()?.read(space))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, ErrorKind> {
        unless_blocked(self.stream()?.write(bytes))
    }
}

/// One half of a socket of the asynchronous kind.
#[derive(Debug)]
pub struct Half(smol::net::TcpStream);

impl ErrorType for Half {
    type Error = io::Error;
}

impl embedded_io_async::Read for Half {
    async fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space).await
    }
}

impl embedded_io_async::Write for Half {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush().await
    }
}

impl redlatch_embassy::Stream for Dialled {
    type Reader<'s> = Half;
    type Writer<'s> = Half;

    async fn open(&mut self) -> Result<(Half, Half), ErrorKind> {
        let connected = smol::net::TcpStream::connect(self.address).await;
        let stream = connected.map_err(|error| error.kind())?;
        stream.set_nodelay(true).map_err(|error| error.kind())?;
        Ok((Half(stream.clone()), Half(stream)))
    }
}
