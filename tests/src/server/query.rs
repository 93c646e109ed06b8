//! A small blocking RESP2 client, for looking into a server. It is written apart from the crates under
//! test on purpose, and trusts the server that the test itself has started.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `+`
    Simple(String),
    /// `-`
    Error(String),
    /// `:`
    Integer(i64),
    /// `$`
    Bulk(Vec<u8>),
    /// `$-1` and `*-1`
    Nil,
    /// `*`
    Array(Vec<Self>),
}

impl Value {
    /// The reply as text, for messages and simple comparisons. Nil is empty, the elements of an array are lines.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Simple(text) | Self::Error(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Nil => String::new(),
            Self::Array(values) => values.iter().map(Self::text).collect::<Vec<_>>().join("\n"),
        }
    }

    /// The number, where the reply is one.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

/// A connection for looking into a server.
#[derive(Debug)]
pub struct Inspector {
    stream: BufReader<TcpStream>,
}

impl Inspector {
    /// Connects, and logs in where there is a password.
    ///
    /// # Errors
    /// Nobody accepts, the password is refused, or that takes longer than `patience`, which also bounds
    /// every later reply.
    pub fn connect(
        address: SocketAddr,
        password: Option<&str>,
        patience: Duration,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        let mut inspector = Self { stream: BufReader::new(stream) };
        if let Some(password) = password {
            match inspector.command(&["AUTH", password])? {
                Value::Simple(_) => {}
                other => {
                    return Err(io::Error::other(format!("AUTH was answered with {other:?}")));
                }
            }
        }
        Ok(inspector)
    }

    /// Asks one question and waits for its reply.
    ///
    /// # Errors
    /// The connection fails or ends, or no reply comes in time. An error reply is a [`Value::Error`].
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> io::Result<Value> {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments.iter().map(AsRef::as_ref) {
            request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            request.extend_from_slice(argument);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<Value> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| malformed(&line))?;
        match kind {
            "+" => Ok(Value::Simple(rest.to_owned())),
            "-" => Ok(Value::Error(rest.to_owned())),
            ":" => number(rest).map(Value::Integer),
            "$" => match usize::try_from(number(rest)?) {
                Ok(length) => self.bulk(length),
                Err(_) => Ok(Value::Nil),
            },
            "*" => match usize::try_from(number(rest)?) {
                Ok(count) => {
                    (0..count).map(|_| self.reply()).collect::<io::Result<_>>().map(Value::Array)
                }
                Err(_) => Ok(Value::Nil),
            },
            _ => Err(malformed(&line)),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(content) => Ok(content.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn bulk(&mut self, length: usize) -> io::Result<Value> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        let end = self.line()?;
        if end.is_empty() { Ok(Value::Bulk(bytes)) } else { Err(malformed(&end)) }
    }
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|_| malformed(text))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not RESP2: {what:?}"))
}
