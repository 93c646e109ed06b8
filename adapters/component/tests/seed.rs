//! The seed's page as a table: one row for each parameter, reference, method and default, named by the
//! sentence that it proves. Each row runs on both faces, on the model server.

mod subject;

use std::sync::Arc;
use std::time::Instant;

use redlatch_component::{
    ConfigParams, Configurable, Descriptor, Lock, MemoryCredentialStore, MemoryDiscovery, Openable,
    RedisLock, Referenceable, References, blocking,
};
use redlatch_testkit::model::{ModelServer, Settings, User};
use subject::{LONG, Subject, at, count, free_port, is_held, model, model_with, port, steal};

/// The lock works on this server: taken, seen there, given back.
async fn assert_works(subject: &Subject, server: &ModelServer) {
    subject.open("123").await.expect("a server");
    assert!(subject.attempt("key", LONG).await.expect("answered"));
    assert!(is_held(server, "key"));
    assert!(subject.release("key").await.expect("answered"));
    subject.close("123").await.expect("open");
}

async fn assert_config_works(server: &ModelServer, config: &str) {
    for subject in Subject::both() {
        subject.configure(config).expect(config);
        assert_works(&subject, server).await;
    }
}

/// Discovery and a credential store that know the server and its login under `locks`.
fn references(server: &ModelServer, login: &str) -> References {
    let (discovery, store) = (MemoryDiscovery::new(), MemoryCredentialStore::new());
    let known = format!("locks.host=127.0.0.1;locks.port={}", port(server));
    discovery.configure(&ConfigParams::from_string(&known)).expect("a connection");
    store.configure(&ConfigParams::from_string(login)).expect("a credential");
    let mut references = References::new();
    let locator = |what| Descriptor::new("any", what, "any", "any", "1.0");
    references.put(locator("discovery"), Arc::new(discovery));
    references.put(locator("credential-store"), Arc::new(store));
    references
}

