//! Values as what they stand for.

use super::invalid;
use super::params::ConfigParams;
use crate::error::Error;

/// Typed values. A key that is missing, or has no value, or an empty one, is not set: `None`, or the
/// default. What is set and malformed is an error and never a default. Spaces around a value do not
/// count.
///
/// All errors are [`INVALID_VALUE`](crate::code::INVALID_VALUE); they name the key and do not repeat
/// the value, which may be a password in the wrong place.
impl ConfigParams {
    /// The text, also an empty one, as it is.
    #[must_use]
    pub fn get_as_string(&self, key: &str) -> Option<&str> {
        self.get(key)
    }

    /// The text, or `default`.
    #[must_use]
    pub fn get_as_string_with_default<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.get(key).unwrap_or(default)
    }

    /// A whole number in decimal digits, with or without a sign.
    ///
    /// # Errors
    /// `INVALID_VALUE` for anything else, such as `12.7`, `1e3` and `0x10`.
    pub fn get_as_integer(&self, key: &str) -> Result<Option<i64>, Error> {
        self.parsed(key, "a whole number", |text| text.parse().ok())
    }

    /// A whole number, or `default`.
    ///
    /// # Errors
    /// As [`ConfigParams::get_as_integer`].
    pub fn get_as_integer_with_default(&self, key: &str, default: i64) -> Result<i64, Error> {
        Ok(self.get_as_integer(key)?.unwrap_or(default))
    }

    /// A number, such as `1.5` or `1e3`.
    ///
    /// # Errors
    /// `INVALID_VALUE` for anything else, and for what is not finite.
    pub fn get_as_float(&self, key: &str) -> Result<Option<f64>, Error> {
        self.parsed(key, "a number", |text| {
            text.parse().ok().filter(|value: &f64| value.is_finite())
        })
    }

    /// A number, or `default`.
    ///
    /// # Errors
    /// As [`ConfigParams::get_as_float`].
    pub fn get_as_float_with_default(&self, key: &str, default: f64) -> Result<f64, Error> {
        Ok(self.get_as_float(key)?.unwrap_or(default))
    }

    /// A truth value: `true`, `yes`, `t`, `y` or `1`, or `false`, `no`, `f`, `n` or `0`, in upper or
    /// lower case.
    ///
    /// # Errors
    /// `INVALID_VALUE` for anything else.
    pub fn get_as_boolean(&self, key: &str) -> Result<Option<bool>, Error> {
        self.parsed(key, "true or false", |text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "t" | "y" | "1" => Some(true),
            "false" | "no" | "f" | "n" | "0" => Some(false),
            _ => None,
        })
    }

    /// A truth value, or `default`.
    ///
    /// # Errors
    /// As [`ConfigParams::get_as_boolean`].
    pub fn get_as_boolean_with_default(&self, key: &str, default: bool) -> Result<bool, Error> {
        Ok(self.get_as_boolean(key)?.unwrap_or(default))
    }

    fn parsed<T>(
        &self,
        key: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.get(key).map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| invalid::value(key, wanted)),
        }
    }
}
