//! Requirements 12, 13 and 16 against a hostile peer: one row is one input and what must come of it.
//!
//! Every row runs with the hosted limits and with the embedded ones in a small array; in one piece,
//! byte by byte, in every two-way split, and with the end of the stream after every byte (inputs of
//! more than 600 bytes: in some splits). A row that ends in a value also shows that the stream is
//! still in step behind it.

use core::time::Duration;
use redlatch_core::resp::{Elements, Reply};
use redlatch_core::{Connection, Incoming, Instant, Limits, WireError};
use std::panic::catch_unwind;

/// One input. What must come of it is written as values in the order of arrival, then `!` and the
/// error that ends the connection, or `...` when the peer still owes the rest of a frame.
///
/// `+simple -error :integer $bulk =verbatim _ #t ,double (big [array] ~[set] %[map] >[push] long`
struct Row {
    input: Vec<u8>,
    hosted: String,
    embedded: String,
    /// Requests in flight before the input; `None` is as many as allowed.
    asked: Option<u32>,
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn row(&mut self, input: impl AsRef<[u8]>, expected: &str) {
        self.row2(input, expected, expected);
    }

    fn row2(&mut self, input: impl AsRef<[u8]>, hosted: &str, embedded: &str) {
        self.push(input.as_ref(), hosted, embedded, None);
    }

    fn asked(&mut self, asked: u32, input: impl AsRef<[u8]>, expected: &str) {
        self.push(input.as_ref(), expected, expected, Some(asked));
    }

    fn push(&mut self, input: &[u8], hosted: &str, embedded: &str, asked: Option<u32>) {
        let (hosted, embedded) = (hosted.to_owned(), embedded.to_owned());
        self.0.push(Row { input: input.to_vec(), hosted, embedded, asked });
    }
}

fn times(piece: &[u8], count: usize) -> Vec<u8> {
    piece.repeat(count)
}

