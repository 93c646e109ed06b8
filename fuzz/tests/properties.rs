//! The fuzz properties on inputs with structure, made by proptest: frames that are whole before they are damaged,
//! lines that begin with codes, URLs with parts, and operations in the proportions in which they happen. What fails is
//! shrunk. `PROPTEST_CASES=n` runs more.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

type Bytes = Vec<u8>;

fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..most)
}

fn joined(parts: Vec<Bytes>) -> Bytes {
    parts.concat()
}

// ---- the wire

fn leaf() -> impl Strategy<Value = Bytes> {
    let text = || "[ -~]{0,24}";
    prop_oneof![
        text().prop_map(|text| format!("+{text}\r\n").into_bytes()),
        text().prop_map(|text| format!("-{text}\r\n").into_bytes()),
        any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
        any::<f64>().prop_map(|number| format!(",{number:e}\r\n").to_lowercase().into_bytes()),
        "[+-]?[0-9]{1,40}".prop_map(|digits| format!("({digits}\r\n").into_bytes()),
        (select(vec![b'$', b'!']), bytes(40)).prop_map(|(kind, body)| bulk(kind, &body)),
        bytes(40).prop_map(|body| bulk(b'=', &[b"txt:", body.as_slice()].concat())),
        select(vec!["_\r\n", "#t\r\n", "#f\r\n", "$-1\r\n", "*-1\r\n", ",inf\r\n"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn bulk(kind: u8, body: &[u8]) -> Bytes {
    [format!("{}{}\r\n", char::from(kind), body.len()).as_bytes(), body, b"\r\n"].concat()
}

fn frame() -> impl Strategy<Value = Bytes> {
    leaf().prop_recursive(8, 40, 5, |inner| {
        (select(vec!['*', '~', '%', '>', '|']), vec(inner, 0..5)).prop_map(|(kind, mut values)| {
            let is_paired = matches!(kind, '%' | '|');
            if is_paired && !values.len().is_multiple_of(2) {
                values.pop();
            }
            let count = if is_paired { values.len() / 2 } else { values.len() };
            [format!("{kind}{count}\r\n").into_bytes(), values.concat()].concat()
        })
    })
}

/// Several frames, a few bytes of which were replaced, removed or doubled.
fn stream() -> impl Strategy<Value = Bytes> {
    let damage = (any::<usize>(), 0..3, select(b"\r\n0123456789-+:$*_#,(%~=! tfx?;.".as_slice()));
    (vec(frame(), 1..5), vec(damage, 0..3)).prop_map(|(frames, damages)| {
        let mut stream = frames.concat();
        for (at, how, byte) in damages {
            let at = at % stream.len().max(1);
            match how {
                _ if stream.is_empty() => stream.push(byte),
                0 => stream[at] = byte,
                1 => drop(stream.remove(at)),
                _ => stream.insert(at, byte),
            }
        }
        stream
    })
}

// ---- texts

fn error_line() -> impl Strategy<Value = Bytes> {
    let code = select(vec![
        "NOSCRIPT",
        "BUSY",
        "READONLY",
        "LOADING",
        "OOM",
        "MOVED",
        "ASK",
        "NOAUTH",
        "WRONGTYPE",
        "ERR",
        "DENIED",
        "NOPERM",
        "noauth",
        "",
    ]);
    let text = select(vec![
        "",
        " ",
        "Error running script (call to f_0): @user_script:1: @user_script: 1: -",
        "unknown command",
        "invalid password",
        "max number of clients reached",
        "WRONGTYPE x",
        "Script killed by user",
        "1 [::1]:6379",
    ]);
    (code, select(vec![" ", "", "  ", "\t"]), text, bytes(24)).prop_map(
        |(code, blank, text, rest)| {
            [code.as_bytes(), blank.as_bytes(), text.as_bytes(), &rest].concat()
        },
    )
}

fn urls() -> impl Strategy<Value = Bytes> {
    let part = |list: &[&'static str]| select(list.to_vec());
    let url = (
        part(&["redis", "unix", "redis+unix", "rediss", "REDIS", "http", ""]),
        part(&["://", ":", ":/", ":///", ""]),
        part(&["", "u:p@", ":p%40@", "u@", "@", "u:%zz@", "a:b@c:d@"]),
        part(&["h", "127.0.0.1", "[::1]", "[::1", "::1", "h%61", "a_b", ""]),
        part(&["", ":1", ":0", ":65535", ":65536", ":", ":+1", ":00001"]),
        part(&["", "/", "/3", "/run/x.sock", "//3", "/4294967296", "/a%00", "/%ff"]),
        part(&[
            "",
            "?db=3",
            "?db=3&user=u&password=p",
            "?password=%26",
            "?x=1",
            "?",
            "#f",
            "?db=1&db=2",
        ]),
    );
    let text = url.prop_map(|(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g].concat());
    prop_oneof![
        4 => text.clone().prop_map(String::into_bytes),
        1 => vec(text.clone(), 0..4).prop_map(|urls| urls.join(",").into_bytes()),
        2 => vec((parameter(), text), 0..4).prop_map(|parts| {
            let parts = parts.into_iter().map(|(key, value)| format!("{key}={value}"));
            parts.collect::<Vec<_>>().join(";").into_bytes()
        }),
        1 => "[ -~äöü]{0,40}".prop_map(String::into_bytes),
    ]
}

fn parameter() -> impl Strategy<Value = &'static str> {
    select(vec![
        "connection.uri",
        "connection.host",
        "connection.port",
        "connections.a.uri",
        "credential.password",
        "host",
        "port",
        "uri",
        "options.timeout",
        "descriptor",
        "Host",
        "",
        "a.b.c",
        "credentials.x.username",
    ])
}

// ---- operations

/// Choices, then operations of one to four bytes whose first comes from `usual` mostly.
fn operations(choices: usize, usual: &'static [u8]) -> impl Strategy<Value = Bytes> {
    let first = prop_oneof![4 => select(usual.to_vec()), 1 => any::<u8>()];
    let operation = (first, bytes(4)).prop_map(|(first, rest)| [vec![first], rest].concat());
    (vec(any::<u8>(), choices), vec(operation, 0..80))
        .prop_map(|(choices, operations)| [choices, joined(operations)].concat())
}

/// Each is two bytes: what, and to which server. Wishes, answers, time, trouble.
fn story() -> impl Strategy<Value = Bytes> {
    const USUAL: &[u8] = &[
        0x00, 0x06, 0x06, 0x06, 0x16, 0x50, 0x80, 0xd0, 0xe0, 0x0a, 0x0a, 0x0b, 0x0c, 0x0e, 0x08,
        0x04, 0x7d, 0xad, 0xc0,
    ];
    // Half of them wait for a key that somebody has, without a bound, and are told when it changes.
    const WAITER: &[u8] = &[0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 1, 1, 0, 0x7d, 0, 0, 0, 0x06, 0, 0x06, 0];
    let beginning = prop_oneof![vec(any::<u8>(), 14), Just(WAITER.to_vec())];
    let operation = (prop_oneof![3 => select(USUAL.to_vec()), 1 => any::<u8>()], any::<u8>());
    (beginning, vec(operation, 0..120)).prop_map(|(choices, operations)| {
        let operations = operations.into_iter().flat_map(|(what, server)| [what, server]);
        choices.into_iter().chain(operations).collect()
    })
}

/// Some choices, and behind them what the peer sends, in pieces as the hostile mode of `connection` reads them.
fn hostile() -> impl Strategy<Value = Bytes> {
    (vec(any::<u8>(), 3), stream(), 1..48_usize, bytes(6)).prop_map(
        |(sizes, stream, size, between)| {
            let mut input = [vec![1], sizes, vec![0, 1, 2, 64]].concat();
            for piece in stream.chunks(size) {
                let len = u8::try_from(piece.len()).expect("a short piece");
                input.extend([vec![5, len], piece.to_vec(), between.clone()].concat());
            }
            input
        },
    )
}

fn config() -> ProptestConfig {
    let said = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let is_said = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if is_said { said.cases } else { 2000 }, ..said }
}

macro_rules! holds {
    ($($name:ident on $input:expr;)*) => {
        proptest! {
            #![proptest_config(config())]
            $(
                #[test]
                fn $name(input in $input) {
                    redlatch_fuzz::$name(&input);
                }
            )*
        }
    };
}

holds! {
    scanner on (vec(any::<u8>(), 13), stream()).prop_map(|(choices, stream)| [choices, stream].concat());
    reply on stream();
    oracle on stream();
    refusal on error_line();
    url on urls();
    encode on (vec(any::<u8>(), 40), bytes(300)).prop_map(|(choices, rest)| [choices, rest].concat());
    handshake on prop_oneof![
        operations(8, &[1, 2, 8, 9, 0, 15, 19]),
        (vec(any::<u8>(), 4), frame()).prop_map(|(choices, frame)| {
            let len = u8::try_from(frame.len().min(120)).expect("small");
            [choices, vec![31, len], frame].concat()
        }),
    ];
    connection on prop_oneof![operations(4, &[0, 1, 2, 4, 4]), hostile()];
    lock on story();
    quorum on operations(3, &[0, 3, 5, 6, 7]);
    pushes on operations(1, &[0, 1, 2, 2, 7, 7, 15]);
}
