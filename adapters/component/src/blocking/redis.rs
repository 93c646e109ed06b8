//! The lock on a server, for threads.

use core::time::Duration;
use std::sync::Arc;

use redlatch_client::os;
use redlatch_std::{Client, Error as DriverError, Guard, Retry};

use super::face::{Lock, Openable};
use super::wait::{Bell, block_on};
use crate::config::ConfigParams;
use crate::context::Context;
use crate::error::Error;
use crate::lock::arguments;
use crate::lock::inherent::inherent_blocking_lock;
use crate::redis::books::Taken;
use crate::redis::opening::{Opening, Step};
use crate::redis::settings::Settings;
use crate::redis::shared::Shared;
use crate::redis::wiring::{Plan, Wiring};
use crate::redis::{trace, wrap};
use crate::refer::{Configurable, Referenceable, References};

/// A distributed lock on Redis or Valkey, for threads. See [`RedisLock`](crate::RedisLock), from which
/// one can be made that shares its configuration and its references.
///
/// ```no_run
/// use redlatch_component::ConfigParams;
/// use redlatch_component::blocking::RedisLock;
///
/// let lock = RedisLock::new();
/// lock.configure(&ConfigParams::from_tuples(("host", "localhost", "port", 6379)))?;
/// lock.open("123")?;
///
/// lock.acquire_lock("123", "key1", 3000, 1000)?;
/// // Processing…
/// lock.release_lock("123", "key1")?;
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Debug)]
pub struct RedisLock {
    shared: Shared<Client, Guard>,
    /// Wakes those who open when somebody closes.
    closing: Bell,
}

inherent_blocking_lock!(RedisLock);

/// As the traits have it, without importing them.
impl RedisLock {
    /// A lock that is not configured.
    #[must_use]
    pub fn new() -> Self {
        Self::wired(Arc::new(Wiring::default()))
    }

    fn wired(wiring: Arc<Wiring>) -> Self {
        Self { shared: Shared::new(wiring), closing: Bell::default() }
    }

    /// As [`RedisLock::configure`](crate::RedisLock::configure).
    ///
    /// # Errors
    /// As there.
    pub fn configure(&self, config: &ConfigParams) -> Result<(), Error> {
        self.shared.wiring.configure(config)
    }

    /// As [`RedisLock::set_references`](crate::RedisLock::set_references).
    ///
    /// # Errors
    /// None.
    pub fn set_references(&self, references: &References) -> Result<(), Error> {
        self.shared.wiring.set_references(references);
        Ok(())
    }

    /// Whether the component is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.is_open()
    }

    /// As [`RedisLock::open`](crate::RedisLock::open).
    ///
    /// # Errors
    /// As there.
    pub fn open<'a>(&self, context: impl Into<Context<'a>>) -> Result<(), Error> {
        Openable::open(self, context.into())
    }

    /// As [`RedisLock::close`](crate::RedisLock::close).
    ///
    /// # Errors
    /// As there.
    pub fn close<'a>(&self, context: impl Into<Context<'a>>) -> Result<(), Error> {
        Openable::close(self, context.into())
    }

    /// As [`RedisLock::release_lock_outcome`](crate::RedisLock::release_lock_outcome).
    ///
    /// # Errors
    /// As there.
    pub fn release_lock_outcome<'a>(
        &self,
        context: impl Into<Context<'a>>,
        key: &str,
    ) -> Result<bool, Error> {
        let context = context.into();
        let outcome = self.release(key).map_err(|error| error.in_context(context));
        trace::call(context, key, &outcome, |ours| if *ours { "released" } else { "not held" });
        outcome
    }
}

impl RedisLock {
    fn connect(&self, context: Context<'_>) -> Result<(), Error> {
        if self.is_open() {
            return Ok(());
        }
        let closes = self.shared.closes();
        let plan = block_on(self.shared.wiring.plan(context))?;
        let client = self.client(&plan, closes)?;
        let (superfluous, outcome) = match self.shared.install(client, &plan.settings, closes) {
            Ok(superfluous) => (superfluous, Ok(())),
            Err((client, error)) => (Some(client), Err(error)),
        };
        if let Some(client) = superfluous {
            let _nothing_owed = client.shutdown(Settings::REPLY_TIMEOUT);
        }
        outcome
    }

