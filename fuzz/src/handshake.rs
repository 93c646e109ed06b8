//! Whatever a server says while a connection begins: few questions, no credentials in vain, no role untold.

use redlatch_core::{
    Arguments, Command, Greeting, Handshake, HandshakeError, Limits, Login, Protocol, Refusal,
    Reply, Role, Scanner,
};

use crate::choices::Choices;
use crate::tree::Tree;

/// `HELLO`, `AUTH`, `SELECT`, `ROLE`, `INFO`.
const QUESTIONS_MAX: usize = 5;

/// Replies that lead on; the input brings others.
const REPLIES: [&[u8]; 24] = [
    b"+OK\r\n",
    b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n",
    b"*6\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:4\r\n$4\r\nrole\r\n$6\r\nmaster\r\n",
    b"%1\r\n$5\r\nproto\r\n:3\r\n",
    b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$7\r\nreplica\r\n",
    b"%2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$5\r\nproto\r\n:2\r\n",
    b"%0\r\n",
    b":3\r\n",
    b"-ERR unknown command 'HELLO', with args beginning with: '3' \r\n",
    b"-NOPROTO unsupported protocol version\r\n",
    b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    b"-NOAUTH HELLO must be called with the client already authenticated\r\n",
    b"-NOPERM this user has no permissions to run the 'role' command\r\n",
    b"-ERR DB index is out of range\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n",
    b"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$7\r\nconnect\r\n:0\r\n",
    b"*2\r\n$8\r\nsentinel\r\n*0\r\n",
    b"*0\r\n",
    b"$34\r\n# Server\r\nuptime_in_seconds:7\r\nx:1\r\n",
    b"=38\r\ntxt:# Server\r\nuptime_in_seconds:7\r\nx:1\r\n",
    b"$-1\r\n",
    b"%2\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:-1\r\n",
    b"$23\r\nuptime_in_seconds:-9\r\n\r\n\r\n",
];

/// Runs a handshake with a server that answers as the input says.
///
/// # Panics
/// A property does not hold.
pub fn handshake(data: &[u8]) {
    let mut choices = Choices::new(data);
    let wants_uptime = choices.bit();
    let login = login(&mut choices);
    let mut told = Told::default();
    let mut handshake = Handshake::new(wants_uptime);
    check_unasked(handshake, &login);
    let mut asked: Vec<&str> = Vec::new();

    while let Some(command) = handshake.poll_command(&login) {
        let question = name(&command);
        assert!(!asked.contains(&question), "{question} is asked once: {asked:?}");
        asked.push(question);
        assert!(asked.len() <= QUESTIONS_MAX);
        check_question(&command, &login, &told, wants_uptime);
        assert!(handshake.poll_command(&login).is_none(), "one question at a time");
        assert_eq!(handshake.finished(), None, "not before the answer");

        let frame = answer(&mut choices);
        let reply = frame.as_deref().map_or(Reply::TooLong, Reply::from_frame);
        let tree = Tree::of(reply);
        let result = handshake.handle_reply(&login, reply);
        told.hear(question, &tree, &login);
        match result {
            Ok(()) => assert!(told.allows(question, &tree), "{question} was answered by {tree:?}"),
            Err(error) => return check_failed(handshake, &login, error, &tree),
        }
    }
    let greeting = handshake.finished().expect("nothing more to ask");
    check_greeting(&greeting, &told, &login, wants_uptime, &asked);
    let again = handshake.handle_reply(&login, Reply::Simple(b"OK"));
    assert_eq!(again, Err(HandshakeError::Nonsense), "nobody asked");
}

fn login<'a>(choices: &mut Choices<'a>) -> Login<'a> {
    let has = choices.byte();
    let mut given = |bit: u8| (has & bit != 0).then(|| choices.text(12));
    Login {
        protocol: if has & 8 == 0 { Protocol::Resp3 } else { Protocol::Resp2 },
        username: given(1),
        password: given(2),
        name: given(4),
        database: if has & 16 == 0 { 0 } else { u32::from(choices.byte()) },
    }
}

/// The next reply: one of the list, or whatever stands in the input and is a frame. `None` is one that was not kept.
fn answer(choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let choice = usize::from(choices.byte());
    if let Some(reply) = REPLIES.get(choice % 32) {
        return Some(reply.to_vec());
    }
    let bytes = choices.text(120);
    let mut scanner = Scanner::new(Limits::HOSTED);
    let scanned = scanner.advance(bytes).ok().filter(|scanned| scanned.ended)?;
    (!scanner.is_push()).then(|| bytes[..scanned.used].to_vec())
}

