//! Sections whose names are keys for others.

use indexmap::IndexMap;

use super::invalid;
use super::params::ConfigParams;
use super::schema::OF_CONTAINERS;
use crate::error::Error;

/// The sections `<key>.*` and `<group>.<key>.*` by their keys, in order.
///
/// # Errors
/// `UNKNOWN_KEY` for a parameter without a section.
pub(crate) fn keyed(
    config: &ConfigParams,
    group: &str,
) -> Result<IndexMap<String, ConfigParams>, Error> {
    let mut found: IndexMap<String, ConfigParams> = IndexMap::new();
    for (whole, value) in config.iter() {
        let inside = whole.strip_prefix(group).and_then(|rest| rest.strip_prefix('.'));
        let key = inside.filter(|rest| rest.contains('.')).unwrap_or(whole);
        match key.split_once('.') {
            Some((key, name)) => found.entry(key.to_owned()).or_default().set(name, value),
            None if OF_CONTAINERS.contains(&whole) => {}
            None => return Err(invalid::unknown(whole, "write <key>.<parameter>")),
        }
    }
    Ok(found)
}
