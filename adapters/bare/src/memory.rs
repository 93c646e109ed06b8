//! Where a client keeps everything.

use redlatch_core::{Login, Seat};

use crate::server::Server;
use crate::slot::Slot;

/// Storage of a client: a [`Server`] for each server, and a [`Slot`] for each lock that can be held or
/// owed at a time. `'a` is how long the logins live.
///
/// Give every slot as many [`Seat`]s as there are servers.
pub trait Memory<'a>: Sized {
    /// Bytes for one direction of a connection.
    type Buffer: AsRef<[u8]> + AsMut<[u8]>;
    /// Bytes for a key.
    type Key: AsRef<[u8]> + AsMut<[u8]>;
    /// What a lock remembers about the servers.
    type Seats: AsRef<[Seat]> + AsMut<[Seat]>;

    /// The servers and the slots.
    fn parts(&mut self) -> Parts<'_, 'a, Self>;
    /// The servers and the slots, to look at.
    fn parts_ref(&self) -> PartsRef<'_, 'a, Self>;
}

/// Storage that somebody else owns, a `static` for example: then it is never moved, nor copied on the stack.
impl<'a, M: Memory<'a>> Memory<'a> for &mut M {
    type Buffer = M::Buffer;
    type Key = M::Key;
    type Seats = M::Seats;

    fn parts(&mut self) -> Parts<'_, 'a, Self> {
        M::parts(self)
    }

    fn parts_ref(&self) -> PartsRef<'_, 'a, Self> {
        M::parts_ref(self)
    }
}

/// Servers and slots.
pub type Parts<'m, 'a, M> = (
    &'m mut [Server<'a, <M as Memory<'a>>::Buffer>],
    &'m mut [Slot<<M as Memory<'a>>::Key, <M as Memory<'a>>::Seats>],
);

/// Servers and slots, to look at.
pub type PartsRef<'m, 'a, M> = (
    &'m [Server<'a, <M as Memory<'a>>::Buffer>],
    &'m [Slot<<M as Memory<'a>>::Key, <M as Memory<'a>>::Seats>],
);

/// Storage in arrays: `SERVERS` servers, `LOCKS` locks at a time, `BUFFER` bytes each way to each
/// server, keys of up to `KEY` bytes.
///
/// A request must fit `BUFFER` whole; the longest takes 230 bytes, the key, and one byte for each digit of
/// the ttl in milliseconds beyond five. The answers that locks need take 60 bytes at most; the greeting of
/// a server is some 150 bytes, and one that does not fit is not read but for its end: then the role and the
/// restarts of that server stay unknown.
pub struct Fixed<
    'a,
    const SERVERS: usize,
    const LOCKS: usize,
    const BUFFER: usize,
    const KEY: usize,
> {
    servers: [Server<'a, [u8; BUFFER]>; SERVERS],
    slots: [Slot<[u8; KEY], [Seat; SERVERS]>; LOCKS],
}

impl<'a, const SERVERS: usize, const LOCKS: usize, const BUFFER: usize, const KEY: usize>
    Fixed<'a, SERVERS, LOCKS, BUFFER, KEY>
{
    /// Empty storage for servers that want these logins. In a `static` it takes as much flash as memory,
    /// and is never on the stack.
    #[must_use]
    pub const fn new(logins: [&'a Login<'a>; SERVERS]) -> Self {
        let mut servers = [const { Server::new(&Login::NONE, [0; BUFFER], [0; BUFFER]) }; SERVERS];
        let mut at = 0;
        while at < SERVERS {
            servers[at].set_login(logins[at]);
            at += 1;
        }
        Self { servers, slots: [const { Slot::new([0; KEY], [Seat::NEW; SERVERS]) }; LOCKS] }
    }
}

impl<'a, const SERVERS: usize, const LOCKS: usize, const BUFFER: usize, const KEY: usize> Memory<'a>
    for Fixed<'a, SERVERS, LOCKS, BUFFER, KEY>
{
    type Buffer = [u8; BUFFER];
    type Key = [u8; KEY];
    type Seats = [Seat; SERVERS];

    fn parts(&mut self) -> Parts<'_, 'a, Self> {
        (&mut self.servers, &mut self.slots)
    }

    fn parts_ref(&self) -> PartsRef<'_, 'a, Self> {
        (&self.servers, &self.slots)
    }
}