fn name(command: &Command<'_>) -> &'static str {
    match command {
        Command::Hello(_) => "HELLO",
        Command::Auth(_) => "AUTH",
        Command::Select(_) => "SELECT",
        Command::Role => "ROLE",
        Command::Info => "INFO",
        other => panic!("no question of a handshake: {other:?}"),
    }
}

/// What the server has said, by an eye of our own.
#[derive(Debug, Default)]
struct Told {
    /// `HELLO` was answered with a map, or with something too long to keep.
    greeted: bool,
    /// It said, or let know, that it does not know `HELLO`, or not this version.
    is_old: bool,
    is_master: bool,
    is_replica: bool,
    proto: Option<i64>,
    ids: Vec<i64>,
    uptime: Option<Vec<u8>>,
}

impl Told {
    fn hear(&mut self, question: &str, tree: &Tree, login: &Login<'_>) {
        match (question, tree) {
            ("HELLO", Tree::Map(fields) | Tree::Array(fields)) => self.hear_fields(fields),
            ("HELLO", Tree::TooLong) => {
                self.greeted = true;
                self.proto = Some(if login.protocol == Protocol::Resp2 { 2 } else { 3 });
            }
            ("HELLO", Tree::Error(line)) => {
                let refusal = Refusal::classify(line);
                // Whoever lacks a login that came with `HELLO` has not understood it, as Valkey without it.
                self.is_old = matches!(refusal, Refusal::UnknownCommand | Refusal::NoProtocol)
                    || refusal == Refusal::NoAuth && login.password.is_some();
            }
            ("ROLE", Tree::Array(fields)) => self.hear_role(fields.first()),
            ("INFO", Tree::Bulk(text) | Tree::Verbatim(text)) => self.uptime = Some(text.clone()),
            _ => {}
        }
    }

    fn hear_fields(&mut self, fields: &[Tree]) {
        self.greeted = true;
        for pair in fields.chunks_exact(2) {
            match (pair[0].text(), &pair[1]) {
                (Some(b"role"), role) => self.hear_role(Some(role)),
                (Some(b"proto"), Tree::Integer(number)) => self.proto = Some(*number),
                (Some(b"id"), Tree::Integer(number)) => self.ids.push(*number),
                _ => {}
            }
        }
    }

    fn hear_role(&mut self, role: Option<&Tree>) {
        match role.and_then(Tree::text) {
            Some(b"master") => self.is_master = true,
            Some(b"replica" | b"slave") => self.is_replica = true,
            _ => self.is_master = false,
        }
    }

    /// Whether the handshake may go on after this.
    fn allows(&self, question: &str, tree: &Tree) -> bool {
        let may_refuse = |line: &[u8]| {
            let refusal = Refusal::classify(line);
            matches!(refusal, Refusal::NoPermission | Refusal::UnknownCommand)
        };
        !self.is_replica
            && match (question, tree) {
                ("AUTH" | "SELECT", tree) => *tree == Tree::Simple(b"OK".to_vec()),
                ("HELLO", Tree::Error(_)) => self.is_old,
                ("HELLO", _) => self.greeted,
                (_, Tree::Error(line)) => may_refuse(line),
                ("ROLE", tree) => matches!(tree, Tree::Array(_)),
                (_, tree) => matches!(tree, Tree::Bulk(_) | Tree::Verbatim(_) | Tree::TooLong),
            }
    }
}

/// The password goes out with `HELLO`, and once more only to a server that does not know it.
fn check_question(command: &Command<'_>, login: &Login<'_>, told: &Told, wants_uptime: bool) {
    match command {
        Command::Auth(_) => assert!(told.is_old && login.password.is_some()),
        Command::Select(database) => assert!(*database == login.database && *database != 0),
        Command::Role => assert!(told.is_old, "a server that greets has told its role"),
        Command::Info => assert!(wants_uptime),
        _ => {}
    }
    let Some(password) = login.password.filter(|password| !password.is_empty()) else { return };
    if matches!(command, Command::Hello(_) | Command::Auth(_)) {
        return;
    }
    command.visit(&mut |argument| {
        let is_own_word = matches!(argument, b"SELECT" | b"ROLE" | b"INFO" | b"server");
        let is_database = argument == login.database.to_string().as_bytes();
        assert!(is_own_word || is_database || argument != password, "no place for a password");
    });
}

fn check_greeting(
    greeting: &Greeting,
    told: &Told,
    login: &Login<'_>,
    wants_uptime: bool,
    asked: &[&str],
) {
    assert_eq!(greeting.role == Role::Master, told.is_master, "{told:?}");
    assert!(!told.is_replica, "a replica is never greeted");
    let spoken = if told.greeted { login.protocol } else { Protocol::Resp2 };
    assert_eq!(greeting.protocol, spoken);
    if told.greeted {
        assert_eq!(told.proto, Some(if spoken == Protocol::Resp2 { 2 } else { 3 }));
    }
    assert!(
        greeting.id.is_none_or(|id| told.ids.iter().any(|told| u64::try_from(*told) == Ok(id)))
    );
    if let Some(uptime) = greeting.uptime {
        let text = told.uptime.as_deref().unwrap_or_default();
        let line = "uptime_in_seconds:";
        assert!(wants_uptime && text.windows(line.len()).any(|window| window == line.as_bytes()));
        assert_eq!(uptime.subsec_nanos(), 0);
    }
    let needs_select = login.database != 0;
    assert_eq!(asked.contains(&"SELECT"), needs_select, "in the right database");
    assert_eq!(asked.contains(&"INFO"), wants_uptime);
    assert!(!told.is_old || login.password.is_none() || asked.contains(&"AUTH"), "logged in");
}

/// Before anything was asked, nothing is heard.
fn check_unasked(mut handshake: Handshake, login: &Login<'_>) {
    assert_eq!(handshake.finished(), None);
    let result = handshake.handle_reply(login, Reply::Simple(b"OK"));
    assert_eq!(result, Err(HandshakeError::Nonsense));
}

/// A handshake that failed is over: it asks nothing more, above all not with the password, and never finishes.
fn check_failed(mut handshake: Handshake, login: &Login<'_>, error: HandshakeError, tree: &Tree) {
    match error {
        HandshakeError::Refused(refusal) => {
            assert!(matches!(tree, Tree::Error(line) if Refusal::classify(line) == refusal));
        }
        HandshakeError::Replica => {
            let says_it = |tree: &Tree| matches!(tree.text(), Some(b"replica" | b"slave"));
            assert!(tree.elements().iter().any(says_it), "{tree:?}");
        }
        _ => assert!(!matches!(tree, Tree::Error(_)), "an error makes sense: {tree:?}"),
    }
    assert!(error.to_string().len() > 10);
    assert!(handshake.poll_command(login).is_none(), "asks again after {error:?}");
    assert_eq!(handshake.finished(), None);
}
