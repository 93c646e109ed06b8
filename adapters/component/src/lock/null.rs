//! The lock that excludes nobody.

use core::future::ready;
use std::sync::Arc;

use super::arguments;
use super::face::Lock;
use super::inherent::{inherent_blocking_lock, inherent_lock};
use crate::blocking;
use crate::context::Context;
use crate::error::Error;
use crate::pending::Pending;
use crate::refer::Component;

/// A lock that excludes nobody: every attempt succeeds. It checks its arguments like every other, so
/// that a program that is tried out with it does not fail later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NullLock;

inherent_lock!(NullLock);

impl NullLock {
    /// A lock that excludes nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Lock for NullLock {
    fn try_acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
    ) -> Pending<'a, bool> {
        Box::pin(ready(attempt(context, key, ttl, 0).map(|()| true)))
    }

    fn acquire_lock<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
        ttl: i64,
        timeout: i64,
    ) -> Pending<'a, ()> {
        Box::pin(ready(attempt(context, key, ttl, timeout)))
    }

    fn release_lock<'a>(&'a self, context: Context<'a>, key: &'a str) -> Pending<'a, ()> {
        Box::pin(ready(release(context, key)))
    }
}

inherent_blocking_lock!(blocking::NullLock);

impl blocking::Lock for blocking::NullLock {
    fn try_acquire_lock(&self, context: Context<'_>, key: &str, ttl: i64) -> Result<bool, Error> {
        attempt(context, key, ttl, 0).map(|()| true)
    }

    fn acquire_lock(
        &self,
        context: Context<'_>,
        key: &str,
        ttl: i64,
        timeout: i64,
    ) -> Result<(), Error> {
        attempt(context, key, ttl, timeout)
    }

    fn release_lock(&self, context: Context<'_>, key: &str) -> Result<(), Error> {
        release(context, key)
    }
}

fn attempt(context: Context<'_>, key: &str, ttl: i64, timeout: i64) -> Result<(), Error> {
    let checked = || {
        arguments::key(key)?;
        arguments::ttl(ttl)?;
        arguments::timeout(timeout)
    };
    checked().map(drop).map_err(|error| error.in_context(context))
}

fn release(context: Context<'_>, key: &str) -> Result<(), Error> {
    arguments::key(key).map_err(|error| error.in_context(context))
}

/// Shows both faces.
impl From<NullLock> for Component {
    fn from(lock: NullLock) -> Self {
        let lock = Arc::new(lock);
        let blocking = Arc::new(blocking::NullLock::new());
        Self::of(Arc::clone(&lock))
            .and::<dyn Lock>(lock)
            .and::<dyn blocking::Lock>(Arc::clone(&blocking) as _)
            .and(blocking)
    }
}
