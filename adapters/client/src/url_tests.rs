//! The same URLs, read by us and by an independent reader.

use fluent_uri::Uri;
use fluent_uri::pct_enc::{EStr, Encoder};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::string::string_regex;

use super::{Url, decode};

/// As it was written, and decoded.
type Text<'a> = (&'a str, Vec<u8>);

/// Userinfo, host, port.
type Place<'a> = (Option<Text<'a>>, &'a str, Option<&'a str>);

#[derive(Debug, PartialEq)]
struct Parts<'a> {
    scheme: &'a str,
    place: Option<Place<'a>>,
    path: Text<'a>,
    query: Option<Text<'a>>,
    fragment: Option<Text<'a>>,
}

fn ours(url: &str) -> Option<Parts<'_>> {
    let text = |encoded| (encoded, decode(encoded));
    let url = Url::parse(url)?;
    Some(Parts {
        scheme: url.scheme,
        place: url.authority.map(|place| (place.userinfo.map(text), place.host, place.port)),
        path: text(url.path),
        query: url.query.map(text),
        fragment: url.fragment.map(text),
    })
}

fn oracle(url: &str) -> Option<Parts<'_>> {
    fn text<E: Encoder>(encoded: &EStr<E>) -> Text<'_> {
        (encoded.as_str(), encoded.decode().to_bytes().into_owned())
    }
    let url = Uri::parse(url).ok()?;
    Some(Parts {
        scheme: url.scheme().as_str(),
        place: url.authority().map(|place| {
            (place.userinfo().map(text), place.host(), place.port().map(EStr::as_str))
        }),
        path: text(url.path()),
        query: url.query().map(text),
        fragment: url.fragment().map(text),
    })
}

/// Sixteen bits of an IPv6 address, in every case and with leading zeros.
const GROUP: &str = "[0-9A-Fa-f]{1,4}";

fn ipv4() -> impl Strategy<Value = String> {
    any::<core::net::Ipv4Addr>().prop_map(|address| address.to_string())
}

/// Eight groups, or six and an IPv4 address; some of them elided.
fn ipv6() -> impl Strategy<Value = String> {
    let with_ipv4 = (vec(GROUP, 6), ipv4()).prop_map(|(mut groups, last)| {
        groups.push(last);
        groups
    });
    let elided = proptest::option::of((any::<Index>(), 1..=8_usize));
    (prop_oneof![vec(GROUP, 8), with_ipv4], elided).prop_map(|(groups, elided)| match elided {
        Some((from, len)) => {
            let (head, rest) = groups.split_at(from.index(groups.len()));
            let tail = rest.get(len..).unwrap_or_default();
            format!("{}::{}", head.join(":"), tail.join(":"))
        }
        None => groups.join(":"),
    })
}

fn matching(regex: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(regex).expect("a regular expression")
}

/// Up to `most` of these characters, those of a name, and percent-encoded bytes.
fn made_of(characters: &str, most: usize) -> String {
    format!("([a-zA-Z0-9._~!$&'()*+,;={characters}-]|%[0-9a-fA-F]{{2}}){{0,{most}}}")
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        matching(&made_of("", 8)),
        ipv4(),
        ipv6().prop_map(|address| format!("[{address}]")),
        r"\[[vV][0-9a-fA-F]{1,3}\.[a-zA-Z0-9._~!$&'()*+,;=:-]{1,8}\]",
    ]
}

fn hierarchy() -> impl Strategy<Value = String> {
    let userinfo = matching(&format!("({}@)?", made_of(":", 8)));
    let path = matching(&format!("(/{})?", made_of(":@/", 8)));
    let placed = (userinfo, host(), "(:[0-9]{0,6})?", path)
        .prop_map(|(userinfo, host, port, path)| format!("//{userinfo}{host}{port}{path}"));
    // Two slashes would begin an authority.
    let placeless =
        matching(&made_of(":@/", 8)).prop_filter("an authority", |path| !path.starts_with("//"));
    prop_oneof![3 => placed, 1 => placeless]
}

/// Whatever the grammar of RFC 3986 allows.
fn valid() -> impl Strategy<Value = String> {
    let scheme = prop_oneof!["redis", "unix", "redis\\+unix", "[a-zA-Z][a-zA-Z0-9+.-]{0,6}"];
    let query = matching(&format!("(\\?{})?", made_of(":@/?", 8)));
    let fragment = matching(&format!("(#{})?", made_of(":@/?", 8)));
    (scheme, hierarchy(), query, fragment)
        .prop_map(|(scheme, rest, query, fragment)| format!("{scheme}:{rest}{query}{fragment}"))
}

/// These characters are put in place of those of the range.
type Damage = (Index, usize, Option<char>);

fn damage() -> impl Strategy<Value = Damage> {
    let delimiters: Vec<char> =
        ":/?#[]@%.+-v01aFgZ!~ \"<>\\^`{|}\0\n\u{7f}\u{e9}".chars().collect();
    let put = prop_oneof![4 => select(delimiters), 1 => any::<char>()];
    (any::<Index>(), 0..=2_usize, proptest::option::weighted(0.8, put))
}

