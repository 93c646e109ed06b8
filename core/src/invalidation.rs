//! A server tells that keys have changed.

use crate::resp::{Elements, Reply};

/// Which keys have changed, as a push says.
///
/// Source: [client-side caching](https://redis.io/docs/latest/develop/reference/client-side-caching/),
/// section "The Redis implementation of client-side caching".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidation<'a> {
    /// These.
    Keys(Elements<'a>),
    /// Perhaps all: the database was flushed, or what the push said was not kept.
    All,
}

impl<'a> Invalidation<'a> {
    /// Reads a push. `None` when it is about something else.
    #[must_use]
    pub fn read(push: Reply<'a>) -> Option<Self> {
        let mut elements = match push {
            Reply::Push(elements) => elements,
            Reply::TooLong => return Some(Self::All),
            _ => return None,
        };
        let (Reply::Bulk(b"invalidate") | Reply::Simple(b"invalidate")) = elements.next()? else {
            return None;
        };
        Some(match elements.next()? {
            Reply::Array(keys) => Self::Keys(keys),
            _ => Self::All,
        })
    }

    /// Whether this key may have changed.
    #[must_use]
    pub fn covers(&self, key: &[u8]) -> bool {
        match *self {
            Self::Keys(mut keys) => {
                keys.any(|changed| matches!(changed, Reply::Bulk(changed) if changed == key))
            }
            Self::All => true,
        }
    }
}
