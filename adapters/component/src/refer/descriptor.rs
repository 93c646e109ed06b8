//! What a component is called.

use core::fmt;
use core::str::FromStr;

use crate::context::shown;
use crate::error::{Category, Error, code};

const FIELDS: usize = 5;
const ANY: &str = "*";

/// The name of a component, or a pattern for such names: `group:type:kind:name:version`, where `*`
/// stands for anything. Letter case counts; versions are compared as text and have no order.
///
/// ```
/// use redlatch_component::Descriptor;
///
/// let pattern: Descriptor = "pip-services:lock:redis:*:1.0".parse()?;
/// let name: Descriptor = "pip-services:lock:redis:orders:1.0".parse()?;
/// assert!(name.matches(&pattern) && !name.exact_match(&pattern));
/// assert_eq!(pattern.to_string(), "pip-services:lock:redis:*:1.0");
/// # Ok::<(), redlatch_component::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Descriptor([Option<Box<str>>; FIELDS]);

impl Descriptor {
    /// A descriptor of these five fields. `*` and an empty text stand for anything.
    #[must_use]
    pub fn new(group: &str, kind_of: &str, kind: &str, name: &str, version: &str) -> Self {
        Self([group, kind_of, kind, name, version].map(field))
    }

    /// The group, such as `pip-services`. `None` stands for any, here and below.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.0[0].as_deref()
    }

    /// The type, such as `lock`. It is spelt `type_`, because `type` is a keyword.
    #[must_use]
    pub fn type_(&self) -> Option<&str> {
        self.0[1].as_deref()
    }

    /// The kind, such as `redis`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.0[2].as_deref()
    }

    /// The name, such as `default`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0[3].as_deref()
    }

    /// The version, such as `1.0`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0[4].as_deref()
    }

    /// Whether all five fields are equal, where `*` on either side is equal to anything.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let mut fields = self.0.iter().zip(&other.0);
        fields.all(|(one, two)| one.is_none() || two.is_none() || one == two)
    }

    /// Whether all five fields are equal, where `*` is equal to `*` only.
    #[must_use]
    pub fn exact_match(&self, other: &Self) -> bool {
        self == other
    }

    /// Whether no field is `*`.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }
}

fn field(text: &str) -> Option<Box<str>> {
    match text.trim() {
        "" | ANY => None,
        text => Some(text.into()),
    }
}

impl FromStr for Descriptor {
    type Err = Error;

    /// Reads five fields separated by colons. Spaces around a field do not count.
    ///
    /// # Errors
    /// [`BAD_DESCRIPTOR`](code::BAD_DESCRIPTOR) when the fields are not five.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fields: Vec<_> = text.split(':').map(field).collect();
        fields.try_into().map(Self).map_err(|_| bad(text))
    }
}

fn bad(text: &str) -> Error {
    let message = format!(
        "Descriptor {} is in wrong format; write group:type:kind:name:version, with * for anything",
        shown(text)
    );
    Error::new(Category::Misconfiguration, code::BAD_DESCRIPTOR, message)
        .with_detail("descriptor", text)
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, field) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{}", field.as_deref().unwrap_or(ANY))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptor({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Descriptor;

    fn parsed(text: &str) -> Descriptor {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn five_fields_are_read_and_written() {
        let cases = [
            ("a:b:c:d:1.0", "a:b:c:d:1.0"),
            (" a : b:c :d: 1.0 ", "a:b:c:d:1.0"),
            ("*:discovery:*:*:1.0", "*:discovery:*:*:1.0"),
            ("::::", "*:*:*:*:*"),
            ("ä:b b:c:d:1.0", "ä:b b:c:d:1.0"),
        ];
        for (text, written) in cases {
            assert_eq!(parsed(text).to_string(), written, "{text}");
            assert_eq!(parsed(written), parsed(text), "{text}");
        }
        let one = parsed("a:b:c:d:1.0");
        assert_eq!(one, Descriptor::new("a", "b", "c", "d", "1.0"));
        assert_eq!((one.group(), one.type_(), one.kind()), (Some("a"), Some("b"), Some("c")));
        assert_eq!((one.name(), one.version()), (Some("d"), Some("1.0")));
        assert!(one.is_complete() && !parsed("a:b:c:*:1.0").is_complete());
    }

    #[test]
    fn anything_but_five_fields_is_an_error() {
        for text in ["", "a", "a:b:c:d", "a:b:c:d:e:f"] {
            let error = text.parse::<Descriptor>().expect_err(text);
            assert_eq!((error.code(), error.detail("descriptor")), ("BAD_DESCRIPTOR", Some(text)));
        }
        let error = "a:b\n".parse::<Descriptor>().expect_err("two fields");
        assert_eq!(
            error.to_string(),
            "Descriptor a:b\\n is in wrong format; write group:type:kind:name:version, with * for \
             anything [BAD_DESCRIPTOR]"
        );
    }

    #[test]
    fn a_star_on_either_side_matches_anything() {
        let cases = [
            ("a:b:c:d:1.0", "a:b:c:d:1.0", true, true),
            ("a:b:c:d:1.0", "*:b:*:*:1.0", true, false),
            ("*:*:*:*:*", "a:b:c:d:1.0", true, false),
            ("a:*:c:d:1.0", "*:b:c:d:1.0", true, false),
            ("a:*:c:d:1.0", "a:*:c:d:1.0", true, true),
            ("a:b:c:d:1.0", "a:b:c:d:2.0", false, false),
            ("a:b:c:d:1.0", "a:b:c:d:1.00", false, false),
            ("a:b:c:d:1.0", "A:b:c:d:1.0", false, false),
            ("a:b:c:d:1.0", "a:b:c:x:*", false, false),
        ];
        for (one, two, matches, exactly) in cases {
            let (first, second) = (parsed(one), parsed(two));
            assert_eq!(first.matches(&second), matches, "{one} {two}");
            assert_eq!(second.matches(&first), matches, "{two} {one}");
            assert_eq!(first.exact_match(&second), exactly, "{one} {two}");
        }
    }
}
