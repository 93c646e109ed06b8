//! A strict reader of URLs: RFC 3986, section 3, nothing added and nothing forgiven.
//!
//! Only what begins with a scheme is read (section 3; no relative references, section 4.2). Every
//! component is checked against its characters (section 2 and Appendix A) and given as it was
//! written: nothing is normalised, and only [`decode`] takes percent-encoding away.
//!
//! A URL may hold a password, so nothing here has a `Debug`, and what is wrong is not told.

use core::net::Ipv6Addr;

/// `scheme ":" hier-part [ "?" query ] [ "#" fragment ]` (section 3).
pub(crate) struct Url<'a> {
    /// In the case it was written (section 3.1).
    pub(crate) scheme: &'a str,
    /// What follows `//`; it may be there and empty (section 3.2).
    pub(crate) authority: Option<Authority<'a>>,
    /// Empty or absolute if there is an authority (section 3.3).
    pub(crate) path: &'a str,
    /// Without the `?` (section 3.4).
    pub(crate) query: Option<&'a str>,
    /// Without the `#` (section 3.5).
    pub(crate) fragment: Option<&'a str>,
}

/// `[ userinfo "@" ] host [ ":" port ]` (section 3.2).
#[derive(Clone, Copy)]
pub(crate) struct Authority<'a> {
    /// Without the `@` (section 3.2.1).
    pub(crate) userinfo: Option<&'a str>,
    /// A name, an IPv4 address, or a literal with its brackets; may be empty (section 3.2.2).
    pub(crate) host: &'a str,
    /// Digits, of any value and number, even none (section 3.2.3).
    pub(crate) port: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// The components of `text`, or `None` if it is no URL.
    ///
    /// Each delimiter is forbidden in all components before it, so the first one found is the one
    /// the grammar means (Appendix B).
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (text, fragment) = cut(text, '#');
        let (text, query) = cut(text, '?');
        let (scheme, text) = text.split_once(':')?;
        let (authority, path) = match text.strip_prefix("//") {
            Some(text) => {
                let (authority, path) =
                    text.split_at_checked(text.find('/').unwrap_or(text.len()))?;
                (Some(Authority::parse(authority)?), path)
            }
            None => (None, text),
        };
        let valid = is_scheme(scheme)
            && is_made_of(is_path, path)
            && query.is_none_or(|query| is_made_of(is_query, query))
            && fragment.is_none_or(|fragment| is_made_of(is_query, fragment));
        valid.then_some(Self { scheme, authority, path, query, fragment })
    }
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (userinfo, text) = match text.split_once('@') {
            Some((userinfo, text)) => (Some(userinfo), text),
            None => (None, text),
        };
        let (host, port) = host_and_port(text)?;
        let valid = userinfo.is_none_or(|userinfo| is_made_of(is_userinfo, userinfo))
            && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        valid.then_some(Self { userinfo, host, port })
    }

    /// Whether nothing stands between `//` and the path.
    pub(crate) const fn is_empty(&self) -> bool {
        self.userinfo.is_none() && self.host.is_empty() && self.port.is_none()
    }
}

/// The host, checked, and the port, unchecked. Only within brackets may a host hold a colon.
fn host_and_port(text: &str) -> Option<(&str, Option<&str>)> {
    let end = match text.strip_prefix('[') {
        // Both brackets belong to the host.
        Some(inner) => inner.find(']')?.checked_add(2)?,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(end)?;
    let valid = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok() || is_future_address(literal),
        None => is_made_of(is_name, host),
    };
    let port = match rest {
        "" => None,
        rest => Some(rest.strip_prefix(':')?),
    };
    valid.then_some((host, port))
}

/// What stands before the first `delimiter`, and what after it.
fn cut(text: &str, delimiter: char) -> (&str, Option<&str>) {
    match text.split_once(delimiter) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Takes percent-encoding away (section 2.1). A `%` without two hexadecimal digits, which no
/// component of a [`Url`] has, stays.
pub(crate) fn decode(encoded: &str) -> Vec<u8> {
    // Never grown: that would leave a copy of half a password behind.
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&plain, after)) = rest.split_first() {
        let (byte, after) = octet(rest).unwrap_or((plain, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

/// The byte that `text` begins with in percent-encoding, and what follows (section 2.1).
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = text else {
        return None;
    };
    Some((nibble(*high)? << 4 | nibble(*low)?, rest))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Only bytes that are `allowed` and percent-encoded ones.
fn is_made_of(allowed: fn(u8) -> bool, text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((&plain, after)) = rest.split_first() {
        rest = match octet(rest) {
            Some((_, after)) => after,
            None if allowed(plain) => after,
            None => return false,
        };
    }
    true
}

/// Section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `IPvFuture` (section 3.2.2).
fn is_future_address(literal: &str) -> bool {
    let parts = literal.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(version, address)| {
        !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !address.is_empty()
            && address.bytes().all(is_userinfo)
    })
}

/// `unreserved` or one of `sub-delims` (section 2): all that a name is made of (section 3.2.2).
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// Section 3.2.1.
fn is_userinfo(byte: u8) -> bool {
    is_name(byte) || byte == b':'
}

/// `pchar`, and `/` between segments (section 3.3).
fn is_path(byte: u8) -> bool {
    is_userinfo(byte) || b"@/".contains(&byte)
}

/// Queries and fragments are alike (sections 3.4 and 3.5).
fn is_query(byte: u8) -> bool {
    is_path(byte) || byte == b'?'
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
