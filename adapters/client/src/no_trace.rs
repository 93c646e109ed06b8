//! What stands in for `tracing` where it is not built in: nobody is told.

use redlatch_core::{Event, Refusal};

use crate::error::Error;
use crate::key::Key;

#[derive(Clone, Debug)]
pub(crate) struct Span;

impl Span {
    pub(crate) const fn lock(_key: &Key) -> Self {
        Self
    }

    pub(crate) const fn extend(_key: &Key) -> Self {
        Self
    }

    pub(crate) const fn release(_key: &Key) -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "as the one it stands in for")]
    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Untold;

impl Untold {
    pub(crate) const fn note(&mut self, _event: Event) {}

    pub(crate) const fn tell(self, _key: &Key) {}
}

pub(crate) const fn connected(_server: &str) {}

pub(crate) const fn polling(_server: &str, _refusal: Refusal) {}

pub(crate) const fn not_connected(_server: &str, _error: &Error, _news: bool) {}
