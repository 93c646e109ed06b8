//! Every mistake with a lock on a server, with the exact error, on both faces.

mod subject;

use std::sync::Arc;

use redlatch_component::{
    ConfigParams, Configurable, Descriptor, Error, MemoryCredentialStore, MemoryDiscovery,
    References,
};
use redlatch_testkit::model::{Fault, Rule, Settings, User};
use subject::{LONG, Subject, at, count, free_port, is_held, model, model_with, port};

/// Category and text.
#[track_caller]
fn assert_error(error: &Error, category: &str, text: &str) {
    assert_eq!((error.category().as_str(), error.to_string().as_str()), (category, text));
}

/// The error of opening with this configuration.
async fn open(subject: &Subject, config: &str) -> Error {
    subject.configure(config).expect(config);
    let error = subject.open("123").await.expect_err(config);
    assert!(!subject.is_open());
    error
}

#[tokio::test]
async fn not_opened() {
    let server = model();
    let not_opened = "Connection is not opened; call open before [NOT_OPENED, correlation id 123]";
    for subject in Subject::both() {
        subject.configure(&at(&server)).expect("a connection");
        for round in 0..2 {
            let errors = [
                subject.attempt("key", LONG).await.expect_err("closed"),
                subject.acquire("key", LONG, 0).await.expect_err("closed"),
                subject.release("key").await.expect_err("closed"),
            ];
            for error in errors {
                assert_error(&error, "InvalidState", not_opened);
                assert_eq!(error.status(), 500);
            }
            subject.close("123").await.expect("closing what is closed does nothing");
            assert_eq!(count(&server, "HELLO"), 0, "nothing was sent");
            if round == 0 {
                subject.open("123").await.expect("a server");
                subject.close("123").await.expect("open");
                server.with(|server| server.reset_history());
            }
        }
    }
}

#[tokio::test]
async fn opened_twice() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        let before = count(&server, "HELLO");
        subject.open("123").await.expect("it is open");
        assert!(subject.is_open());
        assert_eq!(count(&server, "HELLO"), before, "no other connection");
        assert!(subject.release("key").await.expect("answered"), "what is held stays so");
    }
}

#[tokio::test]
async fn no_connection_configured() {
    for subject in Subject::both() {
        for config in ["", "options.retries=1", "credential.password=p"] {
            let error = open(&subject, config).await;
            let text = "Connection is not configured: set host or uri, or a discovery_key \
                        [NO_CONNECTION, correlation id 123]";
            assert_error(&error, "Misconfiguration", text);
        }
        let error = open(&subject, "connection.port=6379").await;
        let text = "Connection is not configured: connection.host is missing; set it, or a uri \
                    [NO_CONNECTION, correlation id 123]";
        assert_error(&error, "Misconfiguration", text);
    }
}

/// Never configured at all: no silent localhost either.
#[tokio::test]
async fn never_configured() {
    for subject in Subject::both() {
        let error = subject.open("123").await.expect_err("nothing is known");
        assert_eq!(error.code(), "NO_CONNECTION");
    }
}

#[tokio::test]
async fn two_sources_that_disagree() {
    let cases = [
        ("host=a;connection.host=b", "host", "connection.host"),
        ("connection.uri=redis://a;connection.host=b", "connection.uri", "connection.host"),
        ("connection.host=a;connection.ip=b", "connection.host", "connection.ip"),
    ];
    for subject in Subject::both() {
        for (config, key, other) in cases {
            let error = subject.configure(config).expect_err(config);
            let text = format!(
                "The parameters {key} and {other} contradict each other; keep one of them \
                 [CONFIG_CONFLICT]"
            );
            assert_error(&error, "Misconfiguration", &text);
            assert_eq!((error.detail("key"), error.detail("other_key")), (Some(key), Some(other)));
        }
        let cases = [
            ("connection.uri=redis://:one@h;credential.password=two", "credential.password"),
            (
                "connection.uri=redis://u:p@h;credential.username=v;credential.password=p",
                "credential.username",
            ),
            ("connection.uri=redis://h/1;options.db_num=2", "options.db_num"),
            ("connection.uri=redis://h/0;options.db_num=2", "options.db_num"),
        ];
        for (config, other) in cases {
            let error = open(&subject, config).await;
            let text = format!(
                "The parameters connection.uri and {other} contradict each other; keep one of them \
                 [CONFIG_CONFLICT, correlation id 123]"
            );
            assert_error(&error, "Misconfiguration", &text);
        }
    }
}

