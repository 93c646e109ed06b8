//! What a lock is taken on.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

use bytes::Bytes;

/// The key of a lock: any bytes, the same on every server and for every client that shall exclude
/// others.
///
/// Made of a string or of bytes. Those that are owned, and [`Bytes`], are taken over without a copy;
/// a clone shares them. `Debug` and `Display` show it escaped, on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Bytes);

impl Key {
    /// The key without a copy, to be used again.
    #[must_use]
    pub const fn as_shared(&self) -> &Bytes {
        &self.0
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// So that it is found by its bytes.
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<Bytes> for Key {
    fn from(key: Bytes) -> Self {
        Self(key)
    }
}

impl From<Vec<u8>> for Key {
    fn from(key: Vec<u8>) -> Self {
        Self(key.into())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self(key.into())
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
        Self(Bytes::copy_from_slice(key))
    }
}

impl<const LEN: usize> From<&[u8; LEN]> for Key {
    fn from(key: &[u8; LEN]) -> Self {
        key.as_slice().into()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use bytes::Bytes;

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
    fn what_is_owned_is_not_copied() {
        let vec = vec![b'k'; 100];
        let at = vec.as_ptr();
        let key = Key::from(vec);
        assert_eq!(key.as_shared().as_ptr(), at);
        assert_eq!(key.clone().as_shared().as_ptr(), at);
    }

    #[test]
    fn any_bytes_are_shown_on_one_line() {
        let key = Key::from(b"a\n\xff\"b");
        assert_eq!(format!("{key} {key:?}"), r#"a\n\xff\"b Key(a\n\xff\"b)"#);
    }
}
