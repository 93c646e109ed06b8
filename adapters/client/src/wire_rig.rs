//! Servers that slip, a connection to each, and locks over all of them.

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use redlatch_core::{Event, Greeting, Instant, Limits, Output, Phase, Retry, Settings, Token, Ttl};

use super::Wire;
use crate::channel::Channel;
use crate::greeter::Greeted;
use crate::lines::Lines;
use crate::mail::Incoming;
use crate::os;
use crate::session::Session;
use crate::wakeups::Wakeups;

/// Something that happens to the replies of a connection, counted from zero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slip {
    /// These bytes come before this reply.
    Surplus(usize, &'static [u8]),
    Missing(usize),
}

/// Replies that belong to nothing and could be taken for answers.
pub(super) const SURPLUS: [&[u8]; 5] =
    [b"+OK\r\n", b"$-1\r\n", b":0\r\n", b":1\r\n", b"$1\r\nx\r\n"];

/// A server with the keys that it was given, and what it was asked.
#[derive(Default)]
pub(super) struct Server {
    pub(super) keys: HashMap<Vec<u8>, Vec<u8>>,
    /// Values that were ever set.
    pub(super) set: HashSet<Vec<u8>>,
    pub(super) asked: Vec<String>,
    /// To claims from then on.
    pub(super) refusal: Option<&'static str>,
    pub(super) replies: usize,
    pub(super) slips: Vec<Slip>,
}

impl Server {
    /// Whole requests in, replies out.
    pub(super) fn serve(&mut self, requests: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = requests;
        while !rest.is_empty() {
            let words = request(&mut rest);
            let reply = self.execute(&words);
            let at = self.replies;
            self.replies += 1;
            let mut is_missing = false;
            for slip in &self.slips {
                match *slip {
                    Slip::Surplus(before, bytes) if before == at => out.extend(bytes),
                    Slip::Missing(which) if which == at => is_missing = true,
                    _ => {}
                }
            }
            if !is_missing {
                out.extend(reply);
            }
        }
        out
    }

    pub(super) fn execute(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let name = String::from_utf8_lossy(&words[0]).into_owned();
        let is_script = name.starts_with("EVAL");
        self.asked.push(name);
        let key = if is_script { &words[3] } else { &words[1] };
        let found = self.keys.get(key).cloned();
        match (self.asked.last().map(String::as_str), found) {
            (Some("SET"), _) if self.refusal.is_some() => {
                format!("-{}\r\n", self.refusal.unwrap_or_default()).into_bytes()
            }
            (Some("SET"), Some(_)) => b"$-1\r\n".to_vec(),
            (Some("SET"), None) => {
                self.set.insert(words[2].clone());
                self.keys.insert(key.clone(), words[2].clone());
                b"+OK\r\n".to_vec()
            }
            (Some("GET"), Some(value)) => bulk(&value),
            (Some("GET"), None) => b"$-1\r\n".to_vec(),
            (_, Some(value)) if value == words[4] => {
                if words.len() == 5 {
                    self.keys.remove(key);
                }
                bulk(&value)
            }
            (_, Some(_)) => b":-1\r\n".to_vec(),
            (_, None) => b":0\r\n".to_vec(),
        }
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.asked.iter().filter(|asked| asked.starts_with(name)).count()
    }
}

pub(super) fn bulk(value: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

pub(super) fn request(rest: &mut &[u8]) -> Vec<Vec<u8>> {
    let mut line = || {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a whole request");
        let (line, tail) = rest.split_at(end);
        *rest = &tail[2..];
        line.to_vec()
    };
    let number = |line: &[u8]| -> usize {
        core::str::from_utf8(&line[1..]).expect("text").parse().expect("a number")
    };
    let count = number(&line());
    (0..count)
        .map(|_| {
            let length = number(&line());
            let word = line();
            assert_eq!(word.len(), length, "no word here holds a line end");
            word
        })
        .collect()
}

/// How the bytes of a server come.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    AtOnce,
    /// In two pieces.
    Cut(usize),
    Bytes,
    /// So many bytes, and then the end.
    Ends(usize),
}

