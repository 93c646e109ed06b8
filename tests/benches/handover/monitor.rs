//! Commands that clients send, as the server itself writes them down. The statistics of the server
//! also count what scripts run.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use redlatch_testkit::server::{Inspector, Server};

use crate::sent::sent;

const PATIENCE: Duration = Duration::from_secs(10);
const MARK: &str = "the-end-of-what-is-counted";

/// Calls by name.
pub(crate) type Calls = BTreeMap<String, u64>;

/// Counts from its start. What the server writes down in between is read at the end.
pub(crate) struct Monitor {
    lines: BufReader<TcpStream>,
    inspector: Inspector,
}

impl Monitor {
    pub(crate) fn start(server: &Server) -> io::Result<Self> {
        let inspector = server.inspect().map_err(io::Error::other)?;
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"MONITOR\r\n")?;
        let mut lines = BufReader::new(stream);
        let mut ok = String::new();
        lines.read_line(&mut ok)?;
        Ok(Self { lines, inspector })
    }

    pub(crate) fn stop(mut self) -> io::Result<Calls> {
        self.inspector.command(&["ECHO", MARK])?;
        let (mut calls, mut line) = (Calls::new(), String::new());
        loop {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.contains(MARK) {
                return Ok(calls);
            }
            if let Some(name) = sent(&line) {
                *calls.entry(name).or_default() += 1;
            }
        }
    }
}
