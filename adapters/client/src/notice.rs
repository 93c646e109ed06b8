//! What a server said, made fit to be shown.

use core::fmt;
use std::sync::Arc;

use redlatch_core::{Refusal, Token};

/// Most bytes of server text that are kept.
const BYTES_MAX: usize = 120;
/// So many hexadecimal digits in a row may be a token of ours, whole or cut off.
const HEX_RUN: usize = Token::LEN / 4;

/// A refusal with the server's own words: printable, on one line, cut to 120 bytes, and without
/// passwords and tokens, which servers like to repeat. Refused logins come without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    refusal: Refusal,
    text: Option<Arc<str>>,
}

impl Notice {
    /// Classifies an error line and cleans it. `password` is what must not appear in it.
    #[must_use]
    pub fn from_line(line: &[u8], password: Option<&[u8]>) -> Self {
        let refusal = Refusal::classify(line);
        let text = match refusal {
            Refusal::NoAuth | Refusal::WrongPassword | Refusal::PasswordNotSet => None,
            _ => clean(line, password),
        };
        Self { refusal, text }
    }

    /// What the refusal means.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        self.refusal
    }
}

impl From<Refusal> for Notice {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, text: None }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)?;
        match &self.text {
            Some(text) => write!(f, " (it said: {text})"),
            None => Ok(()),
        }
    }
}

fn clean(line: &[u8], password: Option<&[u8]>) -> Option<Arc<str>> {
    // Servers cut the arguments that they repeat anywhere, also inside a secret.
    if find(line, b"with args beginning with").is_some() {
        return None;
    }
    let line = without(line, password.unwrap_or_default());
    let mut text = String::new();
    for run in line.chunk_by(|a, b| is_hex(*a) && is_hex(*b)) {
        if run.len() >= HEX_RUN && run.iter().copied().all(is_hex) {
            text.push_str("***");
        } else {
            run.iter().for_each(|byte| push_visible(&mut text, *byte));
        }
    }
    text.truncate(BYTES_MAX);
    (!text.is_empty()).then(|| text.into())
}

fn push_visible(text: &mut String, byte: u8) {
    match byte {
        b' '..=b'~' => text.push(char::from(byte)),
        _ => text.extend(byte.escape_ascii().map(char::from)),
    }
}

/// `line` with every occurrence of `secret` taken out.
fn without(mut line: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(line.len());
    while let Some(at) = find(line, secret) {
        rest.extend_from_slice(&line[..at]);
        rest.extend_from_slice(b"***");
        line = &line[at + secret.len()..];
    }
    rest.extend_from_slice(line);
    rest
}

fn find(line: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    line.windows(part.len()).position(|window| window == part)
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::Notice;
    use redlatch_core::Refusal;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

    fn said(line: &str) -> String {
        Notice::from_line(line.as_bytes(), Some(b"sentinel")).to_string()
    }

    /// Requirement 18: text of the server is cut and escaped.
    #[test]
    fn text_is_printable_on_one_line_and_short() {
        let long = said(&format!("ERR \x1b[2J\r\n\u{e9}{}", "x".repeat(500)));
        assert!(long.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{long}");
        assert!(long.contains("(it said: ERR \\x1b[2J\\r\\n\\xc3\\xa9xxx"), "{long}");
        assert!(long.len() < 200, "{long}");
        assert!(said("ERR can't \"do\" \\").contains("ERR can't \"do\" \\"));
        assert_eq!(said(""), Refusal::Other.to_string());
    }

    /// Requirement 18: no secret in messages.
    #[test]
    fn passwords_and_tokens_are_taken_out() {
        let lines = [
            format!("ERR no key sentinel, {TOKEN}!"),
            format!("ERR sentinelsentinel {}", &TOKEN[..12]),
            "WRONGPASS of sentinel".to_owned(),
            "NOAUTH sent".to_owned(),
            "ERR unknown command 'SET', with args beginning with: 'k' 'sent".to_owned(),
        ];
        for line in lines {
            let notice = Notice::from_line(line.as_bytes(), Some(b"sentinel"));
            let shown = format!("{notice} {notice:?}");
            assert!(!shown.contains("sent") && !shown.contains("0123456789"), "{shown}");
        }
        assert!(said("ERR sentinel, please").contains("(it said: ERR ***, please)"));
        assert!(said("MISCONF 9 facade decade").contains("MISCONF 9 facade decade"));
    }
}