    fn client(&self, plan: &Plan, closes: u64) -> Result<Client, Error> {
        let is_closed = || self.shared.closes() != closes;
        let mut opening = Opening::new(&plan.settings, plan.targets(), os::now());
        loop {
            match opening.step(os::now()) {
                Step::Connect { .. } if is_closed() => return Err(wrap::closed()),
                Step::Connect { target, time } => match dial(plan, target, time)? {
                    Ok(client) => return Ok(client),
                    Err(error) => opening.failed(error),
                },
                Step::Pause(until) => self.closing.pause(until, is_closed),
                Step::Fail(error) => return Err(error),
            }
        }
    }

    fn disconnect(&self) -> Result<(), Error> {
        let closing = self.shared.close();
        self.closing.ring();
        let Some(closing) = closing else {
            return Ok(());
        };
        let paid = closing.client.shutdown(Settings::REPLY_TIMEOUT);
        if closing.release && !paid { Err(wrap::not_given_back()) } else { Ok(()) }
    }

    /// Whether it was acquired. `timeout` is `None` for one attempt.
    fn take(&self, key: &str, ttl: i64, timeout: Option<i64>) -> Result<bool, Error> {
        let opened = self.shared.opened()?;
        arguments::key(key)?;
        let ttl = arguments::ttl(ttl)?;
        let timeout = timeout.map(arguments::timeout).transpose()?;
        let retry = timeout.map_or(Retry::NONE, |it| opened.settings.lock.patience(it));
        match opened.client.lock_with(key, ttl.as_duration(), retry) {
            Ok(guard) => self.shared.enter(&opened, key, ttl, guard).map(|()| true),
            Err(DriverError::TimedOut { .. }) if timeout.is_none() => Ok(false),
            Err(error) => Err(wrap::not_acquired(&error, key, timeout.unwrap_or_default())),
        }
    }

    fn release(&self, key: &str) -> Result<bool, Error> {
        arguments::key(key)?;
        let Some((client, taken)) = self.shared.take(key)? else {
            return Ok(false);
        };
        let released = match taken {
            Taken::Held(guard) => guard.release(),
            Taken::Detached(detached) if detached.is_over() => Ok(false),
            Taken::Detached(detached) => client.release_detached(detached),
        };
        released.map_err(|error| wrap::not_released(&error, key))
    }
}

/// # Errors
/// Outside, what the configuration has wrong; inside, what the driver says.
fn dial(plan: &Plan, target: usize, time: Duration) -> Result<Result<Client, DriverError>, Error> {
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
    Ok(endpoints.into_iter().fold(builder, |it, endpoint| it.endpoint(endpoint)).connect())
}

impl Default for RedisLock {
    fn default() -> Self {
        Self::new()
    }
}

/// Another face with the same configuration and references. It is opened by itself and has locks of
/// its own.
impl From<&crate::RedisLock> for RedisLock {
    fn from(lock: &crate::RedisLock) -> Self {
        Self::wired(Arc::clone(lock.wiring()))
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

    fn open(&self, context: Context<'_>) -> Result<(), Error> {
        let outcome = self.connect(context).map_err(|error| error.in_context(context));
        trace::life(context, "opened", &outcome);
        outcome
    }

    fn close(&self, context: Context<'_>) -> Result<(), Error> {
        let outcome = self.disconnect().map_err(|error| error.in_context(context));
        trace::life(context, "closed", &outcome);
        outcome
    }
}

impl Lock for RedisLock {
    fn try_acquire_lock(&self, context: Context<'_>, key: &str, ttl: i64) -> Result<bool, Error> {
        let outcome = self.take(key, ttl, None).map_err(|error| error.in_context(context));
        trace::call(context, key, &outcome, |had| if *had { "acquired" } else { "refused" });
        outcome
    }

    fn acquire_lock(
        &self,
        context: Context<'_>,
        key: &str,
        ttl: i64,
        timeout: i64,
    ) -> Result<(), Error> {
        let outcome = self.take(key, ttl, Some(timeout)).map(drop);
        let outcome = outcome.map_err(|error| error.in_context(context));
        trace::call(context, key, &outcome, |()| "acquired");
        outcome
    }

    fn release_lock(&self, context: Context<'_>, key: &str) -> Result<(), Error> {
        self.release_lock_outcome(context, key).map(drop)
    }
}
