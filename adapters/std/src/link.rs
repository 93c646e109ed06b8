//! Loop 1: one server. A thread connects, reads when nobody else does, and connects again; everybody else
//! writes.

use std::io;
use std::sync::Arc;

use redlatch_client::{Cause, Error, Greeted, Keeper, Outlet, Want, os};

use crate::post::Post;
use crate::reading::{READ_BYTES, Reading};
use crate::stream::Stream;
use crate::wait::{wait, waker};

/// The thread of one server: connect, read to the end, pause, again.
pub(crate) fn run(mut keeper: Keeper, post: &Post) {
    while let Some(deadline) = keeper.begin() {
        match Stream::connect(keeper.endpoint().address(), deadline) {
            Ok(stream) => keeper = attend(keeper, &Arc::new(stream), post),
            Err(cause) => keeper.failed(cause),
        }
        wait(|waker| keeper.poll_pause(waker));
    }
}

/// Greets, and stays until the connection ends, whoever ends it.
fn attend(keeper: Keeper, stream: &Arc<Stream>, post: &Post) -> Keeper {
    let greeted = match greet(stream, &keeper) {
        Ok(greeted) => greeted,
        Err(error) => {
            keeper.refused(error);
            return keeper;
        }
    };
    if let Err(error) = stream.set_timeouts(None, Some(keeper.options().reply_timeout)) {
        keeper.failed(Cause::from(error));
        return keeper;
    }
    keeper.opened(greeted, Some(Box::new(Writer(Arc::clone(stream)))));
    // Whoever ends the connection wakes this thread; if it has ended, a read says so.
    let _ended = keeper.poll_closing(&waker());
    post.attend(Reading::new(stream, keeper)).into_keeper()
}

/// However the server drips bytes, the deadline stands.
fn greet(stream: &Stream, keeper: &Keeper) -> Result<Greeted, Error> {
    let mut space = [0; READ_BYTES];
    let mut greeter = keeper.greeter()?;
    loop {
        let left = Some(greeter.deadline().saturating_since(os::now()));
        stream.set_timeouts(left, left).map_err(|error| greeter.io_error(error))?;
        let (read, done) = match greeter.poll()? {
            Want::Write(bytes) => (false, stream.write(bytes)),
            Want::Read => (true, stream.read(&mut space)),
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
