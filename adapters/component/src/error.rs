//! What went wrong, with the codes and categories of the family.

use core::error::Error as StdError;
use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

use crate::context::{Context, shown};

/// The codes of the errors that this crate makes. Those that the family has are spelt as there.
pub mod code {
    /// No connection is configured, or discovery knows none.
    pub const NO_CONNECTION: &str = "NO_CONNECTION";
    /// The component is used before `open` or after `close`.
    pub const NOT_OPENED: &str = "NOT_OPENED";
    /// The server could not be reached, or did not let us in.
    pub const CONNECT_FAILED: &str = "CONNECT_FAILED";
    /// Somebody else held the lock until the timeout; the detail `key` names it.
    pub const LOCK_TIMEOUT: &str = "LOCK_TIMEOUT";
    /// Nothing was found in the references under the detail `locator`.
    pub const REF_ERROR: &str = "REF_ERROR";
    /// A text is no descriptor; the detail `descriptor` repeats it.
    pub const BAD_DESCRIPTOR: &str = "BAD_DESCRIPTOR";
    /// No factory makes what the detail `locator` asks for.
    pub const CANNOT_CREATE: &str = "CANNOT_CREATE";
    /// A credential is missing: no store has it, or it lacks its password.
    pub const MISSING_CREDENTIALS: &str = "MISSING_CREDENTIALS";
    /// The configuration has a key that nothing reads; the detail `key` names it.
    pub const UNKNOWN_KEY: &str = "UNKNOWN_KEY";
    /// A value of the configuration is malformed or out of range; the detail `key` names it.
    pub const INVALID_VALUE: &str = "INVALID_VALUE";
    /// Two places of the configuration contradict each other; the details `key` and `other_key`
    /// name them.
    pub const CONFIG_CONFLICT: &str = "CONFIG_CONFLICT";
    /// The ttl of a lock is zero, negative or too long.
    pub const INVALID_TTL: &str = "INVALID_TTL";
    /// The timeout of an acquisition is negative.
    pub const INVALID_TIMEOUT: &str = "INVALID_TIMEOUT";
    /// The key of a lock is too long.
    pub const INVALID_KEY: &str = "INVALID_KEY";
    /// The server refused what was asked of it; the cause says why.
    pub const REFUSED: &str = "REFUSED";
    /// The server did not confirm the release in time. It is repeated until it does, or until the
    /// lock has expired.
    pub const UNCONFIRMED: &str = "UNCONFIRMED";
    /// The lock was acquired on other servers than those that are open now. It is left to its ttl.
    pub const OTHER_SERVERS: &str = "OTHER_SERVERS";
    /// The operating system gave no randomness, no threads or the like.
    pub const EXHAUSTED: &str = "EXHAUSTED";
    /// An async method that has to wait was called outside of a tokio runtime.
    pub const NO_RUNTIME: &str = "NO_RUNTIME";
}

/// Whose fault an error is. The names and the statuses are those of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Not known.
    Unknown,
    /// A mistake inside the program, such as a reference that is not there.
    Internal,
    /// The configuration cannot work.
    Misconfiguration,
    /// The component is not in a state that allows the call.
    InvalidState,
    /// Another system did not answer.
    NoResponse,
    /// Another system answered with an error.
    FailedInvocation,
    /// An argument cannot work.
    BadRequest,
    /// Another system did not accept the credentials.
    Unauthorized,
    /// What was asked for is not there.
    NotFound,
    /// Somebody else is in the way.
    Conflict,
    /// It cannot be done here.
    Unsupported,
}

impl Category {
    /// The name that the family uses in logs and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Internal => "Internal",
            Self::Misconfiguration => "Misconfiguration",
            Self::InvalidState => "InvalidState",
            Self::NoResponse => "NoResponse",
            Self::FailedInvocation => "FailedInvocation",
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::Unsupported => "Unsupported",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::Conflict => 409,
            _ => 500,
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call failed: a code for programs, one line for people, and never a secret.
///
/// `Display` shows the message, the code and the correlation id; the cause is
/// [`source`](StdError::source) and is not repeated. Cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    category: Category,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    correlation_id: Option<String>,
    details: Vec<(Cow<'static, str>, String)>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this category and code. For writers of components, who keep secrets out of the
    /// message: it is shown as it is.
    #[must_use]
    pub fn new(
        category: Category,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Arc::new(Parts {
            category,
            code: code.into(),
            message: message.into(),
            correlation_id: None,
            details: Vec::new(),
            cause: None,
        }))
    }

