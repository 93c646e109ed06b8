//! Where connections and credentials are written.

use super::invalid;
use super::params::ConfigParams;
use super::schema::Schema;
use super::section::Section;
use crate::error::Error;

/// Where a kind of section is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The section of one: `connection`.
    pub(crate) single: &'static str,
    /// The section of named ones: `connections`.
    pub(crate) group: &'static str,
    /// What can be in one, also without any section.
    pub(crate) keys: &'static [&'static str],
}

impl Place {
    /// The sections in the order in which they were written: the named ones, or else the single one,
    /// or else what has no section.
    ///
    /// # Errors
    /// `UNKNOWN_KEY` for a key inside of them that is not known; `CONFIG_CONFLICT` when something
    /// without a section does not say the same as one of the sections.
    pub(crate) fn sections(&self, config: &ConfigParams) -> Result<Vec<Section>, Error> {
        self.check(config)?;
        let (root, found) = (self.root(config), self.written(config));
        if root.params().is_empty() {
            return Ok(found);
        }
        let Some(first) = found.first() else {
            return Ok(vec![root]);
        };
        let is_repeated =
            |key: &str, text| found.iter().any(|section| section.params().get(key) == text);
        match root.params().iter().find(|(key, text)| !is_repeated(key, *text)) {
            Some((key, _)) => Err(invalid::conflict(key, &first.key_or_section(key))),
            None => Ok(found),
        }
    }

    /// What is set without a section.
    fn root(&self, config: &ConfigParams) -> Section {
        let is_set = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        let ours = config.iter().filter(|(key, text)| self.keys.contains(key) && is_set(*text));
        Section::new(String::new(), ours.collect())
    }

    fn written(&self, config: &ConfigParams) -> Vec<Section> {
        let named = config.get_section(self.group);
        if named.is_empty() {
            let single = config.get_section(self.single);
            let single = (!single.is_empty()).then(|| Section::new(self.single.to_owned(), single));
            return single.into_iter().collect();
        }
        let names = named.section_names();
        let section =
            |name: String| Section::new(format!("{}.{name}", self.group), named.get_section(&name));
        names.into_iter().map(section).collect()
    }

    fn check(&self, config: &ConfigParams) -> Result<(), Error> {
        let sections = [(self.single, self.keys)];
        let groups = [(self.group, self.keys)];
        Schema { root: &[], sections: &sections, groups: &groups }.check_inside(config)
    }
}