/// Servers, one connection to each, and locks over all of them.
pub(super) struct Rig {
    pub(super) servers: Vec<Server>,
    pub(super) wires: Vec<Option<Wire>>,
    /// Somebody has flushed it.
    pub(super) flushed: Vec<bool>,
    pub(super) sessions: Vec<Arc<Session>>,
    pub(super) tokens: Vec<Token>,
    pub(super) held: Vec<bool>,
    pub(super) over: Vec<bool>,
    /// Grants that no server bears out.
    pub(super) false_grants: usize,
    pub(super) now: Instant,
    pub(super) limits: Limits,
    pub(super) ended: usize,
}

impl Rig {
    pub(super) fn new(servers: usize) -> Self {
        let mut rig = Self {
            servers: (0..servers).map(|_| Server::default()).collect(),
            wires: Vec::new(),
            flushed: vec![false; servers],
            sessions: Vec::new(),
            tokens: Vec::new(),
            held: Vec::new(),
            over: Vec::new(),
            false_grants: 0,
            now: os::now(),
            limits: Limits { in_flight: 1024, ..Limits::HOSTED },
            ended: 0,
        };
        rig.wires = (0..servers).map(|_| Some(fresh_wire(rig.limits))).collect();
        rig
    }

    /// A lock that is asked for once.
    pub(super) fn lock(&mut self, key: &str) -> usize {
        let ttl = Ttl::from_millis(60_000).expect("positive");
        let settings = Settings { retry: Retry::NONE, ..Settings::new(ttl) };
        let session = Session::new(key.into(), self.servers.len(), settings);
        session.machine().lock.acquire(self.now);
        self.sessions.push(session);
        self.tokens.push(os::token().expect("randomness"));
        self.held.push(false);
        self.over.push(false);
        self.sessions.len() - 1
    }

    /// Somebody else has this key.
    pub(super) fn occupy(&mut self, key: &str) {
        let value = os::token().expect("randomness").to_hex().to_vec();
        for server in &mut self.servers {
            server.keys.insert(key.as_bytes().to_vec(), value.clone());
        }
    }

    /// One turn of every lock: takes what has come, asks what is due.
    pub(super) fn drive(&mut self) -> bool {
        (0..self.sessions.len()).map(|at| self.drive_one(at)).collect::<Vec<_>>().contains(&true)
    }

    pub(super) fn drive_one(&mut self, at: usize) -> bool {
        let session = Arc::clone(&self.sessions[at]);
        let (mut moved, mut mail) = (false, session.take_mail());
        let mut driven = session.machine();
        loop {
            match driven.lock.poll_output() {
                Output::NeedToken => {
                    self.tokens[at] = os::token().expect("randomness");
                    driven.lock.provide(self.tokens[at], self.now).expect("fresh");
                }
                Output::Send { ticket, command } => {
                    let wire = self.wires[ticket.server()].as_mut().expect("it is up");
                    let sent = wire.submit(ticket, &command, &session, self.now);
                    self.flushed[ticket.server()] = true;
                    if let Err(answer) = sent {
                        driven.lock.handle_answer(ticket, answer, self.now);
                    }
                }
                Output::Event(event) => {
                    self.over[at] = true;
                    if matches!(event, Event::Acquired(_)) {
                        self.held[at] = true;
                        let token = self.tokens[at].to_hex();
                        let have = |server: &&Server| server.set.contains(token.as_slice());
                        let votes = self.servers.iter().filter(have).count();
                        self.false_grants += usize::from(2 * votes <= self.servers.len());
                    }
                }
                Output::Wait(_) => match mail.next() {
                    Some(Incoming::Answer(ticket, answer)) => {
                        driven.lock.handle_answer(ticket, answer, self.now);
                    }
                    Some(Incoming::Hint) => driven.lock.hint(self.now),
                    None => return moved,
                },
            }
            moved = true;
        }
    }

    /// The next request of one lock, and no more.
    pub(super) fn ask_once(&mut self, at: usize) {
        let session = Arc::clone(&self.sessions[at]);
        let mut driven = session.machine();
        let mut mail = session.take_mail();
        while let Some(Incoming::Answer(ticket, answer)) = mail.next() {
            driven.lock.handle_answer(ticket, answer, self.now);
        }
        if driven.lock.phase() == Phase::NeedToken {
            self.tokens[at] = os::token().expect("randomness");
            driven.lock.provide(self.tokens[at], self.now).expect("fresh");
        }
        let Output::Send { ticket, command } = driven.lock.poll_output() else {
            panic!("it asks for nothing");
        };
        let wire = self.wires[ticket.server()].as_mut().expect("it is up");
        wire.submit(ticket, &command, &session, self.now).expect("room");
        self.flushed[ticket.server()] = true;
    }

