//! Loop 1: one server. A task connects, writes and reads at once, and connects again; everybody
//! else queues requests and wakes it.

use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::sync::Arc;

use redlatch_client::{Error, Greeted, Keeper, Progress, Want};
use redlatch_core::Instant;

use crate::connect::connect;
use crate::runtime::Runtime;
use crate::stream::Stream;
use crate::timer::Timer;

/// Bytes that are read from the socket at once.
const READ_BYTES: usize = 16 * 1024;
/// Reads before other tasks have their turn.
const READS_MAX: usize = 16;
/// What was read at once is handed out in so many parts, so that the server works at the requests
/// that follow from one part while the next is handed out.
const PARTS: usize = 4;
/// A smaller part is not worth the writes: about ten answers.
const PART_BYTES_MIN: usize = 512;

/// The task of one server: connect, talk to the end, pause, again.
pub(crate) async fn run<R: Runtime>(runtime: Arc<R>, mut keeper: Keeper) {
    let mut timer = Timer::new(&*runtime);
    let mut inbound = Inbound::new();
    while let Some(deadline) = keeper.begin() {
        let opening = open(&*runtime, &keeper, deadline, &mut inbound.space);
        if let Some(stream) = unless_closing(&keeper, opening).await {
            talk(&mut keeper, &mut timer, stream, &mut inbound).await;
        }
        timer.wait(|waker| keeper.poll_pause(waker)).await;
    }
}

/// Cuts the future short when the client closes.
async fn unless_closing<T>(keeper: &Keeper, future: impl Future<Output = Option<T>>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match keeper.poll_closing(context.waker()) {
        Progress::Done(()) => Poll::Ready(None),
        Progress::Wait(_) => future.as_mut().poll(context),
    })
    .await
}

/// Connects and greets.
async fn open<R: Runtime>(
    runtime: &R,
    keeper: &Keeper,
    deadline: Instant,
    space: &mut [u8],
) -> Option<R::Stream> {
    let mut stream = match connect(runtime, keeper.endpoint().address(), deadline).await {
        Ok(stream) => stream,
        Err(cause) => {
            keeper.failed(cause);
            return None;
        }
    };
    match greet(runtime, keeper, &mut stream, space).await {
        Ok(greeted) => {
            keeper.opened(greeted, None);
            Some(stream)
        }
        Err(error) => {
            keeper.refused(error);
            None
        }
    }
}

async fn greet<R: Runtime>(
    runtime: &R,
    keeper: &Keeper,
    stream: &mut R::Stream,
    space: &mut [u8],
) -> Result<Greeted, Error> {
    let mut greeter = keeper.greeter()?;
    let (deadline, mut timer) = (greeter.deadline(), Timer::new(runtime));
    loop {
        let (moved, wrote) = match greeter.poll()? {
            Want::Write(bytes) => {
                let writing = poll_fn(|context| poll_write(stream, bytes, context));
                (timer.within(deadline, writing).await, true)
            }
            Want::Read => {
                let reading = poll_fn(|context| poll_read(stream, space, context));
                (timer.within(deadline, reading).await, false)
            }
            Want::Ready => break,
        };
        let count = match moved {
            Some(moved) => moved.map_err(|error| greeter.io_error(error))?,
            None => return Err(greeter.silent()),
        };
        if wrote {
            greeter.wrote(count);
        } else {
            greeter.received(&space[..count])?;
        }
    }
    let silent = greeter.silent();
    greeter.finish().ok_or(silent)
}

/// Writes and reads at once until the connection ends, whoever ends it.
async fn talk<R: Runtime>(
    keeper: &mut Keeper,
    timer: &mut Timer<'_, R>,
    mut stream: R::Stream,
    inbound: &mut Inbound,
) {
    inbound.filled(0);
    poll_fn(|context| {
        loop {
            let until = match write_out(keeper, &mut stream, context) {
                Progress::Done(()) => return Poll::Ready(()),
                Progress::Wait(until) => until,
            };
            if read_in(keeper, &mut stream, inbound, context).is_ready() {
                return Poll::Ready(());
            }
            ready!(timer.poll_until(until, context));
        }
    })
    .await;
}

