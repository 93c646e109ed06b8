//! One client without its I/O: its servers, its locks, and what happens between them.

use core::fmt;
use core::time::Duration;

use embedded_io::ErrorKind;
use redlatch_core::{
    Answer, Event, Instant, Invalidation, Io, Loss, Output, Phase, Random, Seat, Token,
    WeakRandomness, majority,
};

use crate::memory::Memory;
use crate::options::Options;
use crate::server::{Incident, Server, Want};
use crate::slot::Slot;

/// One client without its I/O. See the [crate] for the loop that drives it.
pub struct Engine<'a, M> {
    pub(crate) memory: M,
    pub(crate) options: &'a Options,
    pub(crate) random: Random,
}

/// Gives twenty random bytes, or `false` if the generator failed. They must come from a hardware
/// generator, or from a cryptographic one that was seeded by one.
pub type Entropy<'e> = &'e mut dyn FnMut(&mut [u8; Token::RANDOM_LEN]) -> bool;

/// For the driver.
impl<'a, M: Memory<'a>> Engine<'a, M> {
    /// A client that is not connected. `seed` spreads retries: give every device its own. It need not be
    /// secret.
    pub const fn new(memory: M, options: &'a Options, seed: u64) -> Self {
        Self { memory, options, random: Random::new(seed) }
    }

    /// How the client behaves.
    pub const fn options(&self) -> &'a Options {
        self.options
    }

    /// The servers, in the order in which they were configured.
    pub fn servers(&self) -> &[Server<'a, M::Buffer>] {
        self.memory.parts_ref().0
    }

    /// What is to be done with the stream to a server. Said once.
    pub fn poll_stream(&mut self, server: usize, now: Instant) -> Option<Want> {
        let (server, options, _) = self.server(server)?;
        server.poll_stream(options, now)
    }

    /// The stream to a server is open. Bytes of an earlier conversation may still come on it: what
    /// comes before it has been silent for `quiet` is not read. Zero for a stream that begins anew.
    pub fn opened(&mut self, server: usize, quiet: Duration, now: Instant) {
        if let Some((server, options, _)) = self.server(server) {
            server.opened(quiet, options, now);
        }
    }

    /// The stream to a server did not open, or is broken.
    pub fn failed(&mut self, server: usize, kind: ErrorKind, now: Instant) {
        if let Some((server, options, random)) = self.server(server) {
            server.failed(kind, options, random, now);
        }
    }

    /// Room for bytes from a server, and bytes for it. Both are empty while there is no stream.
    pub fn io(&mut self, server: usize) -> Io<'_> {
        match self.server(server) {
            Some((server, ..)) => server.io(),
            None => Io { space: &mut [], pending: &[] },
        }
    }

    /// So many bytes were read into the beginning of [`Io::space`]. None at all is the end of the
    /// stream.
    pub fn received(&mut self, server: usize, count: usize, now: Instant) {
        if let Some((server, options, random)) = self.server(server) {
            server.received(count, options, random, now);
        }
    }

    /// So many bytes of the beginning of [`Io::pending`] were written.
    pub fn wrote(&mut self, server: usize, count: usize) {
        if let Some((server, ..)) = self.server(server) {
            server.wrote(count);
        }
    }

    /// Reads what has come, does what is due, and drives every lock as far as it goes. Never waits.
    /// What is to be sent afterwards stands in [`Engine::io`].
    pub fn step(&mut self, now: Instant, entropy: Entropy<'_>) {
        let Self { memory, options, random, .. } = self;
        let (servers, slots) = memory.parts();
        for server in &mut *servers {
            loop {
                let told = &mut |invalidation: Invalidation<'_>| wake(slots, invalidation, now);
                let Some(incident) = server.poll(options, random, now, told) else { break };
                handle(slots, incident, now);
            }
        }
        for (at, slot) in slots.iter_mut().enumerate() {
            drive(servers, at, slot, now, entropy);
            slot.tidy();
        }
    }

    /// Whether bytes are expected of a server: an answer, or that it tells a lock that waits of a change.
    pub fn is_awaited(&self, server: usize) -> bool {
        let (servers, slots) = self.memory.parts_ref();
        let waits = |slot: &Slot<_, _>| !slot.is_free() && slot.lock.phase() == Phase::Pausing;
        let told = |server: &Server<'_, _>| server.is_connected() && slots.iter().any(waits);
        servers.get(server).is_some_and(|server| server.is_awaited() || told(server))
    }

    /// When [`Engine::step`] or [`Engine::poll_stream`] has something to do although nothing has
    /// happened.
    pub fn poll_timeout(&self) -> Instant {
        let (servers, slots) = self.memory.parts_ref();
        let servers = servers.iter().map(|server| server.poll_timeout(self.options));
        let slots =
            slots.iter().filter(|slot| !slot.is_free()).map(|slot| slot.lock.poll_timeout());
        servers.chain(slots).min().unwrap_or(Instant::NEVER)
    }

    /// A server, and what it works with.
    fn server(
        &mut self,
        server: usize,
    ) -> Option<(&mut Server<'a, M::Buffer>, &Options, &mut Random)> {
        let server = self.memory.parts().0.get_mut(server)?;
        Some((server, self.options, &mut self.random))
    }
}

