//! The end of the run, which everybody can wait for.

use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Set once.
#[derive(Clone, Default)]
pub(crate) struct Over(Arc<(Mutex<bool>, Condvar)>);

impl Over {
    pub(crate) fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits for this time, or until it is over. Whether it is.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let over = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(over, time, |over| !*over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn is_set(&self) -> bool {
        self.wait(Duration::ZERO)
    }
}
