//! Sequences of choices: stories that the properties should know from the start.

use crate::Seed;
use crate::wire;

fn named(list: &[(&str, &[u8])]) -> Vec<Seed> {
    list.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}

/// A text as `Choices::text` reads it.
fn text(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("a short text")], bytes].concat()
}

// ---- what is sent

const HOSTILE_KEYS: [(&str, &[u8]); 12] = [
    ("plain", b"orders:17"),
    ("empty", b""),
    ("line-end", b"\r\n"),
    ("command", b"\r\n*1\r\n$8\r\nFLUSHALL\r\n"),
    ("command-at-once", b"*1\r\n$8\r\nFLUSHALL\r\n"),
    ("zero-byte", b"a\0b"),
    ("tag", b"{a}b"),
    ("open-tag", b"{"),
    ("empty-tag", b"{}"),
    ("glob", b"*?[a]"),
    ("not-text", b"\xff\xfe"),
    ("long", &[b'k'; 200]),
];

/// A number, twenty bytes, the kind of command, its form, a ttl, a login, a key, a list.
pub(crate) fn encode() -> Vec<Seed> {
    let command = |kind: u8, form: u8, ttl: [u8; 2], key: &[u8]| {
        let mut input = vec![7, 1];
        input.extend(0..20);
        input.extend([kind, form, ttl[0], ttl[1], 7]);
        input.extend([text(b"user"), text(b"pass\r\nword"), text(b"name")].concat());
        input.push(3);
        input.extend(
            [text(key), vec![3], text(b"GET"), text(b""), text(key.get(..40).unwrap_or(key))]
                .concat(),
        );
        input
    };
    let kinds = ["hello", "auth", "select", "role", "info", "read", "claim", "extend", "release"];
    let mut seeds: Vec<Seed> = kinds
        .iter()
        .zip(0..)
        .map(|(kind, number)| ((*kind).to_owned(), command(number, 0, [100, 0], b"k")))
        .collect();
    for (name, key) in HOSTILE_KEYS {
        seeds.push((format!("claim-{name}"), command(6, 0, [200, 0], key)));
        seeds.push((format!("release-in-full-{name}"), command(8, 1, [200, 0], key)));
    }
    for (name, ttl) in [("zero", [0, 0]), ("one", [1, 0]), ("most", [0, 1]), ("half", [128, 2])] {
        seeds.push((format!("claim-ttl-{name}"), command(6, 0, ttl, b"k")));
    }
    seeds
}

// ---- the handshake

const USER: u8 = 1;
const PASSWORD: u8 = 2;
const NAME: u8 = 4;
const RESP2: u8 = 8;
const DATABASE: u8 = 16;

