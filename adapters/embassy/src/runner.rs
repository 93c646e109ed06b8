//! The loop that moves bytes and drives the locks. All of it is polled by one task.

use core::future::Future;
use core::time::Duration;

use embassy_futures::join::{join, join_array};
use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use embedded_io_async::{Error as _, ErrorKind, Read, Write};
use rand_core::TryCryptoRng;
use redlatch_bare::{Instant, Memory, Want};

use crate::shared::Shared;
use crate::stream::Stream;
use crate::time::Time;

/// Bytes that are moved at once between a stream and the buffers of the client.
const CHUNK: usize = 64;

/// Drives a client. Locks are taken, renewed and given back only while it is polled.
///
/// `S` are the streams, one for each of the `N` servers; `R` is the random generator.
#[must_use = "nothing happens unless it runs"]
pub struct Runner<'s, 'a, M, T, S, R, const N: usize> {
    pub(crate) shared: &'s Shared<'a, M, T>,
    pub(crate) streams: [S; N],
    pub(crate) rng: R,
}

impl<'a, M: Memory<'a>, T: Time, S: Stream, R: TryCryptoRng, const N: usize>
    Runner<'_, 'a, M, T, S, R, N>
{
    /// Drives the client for ever; for a task of its own.
    pub async fn run(&mut self) -> ! {
        let Self { shared, streams, rng } = self;
        shared.wake_by.set(Instant::NEVER);
        for server in 0..N {
            // What an earlier run has left open was closed when that was dropped.
            let _ = shared.look(|engine, now| engine.failed(server, ErrorKind::NotConnected, now));
        }
        let mut server = 0..N;
        let keepers = streams.each_mut().map(|stream| {
            let server = server.next().unwrap_or(N);
            keep(shared, server, stream)
        });
        // The locks first: what they ask is then written in the same round.
        join(drive(shared, rng), join_array(keepers)).await;
        core::future::pending().await
    }

    /// Drives the client while `work` runs, so that the application polls one future and needs no task
    /// for this. When `work` is done, what is owed for dropped locks is given back, for `linger` at
    /// most; the rest is left to its ttl.
    pub async fn run_while<W: Future>(&mut self, linger: Duration, work: W) -> W::Output {
        let shared = self.shared;
        let work = async {
            let result = work.await;
            let by = shared.time.now().saturating_add(linger);
            // There may be one timer only, and the run waits for it.
            shared.wake_runner_by(by);
            shared.until(|engine, now| (engine.is_settled() || by <= now).then_some(())).await;
            result
        };
        match select(self.run(), work).await {
            Either::First(never) => never,
            Either::Second(result) => result,
        }
    }
}

/// Drives the locks, when something has come and when something is due.
async fn drive<'a, M: Memory<'a>, T: Time>(shared: &Shared<'a, M, T>, rng: &mut impl TryCryptoRng) {
    loop {
        let next = shared.look(|engine, now| {
            engine.step(now, &mut |random| rng.try_fill_bytes(random).is_ok());
            (engine.poll_timeout(), engine.has_tried())
        });
        let Ok((at, tried)) = next else { return core::future::pending().await };
        if tried {
            shared.tell_watcher();
        }
        let at = at.min(shared.wake_by.get());
        if let Either::Second(()) = select(shared.news(), shared.time.wait_until(at)).await {
            // What is due may be for the keepers of the streams: let them be polled.
            yield_now().await;
        }
    }
}

/// Keeps the stream to one server open.
async fn keep<'a, M: Memory<'a>, T: Time, S: Stream>(
    shared: &Shared<'a, M, T>,
    server: usize,
    stream: &mut S,
) {
    loop {
        wanted(shared, server, Want::Open).await;
        // What the session learns when it ends, it has told; then it waits to be closed.
        let session = async {
            let failed = converse(shared, server, stream).await;
            let _ = shared.change(|engine, now| engine.failed(server, failed, now));
            core::future::pending::<()>().await;
        };
        select(wanted(shared, server, Want::Close), session).await;
    }
}

async fn wanted<'a, M: Memory<'a>, T: Time>(shared: &Shared<'a, M, T>, server: usize, want: Want) {
    let asked = |it: &Want| *it == want;
    let _ = shared.until(|engine, now| engine.poll_stream(server, now).filter(asked)).await;
}

/// One connection, from opening the stream until it fails.
async fn converse<'a, M: Memory<'a>, T: Time, S: Stream>(
    shared: &Shared<'a, M, T>,
    server: usize,
    stream: &mut S,
) -> ErrorKind {
    let quiet = stream.quiet();
    let (reader, writer) = match stream.open().await {
        Ok(halves) => halves,
        Err(kind) => return kind,
    };
    let _ = shared.change(|engine, now| engine.opened(server, quiet, now));
    match select(receive(shared, server, reader), transmit(shared, server, writer)).await {
        Either::First(kind) | Either::Second(kind) => kind,
    }
}

async fn receive<'a, M: Memory<'a>, T: Time>(
    shared: &Shared<'a, M, T>,
    server: usize,
    mut reader: impl Read,
) -> ErrorKind {
    let mut chunk = [0; CHUNK];
    loop {
        let count = match reader.read(&mut chunk).await {
            Ok(count) => count,
            Err(error) => return error.kind(),
        };
        let mut rest = chunk.get(..count).unwrap_or_default();
        loop {
            // Waits for room: the buffer is full of frames that were not looked at.
            let taken = shared.until(|engine, _| {
                let space = engine.io(server).space;
                let taken = space.iter_mut().zip(rest).map(|(to, from)| *to = *from).count();
                (taken > 0 || rest.is_empty()).then_some(taken)
            });
            let taken = taken.await;
            let _ = shared.change(|engine, now| engine.received(server, taken, now));
            rest = rest.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
        if count == 0 {
            // The server has closed the stream, which the engine was told.
            return core::future::pending().await;
        }
    }
}

async fn transmit<'a, M: Memory<'a>, T: Time>(
    shared: &Shared<'a, M, T>,
    server: usize,
    mut writer: impl Write,
) -> ErrorKind {
    let mut chunk = [0; CHUNK];
    loop {
        let taken = shared.until(|engine, _| {
            let pending = engine.io(server).pending;
            let taken = chunk.iter_mut().zip(pending).map(|(to, from)| *to = *from).count();
            engine.wrote(server, taken);
            (taken > 0).then_some(taken)
        });
        let taken = taken.await;
        let bytes = chunk.get(..taken).unwrap_or_default();
        let mut wrote = write_all(&mut writer, bytes).await;
        let all = shared.look(|engine, _| engine.io(server).pending.is_empty()).unwrap_or(false);
        if wrote.is_ok() && all {
            wrote = writer.flush().await.map_err(|error| error.kind());
        }
        if let Err(kind) = wrote {
            return kind;
        }
    }
}

/// As [`Write::write_all`], which panics when the driver takes nothing.
async fn write_all(writer: &mut impl Write, mut bytes: &[u8]) -> Result<(), ErrorKind> {
    while !bytes.is_empty() {
        match writer.write(bytes).await.map_err(|error| error.kind())? {
            0 => return Err(ErrorKind::WriteZero),
            count => bytes = bytes.get(count..).unwrap_or_default(),
        }
    }
    Ok(())
}