    /// Carries what is queued to the servers, and what they say back.
    pub(super) fn carry(&mut self, pace: Pace) -> bool {
        (0..self.servers.len())
            .map(|at| self.carry_one(at, pace))
            .collect::<Vec<_>>()
            .contains(&true)
    }

    pub(super) fn carry_one(&mut self, at: usize, pace: Pace) -> bool {
        if !core::mem::take(&mut self.flushed[at]) {
            return false;
        }
        let wire = self.wires[at].as_mut().expect("it is up");
        let mut requests = Vec::new();
        wire.lend(|bytes| {
            requests.extend(bytes);
            bytes.len()
        });
        let replies = self.servers[at].serve(&requests);
        for piece in pieces(&replies, pace) {
            if !self.hear(at, piece) {
                break;
            }
        }
        if matches!(pace, Pace::Ends(_)) {
            self.hear(at, &[]);
        }
        !requests.is_empty()
    }

    /// Whether the connection lives on. One that has ended is opened anew, and nothing is wrong there.
    pub(super) fn hear(&mut self, at: usize, bytes: &[u8]) -> bool {
        let (mut wakeups, mut notice) = (Wakeups::default(), None);
        let wire = self.wires[at].as_mut().expect("it is up");
        let lives = wire.receive(bytes, None, &Lines::default(), &mut notice, &mut wakeups).is_ok();
        self.flushed[at] |= lives && wire.must_flush();
        if !lives {
            self.ended += 1;
            self.servers[at].slips.clear();
            let old = self.wires[at].replace(fresh_wire(self.limits));
            old.expect("it was up").end(&mut wakeups);
        }
        lives
    }

    /// Until nothing happens any more. The first replies come at this pace.
    pub(super) fn settle(&mut self, first: Pace) {
        let (mut pace, mut quiet) = (first, 0);
        for _ in 0..1000 {
            let driven = self.drive();
            let carried = self.carry(pace);
            pace = if carried { Pace::AtOnce } else { pace };
            quiet = if driven || carried { 0 } else { quiet + 1 };
            if quiet > 3 {
                return;
            }
            if quiet > 0 {
                self.now = self.now.saturating_add(Duration::from_millis(10));
                for session in &self.sessions {
                    session.machine().lock.handle_timeout(self.now);
                }
            }
        }
        panic!("it does not come to rest");
    }

    /// Whether each lock is held, and every one has been told.
    #[track_caller]
    pub(super) fn outcome(&self) -> Vec<bool> {
        assert!(self.over.iter().all(|over| *over), "somebody waits: {:?}", self.over);
        assert_eq!(self.false_grants, 0);
        self.held.clone()
    }
}

pub(super) fn pieces(bytes: &[u8], pace: Pace) -> Vec<&[u8]> {
    let pieces = match pace {
        Pace::AtOnce => vec![bytes],
        Pace::Cut(at) => {
            let (head, tail) = bytes.split_at(at.min(bytes.len()));
            vec![head, tail]
        }
        Pace::Bytes => bytes.chunks(1).collect(),
        Pace::Ends(at) => vec![&bytes[..at.min(bytes.len())]],
    };
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
}

/// A connection that was greeted by a server that knows scripts only.
pub(super) fn fresh_wire(limits: Limits) -> Wire {
    let channel = Channel::new(limits, Duration::from_secs(60), None);
    let greeted = Greeted { channel, greeting: Greeting::default() };
    Wire::new("a server".into(), greeted, None, Instant::ZERO, Duration::from_secs(60))
}

/// Locks on these keys, of which those in capitals are somebody else's.
pub(super) fn rig(keys: &[&str], servers: usize) -> Rig {
    let mut rig = Rig::new(servers);
    for key in keys {
        if *key == key.to_uppercase() {
            rig.occupy(key);
        }
        rig.lock(key);
    }
    rig
}

pub(super) fn is_free(key: &&str) -> bool {
    **key != key.to_uppercase()
}

/// All ways in which four locks can be free or taken.
pub(super) fn mixes() -> impl Iterator<Item = [&'static str; 4]> {
    (0..16).map(|mix| {
        let names = [["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"]];
        core::array::from_fn(|at| names[at][mix >> at & 1])
    })
}
