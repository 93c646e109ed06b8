//! What is wrong with a configuration.

use crate::context::shown;
use crate::error::{Category, Error, code};

/// The value under `key` is not `wanted`. It is not repeated: it may be a secret.
pub(crate) fn value(key: &str, wanted: &str) -> Error {
    let message = format!("The parameter {} must be {wanted}; correct its value", shown(key));
    Error::new(Category::Misconfiguration, code::INVALID_VALUE, message).with_detail("key", key)
}

/// Nothing reads `key`. `hint` says what could be meant.
pub(crate) fn unknown(key: &str, hint: &str) -> Error {
    let message = format!("Nothing reads the parameter {}; {hint}", shown(key));
    Error::new(Category::Misconfiguration, code::UNKNOWN_KEY, message).with_detail("key", key)
}

/// Two parameters say the same thing differently.
pub(crate) fn conflict(key: &str, other: &str) -> Error {
    let (one, two) = (shown(key), shown(other));
    let message = format!("The parameters {one} and {two} contradict each other; keep one of them");
    Error::new(Category::Misconfiguration, code::CONFIG_CONFLICT, message)
        .with_detail("key", key)
        .with_detail("other_key", other)
}