/// One server twice in a quorum would vote twice.
#[tokio::test]
async fn one_server_twice_in_a_quorum() {
    for subject in Subject::both() {
        let config = "connections.a.host=h;connections.b.host=h;options.quorum=true";
        let error = open(&subject, config).await;
        let text = "The configuration cannot work: a server is configured twice; it must not vote \
                    twice [CONFIG_CONFLICT, correlation id 123]";
        assert_error(&error, "Misconfiguration", text);
    }
}

#[tokio::test]
async fn wrong_port() {
    for subject in Subject::both() {
        let port = free_port();
        let config = format!("host=127.0.0.1;port={port};options.retry_timeout=1");
        let error = open(&subject, &config).await;
        let text = format!(
            "Connection failed: no connection to 127.0.0.1:{port}: nothing listens there; start the \
             server or correct the address [CONNECT_FAILED, correlation id 123]"
        );
        assert_error(&error, "NoResponse", &text);
        let server = format!("127.0.0.1:{port}");
        assert_eq!(error.detail("server"), Some(server.as_str()));
        assert_eq!(error.detail("attempts"), Some("4"), "the first and three retries");
        assert!(core::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn wrong_password() {
    let server = model_with(Settings::with_password("right"));
    let address = format!("127.0.0.1:{}", port(&server));
    let wrong = "user name or password is wrong; correct them";
    let cases = [
        ("credential.password=sentinel", wrong),
        ("credential.username=nobody;credential.password=right", wrong),
        ("credential.store_key=", "it wants a password and got none; give one"),
    ];
    for subject in Subject::both() {
        for (credential, why) in cases {
            let error = open(&subject, &format!("{};{credential}", at(&server))).await;
            let text = format!(
                "Connection failed: {address} refused: {why} [CONNECT_FAILED, correlation id 123]"
            );
            assert_error(&error, "Unauthorized", &text);
            assert_eq!(error.status(), 401);
            assert_eq!(error.detail("attempts"), Some("1"), "a refused login is not retried");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("sentinel") && !shown.contains("right"), "{shown}");
        }
    }
}

/// The user name is used, from wherever it comes; the gaps of one source are filled by the other.
#[tokio::test]
async fn the_right_login_is_let_in() {
    let settings = Settings::with_password("right").user(User::new("ann").password("hers"));
    let server = model_with(settings);
    let port = port(&server);
    let configs = [
        format!("{};credential.password=right", at(&server)),
        format!("{};credentials.main.username=ann;credentials.main.password=hers", at(&server)),
        format!("{};username=ann;password=hers", at(&server)),
        format!("{};user=ann;pass=hers", at(&server)),
        format!("uri=redis://ann:hers@127.0.0.1:{port}"),
        format!("uri=redis://:hers@127.0.0.1:{port};username=ann;password=hers"),
        format!("uri=redis://ann:hers@127.0.0.1:{port};password=hers"),
    ];
    for config in &configs {
        for subject in Subject::both_open(config).await {
            assert!(subject.attempt("key", LONG).await.expect(config), "{config}");
            assert!(subject.release("key").await.expect(config), "{config}");
            subject.close("123").await.expect("open");
        }
    }
}

fn references() -> References {
    let (discovery, store) = (MemoryDiscovery::new(), MemoryCredentialStore::new());
    discovery.configure(&ConfigParams::from_string("other.host=h")).expect("a connection");
    store.configure(&ConfigParams::from_string("other.password=p")).expect("a credential");
    let mut references = References::new();
    let locator = |what| Descriptor::new("test", what, "memory", "default", "1.0");
    references.put(locator("discovery"), Arc::new(discovery));
    references.put(locator("credential-store"), Arc::new(store));
    references
}

#[tokio::test]
async fn unknown_discovery_key() {
    for subject in Subject::both() {
        subject.set_references(&references());
        let error = open(&subject, "connection.discovery_key=locks").await;
        let text = "Connection is not configured: discovery knows nothing under the key locks; \
                    register it there or correct connection.discovery_key [NO_CONNECTION, \
                    correlation id 123]";
        assert_error(&error, "Misconfiguration", text);
    }
}

#[tokio::test]
async fn missing_store_key() {
    for subject in Subject::both() {
        subject.set_references(&references());
        let error = open(&subject, "host=h;credential.store_key=locks").await;
        let text = "The credential store knows nothing under the key locks; store it there or \
                    correct credential.store_key [MISSING_CREDENTIALS, correlation id 123]";
        assert_error(&error, "Misconfiguration", text);
    }
}

#[tokio::test]
async fn no_references() {
    for subject in Subject::both() {
        let error = open(&subject, "connection.discovery_key=locks").await;
        let text = "Failed to obtain reference to *:discovery:*:*:1.0: put one into the references \
                    before [REF_ERROR, correlation id 123]";
        assert_error(&error, "Internal", text);
        let error = open(&subject, "host=h;credential.store_key=locks").await;
        let text = "Failed to obtain reference to *:credential-store:*:*:1.0: put one into the \
                    references before [REF_ERROR, correlation id 123]";
        assert_error(&error, "Internal", text);
    }
}

async fn assert_ttl_refused(ttl: i64, text: &str) {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        let before = count(&server, "SET");
        for error in [
            subject.attempt("key", ttl).await.expect_err(text),
            subject.acquire("key", ttl, 1000).await.expect_err(text),
        ] {
            assert_error(&error, "BadRequest", text);
            assert_eq!(error.detail("ttl"), Some(ttl.to_string().as_str()));
        }
        assert_eq!(count(&server, "SET"), before, "nothing was sent");
    }
}

#[tokio::test]
async fn ttl_0() {
    let text = "A ttl of 0 ms is not possible; give a positive number of milliseconds below 2^53 \
                [INVALID_TTL, correlation id 123]";
    assert_ttl_refused(0, text).await;
}

#[tokio::test]
async fn ttl_negative() {
    let text = "A ttl of -5 ms is not possible; give a positive number of milliseconds below 2^53 \
                [INVALID_TTL, correlation id 123]";
    assert_ttl_refused(-5, text).await;
}

#[tokio::test]
async fn ttl_too_small_for_clock_drift() {
    let text = "A ttl of 2 ms is not possible: clock drift takes 2.02ms of it; give a longer one \
                [INVALID_TTL, correlation id 123]";
    assert_ttl_refused(2, text).await;
}

/// A free lock is acquired; a held one is refused after one try.
#[tokio::test]
async fn timeout_0_and_negative() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        subject.acquire("key", LONG, 0).await.expect("it is free");
        let error = subject.acquire("key", LONG, 0).await.expect_err("it is held");
        let text = "Acquiring lock key failed on timeout: somebody else still had it after 0 ms; try \
                    again later or wait longer [LOCK_TIMEOUT, correlation id 123]";
        assert_error(&error, "Conflict", text);
        assert_eq!((error.status(), error.detail("key")), (409, Some("key")));
        let error = subject.acquire("key", LONG, -1).await.expect_err("negative");
        let text = "A timeout of -1 ms is not possible; give 0 for one attempt, or how long to wait \
                    [INVALID_TIMEOUT, correlation id 123]";
        assert_error(&error, "BadRequest", text);
        assert!(subject.release("key").await.expect("answered"));
    }
}

