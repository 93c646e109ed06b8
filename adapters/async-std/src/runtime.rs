//! async-std's sockets, timer and tasks.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::Path;

use async_std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use async_std::os::unix::net::UnixStream;
use redlatch_futures::{Error, FuturesIo, Runtime, Socket};

/// The executor of async-std, which is global.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

#[cfg(unix)]
type Stream = Socket<FuturesIo<TcpStream>, FuturesIo<UnixStream>>;
#[cfg(not(unix))]
type Stream = Socket<FuturesIo<TcpStream>, FuturesIo<TcpStream>>;

impl Runtime for AsyncStd {
    type Stream = Stream;

    fn current() -> Result<Self, Error> {
        Ok(Self)
    }

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs().await?.collect())
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
        async_std::task::sleep(time).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }
}
