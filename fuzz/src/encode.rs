//! What is sent is read back as it was: one command, these arguments, no byte more.

use core::time::Duration;

use redlatch_core::resp::{Decimal, encode as write, encoded_len};
use redlatch_core::{Arguments, Command, Form, Login, Protocol, Script, Token, Ttl, script};

use crate::choices::Choices;

const KEY_MAX: usize = 200;

/// Writes a command of ours and a list of arguments that the input chooses.
///
/// # Panics
/// A property does not hold.
pub fn encode(data: &[u8]) {
    let mut choices = Choices::new(data);
    check_decimal(&mut choices);
    let mut random = [0; Token::RANDOM_LEN];
    let bytes = choices.take(Token::RANDOM_LEN);
    random[..bytes.len()].copy_from_slice(bytes);
    // A last byte that differs, so that there is a token.
    random[Token::RANDOM_LEN - 1] = random[0].wrapping_add(1);
    let token = Token::from_random(random).expect("not all alike");
    let (command, expected) = command(&mut choices, &token);
    check(&command, &expected);
    check_debug(&command);

    let list: Vec<&[u8]> = (0..choices.up_to(6)).map(|_| choices.text(40)).collect();
    let owned: Vec<Vec<u8>> = list.iter().map(|argument| argument.to_vec()).collect();
    check(list.as_slice(), &owned);
}

/// A command, and its arguments as its page in the documentation of the server writes them.
fn command<'a>(choices: &mut Choices<'a>, token: &'a Token) -> (Command<'a>, Vec<Vec<u8>>) {
    let kind = choices.byte() % 9;
    let form = if choices.bit() { Form::Digest } else { Form::Source };
    let ttl = ttl(choices.number() as u64);
    let login = login(choices);
    let key = choices.text(KEY_MAX);
    let hex = hex(token);
    let millis = ttl.as_millis().to_string().into_bytes();
    let words = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    match kind {
        0 => (Command::Hello(login), hello(&login)),
        1 => (Command::Auth(login), auth(&login)),
        2 => {
            let number = login.database.to_string();
            (Command::Select(login.database), words(&[b"SELECT", number.as_bytes()]))
        }
        3 => (Command::Role, words(&[b"ROLE"])),
        4 => (Command::Info, words(&[b"INFO", b"server"])),
        5 => (Command::Read { key }, words(&[b"GET", key])),
        6 => {
            let claim = Command::Claim { key, token, ttl };
            (claim, words(&[b"SET", key, &hex, b"NX", b"PX", &millis]))
        }
        7 => {
            let extend = Command::Extend { key, token, ttl, form };
            let (name, body) = named(&script::EXTEND, form);
            (extend, words(&[name, body, b"1", key, &hex, &millis]))
        }
        _ => {
            let (name, body) = named(&script::RELEASE, form);
            (Command::Release { key, token, form }, words(&[name, body, b"1", key, &hex]))
        }
    }
}

/// The longest and the shortest, and what is between.
fn ttl(number: u64) -> Ttl {
    let millis = number % (Ttl::MAX_MILLIS + 2);
    let is_ttl = (1..=Ttl::MAX_MILLIS).contains(&millis);
    assert_eq!(Ttl::from_millis(millis).is_ok(), is_ttl);
    assert_eq!(Ttl::new(Duration::from_millis(millis)).is_ok(), is_ttl);
    Ttl::from_millis(millis.clamp(1, Ttl::MAX_MILLIS)).expect("in range")
}

fn login<'a>(choices: &mut Choices<'a>) -> Login<'a> {
    let has = choices.byte();
    let mut given = |bit: u8| (has & bit != 0).then(|| choices.text(30));
    Login {
        protocol: if has & 8 == 0 { Protocol::Resp3 } else { Protocol::Resp2 },
        username: given(1),
        password: given(2),
        name: given(4),
        database: u32::from(has) << 24 | u32::from(choices.byte()),
    }
}

fn hello(login: &Login<'_>) -> Vec<Vec<u8>> {
    let version = if login.protocol == Protocol::Resp2 { b"2" } else { b"3" };
    let mut words = vec![b"HELLO".to_vec(), version.to_vec()];
    if let Some(password) = login.password {
        let user = login.username.unwrap_or(b"default");
        words.extend([b"AUTH".to_vec(), user.to_vec(), password.to_vec()]);
    }
    if let Some(name) = login.name {
        words.extend([b"SETNAME".to_vec(), name.to_vec()]);
    }
    words
}