/// One test for each row.
macro_rules! rows {
    ($($(#[$sentence:meta])* $name:ident => $body:expr;)*) => {$(
        $(#[$sentence])*
        #[tokio::test]
        async fn $name() {
            $body.await;
        }
    )*};
}

rows! {
    /// "Extends: Lock. Implements: IReferenceable, IConfigurable, IOpenable"
    extends_lock_and_implements_three_interfaces => async {
        fn tasks<T: Lock + Referenceable + Configurable + Openable>(_: &T) {}
        fn threads<T: blocking::Lock + Referenceable + Configurable + blocking::Openable>(_: &T) {}
        tasks(&RedisLock::new());
        threads(&blocking::RedisLock::new());
    };

    /// "connection(s): discovery_key: (optional) key to retrieve the connection from IDiscovery"
    connection_discovery_key => async {
        let server = model();
        for subject in Subject::both() {
            subject.set_references(&references(&server, ""));
            for config in ["connection.discovery_key=locks", "connections.a.discovery_key=locks"] {
                subject.configure(config).expect(config);
                assert_works(&subject, &server).await;
            }
        }
    };

    /// "connection(s): host: host name or IP address"
    connection_host => async {
        let server = model();
        for host in ["127.0.0.1", "localhost"] {
            let port = port(&server);
            for section in ["connection.", "connections.main.", ""] {
                let config = format!("{section}host={host};{section}port={port}");
                assert_config_works(&server, &config).await;
            }
        }
    };

    /// "connection(s): port: port number"
    connection_port => async {
        let (one, two) = (model(), model());
        assert_config_works(&one, &at(&one)).await;
        assert_config_works(&two, &at(&two)).await;
        assert_eq!(count(&one, "SET"), 2, "one for each face");
    };

    /// "connection(s): uri: resource URI or connection string with all parameters in it"
    connection_uri => async {
        let server = model_with(Settings::default().user(User::new("ann").password("hers")));
        let uri = format!("redis://ann:hers@127.0.0.1:{}/0", port(&server));
        for section in ["connection.", "connections.main.", ""] {
            assert_config_works(&server, &format!("{section}uri={uri}")).await;
        }
    };

    /// "credential(s): store_key: key to retrieve parameters from credential store"
    credential_store_key => async {
        let server = model_with(Settings::with_password("right"));
        for subject in Subject::both() {
            subject.set_references(&references(&server, "locks.password=right"));
            for section in ["credential.", "credentials.main."] {
                let config = format!("{};{section}store_key=locks", at(&server));
                subject.configure(&config).expect("a key");
                assert_works(&subject, &server).await;
            }
        }
    };

    /// "credential(s): username: username (currently is not used)". It is used here.
    credential_username => async {
        let server = model_with(Settings::default().user(User::new("ann").password("hers")));
        let config = format!("{};credential.password=hers;credential.username", at(&server));
        assert_config_works(&server, &format!("{config}=ann")).await;
        for subject in Subject::both() {
            subject.configure(&format!("{config}=bob")).expect("a login");
            let error = subject.open("123").await.expect_err("there is no bob");
            assert_eq!(error.category().as_str(), "Unauthorized");
        }
    };

    /// "credential(s): password: user's password"
    credential_password => async {
        let server = model_with(Settings::with_password("right"));
        for section in ["credential.", "credentials.main.", ""] {
            let config = format!("{};{section}password=right", at(&server));
            assert_config_works(&server, &config).await;
        }
    };

    /// "options: retry_timeout: timeout in milliseconds to retry lock acquisition. (Default: 100)"
    options_retry_timeout => async {
        let server = model();
        for (option, tries) in [("", 2..=3), (";options.retry_timeout=20", 4..=11)] {
            for subject in Subject::both_open(&format!("{};options.wake=false{option}", at(&server))).await {
                steal(&server, "key");
                let before = count(&server, "SET");
                subject.acquire("key", LONG, 200).await.expect_err("it is held");
                let tried = count(&server, "SET") - before;
                assert!(tries.contains(&tried), "{option}: {tried}");
                server.with(|server| server.remove(0, b"key"));
            }
        }
    };

    /// "options: retries: number of retries (default: 3)"
    options_retries => async {
        for (option, attempts) in [("", "4"), (";options.retries=1", "2"), (";options.retries=0", "1")] {
            for subject in Subject::both() {
                let config = format!("host=127.0.0.1;port={};options.retry_timeout=1", free_port());
                subject.configure(&(config + option)).expect("options");
                let error = subject.open("123").await.expect_err("nothing listens");
                assert_eq!(error.detail("attempts"), Some(attempts), "{option}");
            }
        }
    };

    /// "*:discovery:*:*:1.0 - (optional) IDiscovery services"
    reference_discovery_is_optional => async {
        let server = model();
        for subject in Subject::both() {
            subject.set_references(&References::new());
            subject.configure(&at(&server)).expect("a connection");
            assert_works(&subject, &server).await;
            subject.configure("connection.discovery_key=locks").expect("a key");
            assert_eq!(subject.open("123").await.expect_err("none").code(), "REF_ERROR");
            subject.set_references(&references(&server, ""));
            assert_works(&subject, &server).await;
        }
    };

    /// "*:credential-store:*:*:1.0 - (optional) ICredentialStore to resolve credentials"
    reference_credential_store_is_optional => async {
        let server = model_with(Settings::with_password("right"));
        for subject in Subject::both() {
            let config = format!("{};credential.store_key=locks", at(&server));
            subject.configure(&config).expect("a key");
            assert_eq!(subject.open("123").await.expect_err("none").code(), "REF_ERROR");
            subject.set_references(&references(&server, "locks.password=right"));
            assert_works(&subject, &server).await;
        }
    };

    /// "close: Closes the component and frees used resources."
    close => async {
        let server = model();
        for subject in Subject::both_open(&at(&server)).await {
            subject.close("123").await.expect("open");
            assert!(!subject.is_open());
            assert_eq!(subject.attempt("key", LONG).await.expect_err("closed").code(), "NOT_OPENED");
        }
    };

    /// "configure: Configures a component by passing its configuration parameters."
    configure => async {
        let (one, two) = (model(), model());
        for subject in Subject::both() {
            for server in [&one, &two] {
                subject.configure(&at(server)).expect("a connection");
                assert_works(&subject, server).await;
            }
        }
    };

    /// "is_open: returns: bool - true if the component is open and false otherwise."
    is_open => async {
        let server = model();
        for subject in Subject::both() {
            subject.configure(&at(&server)).expect("a connection");
            assert!(!subject.is_open());
            subject.open("123").await.expect("a server");
            assert!(subject.is_open());
            subject.close("123").await.expect("open");
            assert!(!subject.is_open());
        }
    };

    /// "open: Opens the component."
    open => async {
        let server = model();
        for subject in Subject::both() {
            subject.configure(&at(&server)).expect("a connection");
            server.with(|server| server.reset_history());
            subject.open("123").await.expect("a server");
            assert_eq!(count(&server, "HELLO"), 1, "it is connected when open returns");
        }
    };

    /// "release_lock: Releases a prevously acquired lock by its key."
    release_lock => async {
        let server = model();
        for subject in Subject::both_open(&at(&server)).await {
            for key in ["one", "two"] {
                assert!(subject.attempt(key, LONG).await.expect("answered"));
            }
            assert!(subject.release("one").await.expect("answered"));
            assert!(!is_held(&server, "one") && is_held(&server, "two"));
            assert!(subject.release("two").await.expect("answered"));
        }
    };

    /// "correlation_id: Optional[str] - (optional) transaction id used to trace execution"
    correlation_id_is_optional => async {
        let lock = RedisLock::new();
        let error = lock.release_lock(None, "key").await.expect_err("closed");
        assert_eq!(error.correlation_id(), None);
        for id in ["", "123"] {
            let error = lock.release_lock(id, "key").await.expect_err("closed");
            assert_eq!(error.correlation_id(), Some(id));
            let error = lock.open(id).await.expect_err("not configured");
            assert_eq!(error.correlation_id(), Some(id));
        }
    };

    /// "set_references: Sets references to dependent components."
    set_references => async {
        let (one, two) = (model(), model());
        for subject in Subject::both() {
            subject.configure("connection.discovery_key=locks").expect("a key");
            for server in [&one, &two] {
                subject.set_references(&references(server, ""));
                assert_works(&subject, server).await;
            }
        }
    };

    /// "try_acquire_lock: Makes a single attempt to acquire a lock by its key. It returns immediately a
    /// positive or negative result."
    try_acquire_lock => async {
        let server = model();
        for subject in Subject::both_open(&at(&server)).await {
            assert!(subject.attempt("key", LONG).await.expect("answered"));
            let (before, begun) = (count(&server, "SET"), Instant::now());
            assert!(!subject.attempt("key", LONG).await.expect("answered"));
            assert_eq!(count(&server, "SET") - before, 1);
            assert!(begun.elapsed().as_millis() < 1000, "{:?}", begun.elapsed());
            assert!(subject.release("key").await.expect("answered"));
        }
    };

    /// "ttl: int - lock timeout (time to live) in milliseconds."
    ttl_is_in_milliseconds => async {
        let server = model();
        for subject in Subject::both_open(&at(&server)).await {
            assert!(subject.attempt("key", 3000).await.expect("answered"));
            let left = server.with(|server| server.remaining(0, b"key")).expect("a ttl");
            assert!((2000..=3000).contains(&left.as_millis()), "{left:?}");
            assert!(subject.release("key").await.expect("answered"));
        }
    };

    /// "lock.acquire_lock("123", "key1", 3000, 1000)": the example, on the server of the root keys.
    example => async {
        let server = model();
        for subject in Subject::both() {
            subject
                .configure_with(&ConfigParams::from_tuples(("host", "localhost", "port", port(&server))))
                .expect("a connection");
            subject.open("123").await.expect("a server");
            subject.acquire("key1", 3000, 1000).await.expect("it is free");
            assert!(is_held(&server, "key1"));
            assert!(subject.release("key1").await.expect("answered"));
        }
    };
}
