//! Credentials: where they are written, what a store adds, every mistake, and no secret shown.

use core::error::Error as _;
use std::sync::Arc;

use redlatch_component::{
    ConfigParams, Configurable, ConnectionResolver, Context, CredentialParams, CredentialResolver,
    CredentialStore, Error, MemoryCredentialStore, References,
};

fn config(text: &str) -> ConfigParams {
    ConfigParams::from_string(text)
}

fn store(text: &str) -> MemoryCredentialStore {
    let store = MemoryCredentialStore::new();
    store.configure(&config(text)).expect(text);
    store
}

fn references(stores: impl IntoIterator<Item = MemoryCredentialStore>) -> References {
    let mut references = References::new();
    for store in stores {
        let locator = "pip-services:credential-store:memory:default:1.0".parse().expect("five");
        references.put(locator, Arc::new(store));
    }
    references
}

/// User and password, `-` where there is none.
fn login(credential: &CredentialParams) -> String {
    let password = credential.password().expect("a good credential");
    let password =
        password.map_or("-".into(), |it| String::from_utf8_lossy(it.expose()).into_owned());
    let username = credential.username().expect("a good credential").unwrap_or("-");
    format!("{username}:{password}")
}

async fn lookup(text: &str, references: &References) -> Result<Option<String>, Error> {
    let mut resolver = CredentialResolver::new();
    resolver.configure(&config(text))?;
    resolver.set_references(references);
    Ok(resolver.lookup("123".into()).await?.as_ref().map(login))
}

