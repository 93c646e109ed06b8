//! Who is asking.

use core::fmt;

/// Longest part of a correlation id that is shown, in characters.
const SHOWN_MAX: usize = 100;

/// What a call is part of: the correlation id, which is repeated in every error of that call.
///
/// Every method that takes one also takes what turns into one: `"123"`, `None`, `Some("123")`, or a
/// context. Trait objects take a context only: `lock.release_lock("123".into(), "key1")`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context<'a> {
    correlation_id: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// No correlation id.
    pub const NONE: Self = Self { correlation_id: None };

    /// A context with this correlation id.
    #[must_use]
    pub const fn new(correlation_id: &'a str) -> Self {
        Self { correlation_id: Some(correlation_id) }
    }

    /// The correlation id; the later languages of the family call it trace id.
    #[must_use]
    pub const fn correlation_id(self) -> Option<&'a str> {
        self.correlation_id
    }
}

impl<'a> From<&'a str> for Context<'a> {
    fn from(correlation_id: &'a str) -> Self {
        Self::new(correlation_id)
    }
}

impl<'a> From<&'a String> for Context<'a> {
    fn from(correlation_id: &'a String) -> Self {
        Self::new(correlation_id)
    }
}

impl<'a> From<Option<&'a str>> for Context<'a> {
    fn from(correlation_id: Option<&'a str>) -> Self {
        Self { correlation_id }
    }
}

/// Text of the caller on one line, cut where it gets long.
pub(crate) fn shown(text: &str) -> impl fmt::Display {
    let cut = text.chars().count() > SHOWN_MAX;
    let kept: String = text.chars().take(SHOWN_MAX).collect();
    format!("{}{}", kept.escape_debug(), if cut { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::{Context, shown};

    fn id<'a>(context: impl Into<Context<'a>>) -> Option<&'a str> {
        context.into().correlation_id()
    }

    #[test]
    fn a_text_none_and_a_context_are_contexts() {
        let owned = String::from("123");
        assert_eq!(id("123"), Some("123"));
        assert_eq!(id(&owned), Some("123"));
        assert_eq!(id(Some("123")), Some("123"));
        assert_eq!(id(owned.as_str()), Some("123"));
        assert_eq!(id(None), None);
        assert_eq!(id(Context::new("123")), Some("123"));
        assert_eq!(id(Context::NONE), None);
        assert_eq!(id(""), Some(""));
    }

    #[test]
    fn what_is_shown_is_one_line_and_short() {
        assert_eq!(shown("a\nb \"ü\" \x1b").to_string(), r#"a\nb \"ü\" \u{1b}"#);
        assert_eq!(shown(&"ä".repeat(500)).to_string(), format!("{}…", "ä".repeat(100)));
    }
}
