//! Conversations: lists of requests and the bytes that must answer them, for the model and for
//! real servers alike.

#![allow(dead_code, reason = "each test program uses its own part")]

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use redlatch_core::script::{EXTEND, RELEASE};
use redlatch_testkit::model::{Flow, Server, SessionId, Settings};

/// A request in words, and the reply in RESP2 and RESP3. `\r\n` stands for every end of line; a
/// closing one is implied. `:~100` is an integer not far from 100, and `@` after `HELLO` the
/// version of the protocol. `*` in the
/// second place means that RESP3 says the same.
pub(crate) type Line = (&'static str, &'static str, &'static str);

/// Somebody who answers requests.
pub(crate) trait Answers {
    /// Sends one request and returns all that came back: the reply, and pushes after it.
    fn ask(&mut self, request: &[u8]) -> Vec<u8>;
}

/// A model server with one connection.
pub(crate) struct Model {
    pub(crate) server: Server,
    pub(crate) session: SessionId,
    pub(crate) now: u64,
}

impl Model {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut server = Server::new(settings);
        let session = server.connect(0);
        Self { server, session, now: 0 }
    }

    pub(crate) fn say(&mut self, words: &str) -> String {
        shown(&self.ask(&request(words)))
    }

    pub(crate) fn connect(&mut self) -> SessionId {
        self.server.connect(self.now)
    }

    pub(crate) fn say_as(&mut self, session: SessionId, words: &str) -> String {
        shown(&self.server.exchange(session, &request(words), self.now).0)
    }

    /// What has been waiting for a session.
    pub(crate) fn heard(&mut self, session: SessionId) -> String {
        let mut out = Vec::new();
        let flow = self.server.take_output(session, &mut out);
        if flow == Flow::Close { shown(&out) + "<closed>" } else { shown(&out) }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis * 1000;
        self.server.advance(self.now);
    }
}

impl Answers for Model {
    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.server.exchange(self.session, request, self.now).0
    }
}

/// A connection to a real server.
pub(crate) struct Wire {
    stream: TcpStream,
    /// Whether `ECHO` works, so that pushes after a reply are found.
    pub(crate) echoes: bool,
}

const MARK: &[u8] = b"$3\r\n<~>\r\n";

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a real server listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        Self { stream, echoes: true }
    }

    fn frame(&mut self) -> Vec<u8> {
        let mut frame = Vec::new();
        let mut missing = 1_usize;
        while missing > 0 {
            missing -= 1;
            let start = frame.len();
            while !frame[start..].ends_with(b"\r\n") {
                let mut byte = [0];
                self.stream.read_exact(&mut byte).expect("a whole reply");
                frame.push(byte[0]);
            }
            let count = core::str::from_utf8(&frame[start + 1..frame.len() - 2]).unwrap_or("");
            let count: usize = count.parse().unwrap_or(0);
            match frame[start] {
                b'*' | b'>' | b'~' => missing += count,
                b'%' => missing += 2 * count,
                b'$' | b'=' if !frame[start..].starts_with(b"$-1") => {
                    let mut body = vec![0; count + 2];
                    self.stream.read_exact(&mut body).expect("a whole bulk string");
                    frame.extend_from_slice(&body);
                }
                _ => {}
            }
        }
        frame
    }
}

impl Answers for Wire {
    fn ask(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.stream.write_all(bytes).expect("the server takes requests");
        let mut all = self.frame();
        if self.echoes {
            self.stream.write_all(&request("ECHO <~>")).expect("the server takes requests");
            loop {
                let frame = self.frame();
                if frame == MARK {
                    break;
                }
                all.extend_from_slice(&frame);
            }
        }
        all
    }
}

/// The bytes of a request in words. `{release}` and `{extend}` are the sources of the scripts,
/// `{release-sha}` and `{extend-sha}` their digests; `\s`, `\r` and `\n` are what they are in
/// other languages; a lone `""` is an empty word.
pub(crate) fn request(words: &str) -> Vec<u8> {
    let words: Vec<String> = words.split(' ').map(word).collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in &words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

fn word(text: &str) -> String {
    let digest = |digest: &[u8; 40]| String::from_utf8_lossy(digest).into_owned();
    match text {
        "{release}" => RELEASE.source().to_owned(),
        "{extend}" => EXTEND.source().to_owned(),
        "{release-sha}" => digest(RELEASE.digest()),
        "{extend-sha}" => digest(EXTEND.digest()),
        "{RELEASE-SHA}" => digest(RELEASE.digest()).to_ascii_uppercase(),
        "\"\"" => String::new(),
        _ => text.replace("\\s", " ").replace("\\r", "\r").replace("\\n", "\n"),
    }
}

/// Bytes as tests write them: without the last end of line, with `\r\n` spelled out. Numbers of
/// connections and versions of servers are hidden.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text = bytes.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'");
    for (before, parts) in [("$2\\r\\nid\\r\\n:", 1), ("$7\\r\\nversion\\r\\n", 2)] {
        let Some(at) = text.find(before).map(|at| at + before.len()) else { continue };
        let mut rest = text[at..].splitn(parts + 1, "\\r\\n");
        let tail = rest.nth(parts).unwrap_or_default().to_owned();
        text = format!("{}#\\r\\n{tail}", &text[..at]);
    }
    text.strip_suffix("\\r\\n").unwrap_or(&text).to_owned()
}

/// Whether the reply is the expected one.
pub(crate) fn fits(expected: &str, got: &str) -> bool {
    let digests = expected
        .replace("{release-sha}", &word("{release-sha}"))
        .replace("{extend-sha}", &word("{extend-sha}"));
    let Some(most) = digests.strip_prefix(":~") else { return digests == got };
    let most: i64 = most.parse().expect("a number in the table");
    let got: i64 = got.strip_prefix(':').and_then(|got| got.parse().ok()).unwrap_or(-9);
    got <= most + 10_000 && got > most - 10_000
}

/// Holds a conversation and lists every reply that differs.
pub(crate) fn differences(lines: &[Line], resp3: bool, partner: &mut impl Answers) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (words, two, three)) in lines.iter().enumerate() {
        let expected = if resp3 && *three != "*" { three } else { two };
        let version = if resp3 { "HELLO 3" } else { "HELLO 2" };
        let words = words.replace("HELLO @", version);
        let got = shown(&partner.ask(&request(&words)));
        if !fits(expected, &got) {
            wrong.push(format!("line {at}: {words}\n  expected {expected}\n  got      {got}"));
        }
    }
    wrong
}

/// Holds a conversation; fails with every reply that differs.
pub(crate) fn converse(lines: &[Line], resp3: bool, partner: &mut impl Answers) {
    let wrong = differences(lines, resp3, partner);
    assert!(wrong.is_empty(), "{} replies differ:\n{}", wrong.len(), wrong.join("\n"));
}
