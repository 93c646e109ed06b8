//! The client and its builder.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{ConfigError, Detached, Error, Key, Options, Server};
use redlatch_core::{Renew, Retry};

use crate::guard::Guard;
use crate::handle::Handle;
use crate::runtime::Runtime;

/// A client of one server, or of several that decide by majority, on the runtime `R`. Cheap to
/// clone; all clones, and all locks of all tasks, share one connection for each server.
///
/// It connects again by itself, with a growing random pause. Its tasks, one for each server and one
/// that pays what is owed, end when the last clone and the last [`Guard`] are gone; see
/// [`Client::shutdown`].
pub struct Client<R> {
    handle: Arc<Handle>,
    renew: Option<Renew>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> Client<R> {
    /// Connects to one server, or to several whose URLs are separated by commas, with the default
    /// options. See [`Builder::connect`].
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect(urls: &str) -> Result<Self, Error> {
        Self::builder().servers(urls).start(R::current()?)?.connected().await
    }

    async fn connected(self) -> Result<Self, Error> {
        self.handle.connected().await?;
        Ok(self)
    }

    /// For a client with other options.
    pub fn builder() -> Builder<R> {
        Builder { options: Options::default(), error: None, runtime: PhantomData }
    }

    /// Tries once to take the lock. `None` when somebody else has it, or when the servers answered
    /// so late that nothing of the ttl was left. Takes one reply timeout at most.
    ///
    /// # Errors
    /// [`Error`]: the servers could not be asked or refused, or the arguments cannot work.
    pub async fn try_lock(
        &self,
        key: impl Into<Key>,
        ttl: Duration,
    ) -> Result<Option<Guard>, Error> {
        match self.lock_with(key, ttl, Retry::NONE).await {
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
    pub async fn lock(&self, key: impl Into<Key>, ttl: Duration) -> Result<Guard, Error> {
        self.lock_with(key, ttl, self.handle.engine().options().retry).await
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
    /// A future that was polled has its place in line until it is done or dropped. Kept without being
    /// polled, it holds up those behind it.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when somebody else had it all the time; others when the servers could not
    /// be asked or refused, or the arguments cannot work.
    pub async fn lock_with(
        &self,
        key: impl Into<Key>,
        ttl: Duration,
        retry: Retry,
    ) -> Result<Guard, Error> {
        Handle::lock(&self.handle, key.into(), ttl, retry, self.renew).await
    }

    /// Gives back a lock that was [detached](Guard::detach) from this client or another one of the
    /// same servers, and waits for the servers, one reply timeout at most. Says whether the lock was
    /// still ours. When this
    /// future is dropped, it is given back all the same.
    ///
    /// # Errors
    /// * [`ConfigError::OtherServers`]: it was taken elsewhere.
    /// * [`Error::Unconfirmed`]: too few servers answered to tell. The release is repeated in the
    ///   background.
    /// * [`Error::Closed`]: the client was shut down. In the first and the last case the key is left to
    ///   its ttl.
    pub async fn release_detached(&self, detached: Detached) -> Result<bool, Error> {
        self.handle.release_detached(detached).await
    }

    /// A clone whose locks are extended by themselves while they are held; `None` turns that off.
    ///
    /// Renewing stops with the release, with the guard, with the client, and at [`Renew::most`]. It
    /// asks the servers, so it also finds out that a key was deleted or taken: see [`Guard::lost`].
    #[must_use]
    pub fn renewing(&self, renew: impl Into<Option<Renew>>) -> Self {
        Self { handle: Arc::clone(&self.handle), renew: renew.into(), runtime: PhantomData }
    }

    /// Gives back what is owed to the servers, for `timeout` at most, and ends the tasks. Whether
    /// all was given back; the rest is left to its ttl. Calls on other clones that wait for a lock
    /// return [`Error::Closed`], and so does every later call. Guards that are still held are
    /// not released: release them first.
    ///
    /// Dropping the last clone, when no guard is left, does the same for one reply timeout, in the
    /// background: a program that ends at once takes what it has just dropped with it. So does the
    /// end of the runtime; end with this instead.
    #[must_use = "tells whether keys are left to their ttl"]
    pub async fn shutdown(self, timeout: Duration) -> bool {
        self.handle.close(timeout).await
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

impl<R> Clone for Client<R> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), renew: self.renew, runtime: PhantomData }
    }
}

impl<R: Runtime> fmt::Debug for Client<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// Options of a client. The defaults suit a server in the same data centre.
#[must_use = "a builder does nothing until it connects"]
pub struct Builder<R> {
    options: Options,
    /// The first URL that was wrong.
    error: Option<ConfigError>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> Builder<R> {
    redlatch_client::builder_setters!();

    /// Connects to all servers at once and waits until each is ready or has failed, for about the
    /// connect timeout at most. A majority is enough; the others are tried again in the background.
    ///
    /// # Errors
    /// [`Error::Config`] for options that cannot work; [`Error::NoRuntime`] outside a runtime; what
    /// kept the first failing server from being ready, when a majority is not; [`Error::Closed`]
    /// when the runtime is shut down meanwhile.
    pub async fn connect(self) -> Result<Client<R>, Error> {
        self.start(R::current()?)?.connected().await
    }

    /// Connects as [`Builder::connect`] does, with the tasks of the client on this runtime.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect_on(self, runtime: R) -> Result<Client<R>, Error> {
        self.start(runtime)?.connected().await
    }

    /// Nobody waits with options in hand: they would be in every future that does, and be dropped in it.
    fn start(self, runtime: R) -> Result<Client<R>, Error> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        let renew = self.options.renew;
        let handle = Arc::new(Handle::start(self.options, runtime)?);
        Ok(Client { handle, renew, runtime: PhantomData })
    }
}

impl<R> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).finish_non_exhaustive()
    }
}
