//! What the driver says, with the codes of the family.

use core::time::Duration;

use redlatch_client::{ConfigError, Error as DriverError};
use redlatch_core::{Denial, Refusal};

use crate::context::shown;
use crate::error::{Category, Error, code};
use crate::lock::arguments;

/// The component is not open.
pub(crate) fn not_opened() -> Error {
    let message = "Connection is not opened; call open before";
    Error::new(Category::InvalidState, code::NOT_OPENED, message)
}

/// It was closed while the call was under way.
pub(crate) fn closed() -> Error {
    let message = "Connection is not opened any more: it was closed during the call";
    Error::new(Category::InvalidState, code::NOT_OPENED, message)
}

/// No connection came about.
pub(crate) fn not_connected(error: &DriverError) -> Error {
    match error {
        DriverError::Refused { .. } => {
            told(refused_category(error), code::CONNECT_FAILED, "Connection failed", error)
        }
        _ => general(error),
    }
}

/// The lock was not acquired.
pub(crate) fn not_acquired(error: &DriverError, key: &str, timeout: Duration) -> Error {
    let wrapped = match error {
        // Nobody else had it.
        DriverError::TimedOut { tally, .. } if tally.denial() == Denial::TooLate => {
            let what = format!("Acquiring lock {} failed on timeout", shown(key));
            told(Category::Conflict, code::LOCK_TIMEOUT, &what, error)
        }
        DriverError::TimedOut { .. } => {
            arguments::timed_out(key, timeout).with_cause(error.clone())
        }
        DriverError::Config(ConfigError::NoValidity { ttl, drift }) => {
            let message = format!(
                "A ttl of {} ms is not possible: clock drift takes {drift:?} of it; give a longer one",
                ttl.as_millis()
            );
            Error::new(Category::BadRequest, code::INVALID_TTL, message)
                .with_detail("ttl", ttl.as_millis().to_string())
                .with_cause(error.clone())
        }
        _ => general(error),
    };
    wrapped.with_detail("key", key)
}

/// It is not known whether the lock was released.
pub(crate) fn not_released(error: &DriverError, key: &str) -> Error {
    let what = format!("Releasing lock {} failed", shown(key));
    let wrapped = match error {
        DriverError::Unconfirmed => told(Category::NoResponse, code::UNCONFIRMED, &what, error),
        DriverError::Config(ConfigError::OtherServers) => {
            told(Category::InvalidState, code::OTHER_SERVERS, &what, error)
        }
        _ => general(error),
    };
    wrapped.with_detail("key", key)
}

/// Some of what a close should give back is left to its ttl.
pub(crate) fn not_given_back() -> Error {
    let message = "Closed, but not all locks were released in time: they are left to their ttl";
    Error::new(Category::NoResponse, code::UNCONFIRMED, message)
}

fn general(error: &DriverError) -> Error {
    let (category, code, what) = match error {
        DriverError::Closed => return closed().with_cause(error.clone()),
        DriverError::Config(ConfigError::Duplicate) => {
            (Category::Misconfiguration, code::CONFIG_CONFLICT, "The configuration cannot work")
        }
        DriverError::Config(_) => {
            (Category::Misconfiguration, code::INVALID_VALUE, "The configuration cannot work")
        }
        DriverError::Refused { .. } => {
            (refused_category(error), code::REFUSED, "The server refused")
        }
        DriverError::NoRuntime => (Category::InvalidState, code::NO_RUNTIME, "Connection failed"),
        DriverError::Random | DriverError::Exhausted(_) => {
            (Category::Internal, code::EXHAUSTED, "The operating system failed")
        }
        _ => (Category::NoResponse, code::CONNECT_FAILED, "Connection failed"),
    };
    told(category, code, what, error)
}

/// The driver's own words hold no secret, and say what to do.
fn told(category: Category, code: &'static str, what: &str, error: &DriverError) -> Error {
    let wrapped = Error::new(category, code, format!("{what}: {error}")).with_cause(error.clone());
    match server(error) {
        Some(server) => wrapped.with_detail("server", server),
        None => wrapped,
    }
}

fn refused_category(error: &DriverError) -> Category {
    let DriverError::Refused { notice, .. } = error else {
        return Category::NoResponse;
    };
    match notice.refusal() {
        Refusal::NoAuth
        | Refusal::WrongPassword
        | Refusal::PasswordNotSet
        | Refusal::NoPermission => Category::Unauthorized,
        _ => Category::FailedInvocation,
    }
}

fn server(error: &DriverError) -> Option<&str> {
    match error {
        DriverError::Connect { server, .. }
        | DriverError::Silent { server, .. }
        | DriverError::NotRedis { server, .. }
        | DriverError::Refused { server, .. }
        | DriverError::Replica { server } => Some(server),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::not_acquired;
    use core::time::Duration;
    use redlatch_client::Error as DriverError;
    use redlatch_core::Tally;

    /// Both are a timeout; only one of them is put down to somebody else.
    #[test]
    fn a_timeout_says_whether_somebody_else_had_the_lock() {
        let said = |granted, held| {
            let tally = Tally { configured: 1, granted, held, ..Tally::default() };
            let error = DriverError::TimedOut { waited: Duration::from_secs(1), tally };
            let error = not_acquired(&error, "key", Duration::from_secs(1));
            assert_eq!((error.code(), error.detail("key")), ("LOCK_TIMEOUT", Some("key")));
            error.to_string()
        };
        assert!(said(0, 1).contains("somebody else still had it after 1000 ms"));
        let late = said(1, 0);
        assert!(!late.contains("somebody else") && late.contains("answered so late"), "{late}");
    }
}
