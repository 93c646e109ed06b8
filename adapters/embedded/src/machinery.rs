//! The loop that moves bytes and drives the locks, one turn at a time.

use embedded_io::ErrorKind;
use rand_core::TryCryptoRng;
use redlatch_bare::{Engine, Instant, Memory, Server, Want};

use crate::clock::Clock;
use crate::stream::Stream;
use crate::streams::Streams;

/// What is driven, and what it is driven with.
pub(crate) struct Machinery<'a, M, S, C, R> {
    pub(crate) engine: Engine<'a, M>,
    pub(crate) streams: S,
    pub(crate) clock: C,
    pub(crate) rng: R,
}

impl<'a, M: Memory<'a>, S: Streams, C: Clock, R: TryCryptoRng> Machinery<'a, M, S, C, R> {
    /// Does once all that can be done without waiting. Whether any byte has moved. The time is read
    /// again for each server: one whose driver blocks must not make the others' answers look early.
    pub(crate) fn turn(&mut self, reads: bool) -> bool {
        let Self { engine, streams, clock, rng } = self;
        let mut moved = false;
        for (server, stream) in streams.streams().iter_mut().enumerate() {
            attend(engine, server, stream, clock.now());
            if reads {
                moved |= receive(engine, server, stream, clock);
            }
        }
        engine.step(clock.now(), &mut |random| rng.try_fill_bytes(random).is_ok());
        for (server, stream) in streams.streams().iter_mut().enumerate() {
            moved |= transmit(engine, server, stream, clock);
        }
        moved
    }
}

/// Opens or closes the stream, as the engine wants it.
fn attend<'a, M: Memory<'a>>(
    engine: &mut Engine<'a, M>,
    server: usize,
    stream: &mut impl Stream,
    now: Instant,
) {
    while let Some(want) = engine.poll_stream(server, now) {
        if want == Want::Close {
            stream.close();
        }
    }
    if engine.servers().get(server).is_some_and(Server::is_opening) {
        match stream.open() {
            Ok(true) => engine.opened(server, stream.quiet(), now),
            Ok(false) => {}
            Err(kind) => engine.failed(server, kind, now),
        }
    }
}

/// Reads once. What is left comes in the next turn: a line that never falls silent holds nobody up.
fn receive<'a, M: Memory<'a>>(
    engine: &mut Engine<'a, M>,
    server: usize,
    stream: &mut impl Stream,
    clock: &mut impl Clock,
) -> bool {
    let awaited = engine.is_awaited(server);
    let space = engine.io(server).space;
    if space.is_empty() {
        return false;
    }
    match stream.read(space, awaited) {
        Ok(Some(count)) => {
            engine.received(server, count, clock.now());
            true
        }
        Ok(None) => false,
        Err(kind) => {
            engine.failed(server, kind, clock.now());
            true
        }
    }
}

/// Writes as much as the stream takes.
fn transmit<'a, M: Memory<'a>>(
    engine: &mut Engine<'a, M>,
    server: usize,
    stream: &mut impl Stream,
    clock: &mut impl Clock,
) -> bool {
    let mut moved = false;
    loop {
        let pending = engine.io(server).pending;
        let wrote = match pending {
            [] if moved => stream.flush().map(|()| None),
            [] => return false,
            pending => stream.write(pending),
        };
        match wrote {
            Ok(Some(0)) => engine.failed(server, ErrorKind::WriteZero, clock.now()),
            Ok(Some(count)) => {
                engine.wrote(server, count);
                moved = true;
            }
            Ok(None) => return moved,
            Err(kind) => {
                engine.failed(server, kind, clock.now());
                return true;
            }
        }
    }
}
