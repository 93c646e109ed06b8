//! The pip-services component, on both of its faces.

use redlatch_component::{Category, ConfigParams, Error, RedisLock, blocking};
use redlatch_testkit::server::{Kind, Server};

use super::exhibits::{ENCODED, Exhibits, PASSWORD};
use super::troubles;

fn show(exhibits: &mut Exhibits, what: &str, error: &Error) {
    exhibits.error(what, error);
    for (name, detail) in error.details() {
        exhibits.text(what, format!("{name}={detail}"));
    }
}

/// Opens both faces, which fails, and says whose fault it is.
fn open(exhibits: &mut Exhibits, what: &str, config: &ConfigParams) -> [Category; 2] {
    exhibits.debug(what, config);
    let blocking = blocking::RedisLock::new();
    let opened = blocking.configure(config).and_then(|()| blocking.open("id"));
    exhibits.debug(what, &blocking);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let asynchronous = RedisLock::new();
    let configured = asynchronous.configure(config);
    let awaited = runtime.expect("threads").block_on(async {
        configured?;
        asynchronous.open("id").await
    });
    exhibits.debug(what, &asynchronous);
    [opened, awaited].map(|opened| {
        let error = opened.expect_err(what);
        show(exhibits, what, &error);
        error.category()
    })
}

#[test]
fn a_component_that_is_not_let_in_says_no_secret() {
    let mut exhibits = Exhibits::open();
    for trouble in troubles::all() {
        let config = ConfigParams::from_tuples((
            "uri",
            &*trouble.url,
            "options.retries",
            0,
            "options.timeout",
            300,
        ));
        let what = trouble.what.replace(PASSWORD, "").replace(ENCODED, "");
        let categories = open(&mut exhibits, &what, &config);
        assert!(!categories.contains(&Category::Misconfiguration), "{what}: {categories:?}");
    }
    exhibits.close();
}

#[test]
fn a_configuration_that_cannot_work_is_not_repeated() {
    let mut exhibits = Exhibits::open();
    for (key, value) in [
        ("uri", format!("redis://:{ENCODED}@host:x")),
        ("uri", format!("{PASSWORD}://host")),
        ("uri", format!("redis://:{ENCODED}@host#{PASSWORD}")),
        ("connection.uri", format!("redis://user:{ENCODED}@")),
        ("host", format!("{PASSWORD}@host")),
        ("port", PASSWORD.to_owned()),
        ("credential.passwort", PASSWORD.to_owned()),
        ("options.retries", PASSWORD.to_owned()),
        ("options.database", PASSWORD.to_owned()),
        ("tls.ca", PASSWORD.to_owned()),
    ] {
        let config = ConfigParams::from_tuples((
            key,
            &*value,
            "credential.username",
            "user",
            "credential.password",
            PASSWORD,
        ));
        let categories = open(&mut exhibits, key, &config);
        assert_eq!(categories, [Category::Misconfiguration; 2], "{key}");
    }
    exhibits.close();
}

#[test]
fn a_component_that_works_shows_no_secret() {
    let server = Server::builder(Kind::Redis8).password(PASSWORD).start();
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    let mut exhibits = Exhibits::open();
    let config = ConfigParams::from_tuples((
        "host",
        "127.0.0.1",
        "port",
        server.address().port(),
        "credential.password",
        PASSWORD,
    ));
    let lock = blocking::RedisLock::new();
    lock.configure(&config).expect("it can work");
    lock.open("id").expect("the password is right");
    lock.acquire_lock("id", "key", 30_000, 100).expect("free");
    exhibits.debug("open and held", &lock);
    let held = lock.acquire_lock("id", "key", 30_000, 1).expect_err("held");
    show(&mut exhibits, "held", &held);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).expect("an answer");
    let full = lock.acquire_lock("id", "other", 30_000, 1).expect_err("the memory is full");
    show(&mut exhibits, "full", &full);
    lock.release_lock("id", "key").expect("ours");
    lock.close("id").expect("open");
    exhibits.debug("closed", &lock);
    let closed = lock.acquire_lock("id", "key", 30_000, 1).expect_err("closed");
    show(&mut exhibits, "closed", &closed);
    assert!(exhibits.log().contains("acquired"), "the log tells it");
    exhibits.close();
}