/// Writes as much as the socket takes. Done when the connection has ended; else the moment when the
/// server has been silent for too long.
fn write_out(keeper: &Keeper, stream: &mut impl Stream, context: &mut Context<'_>) -> Progress<()> {
    loop {
        let mut again = false;
        let mut failure = None;
        let waker = context.waker().clone();
        let progress =
            keeper.poll_outgoing(&waker, |pending| match poll_write(stream, pending, context) {
                Poll::Ready(Ok(count)) => {
                    again = count < pending.len();
                    count
                }
                Poll::Ready(Err(error)) => {
                    failure = Some(error);
                    0
                }
                Poll::Pending => 0,
            });
        if let Some(error) = failure {
            keeper.broken(error);
            return Progress::Done(());
        }
        if !again {
            return progress;
        }
    }
}

/// What was read and is not handed out yet.
struct Inbound {
    space: Vec<u8>,
    start: usize,
    end: usize,
    part: usize,
}

impl Inbound {
    fn new() -> Self {
        Self { space: vec![0; READ_BYTES], start: 0, end: 0, part: 0 }
    }

    const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn filled(&mut self, count: usize) {
        (self.start, self.end) = (0, count);
        self.part = count.div_ceil(PARTS).max(PART_BYTES_MIN);
    }

    fn next(&mut self) -> &[u8] {
        let start = self.start;
        self.start = self.end.min(start + self.part);
        &self.space[start..self.start]
    }
}

/// Reads what there is. Ready when the connection has ended.
fn read_in(
    keeper: &mut Keeper,
    stream: &mut impl Stream,
    inbound: &mut Inbound,
    context: &mut Context<'_>,
) -> Poll<()> {
    for _ in 0..READS_MAX {
        if inbound.is_empty() {
            match ready!(poll_read(stream, &mut inbound.space, context)) {
                Ok(count) => inbound.filled(count),
                Err(error) => {
                    keeper.broken(error);
                    return Poll::Ready(());
                }
            }
        }
        if !keeper.received(inbound.next()) {
            return Poll::Ready(());
        }
        // Those who were woken write before the rest is handed out.
        if !inbound.is_empty() {
            break;
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

fn poll_read(
    stream: &mut impl Stream,
    space: &mut [u8],
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    retry(|| stream.poll_read(context, space))
}

fn poll_write(
    stream: &mut impl Stream,
    bytes: &[u8],
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match ready!(retry(|| stream.poll_write(context, bytes))) {
        Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => Poll::Ready(written),
    }
}

/// A signal is no reason to stop.
fn retry(mut call: impl FnMut() -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    loop {
        match call() {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inbound, PART_BYTES_MIN, PARTS, READ_BYTES};

    #[test]
    fn what_was_read_is_handed_out_whole_and_in_order() {
        let mut inbound = Inbound::new();
        for (at, byte) in inbound.space.iter_mut().enumerate() {
            *byte = (at % 251) as u8;
        }
        let read = inbound.space.clone();
        let few = PART_BYTES_MIN;
        let cases = [(1, 1), (few, 1), (few + 1, 2), (READ_BYTES - 1, PARTS), (READ_BYTES, PARTS)];
        for (count, parts) in cases {
            inbound.filled(count);
            let mut handed_out = Vec::new();
            for _ in 0..parts {
                assert!(!inbound.is_empty(), "{count} in {parts}");
                handed_out.extend_from_slice(inbound.next());
            }
            assert!(inbound.is_empty() && handed_out == read[..count], "{count} in {parts}");
        }
    }

    /// The connection must hear of it.
    #[test]
    fn the_end_of_the_stream_is_a_part_of_no_bytes() {
        let mut inbound = Inbound::new();
        inbound.filled(0);
        assert!(inbound.is_empty() && inbound.next().is_empty());
    }
}