/// Numbers are those of the list of replies in the property.
pub(crate) fn handshake() -> Vec<Seed> {
    let talk = |uptime: u8, has: u8, replies: &[u8]| {
        let mut input = vec![uptime, has];
        for (bit, word) in [(USER, b"user".as_slice()), (PASSWORD, b"hunter2"), (NAME, b"name")] {
            if has & bit != 0 {
                input.extend(text(word));
            }
        }
        if has & DATABASE != 0 {
            input.push(3);
        }
        input.extend(replies);
        input
    };
    let other = |bytes: &[u8]| [vec![31], text(bytes)].concat();
    let rows: &[(&str, u8, u8, &[u8])] = &[
        ("greeted", 0, 0, &[1]),
        ("greeted-with-everything", 1, USER | PASSWORD | NAME | DATABASE, &[1, 0, 19]),
        ("greeted-in-resp2", 1, RESP2, &[2, 19]),
        ("greeted-without-role", 0, 0, &[3]),
        ("greeted-by-a-replica", 0, PASSWORD, &[4]),
        ("greeted-in-another-protocol", 0, 0, &[5]),
        ("greeted-with-nothing", 0, 0, &[6]),
        ("greeted-by-a-number", 0, 0, &[7]),
        ("greeted-by-ok", 0, 0, &[0]),
        ("old-and-open", 0, 0, &[8, 15]),
        ("old-with-password", 0, PASSWORD, &[8, 0, 15]),
        ("old-with-everything", 1, USER | PASSWORD | NAME | DATABASE, &[8, 0, 0, 15, 19]),
        ("old-and-a-replica", 0, 0, &[8, 16]),
        ("old-and-a-sentinel", 0, 0, &[8, 17]),
        ("old-and-no-role", 0, 0, &[8, 18]),
        ("old-and-wrong-password", 0, PASSWORD, &[8, 10, 0, 0]),
        ("old-and-auth-is-nil", 0, PASSWORD, &[8, 21]),
        ("no-protocol", 0, 0, &[9, 15]),
        ("wrong-password", 0, PASSWORD, &[10, 0, 1]),
        ("no-password", 0, 0, &[11, 1]),
        ("role-forbidden", 0, 0, &[8, 12]),
        ("role-is-ok", 0, 0, &[8, 0]),
        ("no-such-database", 0, DATABASE, &[1, 13]),
        ("loading", 0, 0, &[14]),
        ("uptime-verbatim", 1, 0, &[1, 20]),
        ("uptime-forbidden", 1, 0, &[1, 12]),
        ("uptime-nil", 1, 0, &[1, 21]),
        ("uptime-negative", 1, 0, &[1, 23]),
        ("id-negative", 0, 0, &[22]),
        ("modules-without-end", 1, 0, &[24, 24]),
    ];
    let mut seeds: Vec<Seed> = rows
        .iter()
        .map(|(name, uptime, has, replies)| ((*name).to_owned(), talk(*uptime, *has, replies)))
        .collect();
    let said: &[(&str, &[u8])] = &[
        ("said-role-twice", b"%3\r\n+proto\r\n:3\r\n+role\r\n+master\r\n+role\r\n+other\r\n"),
        ("said-proto-twice", b"%2\r\n+proto\r\n:3\r\n+proto\r\n:2\r\n"),
        ("said-proto-as-text", b"%1\r\n+proto\r\n+3\r\n"),
        ("said-odd-array", b"*3\r\n+proto\r\n:3\r\n+role\r\n"),
        ("said-role-is-a-map", b"%2\r\n+proto\r\n:3\r\n+role\r\n%0\r\n"),
        ("said-with-a-push-inside", b"%1\r\n>1\r\n+role\r\n+proto\r\n:3\r\n"),
    ];
    for (name, bytes) in said {
        seeds.push(((*name).to_owned(), talk(1, PASSWORD, &other(bytes))));
    }
    seeds
}

// ---- connections

/// Parity says whether the peer is honest, then come the sizes of buffers and the limit of requests in flight.
pub(crate) fn connection() -> Vec<Seed> {
    let mut seeds = named(&[
        ("honest-one-by-one", &[0, 96, 96, 7, 0, 1, 64, 2, 4, 64, 0, 1, 64, 2, 4, 64]),
        ("honest-pipelined", &[0, 96, 96, 7, 0, 0, 0, 0, 1, 64, 1, 64, 2, 2, 2, 2, 4, 64, 4, 64]),
        (
            "honest-byte-by-byte",
            &[0, 0, 0, 7, 0, 1, 5, 1, 5, 1, 64, 2, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1],
        ),
        ("honest-pushes-between", &[0, 96, 96, 7, 0, 1, 64, 3, 9, 2, 3, 23, 4, 64, 4, 64]),
        ("honest-submit-before-poll", &[0, 9, 9, 3, 0, 1, 64, 2, 199, 64, 195, 195, 4, 64, 1, 64]),
        ("honest-too-many", &[0, 96, 96, 0, 0, 0, 0, 0, 1, 64, 2, 4, 64]),
        ("hostile-closed-at-once", &[1, 96, 96, 7, 4, 0]),
        ("hostile-closed-in-flight", &[1, 96, 96, 7, 0, 1, 2, 64, 4, 0]),
        ("hostile-silent", &[1, 96, 96, 7, 0, 1, 2, 64, 3, 99, 3, 99, 3, 255]),
        ("hostile-nothing-in-flight", &[1, 96, 96, 7, 5, 5, b'+', b'O', b'K', 13, 10]),
    ]);
    for (name, bytes) in wire::seeds() {
        let is_telling =
            ["line-", "push-", "http", "tls-", "ssh", "two-", "streamed-s", "terminator-"]
                .iter()
                .any(|beginning| name.starts_with(beginning));
        if is_telling {
            // A request is out; the peer sends this in pieces, and closes.
            let mut input = vec![1, 96, 96, 7, 0, 1, 2, 64];
            for piece in bytes.chunks(48) {
                input.extend([vec![5], text(piece)].concat());
            }
            input.extend([4, 0]);
            seeds.push((format!("hostile-{name}"), input));
        }
    }
    seeds
}

// ---- locks

