//! smol's sockets, timer and tasks.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::Path;

use redlatch_futures::{Error, FuturesIo, Runtime, Socket};
use smol::net::TcpStream;
#[cfg(unix)]
use smol::net::unix::UnixStream;

/// The global executor of smol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

#[cfg(unix)]
type Stream = Socket<FuturesIo<TcpStream>, FuturesIo<UnixStream>>;
#[cfg(not(unix))]
type Stream = Socket<FuturesIo<TcpStream>, FuturesIo<TcpStream>>;

impl Runtime for Smol {
    type Stream = Stream;

    fn current() -> Result<Self, Error> {
        Ok(Self)
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        smol::net::resolve((host, port)).await
    }

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(FuturesIo(stream)))
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        UnixStream::connect(path).await.map(FuturesIo).map(Stream::Unix)
    }

    #[cfg(not(unix))]
    async fn connect_unix(&self, _: &Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn sleep(&self, time: Duration) {
        smol::Timer::after(time).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
