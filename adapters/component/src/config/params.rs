//! The parameters themselves.

use core::fmt;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::tuples::Tuples;
use super::value::ConfigValue;

/// Configuration parameters: texts under keys whose sections are separated by dots, such as
/// `connection.host`, in the order in which they were set.
///
/// Letter case counts, in keys and in values, as in most languages of the family; a component says
/// so when it is given `Host` for `host`. `Debug` shows the keys and no value, which may be a
/// password.
///
/// ```
/// use redlatch_component::ConfigParams;
///
/// let config = ConfigParams::from_tuples(("connection.host", "localhost", "connection.port", 6379));
/// let connection = config.get_section("connection");
/// assert_eq!(connection.get_as_string("host"), Some("localhost"));
/// assert_eq!(connection.get_as_integer("port")?, Some(6379));
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigParams {
    values: IndexMap<String, ConfigValue>,
}

/// Making them.
impl ConfigParams {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keys and values in turn: `from_tuples(("host", "localhost", "port", 6379))`, up to eight of
    /// each; or pairs: `from_tuples([("host", "localhost"), ("port", "6379")])`, any number. Of equal
    /// keys the last counts.
    #[must_use]
    pub fn from_tuples(tuples: impl Tuples) -> Self {
        let mut params = Self::new();
        tuples.each(|key, value| params.set(key, value));
        params
    }

    /// Reads `host=localhost;port=6379`. The first `=` of each part separates; spaces around keys and
    /// values are taken off; empty parts are skipped; `host=` is an empty text, and `host` is a key
    /// without a value. A value with a semicolon or with outer spaces needs
    /// [`ConfigParams::from_tuples`].
    #[must_use]
    pub fn from_string(text: &str) -> Self {
        let mut params = Self::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) => params.set(key.trim(), value.trim()),
                None => params.set(part, ConfigValue::NONE),
            }
        }
        params
    }

    /// Takes the parameters of any map, in the order that it has.
    #[must_use]
    pub fn from_map<K: Into<String>, V: Into<ConfigValue>>(
        map: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        map.into_iter().collect()
    }

    /// The parameters as a map. Keys without a value are `None`.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, Option<String>> {
        self.iter().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect()
    }
}

/// Changing them.
impl ConfigParams {
    /// Sets a parameter. One that is there keeps its place and gets the new value.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<ConfigValue>) {
        self.values.insert(key.into(), value.into());
    }

    /// Adds a parameter unless its key is there already. Whether it was added.
    pub fn add(&mut self, key: impl Into<String>, value: impl Into<ConfigValue>) -> bool {
        match self.values.entry(key.into()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(value.into());
                true
            }
        }
    }

    /// Removes a parameter. Whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.values.shift_remove(key).is_some()
    }

    /// Sets all parameters of `params` under `section`.
    pub fn add_section(&mut self, section: &str, params: &Self) {
        for (key, value) in &params.values {
            let key = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
            self.set(key, value.clone());
        }
    }

    /// These parameters with those of `params` set on top: on equal keys `params` counts, also with
    /// a key without a value.
    #[must_use]
    pub fn override_with(&self, params: &Self) -> Self {
        let mut merged = self.clone();
        merged.add_section("", params);
        merged
    }

    /// These parameters, and from `defaults` those whose keys are missing.
    #[must_use]
    pub fn with_defaults(&self, defaults: &Self) -> Self {
        let mut merged = self.clone();
        for (key, value) in &defaults.values {
            merged.add(key.clone(), value.clone());
        }
        merged
    }
}

/// Looking into them.
impl ConfigParams {
    /// Number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether the key is there, with or without a value.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// The text under a key. `None` when the key is missing or has no value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(ConfigValue::as_str)
    }

    /// Keys and texts in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names before the first dot of the keys, each once, in order. A key without a dot is a name
    /// by itself; a dot at the start of a key separates nothing.
    #[must_use]
    pub fn section_names(&self) -> Vec<String> {
        let names: indexmap::IndexSet<&str> = self.keys().map(section_name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The parameters whose keys begin with `section` and a dot, without these. The key `section`
    /// itself is not one of them.
    #[must_use]
    pub fn get_section(&self, section: &str) -> Self {
        let inside = |key: &str| {
            key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned)
        };
        let values = self.values.iter();
        let values = values.filter_map(|(key, value)| Some((inside(key)?, value.clone())));
        Self { values: values.collect() }
    }
}

fn section_name(key: &str) -> &str {
    match key.find('.') {
        None | Some(0) => key,
        Some(dot) => &key[..dot],
    }
}

impl<K: Into<String>, V: Into<ConfigValue>> FromIterator<(K, V)> for ConfigParams {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self { values: pairs.collect() }
    }
}

impl fmt::Debug for ConfigParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigParams ")?;
        f.debug_map().entries(&self.values).finish()
    }
}
