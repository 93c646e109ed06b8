//! Values of configuration parameters.

use core::fmt;

use zeroize::Zeroizing;

/// A value of a configuration parameter: a text, or nothing. It may be a password, so it is wiped
/// from memory when it is dropped and not shown by `Debug`.
///
/// Made from texts, numbers, truth values, and options of them. Numbers and truth values become text
/// as in Rust: `6379`, `1.5`, `true`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigValue(Option<Zeroizing<String>>);

impl ConfigValue {
    /// No value: the key is there, and reading it gives what a missing key gives.
    pub const NONE: Self = Self(None);

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_ref().map(|text| text.as_str())
    }
}

impl From<&str> for ConfigValue {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for ConfigValue {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for ConfigValue {
    fn from(text: String) -> Self {
        Self(Some(Zeroizing::new(text)))
    }
}

impl<V: Into<Self>> From<Option<V>> for ConfigValue {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::NONE, Into::into)
    }
}

macro_rules! from_displayed {
    ($($kind:ty),*) => {$(
        impl From<$kind> for ConfigValue {
            fn from(value: $kind) -> Self {
                value.to_string().into()
            }
        }
    )*};
}

from_displayed!(bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64);

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "***" } else { "None" })
    }
}
