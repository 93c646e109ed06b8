//! Bytes from a peer: each line of the list of hostile inputs, and what a server does send.

use crate::Seed;

/// The choices of the target `scanner`: the limits of machines with an operating system, and pieces of some sizes.
pub(crate) const HOSTED: [u8; 13] = [0, 8, 255, 255, 255, 0, 1, 2, 3, 5, 8, 13, 21];

/// What a length, a count or an integer can look like.
const NUMBERS: [(&str, &str); 24] = [
    ("zero", "0"),
    ("null", "-1"),
    ("minus-two", "-2"),
    ("minus-zero", "-0"),
    ("plus-one", "+1"),
    ("leading-zero", "01"),
    ("blank-before", " 1"),
    ("blank-behind", "1 "),
    ("hexadecimal", "0x1"),
    ("exponent", "1e3"),
    ("2-to-31-less-1", "2147483647"),
    ("2-to-31", "2147483648"),
    ("2-to-32-less-1", "4294967295"),
    ("2-to-32", "4294967296"),
    ("2-to-62", "4611686018427387904"),
    ("2-to-63-less-1", "9223372036854775807"),
    ("2-to-63", "9223372036854775808"),
    ("least", "-9223372036854775808"),
    ("below-least", "-9223372036854775809"),
    ("2-to-64", "18446744073709551616"),
    ("empty", ""),
    ("forty-digits", "1111111111111111111111111111111111111111"),
    ("two-signs", "--1"),
    ("streamed", "?"),
];

const KINDS: [(&str, char); 9] = [
    ("array", '*'),
    ("map", '%'),
    ("set", '~'),
    ("push", '>'),
    ("attribute", '|'),
    ("bulk", '$'),
    ("verbatim", '='),
    ("bulk-error", '!'),
    ("integer", ':'),
];