fn auth(login: &Login<'_>) -> Vec<Vec<u8>> {
    let mut words = vec![b"AUTH".to_vec()];
    words.extend(login.username.map(<[u8]>::to_vec));
    words.push(login.password.unwrap_or_default().to_vec());
    words
}

fn named(script: &'static Script, form: Form) -> (&'static [u8], &'static [u8]) {
    match form {
        Form::Digest => (b"EVALSHA", script.digest()),
        Form::Source => (b"EVAL", script.source().as_bytes()),
    }
}

fn hex(token: &Token) -> Vec<u8> {
    let hex = token.to_hex();
    assert!(hex.iter().all(|digit| b"0123456789abcdef".contains(digit)));
    assert_eq!(Token::from_wire(&hex), Some(*token));
    hex.to_vec()
}

/// Room that is exact, too small and too large.
fn check(arguments: &(impl Arguments + ?Sized), expected: &[Vec<u8>]) {
    const MARK: u8 = 0xa5;
    let mut visited = Vec::new();
    arguments.visit(&mut |argument| visited.push(argument.to_vec()));
    assert_eq!(visited, expected, "the arguments of the documentation");

    let len = encoded_len(arguments);
    let mut room = vec![MARK; len + 7];
    if expected.is_empty() {
        assert_eq!((len, write(arguments, &mut room)), (0, None));
        return;
    }
    assert_eq!(write(arguments, &mut room), Some(len));
    assert!(room[len..].iter().all(|byte| *byte == MARK), "nothing behind the command is touched");
    assert_eq!(parse(&room[..len]).as_deref(), Some(expected), "read back strictly");
    assert_eq!(oracle(&room[..len]).as_deref(), Some(expected), "read back by somebody else");

    let mut exact = vec![MARK; len];
    assert_eq!(write(arguments, &mut exact), Some(len));
    assert_eq!(exact, room[..len]);
    for short in [len - 1, len / 2, 0] {
        let mut small = vec![MARK; short];
        assert_eq!(write(arguments, &mut small), None);
        assert!(small.iter().all(|byte| *byte == MARK), "all or nothing");
    }
}

/// Reads an array of bulk strings as a server does, and nothing else: no byte may be left.
fn parse(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (count, mut rest) = header(bytes, b'*')?;
    let mut arguments = Vec::new();
    for _ in 0..count {
        let (len, body) = header(rest, b'$')?;
        let (argument, behind) = body.split_at_checked(len)?;
        arguments.push(argument.to_vec());
        rest = behind.strip_prefix(b"\r\n")?;
    }
    rest.is_empty().then_some(arguments)
}

fn header(bytes: &[u8], kind: u8) -> Option<(usize, &[u8])> {
    let line = bytes.strip_prefix(&[kind])?;
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    let digits = core::str::from_utf8(&line[..end]).ok()?;
    let number: usize = digits.parse().ok()?;
    (number.to_string() == digits).then_some((number, &line[end + 2..]))
}

fn oracle(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    use redis_protocol::resp2::{decode::decode, types::OwnedFrame};
    let (frame, used) = decode(bytes).ok()??;
    let OwnedFrame::Array(frames) = frame else { return None };
    let arguments = frames.into_iter().map(|frame| match frame {
        OwnedFrame::BulkString(argument) => Some(argument),
        _ => None,
    });
    (used == bytes.len()).then(|| arguments.collect()).flatten()
}

/// A command tells its kind and nothing of what is in it.
fn check_debug(command: &Command<'_>) {
    let shown = format!("{command:?}");
    assert!(shown.len() <= 7 && shown.bytes().all(|byte| byte.is_ascii_alphabetic()), "{shown}");
    if let Command::Hello(login) | Command::Auth(login) = command {
        let shown = format!("{login:?}");
        let password = if login.password.is_some() { "Some(\"***\")" } else { "None" };
        let expected = format!(
            "Login {{ protocol: {:?}, password: {password}, database: {}, .. }}",
            login.protocol, login.database
        );
        assert_eq!(shown, expected);
    }
}

fn check_decimal(choices: &mut Choices<'_>) {
    let number = choices.number() as u64;
    assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
}
