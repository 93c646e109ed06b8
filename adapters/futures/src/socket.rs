//! Two kinds of socket as one type, for runtimes whose sockets have the traits of `futures-io`.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use futures_io::{AsyncRead, AsyncWrite};

/// A TCP or a unix socket.
#[derive(Debug)]
pub enum Socket<Tcp, Unix> {
    /// Over TCP.
    Tcp(Tcp),
    /// Over a unix socket.
    Unix(Unix),
}

impl<Tcp: AsyncRead + Unpin, Unix: AsyncRead + Unpin> AsyncRead for Socket<Tcp, Unix> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, space),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, space),
        }
    }
}

impl<Tcp: AsyncWrite + Unpin, Unix: AsyncWrite + Unpin> AsyncWrite for Socket<Tcp, Unix> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_close(context),
            Self::Unix(stream) => Pin::new(stream).poll_close(context),
        }
    }
}
