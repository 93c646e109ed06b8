//! The stream of bytes between the board and one server.

use core::time::Duration;

use embedded_io::{Error as _, ErrorKind, Read, ReadReady, Write, WriteReady};

/// How long a line must be silent before it is believed that nothing of an earlier conversation comes
/// any more. Long against the gaps between the bytes of one reply, short against a connect timeout.
const QUIET: Duration = Duration::from_millis(20);

/// A stream of bytes to one server. It is opened again whenever the connection was given up: the
/// server was silent, bytes were lost or added, or the stream failed.
///
/// A serial line or a socket that is open for good is wrapped in [`Polled`] or [`Timed`]. Implement
/// this for a stream that can really be opened and closed: a socket of a network chip, a modem that
/// dials, a bridge that hangs up when a pin is pulled.
pub trait Stream {
    /// Goes on opening it, without waiting. Whether it is open. Called again until it is, or until
    /// [`Stream::close`].
    ///
    /// # Errors
    /// It cannot be opened now. It is tried again after a pause.
    fn open(&mut self) -> Result<bool, ErrorKind>;

    /// The connection is given up; what is on its way may be lost.
    fn close(&mut self);

    /// Bytes of an earlier conversation may come after it was opened, until it was silent for so long.
    /// Zero for a stream that begins anew when it is opened.
    fn quiet(&self) -> Duration {
        Duration::ZERO
    }

    /// Reads what is there into `space`, which is not empty, without waiting. `None` when nothing is;
    /// zero when the peer has closed the stream. `awaited` says whether an answer is on its way:
    /// a driver that cannot but block need not look when it is not.
    ///
    /// # Errors
    /// The stream is broken.
    fn read(&mut self, space: &mut [u8], awaited: bool) -> Result<Option<usize>, ErrorKind>;

    /// Writes some of `bytes`, which are not empty, without waiting. `None` when there is no room now.
    ///
    /// # Errors
    /// The stream is broken.
    fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, ErrorKind>;

    /// Everything is written: what is kept back is to be sent.
    ///
    /// # Errors
    /// The stream is broken.
    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// A stream that is open for good and says when it can be read and written: nothing ever blocks.
///
/// It is not flushed, because a flush waits: a driver with a buffer must send it by itself.
#[derive(Debug)]
pub struct Polled<T> {
    stream: T,
    quiet: Duration,
}

impl<T: Read + Write + ReadReady + WriteReady> Polled<T> {
    /// A serial line, or anything else that cannot be opened again.
    pub const fn new(stream: T) -> Self {
        Self { stream, quiet: QUIET }
    }

    /// How long it must be silent before the server is greeted: 20 ms unless this says otherwise.
    #[must_use]
    pub fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }
}

impl<T: Read + Write + ReadReady + WriteReady> Stream for Polled<T> {
    fn open(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }

    fn close(&mut self) {}

    fn quiet(&self) -> Duration {
        self.quiet
    }

    fn read(&mut self, space: &mut [u8], _: bool) -> Result<Option<usize>, ErrorKind> {
        if !self.stream.read_ready().map_err(|error| error.kind())? {
            return Ok(None);
        }
        or_nothing(self.stream.read(space))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, ErrorKind> {
        if !self.stream.write_ready().map_err(|error| error.kind())? {
            return Ok(None);
        }
        or_nothing(self.stream.write(bytes))
    }
}

/// A stream that is open for good and can only block, and whose driver gives up a read after a while
/// by itself, with [`ErrorKind::TimedOut`]. Every call of the client may take that long, and writing
/// takes as long as the line needs: set the driver to a few milliseconds. A driver that never gives up
/// hangs the board when the server is silent.
#[derive(Debug)]
pub struct Timed<T> {
    stream: T,
    quiet: Duration,
}

impl<T: Read + Write> Timed<T> {
    /// A serial line, or anything else that cannot be opened again.
    pub const fn new(stream: T) -> Self {
        Self { stream, quiet: QUIET }
    }

    /// How long it must be silent before the server is greeted: 20 ms unless this says otherwise.
    #[must_use]
    pub fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }
}

impl<T: Read + Write> Stream for Timed<T> {
    fn open(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }

    fn close(&mut self) {}

    fn quiet(&self) -> Duration {
        self.quiet
    }

    fn read(&mut self, space: &mut [u8], awaited: bool) -> Result<Option<usize>, ErrorKind> {
        if awaited { or_nothing(self.stream.read(space)) } else { Ok(None) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, ErrorKind> {
        or_nothing(self.stream.write(bytes))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        or_nothing(self.stream.flush()).map(|_| ())
    }
}

/// A driver that gave up says that there is nothing now.
fn or_nothing<N, E: embedded_io::Error>(result: Result<N, E>) -> Result<Option<N>, ErrorKind> {
    match result.map_err(|error| error.kind()) {
        Ok(done) => Ok(Some(done)),
        Err(ErrorKind::TimedOut | ErrorKind::Interrupted) => Ok(None),
        Err(kind) => Err(kind),
    }
}
