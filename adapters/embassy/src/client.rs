//! The handle of a client.

use core::fmt;
use core::future::poll_fn;
use core::time::Duration;

use rand_core::TryCryptoRng;
use redlatch_bare::{Engine, Error, Fault, Memory, Options, Retry};

use crate::guard::Guard;
use crate::runner::Runner;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::time::Time;

/// A handle of a client of one server, or of several that decide by majority. All copies, and all
/// locks, share one stream to each server. Any number of tasks of one executor may use it at once.
pub struct Client<'s, 'a, M, T> {
    shared: &'s Shared<'a, M, T>,
}

/// A client that is not connected yet, for [`split`](Shared::split).
///
/// # Errors
/// [`Error::Random`].
pub fn share<'a, M: Memory<'a>, T: Time>(
    memory: M,
    time: T,
    rng: &mut impl TryCryptoRng,
    options: &'a Options,
) -> Result<Shared<'a, M, T>, Error> {
    let seed = rng.try_next_u64().map_err(|_| Error::Random)?;
    Ok(Shared::new(Engine::new(memory, options, seed), time))
}

impl<'a, M: Memory<'a>, T: Time> Shared<'a, M, T> {
    /// The handle, and what drives it over these streams, one for each server in their order.
    pub fn split<S: Stream, R: TryCryptoRng, const N: usize>(
        &mut self,
        streams: [S; N],
        rng: R,
    ) -> (Client<'_, 'a, M, T>, Runner<'_, 'a, M, T, S, R, N>) {
        let shared = &*self;
        (Client { shared }, Runner { shared, streams, rng })
    }
}

impl<'s, 'a, M: Memory<'a>, T: Time> Client<'s, 'a, M, T> {
    /// Tries once to take the lock. `None` when somebody else has it, or when the servers answered
    /// so late that nothing of the ttl was left. Takes one reply timeout at most; a connection that is
    /// not open yet is waited for that long.
    ///
    /// # Errors
    /// [`Error`]: the servers could not be asked or refused, or the arguments cannot work.
    pub async fn try_lock(&self, key: &[u8], ttl: Duration) -> Result<Option<Guard<'s>>, Error> {
        match self.lock_with(key, ttl, Retry::NONE).await {
            Ok(guard) => Ok(Some(guard)),
            Err(Error::TimedOut(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock, waiting as long as [`Options::retry`] says.
    ///
    /// # Errors
    /// As [`Client::lock_with`].
    pub async fn lock(&self, key: &[u8], ttl: Duration) -> Result<Guard<'s>, Error> {
        let retry = self.shared.look(|engine, _| engine.options().retry)?;
        self.lock_with(key, ttl, retry).await
    }

    /// Takes the lock, waiting as long as `retry` says. Dropped before it is done, it gives back what
    /// it may have.
    ///
    /// A server that speaks RESP3 tells when the key changes, and a timer says when it has expired, so one
    /// that waits sends nothing: see [`Options::wake`]. Elsewhere it tries again when [`Retry::delay`] says.
    /// Each lock that waits asks for itself, and who comes first is not always served first. Attempts that
    /// it is woken for do not count among [`Retry::retries`].
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not be
    /// asked or refused, or the arguments cannot work.
    pub async fn lock_with(
        &self,
        key: &[u8],
        ttl: Duration,
        retry: Retry,
    ) -> Result<Guard<'s>, Error> {
        let lock = self.shared.change(|engine, now| engine.acquire(key, ttl, retry, now))??;
        // From here on it is given back whatever happens.
        let guard = Guard::new(self.shared, lock);
        poll_fn(|context| guard.poll_acquired(context.waker())).await?;
        Ok(guard)
    }

    /// Waits until every server is ready or has failed to be: for one connect timeout at most, and for the
    /// pause before that if an attempt has just failed. A majority is enough. Locks do that by themselves;
    /// this tells what is wrong before one is needed. For one task at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connect(&self) -> Result<(), Error> {
        self.shared.connect().await
    }

    /// Whether a majority of the servers is ready for locks, as far as the runner has seen.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.look(|engine, _| engine.is_connected()).unwrap_or(false)
    }

    /// Why the first server that is not connected is not, and which it is.
    #[must_use]
    pub fn fault(&self) -> Option<(usize, Fault)> {
        self.shared.look(|engine, _| engine.fault()).unwrap_or(None)
    }

    /// Whether nothing is owed any more for locks that were dropped.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.shared.look(|engine, _| engine.is_settled()).unwrap_or(false)
    }
}

impl<M, T> Clone for Client<'_, '_, M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Client<'_, '_, M, T> {}

impl<M, T> fmt::Debug for Client<'_, '_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
