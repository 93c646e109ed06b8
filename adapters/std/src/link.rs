//! Loop 1: one server. A thread connects, reads and connects again; everybody else writes.

use std::io;
use std::sync::Arc;

use redlatch_client::{Cause, Error, Greeted, Keeper, Outlet, Want, os};

use crate::stream::Stream;
use crate::wait::wait;

/// Bytes that are read from the socket at once.
const READ_BYTES: usize = 8 * 1024;

/// The thread of one server: connect, read to the end, pause, again.
pub(crate) fn run(mut keeper: Keeper) {
    while let Some(deadline) = keeper.begin() {
        match Stream::connect(keeper.endpoint().address(), deadline) {
            Ok(stream) => attend(&mut keeper, &Arc::new(stream)),
            Err(cause) => keeper.failed(cause),
        }
        wait(|waker| keeper.poll_pause(waker));
    }
}

/// Greets, and reads until the connection ends, whoever ends it.
fn attend(keeper: &mut Keeper, stream: &Arc<Stream>) {
    let mut bytes = [0; READ_BYTES];
    let greeted = match greet(stream, keeper, &mut bytes) {
        Ok(greeted) => greeted,
        Err(error) => return keeper.refused(error),
    };
    if let Err(error) = stream.set_timeouts(None, Some(keeper.options().reply_timeout)) {
        return keeper.failed(Cause::from(error));
    }
    keeper.opened(greeted, Some(Box::new(Writer(Arc::clone(stream)))));
    loop {
        match stream.read(&mut bytes) {
            Ok(count) if keeper.received(&bytes[..count]) => {}
            Ok(_) => return,
            Err(error) => return keeper.broken(error),
        }
    }
}

/// However the server drips bytes, the deadline stands.
fn greet(stream: &Stream, keeper: &Keeper, space: &mut [u8]) -> Result<Greeted, Error> {
    let mut greeter = keeper.greeter()?;
    loop {
        let left = Some(greeter.deadline().saturating_since(os::now()));
        stream.set_timeouts(left, left).map_err(|error| greeter.io_error(error))?;
        let (read, done) = match greeter.poll()? {
            Want::Write(bytes) => (false, stream.write(bytes)),
            Want::Read => (true, stream.read(space)),
            Want::Ready => break,
        };
        match done {
            Ok(count) if read => greeter.received(&space[..count])?,
            Ok(count) => greeter.wrote(count),
            Err(error) => return Err(greeter.io_error(error)),
        }
    }
    let silent = greeter.silent();
    greeter.finish().ok_or(silent)
}

/// Whoever has something to write writes it.
struct Writer(Arc<Stream>);

impl Outlet for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn shutdown(&mut self) {
        self.0.shutdown();
    }
}
