//! The parameters of one connection or one credential, and where they were written.

use core::fmt;

use super::invalid;
use super::params::ConfigParams;
use crate::error::Error;

/// Some parameters and the section where they were written, so that errors can name whole keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Section {
    at: String,
    params: ConfigParams,
}

impl Section {
    pub(crate) const fn new(at: String, params: ConfigParams) -> Self {
        Self { at, params }
    }

    pub(crate) const fn params(&self) -> &ConfigParams {
        &self.params
    }

    pub(crate) fn into_params(self) -> ConfigParams {
        self.params
    }

    /// The whole key, as the user wrote it.
    pub(crate) fn key(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// The whole key, or the section where it is missing.
    pub(crate) fn key_or_section(&self, name: &str) -> String {
        if self.params.contains_key(name) { self.key(name) } else { self.at.clone() }
    }

    /// A text as it is, unless it is blank.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.params.get(name).filter(|text| !text.trim().is_empty())
    }

    /// A text without spaces around it, unless it is blank.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim)
    }

    /// The parameter under either of two names, with the name that it has.
    ///
    /// # Errors
    /// `CONFIG_CONFLICT` when both are there and differ.
    pub(crate) fn either<'a>(
        &'a self,
        name: &'static str,
        alias: &'static str,
    ) -> Result<Option<(&'static str, &'a str)>, Error> {
        match (self.raw(name), self.raw(alias)) {
            (Some(one), Some(two)) if one != two => {
                Err(invalid::conflict(&self.key(name), &self.key(alias)))
            }
            (Some(text), _) => Ok(Some((name, text))),
            (None, Some(text)) => Ok(Some((alias, text))),
            (None, None) => Ok(None),
        }
    }

    /// These parameters with what was `found` elsewhere set on top. Where the finding has one of the
    /// first names of a rule, the parameters of its second names are left out.
    pub(crate) fn overridden_by(&self, found: &ConfigParams, rules: &[Displaces]) -> Self {
        let mut kept = self.params.clone();
        for (names, displaced) in rules {
            if names.iter().any(|name| found.get(name).is_some()) {
                displaced.iter().for_each(|name| {
                    kept.remove(name);
                });
            }
        }
        Self { at: self.at.clone(), params: kept.override_with(found) }
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.params.keys().map(|name| self.key(name))).finish()
    }
}

/// Names, and the names that they displace.
pub(crate) type Displaces = (&'static [&'static str], &'static [&'static str]);