/// Hands what happened on a connection to the locks.
fn handle<K, S>(slots: &mut [Slot<K, S>], incident: Incident, now: Instant)
where
    K: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    match incident {
        Incident::Connected => slots.iter_mut().for_each(|slot| slot.lock.hint(now)),
        Incident::Answered { slot, generation, ticket, answer } => {
            let slot = slots.get_mut(slot).filter(|slot| slot.status.generation == generation);
            if let Some(slot) = slot {
                slot.lock.handle_answer(ticket, answer, now);
            }
        }
    }
}

/// Tells the locks that wait for one of these keys.
fn wake<K, S>(slots: &mut [Slot<K, S>], invalidation: Invalidation<'_>, now: Instant)
where
    K: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    let used = slots.iter_mut().filter(|slot| !slot.is_free());
    for slot in used.filter(|slot| invalidation.covers(slot.lock.key().as_ref())) {
        slot.lock.hint(now);
    }
}

/// Drives one lock as far as it goes.
fn drive<B, K, S>(
    servers: &mut [Server<'_, B>],
    at: usize,
    slot: &mut Slot<K, S>,
    now: Instant,
    entropy: Entropy<'_>,
) where
    B: AsRef<[u8]> + AsMut<[u8]>,
    K: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    if slot.is_free() {
        return;
    }
    let Slot { lock, status, .. } = slot;
    lock.handle_timeout(now);
    let mut news = false;
    loop {
        match lock.poll_output() {
            Output::NeedToken => {
                let provided = draw(entropy).and_then(|token| lock.provide(token, now));
                if provided.is_err() {
                    lock.abandon(now);
                    status.no_token = true;
                    news = true;
                }
            }
            Output::Send { ticket, command } => {
                let unreachable = Err(Answer::Unreachable);
                let sent = servers.get_mut(ticket.server()).map_or(unreachable, |server| {
                    server.submit((at, status.generation), ticket, &command, now)
                });
                if let Err(answer) = sent {
                    lock.handle_answer(ticket, answer, now);
                }
            }
            Output::Event(event) => {
                status.note(explained(event, status.taken, servers), now);
                news = true;
            }
            Output::Wait(_) => break,
        }
    }
    if news {
        slot.wake();
    }
}

fn draw(entropy: Entropy<'_>) -> Result<Token, WeakRandomness> {
    let mut random = [0; Token::RANDOM_LEN];
    if entropy(&mut random) { Token::from_random(random) } else { Err(WeakRandomness) }
}

/// A key that is gone was forgotten, if the servers that have surely been running since the lock was
/// taken are no majority.
fn explained<B: AsRef<[u8]> + AsMut<[u8]>>(
    event: Event,
    since: Instant,
    servers: &[Server<'_, B>],
) -> Event {
    let Event::Lost(Loss::Deleted) = event else { return event };
    let kept = servers.iter().filter(|server| !server.has_restarted_since(since)).count();
    if kept < majority(servers.len()) { Event::Lost(Loss::ServerRestarted) } else { event }
}

/// Shows no key: it may be long.
impl<'a, M: Memory<'a>> fmt::Debug for Engine<'a, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("servers", &self.servers()).finish_non_exhaustive()
    }
}