    /// The same error with the correlation id of this context, unless it has one already.
    #[must_use]
    pub fn in_context<'a>(self, context: impl Into<Context<'a>>) -> Self {
        match context.into().correlation_id() {
            Some(id) if self.0.correlation_id.is_none() => {
                self.with(|parts| parts.correlation_id = Some(id.to_owned()))
            }
            _ => self,
        }
    }

    /// The same error with one more detail. A detail of this name is replaced.
    #[must_use]
    pub fn with_detail(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.with(|parts| {
            parts.details.retain(|(known, _)| *known != name);
            parts.details.push((name, value));
        })
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_cause(self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|parts| parts.cause = Some(Arc::new(cause)))
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whose fault it is.
    #[must_use]
    pub fn category(&self) -> Category {
        self.0.category
    }

    /// What happened, for programs: one of [`code`], or what the writer of a component chose.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status that goes with the category.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.category.status()
    }

    /// What happened and what to do, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The correlation id of the call that failed, if it had one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The detail of this name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// All details, in the order in which they were added.
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.details.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}", self.0.message, self.0.code)?;
        if let Some(id) = &self.0.correlation_id {
            write!(f, ", correlation id {}", shown(id))?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("category", &self.0.category)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("correlation_id", &self.0.correlation_id)
            .field("details", &self.0.details)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, Error, code};
    use crate::context::Context;
    use core::error::Error as _;

    fn error() -> Error {
        Error::new(Category::Conflict, code::LOCK_TIMEOUT, "Somebody else holds it")
    }

    #[test]
    fn it_carries_all_that_the_family_puts_in() {
        let cause = std::io::Error::other("broken");
        let error = error().with_detail("key", "key1").in_context("123").with_cause(cause);
        assert_eq!(error.category(), Category::Conflict);
        assert_eq!((error.code(), error.status()), ("LOCK_TIMEOUT", 409));
        assert_eq!(error.correlation_id(), Some("123"));
        assert_eq!(error.detail("key"), Some("key1"));
        assert_eq!(error.detail("other"), None);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("broken"));
        assert_eq!(error.to_string(), "Somebody else holds it [LOCK_TIMEOUT, correlation id 123]");
        assert_eq!(error.message(), "Somebody else holds it");
    }

    #[test]
    fn the_first_context_and_the_last_detail_count() {
        let error = error().in_context(Context::NONE).in_context("inner").in_context("outer");
        assert_eq!(error.correlation_id(), Some("inner"));
        let error = error.with_detail("key", "a").with_detail("at", "b").with_detail("key", "c");
        assert_eq!(error.details().collect::<Vec<_>>(), [("at", "b"), ("key", "c")]);
    }

    #[test]
    fn a_clone_does_not_change_with_the_original() {
        let first = error();
        let second = first.clone().in_context("123");
        assert_eq!((first.correlation_id(), second.correlation_id()), (None, Some("123")));
        assert_eq!(first.to_string(), "Somebody else holds it [LOCK_TIMEOUT]");
    }

    #[test]
    fn a_correlation_id_stays_on_its_line() {
        let text = error().in_context("a\nb").to_string();
        assert_eq!(text, "Somebody else holds it [LOCK_TIMEOUT, correlation id a\\nb]");
    }

    #[test]
    fn every_category_has_its_name_and_status() {
        let cases = [
            (Category::Unknown, "Unknown", 500),
            (Category::Internal, "Internal", 500),
            (Category::Misconfiguration, "Misconfiguration", 500),
            (Category::InvalidState, "InvalidState", 500),
            (Category::NoResponse, "NoResponse", 500),
            (Category::FailedInvocation, "FailedInvocation", 500),
            (Category::BadRequest, "BadRequest", 400),
            (Category::Unauthorized, "Unauthorized", 401),
            (Category::NotFound, "NotFound", 404),
            (Category::Conflict, "Conflict", 409),
            (Category::Unsupported, "Unsupported", 500),
        ];
        for (category, name, status) in cases {
            assert_eq!((category.to_string().as_str(), category.status()), (name, status));
        }
    }

    #[test]
    fn it_can_be_shared_and_sent() {
        fn check<T: Clone + Send + Sync + core::error::Error + 'static>() {}
        check::<Error>();
    }
}