fn join(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// `depth` of `open` around an integer, and how that reads.
fn nested(open: &[u8], depth: usize) -> Vec<u8> {
    join(&[&times(open, depth), b":1\r\n"])
}

fn brackets(open: &str, depth: usize) -> String {
    [open.repeat(depth), ":1".into(), "]".repeat(depth)].concat()
}

fn nesting(t: &mut Table) {
    for (open, shown) in [(b"*1\r\n", "["), (b"~1\r\n", "~[")] {
        t.row(nested(open, 1), &brackets(shown, 1));
        t.row(nested(open, 4), &brackets(shown, 4));
        t.row2(nested(open, 5), &brackets(shown, 5), "!TooDeep");
        t.row2(nested(open, 7), &brackets(shown, 7), "!TooDeep");
        t.row2(nested(open, 8), &brackets(shown, 8), "!TooDeep");
        for depth in [9, 100, 128, 1024, 10_000, 100_000, 1_000_000] {
            t.row(nested(open, depth), "!TooDeep");
        }
    }
    let map = b"%1\r\n+k\r\n";
    t.row(nested(map, 4), &brackets("%[+k ", 4));
    t.row2(nested(map, 8), &brackets("%[+k ", 8), "!TooDeep");
    // A push inside a push is skipped, so the outer one waits for its own element.
    t.row(join(&[&times(b">1\r\n", 2), b":1\r\n:2\r\n"]), ">long >[:2]");
    t.row2(join(&[&times(b">1\r\n", 8), b":1\r\n"]), "...", "!TooDeep");
    for kind in [b">1\r\n", b"%1\r\n", b"|1\r\n"] {
        for depth in [9, 100, 128, 1024, 10_000, 1_000_000] {
            t.row(nested(kind, depth), "!TooDeep");
        }
    }
    t.row(nested(b"*1\r\n~1\r\n", 2), "[~[[~[:1]]]]");
    t.row2(nested(b"*1\r\n~1\r\n", 4), "[~[[~[[~[[~[:1]]]]]]]]", "!TooDeep");
    t.row(nested(b"*1\r\n~1\r\n%1\r\n+k\r\n", 500), "!TooDeep");
    t.row(times(b"*?\r\n", 100_000), "!Streamed");
    let attributed = b"|1\r\n+a\r\n+b\r\n*1\r\n";
    t.row(nested(attributed, 4), &brackets("[", 4));
    t.row2(nested(attributed, 8), &brackets("[", 8), "!TooDeep");
    t.row(nested(attributed, 9), "!TooDeep");
    t.row("*1\r\n*1\r\n*1\r\n*1\r\n", "...");
    t.row2("*1\r\n*1\r\n*1\r\n*1\r\n*0\r\n", "[[[[[]]]]]", "!TooDeep");
    t.row("*1\r\n*1\r\n*1\r\n*1\r\n*-1\r\n", "[[[[_]]]]");
    t.row("*3\r\n*0\r\n*1\r\n:1\r\n:2\r\n", "[[] [:1] :2]");
    t.row("*2\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n:4\r\n", "[[:1 :2] [:3 :4]]");
}

/// The same numbers stand behind every type that has one.
fn numbers(t: &mut Table) {
    let wrong = [
        "",
        "-0",
        "-2",
        "-",
        "--1",
        "-10",
        "-01",
        "+1",
        "+0",
        "01",
        "00",
        "001",
        " 1",
        "1 ",
        "0x1",
        "1e3",
        "1.0",
        "1,0",
        "\u{661}",
        "\0",
        "a",
        "1-",
        "-1-",
        "18446744073709551616",
        "1111111111111111111111111111111111111111",
    ];
    for kind in "*~%>|$!=".chars() {
        for number in wrong {
            t.row(format!("{kind}{number}\r\n"), "!Length");
        }
        t.row(format!("{kind}?\r\n"), "!Streamed");
        t.row(format!("{kind}1?\r\n"), "!Length");
        t.row(format!("{kind}5\n"), "!LineEnd");
        t.row(format!("{kind}5\r\r\n"), "!LineEnd");
        t.row(format!("{kind}5\rx\n"), "!LineEnd");
        t.row(format!("{kind}\n"), "!LineEnd");
        t.row(format!("{kind}1"), "...");
    }
    for kind in "*$".chars() {
        t.row(format!("{kind}-1\r\n"), "_");
    }
    for kind in "~%>|!=".chars() {
        t.row(format!("{kind}-1\r\n"), "!Length");
    }
    let huge = [
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "9999999999999999999",
    ];
    for number in huge {
        for kind in "*~%>|".chars() {
            t.row(format!("{kind}{number}\r\n"), "!TooManyElements");
        }
        for kind in "$!=".chars() {
            t.row(format!("{kind}{number}\r\n"), "!TooLarge");
        }
    }
}

fn counts(t: &mut Table) {
    t.row("*0\r\n", "[]");
    t.row("~0\r\n", "~[]");
    t.row("%0\r\n", "%[]");
    t.row(">0\r\n", ">[]");
    t.row("|0\r\n", "...");
    t.row("|0\r\n:1\r\n", ":1");
    t.row("*1\r\n|0\r\n:1\r\n", "[:1]");
    t.row("*1\r\n>0\r\n:1\r\n", ">long [:1]");
    t.row("*2\r\n:1\r\n", "...");
    t.row("%1\r\n+key\r\n", "...");
    t.row("%1\r\n+key\r\n:1\r\n", "%[+key :1]");
    t.row("%2\r\n+key\r\n:1\r\n+key\r\n:2\r\n", "%[+key :1 +key :2]");
    t.row("|1000000\r\n", "!TooManyElements");
    t.row("|513\r\n", "!TooManyElements");
    t.row2("%512\r\n", "...", "!TooManyElements");
    t.row("%513\r\n", "!TooManyElements");
    t.row("%32\r\n", "...");
    t.row2("%33\r\n", "...", "!TooManyElements");
    t.row2("*1024\r\n", "...", "!TooManyElements");
    t.row("*1025\r\n", "!TooManyElements");
    t.row("*64\r\n", "...");
    t.row2("*65\r\n", "...", "!TooManyElements");
    t.row(join(&[b"*64\r\n", &times(b":1\r\n", 64)]), "[64 elements]");
    t.row2(join(&[b"*1024\r\n", &times(b"*0\r\n", 1024)]), "[1024 elements]", "!TooManyElements");
    // 1 + 7 * (1 + 512) values pass, 1 + 8 * (1 + 512) are more than 4096.
    let wide = join(&[b"*512\r\n", &times(b"_\r\n", 512)]);
    t.row2(join(&[b"*7\r\n", &times(&wide, 7)]), "[7 elements]", "!TooManyElements");
    t.row(join(&[b"*8\r\n", &times(&wide, 8)]), "!TooManyElements");
    t.row(join(&[b"*1000000\r\n", &times(b"*0\r\n", 1_000_000)]), "!TooManyElements");
    t.row(times(b"|0\r\n", 1_000_000), "!TooManyElements");
    t.row(join(&[b"*1\r\n", &times(b">0\r\n", 1_000_000)]), "!TooManyElements");
    t.row2(join(&[&times(b"|0\r\n", 255), b":1\r\n"]), ":1", "long");
    t.row2(join(&[&times(b"|0\r\n", 256), b":1\r\n"]), ":1", "!TooManyElements");
    t.row2(join(&[&times(b"|0\r\n", 4095), b":1\r\n"]), ":1", "!TooManyElements");
    t.row(join(&[&times(b"|0\r\n", 4096), b":1\r\n"]), "!TooManyElements");
    t.row(">2\r\n$10\r\ninvalidate\r\n*1000001\r\n", "!TooManyElements");
}

fn lengths(t: &mut Table) {
    t.row("$0\r\n\r\n", "$");
    t.row("$-1\r\n", "_");
    t.row("$3\r\nabc\r\n", "$abc");
    t.row("$4\r\n\r\n\r\n\r\n", r"$\r\n\r\n");
    t.row("$2\r\n\r\n", "...");
    t.row("$3\r\nab", "...");
    t.row("$3\r\nabc", "...");
    t.row("$3\r\nabc\r", "...");
    t.row("$536870912\r\n", "!TooLarge");
    t.row("!0\r\n\r\n", "-");
    t.row("!5\r\na\r\nbc\r\n", r"-a\r\nbc");
    let bulk = |len: usize| join(&[format!("${len}\r\n").as_bytes(), &times(b"x", len), b"\r\n"]);
    t.row(bulk(256), "$<256>");
    t.row2(bulk(257), "$<257>", "long");
    t.row2(bulk(65_536), "$<65536>", "!TooLarge");
    t.row2(bulk(65_537), "long", "!TooLarge");
    // 8 bytes of header and 2 behind the body count too.
    t.row2(bulk(16 * 1024 - 10), "$<16374>", "long");
    t.row2(bulk(16 * 1024 - 9), "$<16375>", "!TooLarge");
    t.row2(bulk(1024 * 1024 - 12), "long", "!TooLarge");
    t.row("$1048565\r\n", "!TooLarge");
    t.row2("$1048564\r\n", "...", "!TooLarge");
    t.row2(join(&[b"*2\r\n", &bulk(300), b":1\r\n"]), "[$<300> :1]", "long");
    // Each element is within its bound, the frame is not within the storage.
    t.row2(join(&[b"*3\r\n", &times(&bulk(200), 3)]), "[$<200> $<200> $<200>]", "long");
    t.row2(join(&[&bulk(300), b":1\r\n", &bulk(300)]), "$<300> :1 $<300>", "long :1 long");
    let skipped = join(&[b"*40\r\n", &times(&bulk(30_000), 40)]);
    t.row(skipped, "!TooLarge");
}

fn terminators(t: &mut Table) {
    t.row("$3\r\nabcXY", "!LineEnd");
    t.row("$3\r\nabcd\r\n", "!LineEnd");
    t.row("$3\r\nabc\n\n", "!LineEnd");
    t.row("$3\r\nabc\r\r", "!LineEnd");
    t.row("$3\r\nabc\n\r", "!LineEnd");
    t.row("$3\r\nab\r\n$1\r\n", "!LineEnd");
    t.row("$0\r\n:1\r\n", "!LineEnd");
    t.row("+OK\n", "!LineEnd");
    t.row("+OK\r", "...");
    t.row("+OK\r\r\n", "!LineEnd");
    t.row("+OK\n+OK\r\n", "!LineEnd");
    t.row("+a\rb\r\n", "!LineEnd");
    t.row("+a\nb\r\n", "!LineEnd");
    t.row("-ERR a\nb\r\n", "!LineEnd");
    t.row("-ERR a\rb\r\n", "!LineEnd");
    t.row(":1\n", "!LineEnd");
    t.row(":1\r:", "!LineEnd");
    t.row("_\n", "!LineEnd");
    t.row("#t\n", "!LineEnd");
    t.row(",1\n", "!LineEnd");
    t.row("(1\n", "!LineEnd");
    t.row("\r\n", "!UnknownType(13)");
    t.row("\n", "!UnknownType(10)");
    t.row("+OK\r\n\r\n", "+OK !UnknownType(13)");
    t.row("$3\r\nabc\r\n\n", "$abc !UnknownType(10)");
    t.row("+\r\n", "+");
    t.row("-\r\n", "-");
    t.row(join(&[b"+", &times(b"x", 16 * 1024 * 1024)]), "!TooLarge");
    t.row(join(&[b"-ERR ", &times(b"x", 1024 * 1024)]), "!TooLarge");
    let line = |kind: &[u8], len: usize| join(&[kind, &times(b"7", len), b"\r\n"]);
    t.row(line(b"+", 64), "+<64>");
    t.row2(line(b"+", 65), "+<65>", "long");
    t.row2(line(b"+", 1024), "+<1024>", "long");
    t.row(line(b"+", 1025), "long");
    t.row(line(b"+", 10_000), "long");
    // Of an error the beginning is kept: its code decides what is done next.
    t.row(line(b"-", 64), "-<64>");
    t.row2(line(b"-", 65), "-<65>", "-<64>");
    t.row2(line(b"-", 1024), "-<1024>", "-<64>");
    t.row2(line(b"-", 1025), "-<1024>", "-<64>");
    t.row2(join(&[&line(b"-", 9000), b"+OK\r\n"]), "-<1024> +OK", "-<64> +OK");
    t.row2(line(b"(", 1024), "(<1024>", "long");
    t.row(line(b"(", 1025), "long");
    t.row(join(&[b"(", &times(b"7", 1024 * 1024)]), "!TooLarge");
    t.row2(line(b"+", 16 * 1024 - 3), "long", "long");
    t.row2(line(b"+", 16 * 1024 - 2), "long", "!TooLarge");
    t.row2(line(b"+", 1024 * 1024 - 3), "long", "!TooLarge");
    t.row(line(b"+", 1024 * 1024 - 2), "!TooLarge");
}

fn integers(t: &mut Table) {
    t.row(":1\r\n", ":1");
    t.row(":+1\r\n", ":1");
    t.row(":-0\r\n", ":0");
    t.row(":0\r\n", ":0");
    t.row(":2\r\n", ":2");
    t.row(":-1\r\n", ":-1");
    t.row(":9223372036854775807\r\n", ":9223372036854775807");
    t.row(":-9223372036854775808\r\n", ":-9223372036854775808");
    let wrong = [
        "",
        "--1",
        "++1",
        "+-1",
        "1e3",
        "1 ",
        " 1",
        "1.0",
        "0x1",
        "-",
        "+",
        "1-",
        "a",
        "\0",
        "_",
        "9223372036854775808",
        "-9223372036854775809",
        "00000000000000000000",
        "1_000",
        "18446744073709551617",
    ];
    for number in wrong {
        t.row(format!(":{number}\r\n"), "!Integer");
    }
    t.row(":", "...");
    t.row(":1", "...");
    t.row(":1\r", "...");
    // Where a script's 0 or 1 is expected the lock sees what came, not what it would like.
    t.row("+1\r\n", "+1");
    t.row("$1\r\n1\r\n", "$1");
    t.row("#t\r\n", "#t");
    t.row(",1\r\n", ",1");
    t.row("(1\r\n", "(1");
}

fn resp3(t: &mut Table) {
    t.row("#f\r\n", "#f");
    for wrong in ["", "x", "T", "tt", "ft", "true", "1", " t"] {
        t.row(format!("#{wrong}\r\n"), "!Boolean");
    }
    t.row("_\r\n", "_");
    for wrong in ["x", " ", "_", "-1"] {
        t.row(format!("_{wrong}\r\n"), "!Null");
    }
    for double in ["nan", "inf", "-inf", "1e999", "-0", "0.1", "+1.5E-7", "10"] {
        t.row(format!(",{double}\r\n"), &format!(",{double}"));
    }
    for wrong in [
        "", "-", ".", "1.", ".1", "1e", "1e+", "in", "infx", "infinity", "Inf", "NaN", "na",
        "1.2.3", "1 ", " 1", "0x1", "e1", "1e1.5", "--1", "-nan", "+inf",
    ] {
        t.row(format!(",{wrong}\r\n"), "!Double");
    }
    t.row("(-123456789012345678901234567890\r\n", "(-123456789012345678901234567890");
    for wrong in ["", "-", "+", "1.0", "1e3", "a", "1 ", "--1"] {
        t.row(format!("({wrong}\r\n"), "!BigNumber");
    }
    t.row("=0\r\n\r\n", "!Verbatim");
    t.row("=2\r\nab\r\n", "!Verbatim");
    t.row("=3\r\ntxt\r\n", "!Verbatim");
    t.row("=5\r\ntxtab\r\n", "!Verbatim");
    t.row("=4\r\ntxt:\r\n", "=");
    t.row("=7\r\nzzz:abc\r\n", "=abc");
    t.row("=7\r\n\r\n\r:abc\r\n", "=abc");
    t.row("=7\r\ntxt:abcd\r\n", "!LineEnd");
    t.row("!21\r\nSYNTAX invalid syntax\r\n", "-SYNTAX invalid syntax");
    t.row("%1\r\n%1\r\n+a\r\n+b\r\n:1\r\n", "%[%[+a +b] :1]");
    t.row("%1\r\n*0\r\n_\r\n", "%[[] _]");
    t.row("~2\r\n:1\r\n:1\r\n", "~[:1 :1]");
    // Attributes: before a reply, inside an array, before a push, inside an attribute.
    t.row("|1\r\n+ttl\r\n:3\r\n+OK\r\n", "+OK");
    t.row("|1\r\n+ttl\r\n:3\r\n", "...");
    t.row("|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n$2\r\nhi\r\n", "$hi");
    t.row("*2\r\n|1\r\n+ttl\r\n:3\r\n:1\r\n:2\r\n", "[:1 :2]");
    t.row("*2\r\n:1\r\n|1\r\n+ttl\r\n:3\r\n:2\r\n", "[:1 :2]");
    t.row("*1\r\n:1\r\n|1\r\n+ttl\r\n:3\r\n+OK\r\n", "[:1] +OK");
    t.row("|1\r\n+ttl\r\n:3\r\n>1\r\n+hi\r\n:1\r\n", ">[+hi] :1");
    t.row("|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n:1\r\n+OK\r\n", "+OK");
    t.row("|1\r\n*1\r\n:1\r\n%1\r\n+a\r\n+b\r\n+OK\r\n", "+OK");
    t.row("*1\r\n|1\r\n>1\r\n+x\r\n+a\r\n:1\r\n:5\r\n", ">long [:5]");
    // Streamed types.
    for streamed in ["$?\r\n", "*?\r\n", "%?\r\n", "~?\r\n", ">?\r\n", "|?\r\n", ";4\r\n", ";0\r\n"]
    {
        t.row(streamed, "!Streamed");
    }
    t.row(".\r\n", "!Streamed");
    t.row("*?\r\n:1\r\n.\r\n", "!Streamed");
    t.row("*1\r\n$?\r\n;4\r\nabcd\r\n;0\r\n", "!Streamed");
    // Pushes: in every place, of every kind.
    t.row("*2\r\n:1\r\n>2\r\n+a\r\n+b\r\n:2\r\n", ">long [:1 :2]");
    t.row("*2\r\n>2\r\n+a\r\n+b\r\n:1\r\n>1\r\n+c\r\n:2\r\n", ">long [:1 :2]");
    t.row("*1\r\n*1\r\n>1\r\n*1\r\n+deep\r\n:1\r\n", ">long [[:1]]");
    t.row("%1\r\n+k\r\n>1\r\n+x\r\n:1\r\n", ">long %[+k :1]");
    t.row("*1\r\n:1\r\n>1\r\n+x\r\n:2\r\n", "[:1] >[+x] :2");
    t.row(":1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n:2\r\n", ":1 >[$invalidate [$k]] :2");
    t.row(">2\r\n$10\r\ninvalidate\r\n_\r\n", ">[$invalidate _]");
    t.row(">2\r\n$10\r\ninvalidate\r\n*-1\r\n", ">[$invalidate _]");
    t.row(">1\r\n$7\r\nunknown\r\n", ">[$unknown]");
    t.row(">1\r\n:1\r\n", ">[:1]");
    t.row(">2\r\n$10\r\ninvalidate\r\n", "...");
    let pushed = |len: usize| {
        join(&[b">2\r\n+x\r\n", format!("${len}\r\n").as_bytes(), &times(b"k", len), b"\r\n"])
    };
    t.row2(join(&[&pushed(238), b":1\r\n"]), ">[+x $<238>] :1", ">[+x $<238>] :1");
    t.row2(join(&[&pushed(242), b":1\r\n"]), ">[+x $<242>] :1", ">long :1");
    t.row2(join(&[&pushed(65_600), b":1\r\n"]), ">long :1", "!TooLarge");
    t.row(times(b">1\r\n+x\r\n", 3), ">[+x] >[+x] >[+x]");
    // RESP3 types answer a RESP2 connection all the same; what they mean is judged above.
    t.row("_\r\n#f\r\n~1\r\n:1\r\n", "_ #f ~[:1]");
}

fn other_protocols(t: &mut Table) {
    t.row("HTTP/1.1 400 Bad Request\r\n\r\n", "!UnknownType(72)");
    t.row("<html>", "!UnknownType(60)");
    t.row(b"\x15\x03\x01\x00\x02\x02\x46", "!UnknownType(21)");
    t.row(b"\x16\x03\x03\x00\x7a", "!UnknownType(22)");
    t.row("SSH-2.0-OpenSSH_9.2p1\r\n", "!UnknownType(83)");
    t.row("220 mail.example.org ESMTP\r\n", "!UnknownType(50)");
    t.row("{\"error\":1}", "!UnknownType(123)");
    t.row("ERROR\r\n", "!UnknownType(69)");
    t.row("PING\r\n", "!UnknownType(80)");
    t.row(times(b"\0", 64), "!UnknownType(0)");
    t.row(times(b"\xff", 64), "!UnknownType(255)");
    t.row(b"+\xff\xfe\xc3\r\n", r"+\xff\xfe\xc3");
    t.row(b"-\xc3\x28 \0\r\n", r"-\xc3( \x00");
    t.row(b"$4\r\n\xff\xfe\xc3\0\r\n", r"$\xff\xfe\xc3\x00");
    t.row(b"%1\r\n+\xff\r\n$1\r\n\xff\r\n", r"%[+\xff $\xff]");
    t.row(b":\xff\r\n", "!Integer");
    t.row(b",\xff\r\n", "!Double");
    t.row(b"*\xff\r\n", "!Length");
    t.row(b"*2\r\n:1\r\n\xff", "!UnknownType(255)");
    t.row("+", "...");
    t.row("*", "...");
    t.row("$", "...");
    t.row("", "");
}

fn surplus_and_missing(t: &mut Table) {
    t.asked(1, "+OK\r\n", "+OK");
    t.asked(1, "+OK\r\n+OK\r\n", "+OK !Unsolicited");
    t.asked(1, "_\r\n+OK\r\n", "_ !Unsolicited");
    t.asked(1, ":1\r\n*2\r\n:1\r\n:2\r\n", ":1 !Unsolicited");
    t.asked(1, "+OK\r\n>1\r\n+x\r\n", "+OK >[+x]");
    t.asked(1, "+OK\r\n|1\r\n+a\r\n+b\r\n>1\r\n+x\r\n", "+OK >[+x]");
    t.asked(1, "+OK\r\n|1\r\n+a\r\n+b\r\n+OK\r\n", "+OK !Unsolicited");
    t.asked(2, "+OK\r\n", "+OK");
    t.asked(2, "+OK\r\n_\r\n+OK\r\n:1\r\n", "+OK _ !Unsolicited");
    t.asked(0, "+OK\r\n", "!Unsolicited");
    t.asked(0, "$-1\r\n", "!Unsolicited");
    t.asked(0, "*0\r\n", "!Unsolicited");
    t.asked(0, "|0\r\n_\r\n", "!Unsolicited");
    t.asked(0, ">0\r\n", ">[]");
    t.asked(0, "+OK", "...");
    t.asked(0, "-ERR max number of clients reached\r\n", "!Rejected(TooManyClients)");
    t.asked(0, "-NOAUTH Authentication required.\r\n", "!Rejected(NoAuth)");
    t.asked(
        0,
        join(&[b"-ERR max number of clients reached", &times(b".", 2000), b"\r\n"]),
        "!Rejected(TooManyClients)",
    );
    t.asked(1, "+OK\r\n-ERR\r\n", "+OK !Rejected(Other)");
    t.asked(0, join(&[b"+", &times(b"x", 2000), b"\r\n"]), "!Unsolicited");
}

/// What a server may say in a handshake, and errors made to confuse: all that matters here is that
/// they are framed right. What they mean is tested with the handshake and the answers.
fn handshake_and_errors(t: &mut Table) {
    t.row(
        "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n",
        "%[$server $redis $proto :3]",
    );
    t.row(
        "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:2\r\n",
        "[$server $redis $proto :2]",
    );
    t.row(
        "%1\r\n$7\r\nmodules\r\n*1\r\n%2\r\n$4\r\nname\r\n$2\r\nbf\r\n$3\r\nver\r\n:1\r\n",
        "%[$modules [%[$name $bf $ver :1]]]",
    );
    t.row(join(&[b"%1\r\n$7\r\nmodules\r\n*1\r\n$10485760\r\n"]), "!TooLarge");
    for line in [
        "-NOPROTO unsupported protocol version",
        "-ERR unknown command 'HELLO'",
        "-NOSCRIPT",
        "-MOVED",
        "-MOVED -1 :0",
        "-MOVED 16384 a:65536",
        "-MOVED 1 ::1:6379",
        "-ASK 1 @/\0:1",
        "-err x",
        "-ERR wrong pass hunter2",
        "-ERR *1\\r\\n$8",
        "-LOADING",
        "-WRONGPASS",
    ] {
        t.row(
            format!("{line}\r\n+OK\r\n"),
            &format!("{} +OK", line.escape_default())
                .replace("\\'", "'")
                .replace("\\u{0}", "\\x00")
                .replace("'", r"\'"),
        );
    }
}

fn table() -> Vec<Row> {
    let mut table = Table::default();
    nesting(&mut table);
    numbers(&mut table);
    counts(&mut table);
    lengths(&mut table);
    terminators(&mut table);
    integers(&mut table);
    resp3(&mut table);
    other_protocols(&mut table);
    surplus_and_missing(&mut table);
    handshake_and_errors(&mut table);
    table.0
}

fn show(reply: Reply<'_>) -> String {
    match reply {
        Reply::Simple(text) => show_text('+', text),
        Reply::Error(text) => show_text('-', text),
        Reply::Integer(integer) => format!(":{integer}"),
        Reply::Bulk(text) => show_text('$', text),
        Reply::Verbatim(text) => show_text('=', text),
        Reply::Null => "_".into(),
        Reply::Boolean(boolean) => if boolean { "#t" } else { "#f" }.into(),
        Reply::Double(text) => show_text(',', text),
        Reply::BigNumber(text) => show_text('(', text),
        Reply::Array(elements) => show_elements("", elements),
        Reply::Set(elements) => show_elements("~", elements),
        Reply::Map(elements) => show_elements("%", elements),
        Reply::Push(elements) => show_elements(">", elements),
        Reply::TooLong => "long".into(),
        other => panic!("a kind the test does not know: {other:?}"),
    }
}

fn show_text(kind: char, text: &[u8]) -> String {
    match text.len() {
        0..=40 => format!("{kind}{}", text.escape_ascii()),
        len => format!("{kind}<{len}>"),
    }
}

fn show_elements(kind: &str, elements: Elements<'_>) -> String {
    let shown: Vec<String> = elements.map(show).collect();
    assert_eq!(shown.len(), elements.len() as usize, "as many elements as announced");
    match shown.len() {
        0..=6 | 8 => format!("{kind}[{}]", shown.join(" ")),
        len => format!("{kind}[{len} elements]"),
    }
}

/// A connection with its requests submitted, and what came out of it.
struct Peer<'a> {
    connection: Connection<&'a mut [u8], Vec<u8>>,
    seen: Vec<String>,
    error: Option<WireError>,
}

