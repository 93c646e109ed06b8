//! The traits of `futures-io` for tokio's sockets.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::ReadBuf;

/// A socket of tokio with the traits of `futures-io`.
#[derive(Debug)]
pub struct Compat<S>(pub(crate) S);

impl<S: tokio::io::AsyncRead + Unpin> futures_io::AsyncRead for Compat<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(space);
        ready!(Pin::new(&mut self.get_mut().0).poll_read(context, &mut space))?;
        Poll::Ready(Ok(space.filled().len()))
    }
}

impl<S: tokio::io::AsyncWrite + Unpin> futures_io::AsyncWrite for Compat<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
