//! Example: a machine with an allocator, without std. The types are those of the adapters; only their
//! memory is another: `Vec`s of sizes that are known when the program runs.
//!
//! [`Heap`] serves `redlatch-embedded` and `redlatch-embassy` alike. No crate of redlatch has a feature
//! for this: storage is whatever turns into a slice.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use rand_core::TryCryptoRng;
use redlatch_embassy::Time;
use redlatch_embedded::{
    Client, Clock, Error, Login, Memory, Parts, PartsRef, Seat, Server, Slot, Streams,
};

/// Sizes of a client.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Locks that can be held or owed at a time.
    pub locks: usize,
    /// Bytes for each direction of each connection. A request must fit whole: 243 bytes and the key.
    pub buffer: usize,
    /// Bytes of the longest key.
    pub key: usize,
}

/// Storage in `Vec`s, for any number of servers.
#[derive(Debug)]
pub struct Heap<'a> {
    servers: Vec<Server<'a, Vec<u8>>>,
    slots: Vec<Slot<Vec<u8>, Vec<Seat>>>,
}

impl<'a> Heap<'a> {
    /// Storage for one server for each login.
    #[must_use]
    pub fn new(logins: &'a [Login<'a>], sizes: Sizes) -> Self {
        let server =
            |login: &'a Login<'a>| Server::new(login, vec![0; sizes.buffer], vec![0; sizes.buffer]);
        let slot = |_| Slot::new(vec![0; sizes.key], vec![Seat::default(); logins.len()]);
        Self {
            servers: logins.iter().map(server).collect(),
            slots: (0..sizes.locks).map(slot).collect(),
        }
    }
}

impl<'a> Memory<'a> for Heap<'a> {
    type Buffer = Vec<u8>;
    type Key = Vec<u8>;
    type Seats = Vec<Seat>;

    fn parts(&mut self) -> Parts<'_, 'a, Self> {
        (&mut self.servers, &mut self.slots)
    }

    fn parts_ref(&self) -> PartsRef<'_, 'a, Self> {
        (&self.servers, &self.slots)
    }
}

/// Does `work` unless somebody else does it now. `None`: somebody does.
///
/// # Errors
/// The servers could not be asked, or refused.
pub fn exclusively<'a, S: Streams, C: Clock, R: TryCryptoRng, T>(
    client: &Client<'a, Heap<'a>, S, C, R>,
    key: &[u8],
    ttl: Duration,
    work: impl FnOnce(Duration) -> T,
) -> Result<Option<T>, Error> {
    let Some(guard) = client.try_lock(key, ttl)? else { return Ok(None) };
    let result = work(guard.validity());
    guard.release()?;
    Ok(Some(result))
}

/// The same where an executor runs.
///
/// # Errors
/// The servers could not be asked, or refused; the lock was lost before the work was done.
pub async fn exclusively_async<'a, T: Time, F: Future>(
    client: redlatch_embassy::Client<'_, 'a, Heap<'a>, T>,
    key: &[u8],
    ttl: Duration,
    work: F,
) -> Result<Option<F::Output>, Error> {
    let Some(guard) = client.try_lock(key, ttl).await? else { return Ok(None) };
    let result = guard.run(work).await?;
    guard.release().await?;
    Ok(Some(result))
}
