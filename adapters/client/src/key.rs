//! What a lock is taken on.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

use crate::room::Shared;

/// Longest key that is kept in place.
const SHORT: usize = 46;

/// The key of a lock: any bytes, the same on every server and for every client that shall exclude
/// others.
///
/// Made of a string or of bytes. A short one is kept in place, without an allocation; long ones that are
/// owned, and long `bytes::Bytes`, are taken over without a copy, and a clone shares them. `Debug` and
/// `Display` show it escaped, on one line.
#[derive(Clone)]
pub struct Key(Kept);

#[derive(Clone)]
enum Kept {
    Short { len: u8, bytes: [u8; SHORT] },
    Shared(Shared),
}

impl Key {
    /// The key, to be used again; a long one without a copy.
    #[cfg(feature = "bytes")]
    #[must_use]
    pub fn to_shared(&self) -> bytes::Bytes {
        match &self.0 {
            Kept::Short { .. } => Shared::copy_from_slice(self),
            Kept::Shared(key) => key.clone(),
        }
    }

    fn short(key: &[u8]) -> Option<Self> {
        let len = u8::try_from(key.len()).ok()?;
        let mut bytes = [0; SHORT];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self(Kept::Short { len, bytes }))
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Shared(key) => key,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// So that it is found by its bytes.
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

#[cfg(feature = "bytes")]
impl From<bytes::Bytes> for Key {
    fn from(key: bytes::Bytes) -> Self {
        Self::short(&key).unwrap_or(Self(Kept::Shared(key)))
    }
}

impl From<Vec<u8>> for Key {
    fn from(key: Vec<u8>) -> Self {
        Self::short(&key).unwrap_or_else(|| Self(Kept::Shared(Shared::from(key))))
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        key.into_bytes().into()
    }
}

impl From<&String> for Key {
    fn from(key: &String) -> Self {
        key.as_str().into()
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        key.as_bytes().into()
    }
}

impl From<&[u8]> for Key {
    fn from(key: &[u8]) -> Self {
        Self::short(key).unwrap_or_else(|| Self(Kept::Shared(Shared::from(key.to_vec()))))
    }
}

impl<const LEN: usize> From<&[u8; LEN]> for Key {
    fn from(key: &[u8; LEN]) -> Self {
        key.as_slice().into()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, SHORT};
    use bytes::Bytes;
    use std::collections::HashSet;

    #[test]
    fn every_kind_of_string_is_the_same_key() {
        let owned = String::from("key");
        let bytes: &[u8] = b"key";
        let keys: [Key; 7] = [
            "key".into(),
            (&owned).into(),
            bytes.into(),
            b"key".into(),
            bytes.to_vec().into(),
            Bytes::from_static(b"key").into(),
            owned.into(),
        ];
        for key in keys {
            assert_eq!(key.as_ref(), b"key");
        }
    }

    #[test]
    fn what_is_owned_and_long_is_not_copied() {
        let vec = vec![b'k'; 100];
        let at = vec.as_ptr();
        let key = Key::from(vec);
        assert_eq!(key.to_shared().as_ptr(), at);
        assert_eq!(key.clone().to_shared().as_ptr(), at);
    }

    /// On both sides of the length that is kept in place.
    #[test]
    fn keys_of_every_length_are_whole_and_equal_however_they_were_made() {
        let long: Vec<u8> = (0..=255).collect();
        let mut keys = HashSet::new();
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 256] {
            let bytes = &long[..len];
            let (copied, owned) = (Key::from(bytes), Key::from(bytes.to_vec()));
            assert_eq!((&*copied, &*owned.to_shared()), (bytes, bytes), "{len}");
            assert!(keys.insert(copied) && !keys.insert(owned), "{len}");
            assert!(keys.contains(&Key::from(Bytes::copy_from_slice(bytes))), "{len}");
        }
        assert_eq!(size_of::<Key>(), 48, "as long keys fit in place as cost nothing");
    }

    #[test]
    fn any_bytes_are_shown_on_one_line() {
        let key = Key::from(b"a\n\xff\"b");
        assert_eq!(format!("{key} {key:?}"), r#"a\n\xff\"b Key(a\n\xff\"b)"#);
    }
}
