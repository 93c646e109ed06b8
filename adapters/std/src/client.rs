//! The client and its builder.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Acquiring, ConfigError, Detached, Error, Key, Options, Releasing, Server};
use redlatch_core::{Renew, Retry};

use crate::guard::Guard;
use crate::handle::Handle;
use crate::wait::{wait, wait_for};

/// A client of one server, or of several that decide by majority. Cheap to clone; all clones, and
/// all locks of all threads, share one connection for each server.
///
/// It connects again by itself, with a growing random pause. Its threads, one for each server and
/// one that pays what is owed, end when the last clone and the last [`Guard`] are gone; see
/// [`Client::shutdown`]. Do not use it in a process after `fork`: its threads are not there.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
    renew: Option<Renew>,
}

impl Client {
    /// Connects to one server, or to several whose URLs are separated by commas, with the default
    /// options. See [`Builder::connect`].
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub fn connect(urls: &str) -> Result<Self, Error> {
        Self::builder().servers(urls).connect()
    }

    /// For a client with other options.
    pub fn builder() -> Builder {
        Builder { options: Options::default(), error: None }
    }

    /// Tries once to take the lock. `None` when somebody else has it, or when the servers answered
    /// so late that nothing of the ttl was left. Takes one reply timeout at most.
    ///
    /// # Errors
    /// [`Error`]: the servers could not be asked or refused, or the arguments cannot work.
    pub fn try_lock(&self, key: impl Into<Key>, ttl: Duration) -> Result<Option<Guard>, Error> {
        match self.lock_with(key, ttl, Retry::NONE) {
            Ok(guard) => Ok(Some(guard)),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock, waiting as long as the client's retry policy says. [`Client::lock_with`] tells how
    /// it waits.
    ///
    /// # Errors
    /// As [`Client::lock_with`].
    pub fn lock(&self, key: impl Into<Key>, ttl: Duration) -> Result<Guard, Error> {
        self.lock_with(key, ttl, self.handle.engine().options().retry)
    }

    /// Takes the lock, waiting as long as `retry` says.
    ///
    /// # How it waits
    ///
    /// The servers tell when the key changes, and a timer says when it has expired, so one that waits
    /// sends nothing; see [`Builder::wake`]. [`Retry::delay`] counts where a server does not tell.
    ///
    /// Those who want the same key of this client, or of its clones, stand in line: only the first asks
    /// the servers, and the lock is passed on in order of arrival, with a claim that leaves right behind
    /// the release. After some turns in a row the client holds back, so that those of other clients come
    /// in; see [`Turns`](redlatch_core::Turns). Whoever meets its [`Retry::deadline`] in line makes a last attempt.
    ///
    /// One whose number of attempts is bounded by [`Retry::retries`] does not stand in line: it makes
    /// them all, at the pauses of its policy. Those that it is woken for do not count.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not
    /// be asked or refused, or the arguments cannot work.
    pub fn lock_with(
        &self,
        key: impl Into<Key>,
        ttl: Duration,
        retry: Retry,
    ) -> Result<Guard, Error> {
        self.take(key.into(), ttl, retry)
    }

    /// Compiled once, and not into each program for its kinds of keys.
    fn take(&self, key: Key, ttl: Duration, retry: Retry) -> Result<Guard, Error> {
        let mut acquiring = self.handle.engine().acquire(key, ttl, retry, self.renew)?;
        let post = self.handle.post();
        let held = wait_for(post, &mut acquiring, Acquiring::poll, Acquiring::awaits)?;
        Ok(Guard::new(Arc::clone(&self.handle), held))
    }

    /// Gives back a lock that was [detached](Guard::detach) from this client or another one of the
    /// same servers, and waits for the servers, one reply timeout at most. Says whether the lock was
    /// still ours.
    ///
    /// # Errors
    /// * [`ConfigError::OtherServers`]: it was taken elsewhere.
    /// * [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    ///   background.
    /// * [`Error::Closed`]: the client was shut down. In the first and the last case the key is left to
    ///   its ttl.
    pub fn release_detached(&self, detached: Detached) -> Result<bool, Error> {
        let mut releasing = self.handle.engine().release_detached(detached)?;
        wait_for(self.handle.post(), &mut releasing, Releasing::poll, Releasing::awaits)
    }

    /// A clone whose locks are extended by themselves while they are held; `None` turns that off.
    ///
    /// Renewing stops with the release, with the guard, with the client, and at [`Renew::most`]. It
    /// asks the servers, so it also finds out that a key was deleted or taken: see [`Guard::loss`].
    #[must_use]
    pub fn renewing(&self, renew: impl Into<Option<Renew>>) -> Self {
        Self { handle: Arc::clone(&self.handle), renew: renew.into() }
    }

    /// Gives back what is owed to the servers, for `timeout` at most, and ends the threads. Whether
    /// all was given back; the rest is left to its ttl. Calls on other clones that wait for a lock
    /// return [`Error::Closed`], and so does every later call. Guards that are still held are
    /// not released: release them first.
    ///
    /// Dropping the last clone, when no guard is left, does the same for one reply timeout, so that
    /// a program that ends gives back what it dropped.
    #[must_use = "tells whether keys are left to their ttl"]
    pub fn shutdown(self, timeout: Duration) -> bool {
        self.handle.close(timeout)
    }

    /// The servers, in the order in which they were configured.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        self.handle.engine().servers()
    }

    /// Commands sent to all servers since the start, greetings excluded.
    #[must_use]
    pub fn commands_sent(&self) -> u64 {
        self.handle.engine().commands_sent()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// Options of a client. The defaults suit a server in the same data centre.
#[derive(Debug)]
#[must_use = "a builder does nothing until it connects"]
pub struct Builder {
    options: Options,
    /// The first URL that was wrong.
    error: Option<ConfigError>,
}

impl Builder {
    redlatch_client::builder_setters!();

    /// Connects to all servers at once and waits until each is ready or has failed, for about the
    /// connect timeout at most. A majority is enough; the others are tried again in the background.
    ///
    /// # Errors
    /// [`Error::Config`] for options that cannot work; what kept the first failing server from
    /// being ready, when a majority is not; [`Error::Exhausted`] when no thread can be started.
    pub fn connect(self) -> Result<Client, Error> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        let renew = self.options.renew;
        let handle = Handle::start(self.options)?;
        let deadline = handle.engine().connect_deadline();
        wait(|waker| handle.engine().poll_connected(deadline, waker))?;
        Ok(Client { handle: Arc::new(handle), renew })
    }
}
