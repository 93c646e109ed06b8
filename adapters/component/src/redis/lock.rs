//! The lock on a server, for tasks.

use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use redlatch_client::os;
use redlatch_tokio::{Client, Error as DriverError, Guard, Retry};
use tokio::sync::Notify;

use super::books::Taken;
use super::opening::{Opening, Step};
use super::settings::Settings;
use super::shared::Shared;
use super::wiring::{Plan, Wiring};
use super::{trace, wrap};
use crate::blocking;
use crate::config::ConfigParams;
use crate::context::Context;
use crate::error::Error;
use crate::lock::Lock;
use crate::lock::arguments;
use crate::lock::inherent::inherent_lock;
use crate::pending::Pending;
use crate::refer::{Component, Configurable, Openable, Referenceable, References};

/// A distributed lock on Redis or Valkey, as the pip-services family has it.
///
/// ```no_run
/// use redlatch_component::{ConfigParams, RedisLock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redlatch_component::Error> {
/// let lock = RedisLock::new();
/// lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", 6379)))?;
/// lock.open("123").await?;
///
/// lock.acquire_lock("123", "key1", 3000, 1000).await?;
/// // Processing…
/// lock.release_lock("123", "key1").await?;
/// # Ok(())
/// # }
/// ```
///
/// Parameters, references and what differs from the other languages: the
/// [manual](crate::manual).
///
/// It can be shared: all methods take `&self`, and all tasks use one connection for each server, which
/// comes back by itself after it broke. Every future may be dropped at any await point: of an
/// acquisition, what was taken is given back; of a release, the lock is released all the same.
///
/// Whatever is acquired gets a token of its own, so a release that comes after the ttl never frees the
/// lock of the next holder. Dropping a `RedisLock` is like closing it, in the background.
#[derive(Debug)]
pub struct RedisLock {
    shared: Shared<Client, Guard>,
    /// Wakes those who open when somebody closes.
    closing: Notify,
}

inherent_lock!(RedisLock);

/// As the traits have it, without importing them.
impl RedisLock {
    /// A lock that is not configured.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Shared::new(Arc::new(Wiring::default())), closing: Notify::new() }
    }

    /// As [`Configurable::configure`]: replaces all parameters; takes effect at the next open.
    ///
    /// # Errors
    /// As there.
    pub fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        self.shared.wiring.configure(config)
    }

    /// As [`Referenceable::set_references`]. Services that are missing are an error only once one is
    /// needed.
    ///
    /// # Errors
    /// None.
    pub fn set_references(&self, references: &References) -> Result<(), Error> {
        self.shared.wiring.set_references(references);
        Ok(())
    }

    /// As [`Openable::is_open`].
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.is_open()
    }

    /// As [`Openable::open`]: connects and logs in.
    ///
    /// # Errors
    /// [`NO_CONNECTION`](crate::code::NO_CONNECTION): nothing is configured or discovered;
    /// [`CONNECT_FAILED`](crate::code::CONNECT_FAILED): no server is there, or it did not let us in;
    /// [`REF_ERROR`](crate::code::REF_ERROR), [`MISSING_CREDENTIALS`](crate::code::MISSING_CREDENTIALS)
    /// and [`CONFIG_CONFLICT`](crate::code::CONFIG_CONFLICT) for what was configured or found;
    /// [`NOT_OPENED`](crate::code::NOT_OPENED) when it is closed meanwhile.
    pub fn open<'a>(&'a self, context: impl Into<Context<'a>>) -> Pending<'a, ()> {
        Openable::open(self, context.into())
    }

    /// As [`Openable::close`]: ends all connections, and waiting calls with
    /// [`NOT_OPENED`](crate::code::NOT_OPENED). Locks that are held stay held, and can be released
    /// after the next open, unless `options.release_on_close` is set.
    ///
    /// # Errors
    /// [`UNCONFIRMED`](crate::code::UNCONFIRMED): not all locks were released in time, where they
    /// should be. It is closed all the same.
    pub fn close<'a>(&'a self, context: impl Into<Context<'a>>) -> Pending<'a, ()> {
        Openable::close(self, context.into())
    }

    /// Releases the lock as [`release_lock`](RedisLock::release_lock) does, and says whether it was
    /// ours until now. If not, it has expired, somebody else may have it, and what was done under it
    /// may have been done by two.
    ///
    /// # Errors
    /// As [`Lock::release_lock`]; [`UNCONFIRMED`](crate::code::UNCONFIRMED) when the server did not
    /// answer: the release is repeated until it does, or until the lock has expired.
    pub fn release_lock_outcome<'a>(
        &'a self,
        context: impl Into<Context<'a>>,
        key: &'a str,
    ) -> Pending<'a, bool> {
        let context = context.into();
        Box::pin(async move {
            let outcome = self.release(key).await.map_err(|error| error.in_context(context));
            trace::call(context, key, &outcome, |ours| if *ours { "released" } else { "not held" });
            outcome
        })
    }
}

