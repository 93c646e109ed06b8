//! Pushes between replies and inside of them: no reply is shifted, none is lost, and every push is told.

use core::time::Duration;
use std::collections::VecDeque;

use redlatch_core::{Connection, Incoming, Instant, Limits, Reply, Serial};
use redlatch_model::{Fault, Flow, Rule, Server, SessionId, Settings, Value};

use crate::choices::Choices;
use crate::tree::Tree;

const OPERATIONS_MAX: usize = 200;
const REPLY_TIMEOUT: Duration = Duration::from_millis(100);
const LIMITS: Limits = Limits { in_flight: 16, ..Limits::HOSTED };

/// Sends replies that the input makes up, with pushes anywhere; or asks a model server that tracks keys.
///
/// # Panics
/// A property does not hold.
pub fn pushes(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.bit() { tracked(&mut choices) } else { made_up(&mut choices) }
}

/// What a connection gave out.
#[derive(Debug, PartialEq, Eq)]
enum Given {
    Reply(Serial, Tree),
    Push(Tree),
}

struct Client {
    connection: Connection<Vec<u8>>,
    given: Vec<Given>,
    is_over: bool,
}

impl Client {
    fn new() -> Self {
        let connection = Connection::new(vec![0; 512], vec![0; 512], LIMITS, REPLY_TIMEOUT);
        Self { connection, given: Vec::new(), is_over: false }
    }

    fn submit(&mut self, arguments: &[&[u8]]) -> Option<Serial> {
        self.connection.submit(arguments, Instant::ZERO).ok()
    }