impl<'a> Peer<'a> {
    fn new(storage: &'a mut [u8], limits: Limits, asked: Option<u32>) -> Self {
        let timeout = Duration::from_secs(1);
        let mut connection = Connection::new(storage, vec![0; 512], limits, timeout);
        for _ in 0..asked.unwrap_or(limits.in_flight) {
            connection.submit(&[b"PING".as_slice()], Instant::ZERO).unwrap();
        }
        Self { connection, seen: Vec::new(), error: None }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.error.is_none() {
            let space = self.connection.io().space;
            assert!(!space.is_empty(), "a living connection has room");
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.connection.received(count);
            self.drain(count);
            bytes = &bytes[count..];
        }
    }

    /// Progress: a byte can end one frame at most, which gives two things at most.
    fn drain(&mut self, bytes: usize) {
        for _ in 0..=2 * bytes {
            match self.connection.poll() {
                Ok(Some(Incoming::Reply { reply, .. })) => self.seen.push(show(reply)),
                Ok(Some(Incoming::Push(Reply::TooLong))) => self.seen.push(">long".into()),
                Ok(Some(Incoming::Push(push))) => self.seen.push(show(push)),
                Ok(Some(other)) => panic!("{other:?}"),
                Ok(None) => return,
                Err(error) => {
                    self.error = Some(error);
                    return self.check_end(error);
                }
            }
        }
        panic!("poll goes on for ever");
    }