#[rustfmt::skip]
const NAMED: &[(&str, &[u8])] = &[
    ("cut-map-after-the-key", b"%1\r\n+key\r\n"),
    ("attribute-of-a-million", b"|1000000\r\n"),
    ("bulk-of-512-mib-and-silence", b"$536870912\r\nx"),
    ("bulk-null-in-resp3", b"*2\r\n$-1\r\n_\r\n"),
    ("terminator-other", b"$3\r\nabcXY"),
    ("terminator-lf-lf", b"$3\r\nabc\n\n"),
    ("terminator-cr-cr", b"$3\r\nabc\r\r"),
    ("line-lf-only", b"+OK\n"),
    ("line-cr-only", b"+OK\r"),
    ("line-cr-inside", b"+a\rb\r\n"),
    ("line-lf-inside", b"+a\nb\r\n"),
    ("line-twice-by-lf", b"+OK\n+OK\r\n"),
    ("crlf-alone", b"\r\n"),
    ("lf-alone", b"\n"),
    ("boolean-other", b"#x\r\n"),
    ("boolean-two", b"#tt\r\n"),
    ("null-with-something", b"_x\r\n"),
    ("double-nan", b",nan\r\n"),
    ("double-inf", b",inf\r\n"),
    ("double-minus-inf", b",-inf\r\n"),
    ("double-huge", b",1e999\r\n"),
    ("double-empty", b",\r\n"),
    ("double-point-first", b",.5\r\n"),
    ("double-point-last", b",5.\r\n"),
    ("double-infinity", b",infinity\r\n"),
    ("big-number-empty", b"(\r\n"),
    ("big-number-letters", b"(abc\r\n"),
    ("big-number-signs", b"(+-1\r\n"),
    ("big-number", b"(-3492890328409238509324850943850943825024385\r\n"),
    ("verbatim-two-bytes", b"=2\r\nab\r\n"),
    ("verbatim-no-colon", b"=3\r\ntxt\r\n"),
    ("verbatim-tab", b"=5\r\ntxtab\r\n"),
    ("verbatim-other-format", b"=7\r\nzzz:abc\r\n"),
    ("verbatim-of-two-formats", b"*2\r\n=7\r\ntxt:abc\r\n=7\r\ntx#:abc\r\n"),
    ("verbatim", b"=7\r\ntxt:abc\r\n"),
    ("bulk-error-lines", b"!9\r\nERR a\r\nb\r\n"),
    ("map-as-key", b"%1\r\n%1\r\n+a\r\n+b\r\n+c\r\n"),
    ("map-key-twice", b"%2\r\n+a\r\n:1\r\n+a\r\n:2\r\n"),
    ("attribute-before-a-reply", b"|1\r\n+ttl\r\n:3600\r\n$5\r\nhello\r\n"),
    ("attribute-inside-an-array", b"*3\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n:3\r\n"),
    ("attribute-before-a-push", b"|1\r\n+a\r\n+b\r\n>1\r\n+x\r\n"),
    ("attribute-in-an-attribute", b"|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n+e\r\n"),
    ("streamed-string", b"$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n"),
    ("streamed-array", b"*?\r\n:1\r\n:2\r\n.\r\n"),
    ("streamed-end-alone", b";0\r\n"),
    ("push-inside-an-aggregate", b"*2\r\n>2\r\n+invalidate\r\n*1\r\n+k\r\n:1\r\n:2\r\n"),
    ("push-last-in-an-aggregate", b"*1\r\n:1\r\n>1\r\n+x\r\n:7\r\n"),
    ("push-between-replies", b":1\r\n>2\r\n+invalidate\r\n*1\r\n+k\r\n:2\r\n"),
    ("push-in-a-push", b">2\r\n>1\r\n+x\r\n+a\r\n+b\r\n"),
    ("push-unknown", b">1\r\n+whatever\r\n"),
    ("push-empty", b">0\r\n"),
    ("push-invalidate-null", b">2\r\n$10\r\ninvalidate\r\n_\r\n"),
    ("push-invalidate-a-million", b">2\r\n$10\r\ninvalidate\r\n*1000001\r\n$1\r\na\r\n"),
    ("http", b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"),
    ("tls-alert", b"\x15\x03\x01\x00\x02\x02\x46"),
    ("tls-hello", b"\x16\x03\x01\x00\x31\x02\x00"),
    ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    ("zeros", &[0; 32]),
    ("ones", &[0xff; 32]),
    ("broken-utf-8-status", b"+\xff\xfe\xc3\r\n"),
    ("broken-utf-8-error", b"-\xff\xfe\xc3\r\n"),
    ("broken-utf-8-bulk", b"$3\r\n\xff\xfe\xc3\r\n"),
    ("one-byte", b"+"),
    ("two-replies", b"+OK\r\n+OK\r\n"),
    ("ok-then-nil", b"+OK\r\n$-1\r\n"),
    ("nil-then-ok", b"$-1\r\n+OK\r\n"),
    ("token", b"$40\r\n0123456789abcdef0123456789abcdef01234567\r\n"),
    ("token-upper-case", b"$40\r\n0123456789ABCDEF0123456789abcdef01234567\r\n"),
    ("token-one-short", b"$39\r\n0123456789abcdef0123456789abcdef0123456\r\n"),
    ("hello", b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n\
        $2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"),
    ("role", b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
    ("script-zero", b":0\r\n"),
    ("script-two", b":2\r\n"),
    ("script-bulk-one", b"$1\r\n1\r\n"),
    ("script-true", b"#t\r\n"),
    ("script-double", b",1\r\n"),
    ("script-big-number", b"(1\r\n"),
    ("every-kind", b"*13\r\n+a\r\n-b\r\n:1\r\n$1\r\nc\r\n=5\r\ntxt:d\r\n!3\r\nERR\r\n_\r\n#f\r\n,1.5\r\n(12\r\n\
        *1\r\n:1\r\n~1\r\n:2\r\n%1\r\n:3\r\n:4\r\n"),
];

pub(crate) fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> =
        NAMED.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    numbers(&mut seeds);
    nesting(&mut seeds);
    long(&mut seeds);
    seeds
}

/// The whole series for one kind of count, of length and of value; what differs for the others.
fn numbers(seeds: &mut Vec<Seed>) {
    for (kind, sign) in KINDS {
        let is_whole = matches!(sign, '*' | '$' | ':');
        for (number, text) in NUMBERS {
            let is_telling =
                matches!(number, "null" | "zero" | "2-to-62" | "leading-zero" | "streamed");
            if is_whole || is_telling {
                seeds.push((format!("{kind}-{number}"), format!("{sign}{text}\r\n").into_bytes()));
            }
        }
    }
}

fn nesting(seeds: &mut Vec<Seed>) {
    for (kind, sign) in &KINDS[..5] {
        for depth in [7, 8, 9, 100] {
            let level = if *sign == '%' { "%1\r\n+k\r\n".into() } else { format!("{sign}1\r\n") };
            seeds.push((format!("{kind}-{depth}-deep"), level.repeat(depth).into_bytes()));
        }
    }
    let deep = |level: &str, depth: usize, end: &str| (level.repeat(depth) + end).into_bytes();
    seeds.push(("array-1024-deep".into(), deep("*1\r\n", 1024, "")));
    seeds.push(("array-8-deep-closed".into(), deep("*1\r\n", 8, ":1\r\n")));
    seeds.push(("array-9-deep-closed".into(), deep("*1\r\n", 9, ":1\r\n")));
    seeds.push(("kinds-in-turn".into(), deep("*1\r\n~1\r\n%1\r\n+k\r\n", 4, ":1\r\n")));
    seeds.push(("streamed-deep".into(), deep("*?\r\n", 100, "")));
    seeds.push((
        "attribute-before-each-level".into(),
        deep("|1\r\n+a\r\n+b\r\n*1\r\n", 6, ":1\r\n"),
    ));
    seeds.push(("attributes-without-end".into(), deep("|0\r\n", 900, "")));
    seeds.push(("pushes-without-end".into(), deep(">0\r\n", 900, "")));
}

/// At the limits of what is stored, and of what is passed over.
fn long(seeds: &mut Vec<Seed>) {
    let mut add = |name: &str, head: &str, body: usize, end: &str| {
        let text = format!("{head}{}{end}", "x".repeat(body));
        seeds.push((name.to_owned(), text.into_bytes()));
    };
    add("status-of-1024", "+", 1024, "\r\n");
    add("status-of-1025", "+", 1025, "\r\n");
    add("error-of-2000", "-ERR ", 2000, "\r\n");
    add("status-without-end", "+", 3000, "");
    add("bulk-of-256", "$256\r\n", 256, "\r\n");
    add("bulk-of-257", "$257\r\n", 257, "\r\n");
    add("bulk-cut", "$3000\r\n", 2000, "");
    add("bulk-one-too-many", "$10\r\n", 11, "\r\n");
    add("big-number-of-x", "(", 900, "\r\n");
    let wide = |count: usize| (format!("*{count}\r\n") + &":1\r\n".repeat(count)).into_bytes();
    seeds.push(("array-of-64".into(), wide(64)));
    seeds.push(("array-of-65".into(), wide(65)));
    seeds.push((
        "array-of-empty-arrays".into(),
        ("*200\r\n".to_owned() + &"*0\r\n".repeat(200)).into(),
    ));
}

/// The oracle recurses, so it is not asked about what is deep.
pub(crate) fn is_shallow(seed: &Seed) -> bool {
    seed.1.iter().filter(|byte| b"*~%>|".contains(byte)).count() <= 48
}
