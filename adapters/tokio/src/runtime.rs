//! tokio's sockets, timer and tasks.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::Path;

use redlatch_futures::{Error, Runtime, Socket as Either};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use crate::socket::Socket;

/// What tokio's timer counts in.
const TICK: Duration = Duration::from_millis(1);

/// A tokio runtime, with its I/O and its time enabled.
#[derive(Clone, Debug)]
pub struct Tokio(Handle);

#[cfg(unix)]
type Stream = Either<Socket<TcpStream>, Socket<UnixStream>>;
#[cfg(not(unix))]
type Stream = Either<Socket<TcpStream>, Socket<TcpStream>>;

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self(handle)
    }
}

impl Runtime for Tokio {
    type Stream = Stream;

    fn current() -> Result<Self, Error> {
        Handle::try_current().map(Self).map_err(|_| Error::NoRuntime)
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        tokio::net::lookup_host((host, port)).await.map(Iterator::collect)
    }

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(Socket(stream)))
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        UnixStream::connect(path).await.map(Socket).map(Stream::Unix)
    }

    #[cfg(not(unix))]
    async fn connect_unix(&self, _: &Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn sleep(&self, time: Duration) {
        // The moment is rounded up, and then what is left until then: on the average that is a tick.
        let early = time.checked_sub(TICK).filter(|early| !early.is_zero());
        tokio::time::sleep(early.unwrap_or(time)).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }
}