#[tokio::test]
async fn credentials_are_found_where_they_are_written() {
    let cases = [
        ("", None),
        ("host=a", None),
        ("credential.password=", None),
        ("credential.password=p", Some("-:p")),
        ("credential.username=u;credential.password=p", Some("u:p")),
        ("credential.user=u;credential.pass=p", Some("u:p")),
        ("credential.pass=p;credential.password=p", Some("-:p")),
        ("username=u;password=p", Some("u:p")),
        ("credentials.b.password=b;credentials.a.password=a;credential.password=c", Some("-:b")),
        ("credential.password=a=b:c", Some("-:a=b:c")),
    ];
    for (text, expected) in cases {
        let found = lookup(text, &References::new()).await.expect(text);
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[tokio::test]
async fn a_password_keeps_its_spaces() {
    let mut resolver = CredentialResolver::new();
    let spaced = ConfigParams::from_tuples(("credential.password", " p w "));
    resolver.configure(&spaced).expect("a password");
    let found = resolver.lookup(Context::NONE).await.expect("told").expect("a credential");
    assert_eq!(login(&found), "-: p w ");
}

#[tokio::test]
async fn a_store_is_asked_by_key() {
    let known = references([store("main.username=u;main.password=p;credentials.old.pass=o")]);
    let cases = [
        ("store_key=main", "u:p"),
        ("credential.store_key=main", "u:p"),
        ("credential.store_key=main;credential.user=x;credential.pass=y", "u:p"),
        ("credential.store_key=old;credential.user=x", "x:o"),
        ("credentials.a.store_key=main;credentials.b.password=w", "-:w"),
        ("credentials.a.store_key=nowhere;credentials.b.store_key=main", "u:p"),
    ];
    for (text, expected) in cases {
        let found = lookup(text, &known).await.expect(text);
        assert_eq!(found.as_deref(), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn the_store_that_was_put_last_is_asked_first() {
    let known = references([store("a.pass=old;b.pass=b"), store("a.pass=new")]);
    assert_eq!(lookup("store_key=a", &known).await.expect("a"), Some("-:new".to_owned()));
    assert_eq!(lookup("store_key=b", &known).await.expect("b"), Some("-:b".to_owned()));
}

#[tokio::test]
async fn a_store_keeps_replaces_and_forgets() {
    let store = MemoryCredentialStore::new();
    for password in ["a", "b"] {
        let credential = CredentialParams::from_username_and_password("u", password);
        store.store(Context::NONE, "main", Some(credential)).await.expect("kept");
    }
    let found = store.lookup(Context::NONE, "main").await.expect("told").expect("kept");
    assert_eq!(login(&found), "u:b");
    store.store(Context::NONE, "main", None).await.expect("forgotten");
    assert!(store.lookup(Context::NONE, "main").await.expect("told").is_none());
}

#[tokio::test]
async fn a_missing_store_key_is_named() {
    let known = references([store("main.password=p")]);
    let error = lookup("credential.store_key=mian", &known).await.expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "The credential store knows nothing under the key mian; store it there or correct \
         credential.store_key [MISSING_CREDENTIALS, correlation id 123]"
    );
    assert_eq!(error.category().as_str(), "Misconfiguration");
    assert_eq!(error.detail("store_key"), Some("mian"));
}

#[tokio::test]
async fn a_store_key_without_a_store_is_a_reference_error() {
    let error = lookup("store_key=main", &References::new()).await.expect_err("no store");
    assert_eq!((error.code(), error.correlation_id()), ("REF_ERROR", Some("123")));
    assert_eq!(error.detail("locator"), Some("*:credential-store:*:*:1.0"));
}

#[tokio::test]
async fn a_user_without_a_password_is_an_error() {
    let error = lookup("credential.username=u", &References::new()).await.expect_err("no password");
    assert_eq!(
        error.to_string(),
        "A user is named without a password; set credential.password [MISSING_CREDENTIALS]"
    );
    let known = references([store("main.username=u")]);
    let error = lookup("store_key=main", &known).await.expect_err("no password");
    assert_eq!((error.code(), error.correlation_id()), ("MISSING_CREDENTIALS", Some("123")));
    let found = lookup("credential.store_key=main;credential.password=p", &known).await;
    assert_eq!(found.expect("both together"), Some("u:p".to_owned()));
}

#[tokio::test]
async fn every_mistake_in_a_configuration_is_named() {
    let cases = [
        (
            "credential.password=sentinel;credential.pass=x",
            "CONFIG_CONFLICT",
            "credential.password",
        ),
        (
            "credential.username=sentinel;credential.user=x",
            "CONFIG_CONFLICT",
            "credential.username",
        ),
        ("password=sentinel;credential.password=x", "CONFIG_CONFLICT", "password"),
        ("credential.passwd=sentinel", "UNKNOWN_KEY", "credential.passwd"),
        ("credential.Password=sentinel", "UNKNOWN_KEY", "credential.Password"),
        ("credentials.password=sentinel", "UNKNOWN_KEY", "credentials.password"),
    ];
    for (text, code, key) in cases {
        let error = lookup(text, &References::new()).await.expect_err(text);
        assert_eq!((error.code(), error.detail("key")), (code, Some(key)), "{text}");
        assert!(!format!("{error} {error:?}").contains("sentinel"), "{error:?}");
    }
}

#[tokio::test]
async fn configuring_again_replaces_and_a_mistake_changes_nothing() {
    let mut resolver = CredentialResolver::new();
    resolver.configure(&config("credential.password=a")).expect("a password");
    resolver.configure(&config("credential.password=b")).expect("a password");
    resolver.configure(&config("credential.username=u")).expect_err("no password");
    let found = resolver.lookup(Context::NONE).await.expect("told").expect("a credential");
    assert_eq!((login(&found).as_str(), resolver.credentials().len()), ("-:b", 1));
}

/// Nothing that can be shown holds a password, wherever it was written.
#[tokio::test]
async fn nothing_shown_holds_a_secret() {
    let text = "credential.password=sentinel;connection.uri=redis://u:sentinel@a";
    let params = config(text);
    let (mut credentials, mut connections) = (CredentialResolver::new(), ConnectionResolver::new());
    credentials.configure(&params).expect("a password");
    connections.configure(&params).expect("a connection");
    let credential = credentials.lookup(Context::NONE).await.expect("told").expect("a credential");
    let connection = connections.resolve(Context::NONE).await.expect("a connection");
    let password = credential.password().expect("one password");
    let shown = format!(
        "{params:?} {credentials:?} {connections:?} {credential:#?} {connection:?} {password:?} {:?}",
        store("main.password=sentinel")
    );
    assert!(!shown.contains("sentinel"), "{shown}");
    assert!(shown.contains("credential.password"), "{shown}");

    let broken = config("connection.uri=redis://u:sentinel@a:b");
    let error = ConnectionResolver::new().configure(&broken).expect_err("no port");
    let cause = error.source().expect("a cause");
    assert!(!format!("{error} {error:?} {cause} {cause:?}").contains("sentinel"), "{error:?}");
}