    fn check_end(&mut self, error: WireError) {
        assert_eq!(self.connection.ended(), Some(error));
        assert_eq!(self.connection.poll(), Err(error), "the same error for ever");
        assert!(self.connection.submit(&[b"PING".as_slice()], Instant::ZERO).is_err());
        let io = self.connection.io();
        assert!(io.space.is_empty() && io.pending.is_empty(), "buffers are dropped");
    }

    fn eof(&mut self) {
        if self.error.is_none() {
            self.connection.received(0);
            self.drain(1);
            assert!(self.error.is_some(), "the end of the stream ends the connection");
        }
    }

    fn outcome(&self) -> String {
        let error = self.error.map(|error| match error {
            WireError::Malformed(malformed) => format!("!{malformed:?}"),
            other => format!("!{other:?}"),
        });
        self.seen.iter().cloned().chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// One row under one set of limits.
struct Case<'a> {
    row: &'a Row,
    limits: Limits,
    storage: &'a mut [u8],
}

impl Case<'_> {
    fn run<'p>(&mut self, pieces: impl IntoIterator<Item = &'p [u8]>) -> Peer<'_> {
        let mut peer = Peer::new(self.storage, self.limits, self.row.asked);
        for piece in pieces {
            peer.feed(piece);
            if peer.error.is_some() {
                break;
            }
        }
        peer
    }

    fn check(&mut self, expected: &str) {
        let input = &self.row.input;
        let head = &input[..input.len().min(60)];
        let name = format!("{} ({} bytes)", head.escape_ascii(), input.len());
        let partial = expected.strip_suffix("...");
        let values = partial.unwrap_or(expected).trim_end();

        let whole = self.run([input.as_slice()]);
        let error = whole.error;
        assert_eq!(whole.outcome(), values, "in one piece: {name}");
        assert_eq!(self.run(input.chunks(1)).outcome(), values, "byte by byte: {name}");

        // Two-way splits, and the end of the stream at the same places.
        let len = input.len();
        let step = match len {
            0..=600 => 1,
            601..=0xffff => len / 16,
            _ => len / 2,
        };
        for at in (0..len).step_by(step).chain(len.saturating_sub(3)..len) {
            let (left, right) = input.split_at(at);
            assert_eq!(self.run([left, right]).outcome(), values, "split at {at}: {name}");
            let mut cut = self.run([left]);
            let before = cut.outcome();
            cut.eof();
            assert!(values.starts_with(&before), "{before}, cut at {at}: {name}");
            assert!(cut.error == error || cut.error == Some(WireError::Closed), "{name}");
        }

        // Behind a whole value the stream is in step; behind a partial one it ends well.
        let mut after = self.run([input.as_slice()]);
        if after.error.is_none() && partial.is_none() && after.connection.in_flight() > 0 {
            after.feed(b":424242\r\n");
            let values = format!("{values} :424242");
            assert_eq!(after.outcome(), values.trim_start(), "in step: {name}");
        }
        after.eof();
        assert_eq!(after.error, error.or(Some(WireError::Closed)), "{name}");
    }
}

#[test]
fn every_hostile_input_gives_a_value_or_a_typed_error() {
    let rows = table();
    println!("{} rows", rows.len());
    assert!(rows.len() >= 250, "{} rows", rows.len());
    let failed = rows.iter().filter(|row| {
        catch_unwind(|| {
            let storage = &mut vec![0; 80 * 1024];
            Case { row, limits: Limits::HOSTED, storage }.check(&row.hosted);
            let storage = &mut [0; 512];
            Case { row, limits: Limits::EMBEDDED, storage }.check(&row.embedded);
        })
        .is_err()
    });
    assert_eq!(failed.count(), 0, "rows that failed; each is named above");
}
