//! What is asked of a lock, checked.

use core::time::Duration;

use redlatch_client::KEY_BYTES_MAX;
use redlatch_core::Ttl;

use crate::context::shown;
use crate::error::{Category, Error, code};

/// The time to live.
///
/// # Errors
/// `INVALID_TTL` when it is not positive, or too long for a server.
pub(crate) fn ttl(millis: i64) -> Result<Ttl, Error> {
    let ttl = u64::try_from(millis).ok().and_then(|millis| Ttl::from_millis(millis).ok());
    ttl.ok_or_else(|| {
        let message = format!(
            "A ttl of {millis} ms is not possible; give a positive number of milliseconds below 2^53"
        );
        bad(code::INVALID_TTL, message).with_detail("ttl", millis.to_string())
    })
}

/// The time to wait.
///
/// # Errors
/// `INVALID_TIMEOUT` when it is negative.
pub(crate) fn timeout(millis: i64) -> Result<Duration, Error> {
    u64::try_from(millis).map(Duration::from_millis).map_err(|_| {
        let message = format!(
            "A timeout of {millis} ms is not possible; give 0 for one attempt, or how long to wait"
        );
        bad(code::INVALID_TIMEOUT, message).with_detail("timeout", millis.to_string())
    })
}

/// The key.
///
/// # Errors
/// `INVALID_KEY` when it is longer than a request can be.
pub(crate) fn key(key: &str) -> Result<(), Error> {
    if key.len() <= KEY_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "A key of {} bytes is too long; {KEY_BYTES_MAX} is the most. It begins with {}",
        key.len(),
        shown(key)
    );
    Err(bad(code::INVALID_KEY, message))
}

/// The lock was not acquired in time.
pub(crate) fn timed_out(key: &str, timeout: Duration) -> Error {
    let message = format!(
        "Acquiring lock {} failed on timeout: somebody else still had it after {} ms; try again later or wait longer",
        shown(key),
        timeout.as_millis()
    );
    Error::new(Category::Conflict, code::LOCK_TIMEOUT, message).with_detail("key", key)
}

fn bad(code: &'static str, message: String) -> Error {
    Error::new(Category::BadRequest, code, message)
}