    /// Reads these bytes in pieces of at most `piece`.
    fn read(&mut self, mut bytes: &[u8], piece: usize) {
        while !bytes.is_empty() && !self.is_over {
            let space = self.connection.io().space;
            let count = piece.max(1).min(space.len()).min(bytes.len());
            assert!(count > 0, "there is room to read into");
            space[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.connection.received(count);
            self.poll();
        }
    }

    fn poll(&mut self) {
        loop {
            match self.connection.poll() {
                Ok(Some(Incoming::Reply { serial, reply })) => {
                    self.given.push(Given::Reply(serial, Tree::of(reply)));
                }
                Ok(Some(Incoming::Push(reply))) => {
                    assert!(matches!(reply, Reply::Push(_) | Reply::TooLong), "{reply:?}");
                    self.given.push(Given::Push(Tree::of(reply)));
                }
                Ok(Some(other)) => panic!("a new kind: {other:?}"),
                Ok(None) => return,
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }
}

// ---- replies that are made up

/// A reply, the bytes that say it with pushes and attributes between its values, and whether there are pushes.
struct Dressed {
    tree: Tree,
    wire: Vec<u8>,
    has_push: bool,
}

fn made_up(choices: &mut Choices<'_>) {
    let mut client = Client::new();
    let (mut expected, mut open) = (Vec::new(), VecDeque::new());
    for _ in 0..OPERATIONS_MAX {
        if choices.is_empty() {
            break;
        }
        match choices.byte() % 4 {
            0 => open.extend(client.submit(&[b"ECHO", b"x"])),
            1 => {
                let push = push(choices);
                let wire = push.encoded();
                // One that is not kept is told all the same.
                let kept = if wire.len() > 512 { Tree::TooLong } else { push };
                expected.push(Given::Push(kept));
                client.read(&wire, choices.up_to(40));
            }
            _ => {
                let Some(serial) = open.pop_front() else { continue };
                let reply = dressed(choices);
                if reply.has_push {
                    expected.push(Given::Push(Tree::TooLong));
                }
                let kept = if reply.wire.len() > 512 { Tree::TooLong } else { reply.tree };
                expected.push(Given::Reply(serial, kept));
                client.read(&reply.wire, choices.up_to(40));
            }
        }
        let pending = client.connection.io().pending.len();
        client.connection.wrote(pending);
    }
    assert_eq!(client.given, expected);
    assert!(!client.is_over, "pushes are no reason to end");
}

fn push(choices: &mut Choices<'_>) -> Tree {
    let bulk = |text: &[u8]| Tree::Bulk(text.to_vec());
    match choices.byte() % 6 {
        0 => Tree::Push(vec![]),
        1 => Tree::Push(vec![bulk(b"invalidate"), Tree::Null]),
        2 => {
            let keys = (0..choices.up_to(20)).map(|_| bulk(choices.text(24))).collect();
            Tree::Push(vec![bulk(b"invalidate"), Tree::Array(keys)])
        }
        3 => Tree::Push(vec![Tree::Push(vec![]).text().map_or(Tree::Null, bulk), leaf(choices)]),
        4 => Tree::Push(vec![bulk(b"message"), bulk(choices.text(60)), leaf(choices)]),
        _ => Tree::Push((0..choices.up_to(4)).map(|_| leaf(choices)).collect()),
    }
}

fn leaf(choices: &mut Choices<'_>) -> Tree {
    match choices.byte() % 7 {
        0 => Tree::Integer(i64::from(choices.byte()) - 99),
        1 => Tree::Bulk(choices.text(40).to_vec()),
        2 => Tree::Null,
        3 => Tree::Boolean(choices.bit()),
        4 => Tree::Error(b"ERR x".to_vec()),
        5 => Tree::Simple(b"OK".to_vec()),
        _ => Tree::Double(b"1.5e3".to_vec()),
    }
}

fn dressed(choices: &mut Choices<'_>) -> Dressed {
    let mut reply = Dressed { tree: Tree::Null, wire: Vec::new(), has_push: false };
    reply.tree = value(choices, &mut reply.wire, &mut reply.has_push, 0);
    reply
}

/// Writes a value of at most four levels. Attributes may stand before each, pushes before each that is an element.
fn value(choices: &mut Choices<'_>, wire: &mut Vec<u8>, has_push: &mut bool, level: usize) -> Tree {
    while level > 0 && choices.byte() % 4 == 1 {
        push(choices).encode(wire);
        *has_push = true;
    }
    if choices.byte() % 8 == 1 {
        wire.extend_from_slice(b"|1\r\n+ttl\r\n:3600\r\n");
    }
    let kind = choices.byte() % 6;
    if level > 3 || kind < 3 {
        let leaf = leaf(choices);
        leaf.encode(wire);
        return leaf;
    }
    let count = choices.up_to(3);
    let (sign, values) = match kind {
        3 => ('*', count),
        4 => ('~', count),
        _ => ('%', count * 2),
    };
    wire.extend_from_slice(format!("{sign}{count}\r\n").as_bytes());
    let trees = (0..values).map(|_| value(choices, wire, has_push, level + 1)).collect();
    match kind {
        3 => Tree::Array(trees),
        4 => Tree::Set(trees),
        _ => Tree::Map(trees),
    }
}

// ---- a server that tracks keys

/// The client reads keys that somebody else changes, and the server tells it. Pushes and surplus frames come at any
/// place; each reply is still the one to its request, or the connection has ended.
struct Tracking {
    server: Server,
    session: SessionId,
    client: Client,
    /// Requests in flight, each with what it must be answered.
    asked: VecDeque<(Serial, Asked)>,
    now: u64,
    is_closed: bool,
    /// A frame that nobody asked for may be on its way.
    has_surplus: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// The one with this text.
    Echo(Vec<u8>),
    /// A value of this key, whichever it was at that moment.
    Get(u8),
    Ok,
}

fn tracked(choices: &mut Choices<'_>) {
    let mut server = Server::new(Settings::default());
    let session = server.connect(0);
    let client = Client::new();
    let asked = VecDeque::new();
    let mut world =
        Tracking { server, session, client, asked, now: 0, is_closed: false, has_surplus: false };
    world.greet();
    for number in 0..OPERATIONS_MAX {
        if choices.is_empty() || world.client.is_over || world.is_closed {
            break;
        }
        world.step(number, choices);
    }
    while !world.has_surplus && !world.is_closed && !world.asked.is_empty() {
        let before = world.asked.len();
        world.carry(usize::MAX, 64);
        let progress = world.asked.len() < before || world.is_closed;
        assert!(progress, "every request gets its reply");
    }
}

impl Tracking {
    /// RESP3, and tracking on.
    fn greet(&mut self) {
        for request in [b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n".as_slice(), TRACKING_ON] {
            let (reply, flow) = self.server.exchange(self.session, request, 0);
            assert!(flow == Flow::Continue && !reply.starts_with(b"-"));
        }
    }

    fn step(&mut self, number: usize, choices: &mut Choices<'_>) {
        let choice = choices.byte();
        let key = choice / 8 % 4;
        self.now += u64::from(choice);
        match choice % 8 {
            0 | 1 => {
                let text = format!("{number}").into_bytes();
                let serial = self.client.submit(&[b"ECHO", &text]);
                self.asked.extend(serial.map(|serial| (serial, Asked::Echo(text))));
            }
            2 | 3 => {
                let serial = self.client.submit(&[b"GET", &[b'a' + key]]);
                self.asked.extend(serial.map(|serial| (serial, Asked::Get(key))));
            }
            4 => {
                // The value names its key, so that a reply to another request is seen.
                let value = Value::Text(format!("{key}:{number}").into_bytes());
                let ttl = (choice >= 128).then_some(Duration::from_micros(300));
                self.server.put(0, &[b'a' + key], value, ttl);
            }
            5 => {
                let serial = self.client.submit(&[b"SET", &[b'a' + key], &[b'0' + key, b':']]);
                self.asked.extend(serial.map(|serial| (serial, Asked::Ok)));
            }
            6 => self.fault(choices),
            _ => self.carry(choices.up_to(200), choices.up_to(40)),
        }
    }

    fn fault(&mut self, choices: &mut Choices<'_>) {
        let push = push(choices).encoded();
        let fault = match choices.byte() % 6 {
            0 | 1 => Fault::Before(push),
            2 | 3 => Fault::Inside(push),
            4 => Fault::Cut(choices.up_to(8)),
            _ => {
                self.has_surplus = true;
                Fault::Surplus(leaf(choices).encoded())
            }
        };
        self.server.fail(Rule::next(fault));
    }

    /// Carries bytes both ways, and looks at what came.
    fn carry(&mut self, written: usize, piece: usize) {
        let pending = self.client.connection.io().pending;
        let sent = pending[..written.min(pending.len())].to_vec();
        self.client.connection.wrote(sent.len());
        let (answer, flow) = self.server.exchange(self.session, &sent, self.now);
        self.client.read(&answer, piece);
        self.is_closed |= flow == Flow::Close;
        for given in core::mem::take(&mut self.client.given) {
            match given {
                Given::Reply(serial, tree) => self.check_reply(serial, &tree),
                Given::Push(_) => {}
            }
        }
        if self.client.is_over {
            assert!(self.has_surplus, "ended by {:?}", self.client.connection.ended());
        }
    }

    /// Counting alone cannot tell a surplus frame that comes while something is in flight; the command level can.
    fn check_reply(&mut self, serial: Serial, tree: &Tree) {
        let (asked, question) = self.asked.pop_front().expect("a request");
        assert_eq!(serial, asked, "replies come in order");
        if self.has_surplus {
            return;
        }
        let is_answer = match &question {
            Asked::Echo(text) => *tree == Tree::Bulk(text.clone()),
            Asked::Ok => *tree == Tree::Simple(b"OK".to_vec()),
            Asked::Get(key) => match tree {
                Tree::Null => true,
                Tree::Bulk(value) => value.starts_with(&[b'0' + key, b':']),
                _ => false,
            },
        };
        assert!(is_answer, "{question:?} was answered by {tree:?}");
    }
}

const TRACKING_ON: &[u8] = b"*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n";