fn damaged(url: &str, (at, len, put): Damage) -> String {
    let starts: Vec<usize> = url.char_indices().map(|(at, _)| at).chain([url.len()]).collect();
    let first = at.index(starts.len());
    let end = starts.get(first + len).copied().unwrap_or(url.len());
    let mut damaged = url.to_owned();
    damaged.replace_range(starts[first]..end, put.map(String::from).as_deref().unwrap_or_default());
    damaged
}

/// Almost a URL, or hardly one.
fn suspect() -> impl Strategy<Value = String> {
    let almost = (valid(), vec(damage(), 1..4))
        .prop_map(|(url, damages)| damages.into_iter().fold(url, |url, next| damaged(&url, next)));
    let literal = "r://\\[([0-9a-f:.]{0,20}|v[0-9a-g]{0,2}\\.[a!:@/%4]{0,4})\\][:1a]{0,3}";
    let delimiters = "[a1v:/?#\\[\\]@%. \u{e9}]{0,16}";
    prop_oneof![6 => almost, 2 => literal, 2 => delimiters, 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_url_of_the_grammar_is_read_as_the_oracle_reads_it(url in valid()) {
        let read = ours(&url);
        prop_assert!(read.is_some(), "refused");
        prop_assert_eq!(read, oracle(&url));
    }

    #[test]
    fn what_may_be_no_url_is_refused_exactly_when_the_oracle_refuses_it(url in suspect()) {
        prop_assert_eq!(ours(&url), oracle(&url));
    }
}

/// What the generators seldom make.
const CORNERS: &str = "
    : r r: :x 1:x +:x r_:x r%41:x ?r:x #r:x /r:x //h r:# r:? r:?# r:#? r:a?b?c#d?e r:#a#b r:?a[
    r:a] r:% r:a%4 r:%4g r:%%41 r:/a//b r:/// r://// r://h// r://h?q/ r://h#f@ r:// r://@ r://:
    r://@: r://a@b@c r://a@b:c@d r://:@: r://a:b r://h:a r://h:1a r://h:1:2 r://h:+1 r://h:%31
    r://a@h:1a r://h/:a@b r://[ r://] r://[] r://[[::1]] r://[::1]] r://[::1 r://::1 r://a[::1]
    r://[::1]1 r://[::1]a:1 r://[::1]:1a r://[::1]: r://u@[::1]:1/ r://[::1]@h r://[:] r://[::]
    r://[:::] r://[1::2::3] r://[:1::] r://[1:] r://[12345::] r://[1:2:3:4:5:6:7::]
    r://[::2:3:4:5:6:7:8] r://[1:2:3:4::5:6:7:8] r://[1:2:3] r://[::1.2.3.4] r://[::01.2.3.4]
    r://[::1.2.3.256] r://[1.2.3.4::] r://[::1.2.3] r://[1:2:3:4:5:6:7:1.2.3.4]
    r://[1:2:3:4:5::1.2.3.4] r://[::1.2.3.4:1] r://[1.2.3.4] r://[::1%25eth0] r://[::1%eth0]
    r://[v1.a] r://[VF.:] r://[v1.] r://[v.a] r://[vg.a] r://[v1a] r://[v1.a%41] r://[v1.a@b]
    r://[v1.a/b] r://[v1.a.b] r://u@[v1.a@b]
";

#[test]
fn corners_are_read_as_the_oracle_reads_them() {
    for url in CORNERS.split_whitespace() {
        assert_eq!(ours(url), oracle(url), "{url}");
    }
}

#[test]
fn every_character_is_allowed_exactly_where_the_oracle_allows_it() {
    for c in '\0'..='\u{ff}' {
        for url in [
            format!("{c}:"),
            format!("r{c}:"),
            format!("r://{c}@h"),
            format!("r://{c}"),
            format!("r://[{c}::]"),
            format!("r://[v{c}.a]"),
            format!("r://u@[v1.{c}]"),
            format!("r://h:{c}"),
            format!("r:/{c}"),
            format!("r:?{c}"),
            format!("r:#{c}"),
            format!("r:%{c}0"),
            format!("r:%0{c}"),
        ] {
            assert_eq!(ours(&url), oracle(&url), "{url:?}");
        }
    }
}

#[test]
fn what_is_not_percent_encoded_stays() {
    let cases: [(&str, &[u8]); 8] = [
        ("", b""),
        ("a+b", b"a+b"),
        ("%41%7e%00%fF", b"A~\0\xff"),
        ("%2541", b"%41"),
        ("%", b"%"),
        ("%4", b"%4"),
        ("%%41%4g", b"%A%4g"),
        ("%\u{e9}1", "%\u{e9}1".as_bytes()),
    ];
    for (encoded, decoded) in cases {
        assert_eq!(decode(encoded), decoded, "{encoded}");
    }
}
