//! `tls.*` of the component, against a real Redis, on both faces. Security S6.

#[path = "tls/authority.rs"]
#[allow(dead_code, reason = "shared with the tests of the adapters")]
mod authority;
#[path = "tls/guarded.rs"]
#[allow(dead_code, reason = "shared with the tests of the adapters")]
mod guarded;

use authority::{Authority, Identity};
use guarded::Guarded;
use redlatch_component::{ConfigParams, Error, RedisLock, blocking};

const NAMES: &[&str] = &["localhost", "127.0.0.1"];

/// Opens, acquires, releases and closes on both faces.
fn cycle(config: &ConfigParams) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(async {
        let lock = RedisLock::new();
        lock.configure(config)?;
        lock.open("123").await?;
        lock.acquire_lock("123", "key", 30_000, 1000).await?;
        assert!(lock.release_lock_outcome("123", "key").await?);
        lock.close("123").await
    })?;
    let lock = blocking::RedisLock::new();
    lock.configure(config)?;
    lock.open("123")?;
    lock.acquire_lock("123", "key", 30_000, 1000)?;
    assert!(lock.release_lock_outcome("123", "key")?);
    lock.close("123")
}

fn at(server: &Guarded) -> ConfigParams {
    ConfigParams::from_tuples(("uri", server.url("localhost"), "options.retries", 0))
}

#[test]
fn the_root_comes_as_pem_or_from_a_file() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(NAMES), None);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("written");
    for ca in [authority.pem(), file.display().to_string()] {
        let mut config = at(&server);
        config.set("tls.ca", ca);
        cycle(&config).expect("let in");
    }
}

#[test]
fn host_and_port_are_encrypted_when_tls_is_enabled() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(NAMES), None);
    let url = server.url("localhost");
    let port = url.rsplit(':').next().expect("a port").to_owned();
    let mut config = ConfigParams::from_tuples(("host", "localhost", "port", port));
    config.set("tls.ca", authority.pem());
    cycle(&config).expect("let in");

    config.set("uri", url.replace("rediss", "redis"));
    let error = cycle(&config).expect_err("a plain URI");
    assert_eq!((error.code(), error.detail("other_key")), ("CONFIG_CONFLICT", Some("tls.enabled")));
}

#[test]
fn a_server_that_is_not_trusted_is_refused() {
    let server = Guarded::start(&Authority::new("another").issue(NAMES), None);
    let mut config = at(&server);
    config.set("tls.ca", Authority::new("ours").pem());
    let error = cycle(&config).expect_err("not trusted");
    assert_eq!((error.code(), error.category().as_str()), ("CONNECT_FAILED", "NoResponse"));
    assert!(error.message().contains("issued by nobody who is trusted"), "{error}");
}

#[test]
fn the_certificate_of_the_client_is_shown() {
    let authority = Authority::new("ours");
    let server = Guarded::start(&authority.issue(NAMES), Some(&authority.pem()));
    let Identity { certificate, key } = authority.issue(&["client"]);
    let mut config = at(&server);
    config.set("tls.ca", authority.pem());
    assert_eq!(cycle(&config).expect_err("no certificate").code(), "CONNECT_FAILED");
    config.set("tls.cert", certificate);
    config.set("tls.key", key);
    cycle(&config).expect("let in");

    config.set("tls.key", authority.issue(&["client"]).key);
    let error = RedisLock::new().configure(&config).expect_err("another's key");
    assert_eq!((error.code(), error.detail("key")), ("INVALID_VALUE", Some("tls.cert")));
    assert!(!format!("{error} {error:?}").contains("BEGIN"));
}
