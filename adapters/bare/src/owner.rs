//! What the owners of locks want and hear.

use core::task::Waker;
use core::time::Duration;

use redlatch_core::{
    Command, Denial, Event, Form, Instant, Lock, Loss, Released, Retry, Tally, Token, Ttl, majority,
};

use crate::engine::Engine;
use crate::error::Error;
use crate::key::Key;
use crate::memory::Memory;
use crate::server::Server;
use crate::slot::{LockId, Slot, Status};

type Machine<'a, M> = Lock<Key<<M as Memory<'a>>::Key>, <M as Memory<'a>>::Seats>;

/// For the owners of locks. What they begin goes on with the next [`Engine::step`].
impl<'a, M: Memory<'a>> Engine<'a, M> {
    /// Begins to take a lock, waiting as long as `retry` says.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`], [`Error::InvalidTtl`], [`Error::TooManyLocks`].
    pub fn acquire(
        &mut self,
        key: &[u8],
        ttl: Duration,
        retry: Retry,
        now: Instant,
    ) -> Result<LockId, Error> {
        let settings = self.options.settings(ttl, retry)?;
        let seed = self.random.next_u64();
        let (servers, slots) = self.memory.parts();
        if !servers.iter().all(|server| fits(server, key, settings.ttl)) {
            return Err(Error::KeyTooLong);
        }
        let free = slots.iter_mut().enumerate().find(|(_, slot)| slot.is_free());
        let (at, slot) = free.ok_or(Error::TooManyLocks)?;
        if !slot.occupy(key, &settings, seed) {
            return Err(Error::KeyTooLong);
        }
        slot.lock.acquire(now);
        Ok(LockId { slot: at, generation: slot.status.generation })
    }

    /// Whether the lock was taken. `None` while that is not known.
    ///
    /// # Errors
    /// Why it was not, see [`Error`]. [Abandon](Self::abandon) it then.
    pub fn poll_acquired(&mut self, lock: &LockId) -> Option<Result<(), Error>> {
        let status = self.status(lock)?;
        if status.no_token {
            return Some(Err(Error::Random));
        }
        match status.event.take()? {
            Event::Acquired(_) => Some(Ok(())),
            Event::Denied(tally) => Some(Err(self.denied(tally))),
            _ => None,
        }
    }

    /// Begins to extend the lock to its full ttl from now.
    pub fn extend(&mut self, lock: &LockId, now: Instant) {
        self.begin(lock, |machine| machine.extend(now));
    }

    /// Whether the lock was extended. `None` while that is not known.
    ///
    /// # Errors
    /// [`Error::NotExtended`], [`Error::Lost`].
    pub fn poll_extended(&mut self, lock: &LockId) -> Option<Result<(), Error>> {
        let status = self.status(lock)?;
        if let Some(loss) = status.loss {
            return Some(Err(Error::Lost(loss)));
        }
        match status.event.take()? {
            Event::Extended(_) => Some(Ok(())),
            Event::NotExtended(tally) => Some(Err(Error::NotExtended(tally))),
            _ => None,
        }
    }

    /// Begins to give the lock back.
    pub fn release(&mut self, lock: &LockId, now: Instant) {
        self.begin(lock, |machine| machine.release(now));
    }

    /// Whether the lock was ours until it was given back. `None` while that is not known.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`].
    pub fn poll_released(&mut self, lock: &LockId) -> Option<Result<bool, Error>> {
        match self.status(lock)?.event.take()? {
            Event::Released(Released::Confirmed) => Some(Ok(true)),
            Event::Released(Released::NotHeld) => Some(Ok(false)),
            Event::Released(Released::Unconfirmed) => Some(Err(Error::Unconfirmed)),
            _ => None,
        }
    }

    /// Wakes its owner when there is news of the lock, once. For one task at a time: if another waits
    /// already, that one is woken.
    pub fn register(&mut self, lock: &LockId, waker: &Waker) {
        if let Some(slot) = self.slot(lock) {
            slot.register(waker);
        }
    }

    /// Its owner has gone: whatever is held, or may be, is given back by [`Engine::step`]. What has begun
    /// to be given back goes on.
    pub fn abandon(&mut self, lock: &LockId, now: Instant) {
        if let Some(slot) = self.slot(lock) {
            slot.status.owned = false;
            slot.lock.abandon(now);
            slot.tidy();
        }
    }

    /// What is left of the lock; zero when it is not held.
    pub fn validity(&self, lock: &LockId, now: Instant) -> Duration {
        let lease = self.look(lock).and_then(|slot| slot.lock.lease());
        lease.map_or(Duration::ZERO, |lease| lease.validity(now))
    }

    /// Why the lock was lost, if it was. A loss is final. The end of a lease is noticed by
    /// [`Engine::step`]; until then [`Engine::validity`] says it.
    pub fn loss(&self, lock: &LockId) -> Option<Loss> {
        self.look(lock)?.status.loss
    }

    /// Whether nothing is owed for locks that nobody owns.
    pub fn is_settled(&self) -> bool {
        self.memory.parts_ref().1.iter().all(|slot| slot.is_free() || slot.status.owned)
    }

    /// Whether a majority of the servers is ready for locks.
    pub fn is_connected(&self) -> bool {
        self.ready() >= majority(self.servers().len())
    }

    /// Whether each server is ready or has failed to be, and this was not told yet.
    pub fn has_tried(&self) -> bool {
        self.servers().iter().all(|server| server.is_connected() || server.has_news())
    }

    /// Whether a majority of the servers is ready for locks, once [each has tried](Self::has_tried): within
    /// a pause and a connect timeout. `None` until then. A failure is told once.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn poll_connected(&mut self) -> Option<Result<(), Error>> {
        if !self.has_tried() {
            return None;
        }
        self.memory.parts().0.iter_mut().for_each(Server::tell_news);
        let configured = self.servers().len();
        let tally = Tally { configured, granted: self.ready(), ..Tally::default() };
        let unavailable = Error::Unavailable { tally, fault: self.fault() };
        Some(if self.is_connected() { Ok(()) } else { Err(unavailable) })
    }

    fn ready(&self) -> usize {
        self.servers().iter().filter(|server| server.is_connected()).count()
    }

    /// The first server without a connection, and why.
    pub fn fault(&self) -> Option<(usize, crate::Fault)> {
        let mut servers = self.servers().iter().enumerate();
        servers.find_map(|(at, server)| server.fault().map(|fault| (at, fault)))
    }

    fn begin(&mut self, lock: &LockId, what: impl FnOnce(&mut Machine<'a, M>)) {
        if let Some(slot) = self.slot(lock) {
            slot.status.event = None;
            what(&mut slot.lock);
        }
    }

    fn denied(&self, tally: Tally) -> Error {
        let fault = self.fault();
        match (tally.denial(), tally.refusal) {
            (Denial::Refused, Some(refusal)) => Error::Refused(refusal),
            (Denial::Refused | Denial::Unreachable, _) => Error::Unavailable { tally, fault },
            _ => Error::TimedOut(tally),
        }
    }

    fn status(&mut self, lock: &LockId) -> Option<&mut Status> {
        self.slot(lock).map(|slot| &mut slot.status)
    }

    fn slot(&mut self, lock: &LockId) -> Option<&mut Slot<M::Key, M::Seats>> {
        let slot = self.memory.parts().1.get_mut(lock.slot);
        slot.filter(|slot| slot.status.generation == lock.generation)
    }

    fn look(&self, lock: &LockId) -> Option<&Slot<M::Key, M::Seats>> {
        let slot = self.memory.parts_ref().1.get(lock.slot);
        slot.filter(|slot| slot.status.generation == lock.generation)
    }
}

/// Whether every request about this key fits the transmit buffer of the server: the longest does.
fn fits<B: AsRef<[u8]> + AsMut<[u8]>>(server: &Server<'_, B>, key: &[u8], ttl: Ttl) -> bool {
    let any = core::array::from_fn(|at| u8::try_from(at).unwrap_or(0));
    Token::from_random(any).is_ok_and(|token| {
        server.fits(&Command::Extend { key, token: &token, ttl, form: Form::Source })
    })
}
