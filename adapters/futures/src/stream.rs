//! What a socket must offer.

use core::task::{Context, Poll};
use std::io;

/// A connected socket, both directions at once. Dropping it closes it.
pub trait Stream: Send + 'static {
    /// Reads into the beginning of `space`. Zero is the end of the stream.
    ///
    /// # Errors
    /// Whatever the operating system says. It ends the connection, but for `Interrupted`.
    fn poll_read(&mut self, context: &mut Context<'_>, space: &mut [u8])
    -> Poll<io::Result<usize>>;

    /// Writes the beginning of `bytes`, and keeps nothing of it back.
    ///
    /// # Errors
    /// Whatever the operating system says. It ends the connection, but for `Interrupted`.
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
}

/// A TCP or a unix socket.
#[derive(Debug)]
pub enum Socket<Tcp, Unix> {
    /// Over TCP.
    Tcp(Tcp),
    /// Over a unix socket.
    Unix(Unix),
}

impl<Tcp: Stream, Unix: Stream> Stream for Socket<Tcp, Unix> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => stream.poll_read(context, space),
            Self::Unix(stream) => stream.poll_read(context, space),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => stream.poll_write(context, bytes),
            Self::Unix(stream) => stream.poll_write(context, bytes),
        }
    }
}

/// A socket that has the traits of `futures-io`.
#[cfg(feature = "futures-io")]
#[derive(Debug)]
pub struct FuturesIo<S>(pub S);

#[cfg(feature = "futures-io")]
impl<S> Stream for FuturesIo<S>
where
    S: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin + Send + 'static,
{
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        core::pin::Pin::new(&mut self.0).poll_read(context, space)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        core::pin::Pin::new(&mut self.0).poll_write(context, bytes)
    }
}