impl RedisLock {
    pub(crate) const fn wiring(&self) -> &Arc<Wiring> {
        &self.shared.wiring
    }

    async fn connect(&self, context: Context<'_>) -> Result<(), Error> {
        if self.is_open() {
            return Ok(());
        }
        let closes = self.shared.closes();
        let plan = self.shared.wiring.plan(context).await?;
        let client = self.client(&plan, closes).await?;
        let (superfluous, outcome) = match self.shared.install(client, &plan.settings, closes) {
            Ok(superfluous) => (superfluous, Ok(())),
            Err((client, error)) => (Some(client), Err(error)),
        };
        if let Some(client) = superfluous {
            let _nothing_owed = client.shutdown(Settings::REPLY_TIMEOUT).await;
        }
        outcome
    }

    async fn client(&self, plan: &Plan, closes: u64) -> Result<Client, Error> {
        let mut opening = Opening::new(&plan.settings, plan.targets(), os::now());
        loop {
            match opening.step(os::now()) {
                Step::Connect { target, time } => {
                    match self.unless_closed(closes, dial(plan, target, time)).await?? {
                        Ok(client) => return Ok(client),
                        Err(error) => opening.failed(error),
                    }
                }
                Step::Pause(until) => {
                    let pause = until.saturating_since(os::now());
                    self.unless_closed(closes, tokio::time::sleep(pause)).await?;
                }
                Step::Fail(error) => return Err(error),
            }
        }
    }

    /// # Errors
    /// `NOT_OPENED` as soon as it is closed.
    async fn unless_closed<T>(
        &self,
        closes: u64,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let mut closing = pin!(self.closing.notified());
        closing.as_mut().enable();
        if self.shared.closes() != closes {
            return Err(wrap::closed());
        }
        tokio::select! {
            () = closing => Err(wrap::closed()),
            done = work => Ok(done),
        }
    }

    async fn disconnect(&self) -> Result<(), Error> {
        let closing = self.shared.close();
        self.closing.notify_waiters();
        let Some(closing) = closing else {
            return Ok(());
        };
        let paid = closing.client.shutdown(Settings::REPLY_TIMEOUT).await;
        if closing.release && !paid { Err(wrap::not_given_back()) } else { Ok(()) }
    }

    /// Whether it was acquired. `timeout` is `None` for one attempt.
    async fn take(&self, key: &str, ttl: i64, timeout: Option<i64>) -> Result<bool, Error> {
        let opened = self.shared.opened()?;
        arguments::key(key)?;
        let ttl = arguments::ttl(ttl)?;
        let timeout = timeout.map(arguments::timeout).transpose()?;
        let retry = timeout.map_or(Retry::NONE, |it| opened.settings.lock.patience(it));
        match opened.client.lock_with(key, ttl.as_duration(), retry).await {
            Ok(guard) => self.shared.enter(&opened, key, ttl, guard).map(|()| true),
            Err(DriverError::TimedOut { .. }) if timeout.is_none() => Ok(false),
            Err(error) => Err(wrap::not_acquired(&error, key, timeout.unwrap_or_default())),
        }
    }

