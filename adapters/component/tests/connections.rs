//! Connections: where they are written, what discovery adds, and every mistake.

use std::sync::Arc;

use redlatch_component::{
    Component, ConfigParams, Configurable, ConnectionParams, ConnectionResolver, Context,
    Discovery, Error, MemoryDiscovery, Pending, References,
};

fn config(text: &str) -> ConfigParams {
    ConfigParams::from_string(text)
}

fn discovery(text: &str) -> MemoryDiscovery {
    let discovery = MemoryDiscovery::new();
    discovery.configure(&config(text)).expect(text);
    discovery
}

/// References with these discovery services, the last one first asked.
fn references(services: impl IntoIterator<Item = MemoryDiscovery>) -> References {
    let mut references = References::new();
    for service in services {
        let locator = "pip-services:discovery:memory:default:1.0".parse().expect("a descriptor");
        references.put(locator, Arc::new(service));
    }
    references
}

fn resolver(text: &str, references: &References) -> ConnectionResolver {
    let mut resolver = ConnectionResolver::new();
    resolver.configure(&config(text)).expect(text);
    resolver.set_references(references);
    resolver
}

fn address(connection: &ConnectionParams) -> String {
    connection.address().expect("a good connection").map_or_else(String::new, |it| it.to_string())
}

async fn all(text: &str, references: &References) -> Result<Vec<String>, Error> {
    let resolved = resolver(text, references).resolve_all("123".into()).await?;
    Ok(resolved.iter().map(address).collect())
}

async fn first(text: &str, references: &References) -> Result<String, Error> {
    let resolved = resolver(text, references).resolve("123".into()).await?;
    Ok(address(&resolved))
}

/// Configuration, the connection to use, all to be tried in order.
#[tokio::test]
async fn connections_are_found_where_they_are_written() {
    let cases: [(&str, &str, &[&str]); 12] = [
        ("host=localhost;port=6379", "localhost:6379", &["localhost:6379"]),
        ("connection.host=a", "a:6379", &["a:6379"]),
        ("connection.ip=10.0.0.1;connection.port=7", "10.0.0.1:7", &["10.0.0.1:7"]),
        ("connection.host=::1", "[::1]:6379", &["[::1]:6379"]),
        ("connection.host=[::1];connection.port=7", "[::1]:7", &["[::1]:7"]),
        ("connection.uri=redis://u:p@a:7/3", "a:7", &["a:7"]),
        ("uri=unix:///run/r.sock", "unix:/run/r.sock", &["unix:/run/r.sock"]),
        (
            "connections.b.host=b;connections.a.host=a;connection.host=c",
            "b:6379",
            &["b:6379", "a:6379"],
        ),
        ("connection.uri=redis://A:7;connection.host=a;connection.port=7", "A:7", &["A:7"]),
        ("connection.host=a;host=a", "a:6379", &["a:6379"]),
        ("connection.host=a;host=", "a:6379", &["a:6379"]),
        ("connection.discovery_key=;connection.host=a", "a:6379", &["a:6379"]),
    ];
    for (text, one, every) in cases {
        assert_eq!(first(text, &References::new()).await.expect(text), one, "{text}");
        assert_eq!(all(text, &References::new()).await.expect(text), every, "{text}");
    }
}

#[tokio::test]
async fn discovery_is_asked_by_key() {
    let known = references([discovery("main.host=d;main.port=7;uri.uri=redis://e:8")]);
    let cases: [(&str, &[&str]); 6] = [
        ("discovery_key=main", &["d:7"]),
        ("connection.discovery_key=main;connection.host=a;connection.port=9", &["d:7"]),
        ("connection.discovery_key=uri;connection.host=a;connection.port=9", &["e:8"]),
        ("connection.discovery_key=main;connection.uri=redis://a", &["d:7"]),
        ("connections.x.discovery_key=main;connections.y.host=a", &["a:6379", "d:7"]),
        ("connections.x.discovery_key=uri;connections.y.discovery_key=main", &["e:8", "d:7"]),
    ];
    for (text, every) in cases {
        assert_eq!(all(text, &known).await.expect(text), every, "{text}");
        assert_eq!(first(text, &known).await.expect(text), every[0], "{text}");
    }
}

#[tokio::test]
async fn what_is_configured_beside_the_key_stays_unless_discovery_says_it() {
    let known = references([discovery("main.host=d")]);
    let text = "connection.discovery_key=main;connection.host=a;connection.port=9";
    assert_eq!(first(text, &known).await.expect(text), "d:9");
}

#[tokio::test]
async fn the_service_that_was_put_last_is_asked_first() {
    let known = references([discovery("main.host=old;other.host=x"), discovery("main.host=new")]);
    assert_eq!(first("discovery_key=main", &known).await.expect("new"), "new:6379");
    assert_eq!(first("discovery_key=other", &known).await.expect("x"), "x:6379");
}