/// Any text is a key, as it is.
async fn assert_key_works(key: &str, shown: &str) {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        assert!(subject.attempt(key, LONG).await.expect("answered"));
        assert!(is_held(&server, key) && !subject.attempt(key, LONG).await.expect("answered"));
        let error = subject.acquire(key, LONG, 0).await.expect_err("it is held");
        let text = format!(
            "Acquiring lock {shown} failed on timeout: somebody else still had it after 0 ms; try \
             again later or wait longer [LOCK_TIMEOUT, correlation id 123]"
        );
        assert_error(&error, "Conflict", &text);
        assert_eq!(error.detail("key"), Some(key));
        assert!(subject.release(key).await.expect("answered"));
        assert!(!is_held(&server, key));
    }
}

#[tokio::test]
async fn key_empty() {
    assert_key_works("", "").await;
}

#[tokio::test]
async fn key_with_spaces() {
    assert_key_works(" a b ", " a b ").await;
}

#[tokio::test]
async fn key_with_newlines() {
    assert_key_works("a\r\nSET b c\n", "a\\r\\nSET b c\\n").await;
}

#[tokio::test]
async fn key_with_utf_8() {
    assert_key_works("ключ🔒", "ключ🔒").await;
}

#[tokio::test]
async fn key_too_long() {
    let server = model();
    let long = "k".repeat(64 * 1024 + 1);
    for subject in Subject::both_open(&at(&server)).await {
        for error in [
            subject.attempt(&long, LONG).await.expect_err("too long"),
            subject.release(&long).await.map(drop).expect_err("too long"),
        ] {
            assert_eq!((error.code(), error.status()), ("INVALID_KEY", 400));
        }
    }
}

