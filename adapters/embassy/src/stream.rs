//! The stream of bytes between the board and one server.

use core::time::Duration;

use embedded_io_async::{ErrorKind, Read, Write};

/// Opens the stream of bytes to one server, and again whenever the connection was given up: the server
/// was silent, bytes were lost or added, or the stream failed.
///
/// Reading and writing go on at the same time, so a stream has two halves. A read is never dropped
/// while its stream is in use: drivers that lose bytes when a read is dropped are fine.
#[allow(async_fn_in_trait)] // One executor polls it all: nothing has to be `Send`.
pub trait Stream {
    /// The half that is read.
    type Reader<'s>: Read
    where
        Self: 's;
    /// The half that is written. It is flushed when there is nothing more to write.
    type Writer<'s>: Write
    where
        Self: 's;

    /// Opens it. Dropped when it takes too long. The halves are dropped before it is opened again:
    /// what was open is to be closed then.
    ///
    /// # Errors
    /// It cannot be opened now. It is tried again after a pause.
    async fn open(&mut self) -> Result<(Self::Reader<'_>, Self::Writer<'_>), ErrorKind>;

    /// Bytes of an earlier conversation may come after it was opened, until it was silent for so long.
    /// Zero for a stream that begins anew when it is opened.
    fn quiet(&self) -> Duration {
        Duration::ZERO
    }
}

/// The two halves of a serial line, or of anything else that is open for good.
#[derive(Debug)]
pub struct Halves<R, W> {
    reader: R,
    writer: W,
    quiet: Duration,
}

impl<R: Read, W: Write> Halves<R, W> {
    /// It must be silent for 20 ms before the server is greeted, unless
    /// [`with_quiet`](Self::with_quiet) says otherwise.
    pub const fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, quiet: Duration::from_millis(20) }
    }

    /// How long it must be silent before it is believed that nothing of an earlier conversation comes
    /// any more. Long against the gaps between the bytes of one reply, short against a connect timeout.
    #[must_use]
    pub fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }
}

impl<R: Read, W: Write> Stream for Halves<R, W> {
    type Reader<'s>
        = &'s mut R
    where
        Self: 's;
    type Writer<'s>
        = &'s mut W
    where
        Self: 's;

    async fn open(&mut self) -> Result<(&mut R, &mut W), ErrorKind> {
        Ok((&mut self.reader, &mut self.writer))
    }

    fn quiet(&self) -> Duration {
        self.quiet
    }
}
