//! TCP and unix sockets as one type. Everything takes `&self`: one thread reads while others write.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use redlatch_client::{Address, Cause, os};
use redlatch_core::Instant;

/// A time-out of zero is an error to the operating system.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// Connects. A unix socket whose listener's queue is full is waited for without a bound: the
    /// standard library offers none.
    pub(crate) fn connect(address: &Address, deadline: Instant) -> Result<Self, Cause> {
        match address {
            Address::Tcp { host, port } => connect_tcp(host, *port, deadline).map(Self::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
            _ => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
    }

    /// Longest time for one read and for one write; `None` waits for ever.
    pub(crate) fn set_timeouts(
        &self,
        read: Option<Duration>,
        write: Option<Duration>,
    ) -> io::Result<()> {
        let [read, write] = [read, write].map(|timeout| timeout.map(|it| it.max(TIMEOUT_MIN)));
        match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(read)?;
                stream.set_write_timeout(write)
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                stream.set_read_timeout(read)?;
                stream.set_write_timeout(write)
            }
        }
    }

    /// Longest time for one read; `None` waits for ever.
    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|it| it.max(TIMEOUT_MIN));
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(timeout),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }

    /// Ends the connection both ways and wakes whoever reads or writes.
    pub(crate) fn shutdown(&self) {
        let _already_gone = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    /// Reads once. Zero is the end of the stream.
    pub(crate) fn read(&self, space: &mut [u8]) -> io::Result<usize> {
        retry(|| match self {
            Self::Tcp(stream) => (&*stream).read(space),
            #[cfg(unix)]
            Self::Unix(stream) => (&*stream).read(space),
        })
    }

    /// Writes once.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        retry(|| match self {
            Self::Tcp(stream) => (&*stream).write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => (&*stream).write(bytes),
        })
    }
}

/// Tries every address of the name; each gets its share of the time that is left.
fn connect_tcp(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Cause> {
    let name_error = |error| Cause::Name(Arc::new(error));
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(name_error)?.collect();
    let started = os::now();
    let mut last = name_error(io::Error::from(io::ErrorKind::NotFound));
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_since(os::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(TIMEOUT_MIN)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                last = Cause::TimedOut(deadline.saturating_since(started));
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// A signal is no reason to stop.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
