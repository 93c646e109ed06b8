//! What happens, told to `tracing`: its target is `redlatch_component`, every event has the
//! correlation id of the call, texts of the caller are escaped, and there is no secret in it.
//!
//! | level | what |
//! | --- | --- |
//! | `WARN` | a call failed, other than because somebody else has the lock |
//! | `DEBUG` | opened, closed; a lock was acquired, refused, released |
//!
//! Subscribers are foreign code: nothing here is called under a mutex.

use tracing::{debug, warn};

use crate::context::{Context, shown};
use crate::error::{Error, code};

const TARGET: &str = "redlatch_component";

/// How an opening or a closing went.
pub(crate) fn life(context: Context<'_>, what: &str, outcome: &Result<(), Error>) {
    let correlation_id = id(context);
    match outcome {
        Ok(()) => debug!(target: TARGET, correlation_id, "{what}"),
        Err(error) => {
            let error = error as &dyn core::error::Error;
            warn!(target: TARGET, correlation_id, error, "not {what}");
        }
    }
}

/// How a call about a key went. `done` is what happened, or `None` when nothing did.
pub(crate) fn call<T>(
    context: Context<'_>,
    key: &str,
    outcome: &Result<T, Error>,
    done: impl FnOnce(&T) -> &'static str,
) {
    let (correlation_id, key) = (id(context), shown(key));
    match outcome {
        Ok(value) => debug!(target: TARGET, correlation_id, %key, "{}", done(value)),
        Err(error) if error.code() == code::LOCK_TIMEOUT => {
            debug!(target: TARGET, correlation_id, %key, "held by somebody else until the timeout");
        }
        Err(error) => {
            let error = error as &dyn core::error::Error;
            warn!(target: TARGET, correlation_id, %key, error, "failed");
        }
    }
}

fn id(context: Context<'_>) -> Option<String> {
    context.correlation_id().map(|id| shown(id).to_string())
}