/// Wishes: the high half of the byte says which.
const ACQUIRE: u8 = 0x00;
const EXTEND: u8 = 0x50;
const RELEASE: u8 = 0x80;
const ABANDON: u8 = 0xb0;
const HINT: u8 = 0xc0;
const DETACH: u8 = 0xd0;
const ADOPT: u8 = 0xe0;
/// What happens to server `n`, the byte that follows.
const EXECUTE: u8 = 4;
const ANSWER: u8 = 6;
const DELIVER: u8 = 8;
/// The byte after the server counts 1.4 ms each.
const PASS: u8 = 0xe9;
const WAKE: u8 = 10;
const RESET: u8 = 11;
const STRAY: u8 = 12;
const REFUSE: u8 = 13;
const FORGET_SCRIPTS: u8 = 0x4d;
const FOREIGN: u8 = 0x7d;
const HASH: u8 = 0x9d;
const DELETE: u8 = 0xad;
const STEAL: u8 = 0xcd;
const UNREACHABLE: u8 = 14;
const LIE: u8 = 15;

/// Name, settings, and what happens.
type Story<'a> = (&'a str, [u8; 13], &'a [&'a [u8]]);

/// Honest or not, seats, ttl, reply timeout, delay, its kind, retries, deadline, divisor, most, drift, woken, renewing.
pub(crate) fn lock() -> Vec<Seed> {
    let one = [0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0];
    let three = [0, 2, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    let liar = [1, 2, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    // Held for 300 ms, answers are waited for longer.
    let short_lived_three = [0, 2, 4, 5, 0, 1, 0, 0, 0, 0, 1, 0, 0];
    // Tries again without end, and asks to be told.
    let waiter = [0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 1, 1, 0];
    let waiter_of_three = [0, 2, 1, 1, 1, 1, 2, 0, 0, 0, 1, 1, 0];
    let refused = [FOREIGN, 0, ACQUIRE, 0, ANSWER, 0, ANSWER, 0];
    let all = |what: u8| [what, 0, what, 1, what, 2];
    let rows: &[Story] = &[
        (
            "one-taken-and-released",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, RELEASE, 0, ANSWER, 0]],
        ),
        (
            "one-extended",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, EXTEND, 0, ANSWER, 0, ANSWER, 0]],
        ),
        (
            "one-extended-after-a-flush",
            one,
            &[&[
                ACQUIRE,
                0,
                ANSWER,
                0,
                ANSWER,
                0,
                FORGET_SCRIPTS,
                0,
                EXTEND,
                0,
                ANSWER,
                0,
                ANSWER,
                0,
            ]],
        ),
        (
            "one-held-by-another",
            one,
            &[&[FOREIGN, 0, ACQUIRE, 0, ANSWER, 0, ANSWER, 0, WAKE, 0, ANSWER, 0]],
        ),
        ("one-of-another-type", one, &[&[HASH, 0, ACQUIRE, 0, ANSWER, 0, ANSWER, 0]]),
        (
            "one-deleted",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, DELETE, 0, EXTEND, 0, ANSWER, 0, ANSWER, 0]],
        ),
        (
            "one-stolen",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, STEAL, 0, EXTEND, 0, ANSWER, 0, ANSWER, 0]],
        ),
        ("one-expires", one, &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, WAKE, 0, WAKE, 0]]),
        (
            "one-asked-again-as-it-expires",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, 0xf9, 0, 255, ACQUIRE, 0, ANSWER, 0]],
        ),
        (
            "one-abandoned-while-asking",
            one,
            &[&[ACQUIRE, 0, ABANDON, 0, ANSWER, 0, ANSWER, 0, ANSWER, 0]],
        ),
        (
            "one-lost-then-late",
            one,
            &[&[ACQUIRE, 0, RESET, 0, STRAY, 0, WAKE, 0, ANSWER, 0, ANSWER, 0]],
        ),
        ("one-lost-for-good", one, &[&[ACQUIRE, 0, RESET, 0, STRAY | 0x80, 0, WAKE, 0, ANSWER, 0]]),
        (
            "one-never-sent",
            one,
            &[&[ACQUIRE, 0, UNREACHABLE, 0, UNREACHABLE, 0, WAKE, 0, ANSWER, 0]],
        ),
        (
            "one-released-and-reset",
            one,
            &[&[
                ACQUIRE, 0, ANSWER, 0, ANSWER, 0, RELEASE, 0, EXECUTE, 0, RESET, 0, WAKE, 0,
                ANSWER, 0,
            ]],
        ),
        (
            "one-hinted",
            one,
            &[&[FOREIGN, 0, ACQUIRE, 0, HINT, 0, ANSWER, 0, ANSWER, 0, DELETE, 0, HINT, 0]],
        ),
        (
            "one-detached-and-adopted",
            one,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, DETACH, 0, ADOPT, 0, ANSWER, 0, ANSWER, 0]],
        ),
        ("one-refused", one, &[&[ACQUIRE, 0, REFUSE, 0, 0, DELIVER, 0, REFUSE, 0, 3, DELIVER, 0]]),
        (
            "one-woken",
            waiter,
            &[&refused, &[ANSWER, 0, DELETE, 0, DELIVER, 0, ANSWER, 0, ANSWER, 0]],
        ),
        ("one-gone-when-asked", waiter, &[&refused, &[DELETE, 0, ANSWER, 0, ANSWER, 0, ANSWER, 0]]),
        (
            "one-told-behind-the-answer",
            waiter,
            &[&refused, &[EXECUTE, 0, DELETE, 0, DELIVER, 0, DELIVER, 0, ANSWER, 0]],
        ),
        (
            "one-asleep-until-it-expires",
            waiter,
            &[&refused, &[ANSWER, 0, WAKE, 0, DELIVER, 0, ANSWER, 0, ANSWER, 0, ANSWER, 0]],
        ),
        (
            "one-asleep-and-reset",
            waiter,
            &[&refused, &[ANSWER, 0, RESET, 0, ANSWER, 0, ANSWER, 0, ANSWER, 0]],
        ),
        ("one-not-told", waiter, &[&refused, &[REFUSE, 0, 5, DELIVER, 0, DELETE, 0, WAKE, 0]]),
        (
            "three-woken",
            waiter_of_three,
            &[
                &[FOREIGN, 0, FOREIGN, 1, FOREIGN, 2, ACQUIRE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &all(ANSWER),
                &[DELETE, 0, DELETE, 1, DELIVER, 0, WAKE, 0],
                &all(ANSWER),
                &all(ANSWER),
            ],
        ),
        (
            "three-taken-and-released",
            three,
            &[&[ACQUIRE, 0], &all(ANSWER), &all(ANSWER), &[RELEASE, 0], &all(ANSWER), &all(ANSWER)],
        ),
        (
            "three-renewed",
            three,
            &[
                &[ACQUIRE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &[WAKE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &[WAKE, 0],
                &all(ANSWER),
            ],
        ),
        (
            "three-one-silent",
            three,
            &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, ANSWER, 1, ANSWER, 1, RELEASE, 0]],
        ),
        ("three-two-silent", three, &[&[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, WAKE, 0, WAKE, 0]]),
        (
            "three-tied",
            three,
            &[&[FOREIGN, 1, FOREIGN, 2, ACQUIRE, 0], &all(ANSWER), &all(ANSWER), &[WAKE, 0]],
        ),
        (
            "three-lose-a-majority",
            three,
            &[
                &[ACQUIRE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &[DELETE, 0, DELETE, 1, EXTEND, 0],
                &all(ANSWER),
                &all(ANSWER),
            ],
        ),
        (
            "three-reset-in-between",
            three,
            &[
                &[ACQUIRE, 0],
                &all(EXECUTE),
                &[RESET, 0, RESET, 1],
                &all(DELIVER),
                &all(STRAY),
                &[WAKE, 0],
                &all(ANSWER),
            ],
        ),
        (
            "three-extended-while-one-is-given-back",
            short_lived_three,
            &[
                // So that all know the scripts.
                &[ACQUIRE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &[EXTEND, 0, ANSWER, 2, ANSWER, 2, ANSWER, 0, ANSWER, 0, RELEASE, 0],
                &all(ANSWER),
                &all(ANSWER),
                // Two have granted; the third has the key, but does not show it.
                &[ACQUIRE, 0, ANSWER, 0, ANSWER, 0, ANSWER, 1, ANSWER, 1, ANSWER, 2, REFUSE, 2, 5],
                // Shortly before the lease ends it is extended; the second does not answer.
                &[
                    PASS, 0, 178, EXTEND, 0, DELIVER, 2, ANSWER, 2, ANSWER, 0, ANSWER, 2, PASS, 0,
                    70,
                ],
            ],
        ),
        (
            "liar-grants",
            liar,
            &[&[ACQUIRE, 0], &[LIE, 0, 0, LIE, 1, 0, LIE, 2, 0, LIE, 0, 5, LIE, 1, 5, LIE, 2, 5]],
        ),
        (
            "liar-says-ok-to-all",
            liar,
            &[&[ACQUIRE, 0], &[LIE, 0, 0, LIE, 0, 0, LIE, 1, 0, LIE, 1, 0, WAKE, 0]],
        ),
        (
            "liar-never-knows-a-script",
            liar,
            &[
                &[ACQUIRE, 0],
                &all(ANSWER),
                &all(ANSWER),
                &[RELEASE, 0, LIE, 0, 8, LIE, 0, 8, LIE, 0, 8, WAKE, 0],
            ],
        ),
    ];
    let found = named(&[(
        "found-a-read-while-extending",
        &[
            0x01, 0x02, 0x01, 0x01, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00,
            0x00, 0x06, 0x98, 0x06, 0x01, 0x06, 0x02, 0x06, 0x00, 0x06, 0x01, 0xaa, 0x00, 0x5f,
            0x00, 0x08, 0x0f, 0x0a,
        ],
    )]);
    rows.iter()
        .map(|(name, head, steps)| {
            ((*name).to_owned(), [head.as_slice(), &steps.concat()].concat())
        })
        .chain(found)
        .collect()
}

// ---- votes

/// A number, the servers, and votes: granted 0 to 2, held 3 and 4, unreachable 5, refused 6 and, for good, 7.
pub(crate) fn quorum() -> Vec<Seed> {
    named(&[
        ("of-none", &[0, 0, 0]),
        ("of-none-with-a-vote", &[0, 0, 0, 1]),
        ("of-one", &[1, 0, 1, 1]),
        ("of-two-tied", &[2, 0, 2, 1, 3]),
        ("of-three-carried", &[3, 0, 3, 1, 1, 3]),
        ("of-three-failed", &[3, 0, 3, 3, 3, 1]),
        ("of-four-tied", &[4, 0, 4, 1, 1, 3, 3]),
        ("of-five-carried-late", &[5, 0, 5, 5, 5, 1, 1, 1]),
        ("of-five-refused", &[5, 0, 5, 6, 7, 6, 1, 1]),
        ("of-five-refused-and-silent", &[5, 0, 5, 6, 6, 5, 5, 3]),
        ("of-nine", &[9, 0, 9, 1, 3, 5, 7, 1, 1, 1, 1, 3]),
        ("more-votes-than-servers", &[0, 1, 2, 1, 1, 1, 1, 3, 3, 3]),
        ("majority-of-the-most", &[0, 1, 1]),
        ("majority-of-half", &[128, 2, 1]),
    ])
}

// ---- pushes

/// Made up replies with an even byte; then a request is 0, a push 1 with its kind, a reply 2. A server with an odd one.
pub(crate) fn pushes() -> Vec<Seed> {
    let keys = [[24].as_slice(), &[b'k'; 24]].concat().repeat(20);
    let long = [[0, 1, 2, 20].as_slice(), &keys, &[40, 0, 2, 0, 0, 0, 3, 5]].concat();
    named(&[
        ("too-long-to-keep", &long),
        ("between-two-replies", &[0, 0, 0, 2, 0, 0, 0, 1, 40, 1, 1, 40, 2, 0, 0, 0, 2, 40]),
        ("before-any-request", &[0, 1, 0, 40, 1, 1, 1, 0, 2, 0, 0, 0, 5, 9]),
        ("inside-an-array", &[0, 0, 2, 0, 3, 2, 1, 1, 0, 0, 0, 0, 7, 1, 0, 0, 2, 0, 3]),
        ("inside-a-map", &[0, 0, 2, 0, 5, 1, 1, 2, 1, 1, b'k', 0, 0, 0, 0, 0, 1, 9, 7]),
        ("attribute-and-push", &[0, 0, 2, 1, 3, 1, 1, 1, 1, 1, 0, 0, 5, 1]),
        ("of-twenty-keys", &[0, 1, 2, 20, 1, b'a', 1, b'b', 1, b'c', 40, 0, 2, 0, 0, 0, 3, 5]),
        ("tracked-and-changed", &[1, 2, 7, 200, 40, 4, 0, 7, 200, 40]),
        ("tracked-and-expired", &[1, 2, 7, 200, 40, 132, 2, 7, 200, 1, 255, 255, 7, 200, 3]),
        (
            "tracked-many",
            &[1, 2, 10, 18, 26, 0, 7, 200, 40, 4, 12, 20, 28, 0, 2, 10, 7, 200, 1, 7, 200, 40],
        ),
        ("own-write", &[1, 2, 5, 2, 7, 200, 40, 7, 200, 40]),
        ("push-before", &[1, 0, 6, 1, 0, 7, 200, 40]),
        ("push-inside", &[1, 2, 6, 1, 2, 7, 200, 40]),
        ("cut", &[1, 0, 6, 0, 4, 3, 7, 200, 40]),
        ("surplus", &[1, 0, 0, 6, 0, 5, 0, 9, 7, 200, 40, 0, 7, 200, 40]),
    ])
}
