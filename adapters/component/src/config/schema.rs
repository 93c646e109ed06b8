//! Which keys a component reads.

use super::invalid;
use super::params::ConfigParams;
use crate::error::Error;

/// What a container leaves in the section of a component.
pub(crate) const OF_CONTAINERS: [&str; 2] = ["descriptor", "type"];

/// A section and the keys that are read from it.
type Known = (&'static str, &'static [&'static str]);

/// The keys that a component reads, by the section that they stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema<'a> {
    /// Keys without a section.
    pub(crate) root: &'a [&'static str],
    /// Keys of a section: `connection.host`.
    pub(crate) sections: &'a [Known],
    /// Keys of named sections: `connections.main.host`.
    pub(crate) groups: &'a [Known],
}

impl Schema<'_> {
    /// Whether every key is one that is read.
    ///
    /// # Errors
    /// `UNKNOWN_KEY` for the first that is not.
    pub(crate) fn check(&self, config: &ConfigParams) -> Result<(), Error> {
        config.keys().try_for_each(|key| match key.split_once('.') {
            None => self.check_root(key),
            Some((section, rest)) => {
                self.check_member(key, section, rest).unwrap_or_else(|| self.stray(key, section))
            }
        })
    }

    /// Whether every key of these sections is one that is read, whatever else there is.
    ///
    /// # Errors
    /// As [`Schema::check`].
    pub(crate) fn check_inside(&self, config: &ConfigParams) -> Result<(), Error> {
        config.keys().filter_map(|key| Some((key, key.split_once('.')?))).try_for_each(
            |(key, (section, rest))| self.check_member(key, section, rest).unwrap_or(Ok(())),
        )
    }

    fn check_root(&self, key: &str) -> Result<(), Error> {
        if self.root.contains(&key) || OF_CONTAINERS.contains(&key) {
            return Ok(());
        }
        Err(invalid::unknown(key, &hint(key, self.root.iter().copied())))
    }

    /// `None` for a section that is not known.
    fn check_member(&self, key: &str, section: &str, rest: &str) -> Option<Result<(), Error>> {
        if let Some((_, known)) = find(self.sections, section) {
            return Some(member(key, rest, known));
        }
        let (group, known) = find(self.groups, section)?;
        Some(match rest.split_once('.') {
            Some((_, rest)) => member(key, rest, known),
            None => Err(invalid::unknown(key, &format!("write {group}.<name>.<key>"))),
        })
    }

    fn stray(&self, key: &str, section: &str) -> Result<(), Error> {
        let names = self.sections.iter().chain(self.groups).map(|(name, _)| *name);
        Err(invalid::unknown(key, &hint(section, names)))
    }
}

fn find<'a>(sections: &'a [Known], name: &str) -> Option<&'a Known> {
    sections.iter().find(|(known, _)| *known == name)
}

fn member(key: &str, rest: &str, known: &[&str]) -> Result<(), Error> {
    if known.contains(&rest) {
        return Ok(());
    }
    Err(invalid::unknown(key, &hint(rest, known.iter().copied())))
}

/// What could be meant by `name`: a name in another case, or else the names that there are.
fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match known.clone().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(meant) => format!("letter case counts: write {meant}"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}
