//! Endpoints of every form, and what is said of those that are none.

use super::{Address, Endpoint};
use crate::config::ConfigError;
use crate::secret::Secret;
use redlatch_core::Protocol;

/// URL, address, user, password, database.
type Case = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, u32);

#[test]
fn every_form_of_url_is_read() {
    let cases: [Case; 17] = [
        ("redis://127.0.0.1", "127.0.0.1:6379", None, None, 0),
        ("redis://127.0.0.1:", "127.0.0.1:6379", None, None, 0),
        ("redis://locks.example:7000", "locks.example:7000", None, None, 0),
        ("redis://localhost/", "localhost:6379", None, None, 0),
        ("REDIS://localhost:1/15", "localhost:1", None, None, 15),
        ("redis://[::1]:65535/4294967295", "[::1]:65535", None, None, u32::MAX),
        ("redis://:pw@h", "h:6379", None, Some("pw"), 0),
        ("redis://user:pw@h", "h:6379", Some("user"), Some("pw"), 0),
        ("redis://u:@h", "h:6379", Some("u"), Some(""), 0),
        ("redis://@h", "h:6379", None, None, 0),
        ("redis://u%3A:p%40%2f%23%00@h", "h:6379", Some("u:"), Some("p@/#\0"), 0),
        ("redis://u:a:b:c@h", "h:6379", Some("u"), Some("a:b:c"), 0),
        ("unix:///run/r.sock", "unix:/run/r.sock", None, None, 0),
        ("unix:/run/r.sock", "unix:/run/r.sock", None, None, 0),
        ("redis+unix:///r%20s", "unix:/r s", None, None, 0),
        ("unix:///s?db=3&user=me&password=p%26q", "unix:/s", Some("me"), Some("p&q"), 3),
        ("unix:///s?password=pw", "unix:/s", None, Some("pw"), 0),
    ];
    for (url, address, user, password, database) in cases {
        let endpoint: Endpoint = url.parse().unwrap_or_else(|e| panic!("{url}: {e}"));
        let login = endpoint.login(Protocol::Resp3, Some("name"));
        assert_eq!(endpoint.to_string(), address, "{url}");
        assert_eq!(login.username, user.map(str::as_bytes), "{url}");
        assert_eq!(login.password, password.map(str::as_bytes), "{url}");
        assert_eq!(login.database, database, "{url}");
        assert_eq!(login.name, Some(b"name".as_slice()), "{url}");
    }
}

