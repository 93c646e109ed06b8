//! Requests: arrays of bulk strings, read from bytes that arrive in any pieces.
//!
//! This parser shares no code with the one under test. It is stricter than a real server, which
//! looks for CR alone and does not check the end of a bulk string: here every terminator must be
//! exact, so a wrong byte from an encoder is seen. Inline commands are refused.

/// Most arguments of one request.
const ARGUMENTS: i64 = 1024;
/// Longest argument, in bytes.
const ARGUMENT_BYTES: i64 = 1 << 20;
/// Most bytes of all arguments of one request.
const REQUEST_BYTES: usize = 4 << 20;
/// Longest line that announces a count or a length. A real server has the same limit.
const LINE_BYTES: usize = 64 * 1024;
/// What a real server allows before authentication.
const STRANGER_ARGUMENTS: i64 = 10;
const STRANGER_ARGUMENT_BYTES: i64 = 16 * 1024;

/// The arguments of one request; the first is the name of the command.
pub(crate) type Request = Vec<Vec<u8>>;

/// What is wrong with the bytes: the text of the error reply that goes before the end.
pub(crate) type Broken = String;

/// Bytes in, requests out. Never looks at a byte of an argument twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    input: Vec<u8>,
    /// Bytes of `input` that are done with.
    used: usize,
    /// Bytes after `used` in which no CR LF has been found.
    searched: usize,
    /// Arguments still to come.
    missing: usize,
    /// Length of the argument that is coming.
    length: Option<usize>,
    arguments: Request,
    /// Bytes of all arguments so far.
    size: usize,
}

impl Requests {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next whole request. `stranger`: the sender has not authenticated.
    pub(crate) fn next(&mut self, stranger: bool) -> Result<Option<Request>, Broken> {
        loop {
            if self.missing == 0 {
                let Some(line) = self.line("too big mbulk count string")? else { return Ok(None) };
                self.missing = count(&line, stranger)?;
                continue;
            }
            let Some(length) = self.length else {
                let Some(line) = self.line("too big bulk count string")? else { return Ok(None) };
                self.length = Some(self.announced(&line, stranger)?);
                continue;
            };
            let Some(argument) = self.argument(length)? else { return Ok(None) };
            self.length = None;
            self.arguments.push(argument);
            self.missing -= 1;
            if self.missing == 0 {
                self.size = 0;
                return Ok(Some(core::mem::take(&mut self.arguments)));
            }
        }
    }

    fn announced(&mut self, line: &[u8], stranger: bool) -> Result<usize, Broken> {
        let length = length(line, stranger)?;
        self.size += length;
        if self.size > REQUEST_BYTES {
            return Err(broken("invalid bulk length"));
        }
        Ok(length)
    }

    /// Takes a line without its CR LF.
    fn line(&mut self, too_long: &str) -> Result<Option<Vec<u8>>, Broken> {
        let rest = &self.input[self.used..];
        let from = self.searched.saturating_sub(1);
        let Some(found) = rest[from..].windows(2).position(|pair| pair == b"\r\n") else {
            self.searched = rest.len();
            return if rest.len() > LINE_BYTES { Err(broken(too_long)) } else { Ok(None) };
        };
        let line = rest[..from + found].to_vec();
        self.used += line.len() + 2;
        self.searched = 0;
        Ok(Some(line))
    }

    fn argument(&mut self, length: usize) -> Result<Option<Vec<u8>>, Broken> {
        let rest = &self.input[self.used..];
        let Some(end) = rest.get(length..length + 2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err(broken("bulk string without its end"));
        }
        let argument = rest[..length].to_vec();
        self.used += length + 2;
        Ok(Some(argument))
    }
}

fn count(line: &[u8], stranger: bool) -> Result<usize, Broken> {
    let Some((b'*', digits)) = line.split_first() else {
        return Err(broken(&format!("expected '*', got '{}'", shown(line))));
    };
    match integer(digits) {
        Some(count) if stranger && count > STRANGER_ARGUMENTS => {
            Err(broken("unauthenticated multibulk length"))
        }
        Some(count) if count <= ARGUMENTS => Ok(usize::try_from(count).unwrap_or(0)),
        _ => Err(broken("invalid multibulk length")),
    }
}

fn length(line: &[u8], stranger: bool) -> Result<usize, Broken> {
    let Some((b'$', digits)) = line.split_first() else {
        return Err(broken(&format!("expected '$', got '{}'", shown(line))));
    };
    match integer(digits) {
        Some(length) if stranger && length > STRANGER_ARGUMENT_BYTES => {
            Err(broken("unauthenticated bulk length"))
        }
        Some(length) if length <= ARGUMENT_BYTES => {
            usize::try_from(length).map_err(|_| broken("invalid bulk length"))
        }
        _ => Err(broken("invalid bulk length")),
    }
}

fn shown(line: &[u8]) -> char {
    line.first().map_or(' ', |&byte| char::from(byte))
}

fn broken(what: &str) -> Broken {
    format!("ERR Protocol error: {what}")
}

/// An integer as servers accept it: no sign but `-`, no leading zero, no space.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [] => false,
        [b'0'] => text.len() == 1,
        [first, ..] => *first != b'0' && digits.iter().all(u8::is_ascii_digit),
    };
    if !canonical {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}
