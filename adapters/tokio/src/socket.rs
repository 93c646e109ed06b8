//! tokio's sockets.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use redlatch_futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket of tokio.
#[derive(Debug)]
pub struct Socket<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for Socket<S> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(space);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut space))?;
        Poll::Ready(Ok(space.filled().len()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
}