#[tokio::test]
async fn all_that_is_registered_under_a_key_is_resolved() {
    let service = discovery("connections.main.host=a");
    let second = ConnectionParams::from_host_and_port("b", 7);
    let registered = service.register(Context::NONE, "main", second.clone()).await.expect("known");
    assert_eq!(registered, second);
    let uri = ConnectionParams::from_uri("redis://c");
    service.register(Context::NONE, "main", uri).await.expect("known");
    let known = references([service]);
    let every = all("discovery_key=main", &known).await.expect("three");
    assert_eq!(every, ["a:6379", "b:7", "c:6379"]);
    assert_eq!(first("discovery_key=main", &known).await.expect("the first"), "a:6379");
}

/// A mistake in the configuration: configuration, code, details, message.
#[test]
fn every_mistake_in_a_configuration_is_named() {
    let cases: [(&str, &str, &str, &str); 15] = [
        (
            "connection.port=x",
            "INVALID_VALUE",
            "connection.port",
            "must be a port, a number from 1 to 65535",
        ),
        (
            "connection.port=0;connection.host=a",
            "INVALID_VALUE",
            "connection.port",
            "must be a port",
        ),
        ("connections.m.port=65536", "INVALID_VALUE", "connections.m.port", "must be a port"),
        ("port=+1;host=a", "INVALID_VALUE", "port", "must be a port"),
        ("connection.port=6379.0", "INVALID_VALUE", "connection.port", "must be a port"),
        ("connection.host=a:6379", "INVALID_VALUE", "connection.host", "without a port"),
        ("connection.ip=a b", "INVALID_VALUE", "connection.ip", "must be a host name"),
        ("connection.host=redis://a", "INVALID_VALUE", "connection.host", "must be a host name"),
        (
            "connection.uri=http://sentinel",
            "INVALID_VALUE",
            "connection.uri",
            "must be a Redis URI",
        ),
        (
            "connection.uri=redis://a;connection.host=b",
            "CONFIG_CONFLICT",
            "connection.uri",
            "keep one",
        ),
        (
            "connection.uri=redis://a;connection.port=7",
            "CONFIG_CONFLICT",
            "connection.uri",
            "keep one",
        ),
        ("uri=unix:///s;host=a", "CONFIG_CONFLICT", "uri", "keep one"),
        ("connection.host=a;connection.ip=b", "CONFIG_CONFLICT", "connection.host", "keep one"),
        ("host=b;connection.host=a", "CONFIG_CONFLICT", "host", "keep one"),
        ("connection.Host=a", "UNKNOWN_KEY", "connection.Host", "letter case counts: write host"),
    ];
    for (text, code, key, says) in cases {
        let error = ConnectionResolver::new().configure(&config(text)).expect_err(text);
        assert_eq!((error.code(), error.detail("key")), (code, Some(key)), "{text}");
        assert!(error.message().contains(says), "{text}: {error}");
        assert!(!format!("{error:?}").contains("sentinel"), "{error:?}");
    }
}

/// Two sources that disagree: both are named.
#[test]
fn two_sources_that_disagree_are_both_named() {
    let mut resolver = ConnectionResolver::new();
    let text = "host=other;connection.host=localhost;connection.port=6379";
    let error = resolver.configure(&config(text)).expect_err(text);
    assert_eq!(
        error.to_string(),
        "The parameters host and connection.host contradict each other; keep one of them \
         [CONFIG_CONFLICT]"
    );
    assert_eq!(error.detail("other_key"), Some("connection.host"));
    let text = "port=7;connections.main.host=localhost";
    let error = resolver.configure(&config(text)).expect_err(text);
    assert_eq!(error.detail("key"), Some("port"));
    assert_eq!(error.detail("other_key"), Some("connections.main"));
}

#[tokio::test]
async fn nothing_configured_is_no_connection() {
    let none = References::new();
    for text in ["", "options.retries=1", "credential.password=x", "host="] {
        let error = all(text, &none).await.expect_err(text);
        assert_eq!(
            error.to_string(),
            "Connection is not configured: set host or uri, or a discovery_key [NO_CONNECTION, \
             correlation id 123]",
            "{text}"
        );
        assert_eq!(error.category().as_str(), "Misconfiguration");
        assert_eq!(first(text, &none).await.expect_err(text).to_string(), error.to_string());
    }
    let error = ConnectionResolver::new().resolve(Context::NONE).await.expect_err("not configured");
    assert_eq!((error.code(), error.correlation_id()), ("NO_CONNECTION", None));
}

#[tokio::test]
async fn a_port_without_a_host_is_no_connection() {
    let error = all("connections.m.port=6379", &References::new()).await.expect_err("no host");
    assert_eq!(
        error.to_string(),
        "Connection is not configured: connections.m.host is missing; set it, or a uri \
         [NO_CONNECTION, correlation id 123]"
    );
}