#[test]
fn every_mistake_is_named_without_repeating_the_input() {
    let cases = [
        ("", ConfigError::Url),
        ("127.0.0.1:6379", ConfigError::Url),
        ("redis://h:sentinel@[x]", ConfigError::Url),
        ("redis://u:sentinel%zz@h", ConfigError::Url),
        ("redis://u:sentinel sentinel@h", ConfigError::Url),
        ("redis://h/\u{e9}sentinel", ConfigError::Url),
        ("http://sentinel", ConfigError::Scheme),
        ("redis:sentinel", ConfigError::NoHost),
        ("redis://", ConfigError::NoHost),
        ("redis://:sentinel@", ConfigError::NoHost),
        ("redis://:6379", ConfigError::NoHost),
        ("redis://sent%69nel", ConfigError::Host),
        ("redis://[v1.sentinel]", ConfigError::Host),
        ("redis://h:0", ConfigError::Port),
        ("redis://h:65536", ConfigError::Port),
        ("redis://h/sentinel", ConfigError::Database),
        ("redis://h/+1", ConfigError::Database),
        ("redis://h/4294967296", ConfigError::Database),
        ("redis://h/0/1", ConfigError::Database),
        ("redis://sentinel@h", ConfigError::NoPassword),
        ("redis://h?db=1", ConfigError::Parameter),
        ("redis://u:a#sentinel@h", ConfigError::Url),
        ("redis://u:1#sentinel@h", ConfigError::Fragment),
        ("unix://", ConfigError::SocketPath),
        ("unix:///", ConfigError::SocketPath),
        ("unix:sentinel", ConfigError::SocketPath),
        ("unix://sentinel/s", ConfigError::SocketPath),
        ("unix:///s%00", ConfigError::SocketPath),
        ("unix:///s?db=x", ConfigError::Database),
        ("unix:///s?db", ConfigError::Parameter),
        ("unix:///s?db=1&db=1", ConfigError::Parameter),
        ("unix:///s?sentinel=1", ConfigError::Parameter),
        ("unix:///s?password=sentinel&password=b", ConfigError::Parameter),
        ("unix:///s?user=sentinel", ConfigError::NoPassword),
    ];
    for (url, expected) in cases {
        let error = url.parse::<Endpoint>().expect_err(url);
        assert_eq!(error, expected, "{url}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("sentinel") && !said.contains('\n'), "{url}: {said}");
    }
}

#[test]
fn rediss_is_redis_over_tls_where_that_is_built_in() {
    let read = "RediSS://u:sentinel@h:7/3".parse::<Endpoint>();
    if cfg!(feature = "tls") {
        let endpoint = read.expect("a server");
        assert!(endpoint.is_encrypted() && endpoint.to_string() == "h:7");
        assert_eq!(endpoint.login(Protocol::Resp3, None).database, 3);
        let plain = "redis://h".parse::<Endpoint>().expect("a server");
        assert!(!plain.is_encrypted());
    } else {
        assert_eq!(read.expect_err("TLS"), ConfigError::Tls);
    }
}

#[test]
fn nothing_shown_holds_a_login() {
    for url in ["redis://sentinel:sentinel@h:1", "unix:///s?user=sentinel&password=sentinel"] {
        let endpoint: Endpoint = url.parse().expect(url);
        let shown = format!("{endpoint} {endpoint:?} {:?}", endpoint.login(Protocol::Resp3, None));
        assert!(!shown.contains("sentinel"), "{shown}");
    }
}

#[test]
fn a_list_is_separated_by_commas() {
    let list = Endpoint::parse_list("redis://a, redis://b:1 ,").expect("two servers");
    let addresses: Vec<_> = list.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["a:6379", "b:1"]);
    assert!(Endpoint::parse_list("").expect("none").is_empty());
    assert!(matches!(list[0].address(), Address::Tcp { port: 6379, .. }));
}

#[test]
fn an_endpoint_is_made_of_its_parts() {
    let made = Endpoint::tcp("h", 7).expect("a host");
    assert_eq!((made.to_string().as_str(), made.database()), ("h:7", None));
    assert!(made.username().is_none() && made.password().is_none() && !made.is_encrypted());
    let secret = Secret::new(b"sentinel".to_vec());
    let made = made.with_login(Some("sentinel"), secret).with_database(3);
    let login = made.login(Protocol::Resp3, None);
    assert_eq!((login.username, login.password), (Some(&b"sentinel"[..]), Some(&b"sentinel"[..])));
    assert_eq!((login.database, made.database()), (3, Some(3)));
    assert!(!format!("{made} {made:?}").contains("sentinel"));
}

#[test]
fn a_host_is_a_name_or_an_address() {
    for (host, shown) in [("::1", "[::1]:1"), ("locks.example", "locks.example:1")] {
        assert_eq!(Endpoint::tcp(host, 1).expect(host).to_string(), shown);
    }
    assert_eq!(Endpoint::tcp("", 1).expect_err("no host"), ConfigError::NoHost);
    for host in ["a b", "a/b", "u@h", "[::1]", "h:1", "h%31", "a\n"] {
        assert_eq!(Endpoint::tcp(host, 1).expect_err(host), ConfigError::Host);
    }
    assert_eq!(Endpoint::tcp("h", 0).expect_err("no port"), ConfigError::Port);
}

#[test]
fn a_database_that_is_named_is_told_from_none() {
    let database = |url: &str| url.parse::<Endpoint>().expect(url).database();
    assert_eq!((database("redis://h"), database("redis://h/")), (None, None));
    assert_eq!((database("redis://h/0"), database("unix:///s?db=0")), (Some(0), Some(0)));
}

#[cfg(feature = "tls")]
#[test]
fn a_unix_socket_is_not_encrypted() {
    assert!(Endpoint::tcp("h", 1).expect("a host").with_tls().is_encrypted());
    assert!(!"unix:///s".parse::<Endpoint>().expect("a socket").with_tls().is_encrypted());
}
