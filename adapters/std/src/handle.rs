//! What keeps a client alive.

use core::time::Duration;
use std::sync::Arc;

use redlatch_client::{Error, Options, os};

use crate::shared::Shared;

/// Shared by clients and guards. The threads hold only what is inside, so the last handle ends them.
pub(crate) struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn start(options: Options) -> Result<Self, Error> {
        Shared::start(options).map(|shared| Self { shared })
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Pays what is owed, for `timeout` at most, and ends the threads. Whether all was paid.
    pub(crate) fn close(&self, timeout: Duration) -> bool {
        let by = os::now().saturating_add(timeout);
        self.shared.close(by);
        // A server that does not read can hold up the last writes by a reply timeout.
        self.shared.errands.wait_closed(by.saturating_add(self.shared.options.reply_timeout))
    }
}

/// Waits, for otherwise a program that ends would take the releases of its last guards with it.
impl Drop for Handle {
    fn drop(&mut self) {
        self.close(self.shared.options.reply_timeout);
    }
}