#[tokio::test]
async fn an_unknown_discovery_key_is_named() {
    let known = references([discovery("main.host=d")]);
    let error = all("connection.discovery_key=mian", &known).await.expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "Connection is not configured: discovery knows nothing under the key mian; register it there \
         or correct connection.discovery_key [NO_CONNECTION, correlation id 123]"
    );
    assert_eq!(error.detail("discovery_key"), Some("mian"));
    let error = first("discovery_key=mian", &known).await.expect_err("unknown");
    assert_eq!(error.code(), "NO_CONNECTION");
}

/// One of two keys is enough for one connection; to use all, all must be known.
#[tokio::test]
async fn one_unknown_key_of_two() {
    let known = references([discovery("main.host=d")]);
    let text = "connections.a.discovery_key=mian;connections.b.discovery_key=main";
    assert_eq!(first(text, &known).await.expect("the second"), "d:6379");
    assert_eq!(all(text, &known).await.expect_err("the first").code(), "NO_CONNECTION");
}

#[tokio::test]
async fn a_discovery_key_without_discovery_is_a_reference_error() {
    let error = all("discovery_key=main", &References::new()).await.expect_err("no discovery");
    assert_eq!((error.code(), error.correlation_id()), ("REF_ERROR", Some("123")));
    assert_eq!(error.detail("locator"), Some("*:discovery:*:*:1.0"));
    let mut unreferenced = ConnectionResolver::new();
    unreferenced.configure(&config("discovery_key=main")).expect("a key");
    let error = unreferenced.resolve("123".into()).await.expect_err("never set");
    assert_eq!(error.code(), "REF_ERROR");
}

#[tokio::test]
async fn what_was_discovered_is_checked_as_well() {
    let known = references([discovery("bad.host=d;bad.port=x;none.protocol=redis")]);
    let error = first("discovery_key=bad", &known).await.expect_err("no port");
    assert_eq!((error.code(), error.correlation_id()), ("INVALID_VALUE", Some("123")));
    let error = first("discovery_key=none", &known).await.expect_err("no host");
    assert_eq!(error.code(), "NO_CONNECTION");
}

#[tokio::test]
async fn configuring_again_replaces_and_a_mistake_changes_nothing() {
    let mut resolver = resolver("connection.host=a", &References::new());
    resolver.configure(&config("connection.host=b")).expect("a host");
    resolver.configure(&config("connection.port=x")).expect_err("no port");
    let found = resolver.resolve(Context::NONE).await.expect("a connection");
    assert_eq!(address(&found), "b:6379");
    assert_eq!(resolver.connections().len(), 1);

    let service = discovery("main.host=a");
    service.configure(&config("other.host=b")).expect("a host");
    let error = service.configure(&config("stray=1")).expect_err("no section");
    assert_eq!((error.code(), error.detail("key")), ("UNKNOWN_KEY", Some("stray")));
    assert!(service.resolve_one(Context::NONE, "main").await.expect("told").is_none());
    assert!(service.resolve_one(Context::NONE, "other").await.expect("told").is_some());
}

/// A service that is down.
struct Down;

impl Discovery for Down {
    fn register<'a>(
        &'a self,
        _: Context<'a>,
        _: &'a str,
        connection: ConnectionParams,
    ) -> Pending<'a, ConnectionParams> {
        Box::pin(async { Ok(connection) })
    }

    fn resolve_one<'a>(
        &'a self,
        _: Context<'a>,
        _: &'a str,
    ) -> Pending<'a, Option<ConnectionParams>> {
        let down = "The registry does not answer; start it";
        let error = Error::new(redlatch_component::Category::NoResponse, "REGISTRY_DOWN", down);
        Box::pin(async { Err(error) })
    }

    fn resolve_all<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Vec<ConnectionParams>> {
        Box::pin(async move { Ok(self.resolve_one(context, key).await?.into_iter().collect()) })
    }
}

#[tokio::test]
async fn what_a_service_says_comes_through_with_the_context() {
    let mut references = References::new();
    let locator = "mine:discovery:down:default:1.0".parse().expect("a descriptor");
    references.put(locator, Component::of::<dyn Discovery>(Arc::new(Down)));
    for error in [
        all("discovery_key=main", &references).await.expect_err("down"),
        first("discovery_key=main", &references)
            .await
            .map(|_| Vec::<String>::new())
            .expect_err("down"),
    ] {
        assert_eq!((error.code(), error.correlation_id()), ("REGISTRY_DOWN", Some("123")));
    }
}

#[test]
fn a_connection_is_read_and_made() {
    let connection = ConnectionParams::from(config("discovery_key= k ;host= a ;port= 7 "));
    assert_eq!(connection.discovery_key(), Some("k"));
    assert_eq!(connection.host().expect("a host"), Some("a"));
    assert_eq!(connection.port().expect("a port"), Some(7));
    assert_eq!(connection.uri(), None);
    assert_eq!(ConfigParams::from(connection.clone()), *connection.as_config());
    assert_eq!(ConnectionParams::new().address().expect("nothing"), None);
    let shown = format!("{:?}", ConnectionParams::from_uri("redis://:sentinel@a"));
    assert_eq!(shown, r#"ConnectionParams({"uri"})"#);
}