    async fn release(&self, key: &str) -> Result<bool, Error> {
        arguments::key(key)?;
        let Some((client, taken)) = self.shared.take(key)? else {
            return Ok(false);
        };
        let released = match taken {
            Taken::Held(guard) => guard.release().await,
            Taken::Detached(detached) if detached.is_over() => Ok(false),
            Taken::Detached(detached) => client.release_detached(detached).await,
        };
        released.map_err(|error| wrap::not_released(&error, key))
    }
}

/// # Errors
/// Outside, what the configuration has wrong; inside, what the driver says.
async fn dial(
    plan: &Plan,
    target: usize,
    time: Duration,
) -> Result<Result<Client, DriverError>, Error> {
    let builder = Client::builder()
        .connect_timeout(time)
        .reply_timeout(Settings::REPLY_TIMEOUT)
        .wake(plan.settings.wake);
    #[cfg(feature = "tls")]
    let builder = match &plan.settings.tls {
        Some(tls) => builder.tls(tls.0.clone()),
        None => builder,
    };
    let endpoints = plan.endpoints(target)?;
    Ok(endpoints.into_iter().fold(builder, |it, endpoint| it.endpoint(endpoint)).connect().await)
}

impl Default for RedisLock {
    fn default() -> Self {
        Self::new()
    }
}

impl Configurable for RedisLock {
    fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        self.configure(config)
    }
}

impl Referenceable for RedisLock {
    fn set_references(&self, references: &References) -> Result<(), Error> {
        self.set_references(references)
    }
}

impl Openable for RedisLock {
    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn open<'a>(&'a self, context: Context<'a>) -> Pending<'a, ()> {
        Box::pin(async move {
            let outcome = self.connect(context).await.map_err(|error| error.in_context(context));
            trace::life(context, "opened", &outcome);
            outcome
        })
    }

    fn close<'a>(&'a self, context: Context<'a>) -> Pending<'a, ()> {
        Box::pin(async move {
            let outcome = self.disconnect().await.map_err(|error| error.in_context(context));
            trace::life(context, "closed", &outcome);
            outcome
        })
    }
}

impl Lock for RedisLock {
    fn try_acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
    ) -> Pending<'a, bool> {
        Box::pin(async move {
            let outcome =
                self.take(key, ttl, None).await.map_err(|error| error.in_context(context));
            trace::call(context, key, &outcome, |had| if *had { "acquired" } else { "refused" });
            outcome
        })
    }

    fn acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
        timeout: i64,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let outcome = self.take(key, ttl, Some(timeout)).await.map(drop);
            let outcome = outcome.map_err(|error| error.in_context(context));
            trace::call(context, key, &outcome, |()| "acquired");
            outcome
        })
    }

    fn release_lock<'a>(&'a self, context: Context<'a>, key: &'a str) -> Pending<'a, ()> {
        Box::pin(async move { self.release_lock_outcome(context, key).await.map(drop) })
    }
}

/// Shows both faces, which share configuration and references. Each is opened by itself and has locks
/// of its own, which exclude one another like those of any two clients.
impl From<Arc<RedisLock>> for Component {
    fn from(lock: Arc<RedisLock>) -> Self {
        let blocking = Arc::new(blocking::RedisLock::from(&*lock));
        Self::of(Arc::clone(&lock))
            .and::<dyn Configurable>(Arc::clone(&lock) as _)
            .and::<dyn Referenceable>(Arc::clone(&lock) as _)
            .and::<dyn Openable>(Arc::clone(&lock) as _)
            .and::<dyn Lock>(lock)
            .and::<dyn blocking::Openable>(Arc::clone(&blocking) as _)
            .and::<dyn blocking::Lock>(Arc::clone(&blocking) as _)
            .and(blocking)
    }
}
