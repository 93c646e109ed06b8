//! TCP over embassy-net.

use embassy_net::IpEndpoint;
use embassy_net::tcp::{ConnectError, TcpReader, TcpSocket, TcpWriter};
use embedded_io_async::ErrorKind;

use crate::stream::Stream;

/// A TCP connection of `embassy-net` to one server.
///
/// ```no_run
/// use embassy_net::{IpEndpoint, Ipv4Address, Stack, tcp::TcpSocket};
/// use redlatch_embassy::Tcp;
///
/// # fn example(stack: Stack<'static>) {
/// let (mut received, mut sent) = ([0; 512], [0; 512]);
/// let socket = TcpSocket::new(stack, &mut received, &mut sent);
/// let server = IpEndpoint::new(Ipv4Address::new(192, 168, 1, 7).into(), 6379);
/// let stream = Tcp::new(socket, server);
/// # let _ = stream;
/// # }
/// ```
///
/// The socket's own timeout is not needed: a server that is silent is given up after the reply
/// timeout of the client.
pub struct Tcp<'s> {
    socket: TcpSocket<'s>,
    server: IpEndpoint,
}

impl<'s> Tcp<'s> {
    /// A socket that is not connected, and where the server is.
    pub fn new(socket: TcpSocket<'s>, server: impl Into<IpEndpoint>) -> Self {
        Self { socket, server: server.into() }
    }

    /// Where the server is.
    #[must_use]
    pub const fn server(&self) -> IpEndpoint {
        self.server
    }
}

impl Stream for Tcp<'_> {
    type Reader<'r>
        = TcpReader<'r>
    where
        Self: 'r;
    type Writer<'r>
        = TcpWriter<'r>
    where
        Self: 'r;

    async fn open(&mut self) -> Result<(TcpReader<'_>, TcpWriter<'_>), ErrorKind> {
        // What the last connection has left in its buffers must not be sent. The server is told.
        self.socket.abort();
        let _ = self.socket.flush().await;
        self.socket.connect(self.server).await.map_err(|error| match error {
            ConnectError::InvalidState => ErrorKind::AddrInUse,
            ConnectError::ConnectionReset => ErrorKind::ConnectionRefused,
            ConnectError::TimedOut => ErrorKind::TimedOut,
            ConnectError::NoRoute => ErrorKind::AddrNotAvailable,
        })?;
        Ok(self.socket.split())
    }
}

impl core::fmt::Debug for Tcp<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tcp").field("server", &self.server).finish_non_exhaustive()
    }
}
