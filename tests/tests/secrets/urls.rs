//! URLs that hold a password and cannot be read.

use redlatch_client::{Endpoint, Options, Secret};

use super::exhibits::{ENCODED, Exhibits, PASSWORD};

/// Each is wrong in one thing, and the password stands near it, or is what is wrong.
fn wrong() -> Vec<String> {
    let mut urls: Vec<String> = [
        "http://:{}@host",
        "{}",
        "{}://host",
        "redis:/:{}@host",
        "redis://:{}@",
        "redis://:{}@/",
        "redis://:{}@:6379",
        "redis://{}@host",
        "redis://{}:@host:1:2",
        "redis://:{}@host:0",
        "redis://:{}@host:65536",
        "redis://:pw@host:{}",
        "redis://:{}@host/x",
        "redis://:pw@host/{}",
        "redis://:{}@host/1/2",
        "redis://:{}@host/0#fragment",
        "redis://:pw@host/0#{}",
        "redis://:{}@host?password={}",
        "redis://host?{}",
        "redis://:{}@[::1",
        "redis://:{}@[{}]",
        "redis://:{}@%zz",
        "redis://:pw@{}%00",
        "unix://relative?password={}",
        "unix:///path?{}",
        "unix:///path?password={}&password={}",
        "unix:///path?user=u&passwort={}",
        "unix:///path?db=x&password={}",
        "unix:///path?user={}",
        "redis+unix://{}",
        "redis://a,redis://:{}@b:x",
        "redis://:{}@a,redis://:{}@a",
    ]
    .iter()
    .flat_map(|url| [ENCODED, PASSWORD].map(|password| url.replace("{}", password)))
    .collect();
    // Percent-encoding that is cut, a line end, and a byte that is no text.
    urls.extend(["%2", "\r\n", "%ff", "\0"].map(|end| format!("redis://:{ENCODED}{end}@host:x")));
    urls
}

#[test]
fn a_url_that_cannot_be_read_is_not_repeated() {
    let mut exhibits = Exhibits::open();
    for url in wrong() {
        let builder = redlatch_std::Client::builder().servers(&url);
        exhibits.debug("a builder", &builder);
        exhibits.debug("a builder", &redlatch_tokio::Client::builder().servers(&url).server(&url));
        match Endpoint::parse_list(&url) {
            Err(error) => exhibits.error("a URL", &error),
            Ok(endpoints) => exhibits.debug("a URL that is none", &endpoints),
        }
        if let Err(error) = url.parse::<Endpoint>() {
            exhibits.error("a URL", &error);
        }
        // What is read all the same is looked for under a name that does not exist.
        if Endpoint::parse_list(&url).is_err() {
            exhibits.error("a client", &builder.connect().expect_err("a wrong URL"));
        }
    }
    exhibits.close();
}

#[test]
fn what_is_made_of_a_url_hides_its_password() {
    let mut exhibits = Exhibits::open();
    for url in [
        format!("redis://:{ENCODED}@host"),
        format!("redis://user:{ENCODED}@host:1/2"),
        format!("unix:///path?password={ENCODED}"),
        format!("rediss://:{ENCODED}@host"),
    ] {
        let endpoint: Endpoint = url.parse().expect("a URL");
        let login = endpoint.login(redlatch_core::Protocol::Resp3, Some("name"));
        assert_eq!(login.password, Some(PASSWORD.as_bytes()));
        exhibits.debug("a login", &login);
        exhibits.debug("a command", &redlatch_core::Command::Hello(login));
        exhibits.debug("an address", endpoint.address());
        exhibits.debug("an endpoint", &endpoint);
        let mut options = Options::default();
        options.endpoints.push(endpoint);
        exhibits.debug("options", &options);
        exhibits.debug("a builder", &redlatch_std::Client::builder().server(&url));
        exhibits.debug("a builder", &redlatch_tokio::Client::builder().server(&url));
    }
    exhibits.debug("a secret", &Secret::new(PASSWORD.into()));
    exhibits.close();
}