#[tokio::test]
async fn a_command_that_the_server_refuses() {
    let server = model();
    for subject in Subject::both_open(&at(&server)).await {
        let fault = Fault::Error("NOPERM this user has no permissions".into());
        server.with(|server| server.fail(Rule::on("SET", fault)));
        let error = subject.attempt("key", LONG).await.expect_err("refused");
        assert_eq!((error.category().as_str(), error.code()), ("Unauthorized", "REFUSED"));
        assert_eq!(error.detail("key"), Some("key"));
        let address = format!("127.0.0.1:{}", port(&server));
        assert_eq!(error.detail("server"), Some(address.as_str()));
        assert!(!is_held(&server, "key"));
    }
}

#[tokio::test]
async fn every_malformed_or_unknown_parameter_is_named() {
    let cases = [
        ("options.timeout=0", "INVALID_VALUE", "options.timeout"),
        ("options.timeout=3600001", "INVALID_VALUE", "options.timeout"),
        ("options.timeout=soon", "INVALID_VALUE", "options.timeout"),
        ("options.db_num=-1", "INVALID_VALUE", "options.db_num"),
        ("options.db_num=first", "INVALID_VALUE", "options.db_num"),
        ("options.quorum=maybe", "INVALID_VALUE", "options.quorum"),
        ("options.release_on_close=2", "INVALID_VALUE", "options.release_on_close"),
        ("options.retries=-1", "INVALID_VALUE", "options.retries"),
        ("options.retry_timeout=0", "INVALID_VALUE", "options.retry_timeout"),
        ("options.Timeout=1", "UNKNOWN_KEY", "options.Timeout"),
        ("options.dbnum=1", "UNKNOWN_KEY", "options.dbnum"),
        ("connection.port=0", "INVALID_VALUE", "connection.port"),
        ("connection.port=redis", "INVALID_VALUE", "connection.port"),
        ("connection.host=a b", "INVALID_VALUE", "connection.host"),
        ("connection.uri=http://h", "INVALID_VALUE", "connection.uri"),
        ("credential.username=u", "MISSING_CREDENTIALS", "credential.password"),
        ("tls.enabled=perhaps", "INVALID_VALUE", "tls.enabled"),
        ("tls.roots=x", "UNKNOWN_KEY", "tls.roots"),
        ("tls.ca=/no/such/file", "INVALID_VALUE", "tls.ca"),
    ];
    for subject in Subject::both() {
        for (config, code, key) in cases {
            let error = subject.configure(config).expect_err(config);
            assert_eq!((error.code(), error.detail("key")), (code, Some(key)), "{config}");
            assert_eq!(error.category().as_str(), "Misconfiguration", "{config}");
        }
    }
}

/// Without the feature, what asks for TLS says so; with it, the parameters are read.
#[tokio::test]
async fn tls_needs_its_feature() {
    for subject in Subject::both() {
        let outcome = subject.configure("host=h;tls.enabled=true");
        if cfg!(feature = "tls") {
            outcome.expect("TLS is built in");
            let error = subject.configure("tls.enabled=false;tls.ca=x").expect_err("a conflict");
            assert_eq!(error.code(), "CONFIG_CONFLICT");
            let error = subject.configure("tls.cert=-----BEGIN").expect_err("half an identity");
            assert_eq!(error.detail("key"), Some("tls.key"));
        } else {
            let text = "The parameter tls.enabled asks for TLS, which is not built in; turn the \
                        feature tls of redlatch-component on [INVALID_VALUE]";
            assert_error(&outcome.expect_err("no TLS"), "Misconfiguration", text);
        }
        subject.configure("host=h;tls.enabled=false").expect("nothing asks for it");
    }
}

/// Nobody sees a secret: not in errors, not in `Debug` of the component, open or not.
#[tokio::test]
async fn no_secret_is_shown() {
    let server = model_with(Settings::with_password("sentinel"));
    let config = format!("uri=redis://:sentinel@127.0.0.1:{}", port(&server));
    for subject in Subject::both_open(&config).await {
        assert!(subject.attempt("key", LONG).await.expect("answered"));
        let shown = match &subject {
            Subject::Async(lock) => format!("{lock:?}"),
            Subject::Blocking(lock) => format!("{lock:?}"),
        };
        let token = server.with(|server| server.get(0, b"key").cloned());
        let Some(redlatch_testkit::model::Value::Text(token)) = token else { panic!("{token:?}") };
        let token = String::from_utf8(token).expect("text");
        assert!(!shown.contains("sentinel") && !shown.contains(&token), "{shown}");
        assert!(subject.release("key").await.expect("answered"));
    }
}
