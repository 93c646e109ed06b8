//! Databases, keys, and when they end.

use std::collections::{BTreeMap, BTreeSet};

/// A moment on the server's own clock, in microseconds. Wide and signed: the clock can be stepped
/// back before its start, and the longest ttl in milliseconds is an `i64`.
pub(crate) type ServerTime = i128;

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(Vec<u8>),
    /// A hash: another type, which no lock of ours can be.
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
}

impl Value {
    /// The bytes of a string; nothing of another type.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(bytes) => Some(bytes),
            Self::Hash(_) => None,
        }
    }
}

/// A value and the moment it ends, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) expiry: Option<ServerTime>,
}

/// All databases, and an index of the moments at which keys end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyspace {
    databases: BTreeMap<usize, BTreeMap<Vec<u8>, Entry>>,
    deadlines: BTreeSet<(ServerTime, usize, Vec<u8>)>,
}

impl Keyspace {
    pub(crate) fn get(&self, database: usize, key: &[u8]) -> Option<&Entry> {
        self.databases.get(&database)?.get(key)
    }

    pub(crate) fn value_mut(&mut self, database: usize, key: &[u8]) -> Option<&mut Value> {
        Some(&mut self.databases.get_mut(&database)?.get_mut(key)?.value)
    }

    pub(crate) fn insert(&mut self, database: usize, key: &[u8], entry: Entry) {
        self.remove(database, key);
        if let Some(expiry) = entry.expiry {
            self.deadlines.insert((expiry, database, key.to_vec()));
        }
        self.databases.entry(database).or_default().insert(key.to_vec(), entry);
    }

    pub(crate) fn remove(&mut self, database: usize, key: &[u8]) -> Option<Entry> {
        let entry = self.databases.get_mut(&database)?.remove(key)?;
        if let Some(expiry) = entry.expiry {
            self.deadlines.remove(&(expiry, database, key.to_vec()));
        }
        Some(entry)
    }

    pub(crate) fn keys(&self, database: usize) -> impl Iterator<Item = &[u8]> {
        self.databases.get(&database).into_iter().flat_map(BTreeMap::keys).map(Vec::as_slice)
    }

    pub(crate) fn len(&self, database: usize) -> usize {
        self.databases.get(&database).map_or(0, BTreeMap::len)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes one key whose time is over.
    pub(crate) fn pop_expired(&mut self, now: ServerTime) -> Option<(usize, Vec<u8>, Entry)> {
        if self.next_expiry()? > now {
            return None;
        }
        let (_, database, key) = self.deadlines.pop_first()?;
        let entry = self.databases.get_mut(&database)?.remove(&key)?;
        Some((database, key, entry))
    }

    pub(crate) fn next_expiry(&self) -> Option<ServerTime> {
        self.deadlines.first().map(|(expiry, ..)| *expiry)
    }
}
