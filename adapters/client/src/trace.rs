//! What happens, told to `tracing`: its target is `redlatch`, keys are escaped, and there is neither
//! a token nor a password in it.
//!
//! | level | what |
//! | --- | --- |
//! | `WARN` | a connection broke or did not come about; a lock was lost; a release is not confirmed |
//! | `DEBUG` | a connection is ready, or fails again; a server wakes nobody who waits; a lock was acquired, denied, released, not extended |
//! | `TRACE` | a lock was extended |
//!
//! The spans `lock`, `extend` and `release` are of level `DEBUG` and last from the call to its end.
//! Subscribers are foreign code: nothing here is called under a mutex.

use redlatch_core::{Event, Instant, Refusal, Released};
use tracing::level_filters::LevelFilter;
use tracing::{Level, debug, event, span, trace, warn};

use crate::error::Error;
use crate::key::Key;
use crate::os;

const TARGET: &str = "redlatch";

/// What the owner of a lock waits for.
#[derive(Clone, Debug)]
pub(crate) struct Span(tracing::Span);

impl Span {
    pub(crate) fn lock(key: &Key) -> Self {
        Self(span!(target: TARGET, Level::DEBUG, "lock", %key))
    }

    pub(crate) fn extend(key: &Key) -> Self {
        Self(span!(target: TARGET, Level::DEBUG, "extend", %key))
    }

    pub(crate) fn release(key: &Key) -> Self {
        Self(span!(target: TARGET, Level::DEBUG, "release", %key))
    }

    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.in_scope(run)
    }
}

/// What a machine has said and nobody was told yet. Mostly it is one event.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    first: Option<Event>,
    others: Vec<Event>,
}

impl Untold {
    pub(crate) fn note(&mut self, event: Event) {
        if LevelFilter::current() == LevelFilter::OFF {
            return;
        }
        match self.first {
            None => self.first = Some(event),
            Some(_) => self.others.push(event),
        }
    }

    pub(crate) fn tell(self, key: &Key) {
        if self.first.is_none() {
            return;
        }
        let now = os::now();
        self.first.into_iter().chain(self.others).for_each(|event| tell(event, key, now));
    }
}

fn tell(event: Event, key: &Key, now: Instant) {
    match event {
        Event::Acquired(lease) => {
            debug!(target: TARGET, %key, validity = ?lease.validity(now), "acquired");
        }
        Event::Extended(lease) => {
            trace!(target: TARGET, %key, validity = ?lease.validity(now), "extended");
        }
        Event::Denied(tally) => debug!(target: TARGET, %key, ?tally, "denied"),
        Event::NotExtended(tally) => debug!(target: TARGET, %key, ?tally, "not extended"),
        Event::Lost(reason) => warn!(target: TARGET, %key, ?reason, "lost"),
        Event::Released(Released::Confirmed) => debug!(target: TARGET, %key, "released"),
        Event::Released(Released::NotHeld) => {
            debug!(target: TARGET, %key, "released, and it was not ours any more");
        }
        Event::Released(Released::Unconfirmed) => {
            warn!(target: TARGET, %key, "release not confirmed; it is repeated");
        }
        _ => {}
    }
}

pub(crate) fn connected(server: &str) {
    debug!(target: TARGET, server, "connected");
}

/// Somebody waits for a lock, and this server does not tell of changes.
pub(crate) fn polling(server: &str, refusal: Refusal) {
    debug!(target: TARGET, server, %refusal, "waiters are not woken: they try when the policy says");
}

/// There is no connection. It is news when there was one, or nobody has tried before.
pub(crate) fn not_connected(server: &str, error: &Error, news: bool) {
    let error = error as &dyn core::error::Error;
    if news {
        event!(target: TARGET, Level::WARN, server, error, "not connected");
    } else {
        event!(target: TARGET, Level::DEBUG, server, error, "not connected yet");
    }
}
