//! The locks that need no server: the fixture, the arguments, the times.

mod fixture;

use core::pin::pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context as TaskContext, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use fixture::Promise;
use redlatch_component::{
    ConfigParams, Configurable, Context, Error, Lock, MemoryLock, NullLock, blocking,
};

#[tokio::test]
async fn the_fixture_passes_on_the_memory_lock() {
    fixture::run(&MemoryLock::new(), Promise::Excludes).await;
}

#[tokio::test]
async fn the_fixture_passes_on_the_blocking_memory_lock() {
    fixture::run_blocking(&blocking::MemoryLock::new(), Promise::Excludes).await;
}

#[tokio::test]
async fn the_null_lock_excludes_nobody_on_both_faces() {
    fixture::run(&NullLock::new(), Promise::ExcludesNobody).await;
    fixture::run_blocking(&blocking::NullLock::new(), Promise::ExcludesNobody).await;
}

/// Every lock of both faces says the same of arguments.
async fn assert_refused(key: &str, ttl: i64, timeout: i64, expected: &str) {
    let locks: [&dyn Lock; 2] = [&MemoryLock::new(), &NullLock::new()];
    for lock in locks {
        let error = lock.acquire_lock("123".into(), key, ttl, timeout).await.expect_err(expected);
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.category().as_str(), error.status()), ("BadRequest", 400));
    }
    let locks: [&dyn blocking::Lock; 2] =
        [&blocking::MemoryLock::new(), &blocking::NullLock::new()];
    for lock in locks {
        let error = lock.acquire_lock("123".into(), key, ttl, timeout).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_ttl_of_0_is_refused() {
    let expected = "A ttl of 0 ms is not possible; give a positive number of milliseconds below 2^53 \
                    [INVALID_TTL, correlation id 123]";
    assert_refused("key1", 0, 1000, expected).await;
}

#[tokio::test]
async fn a_negative_ttl_is_refused() {
    let expected = "A ttl of -1 ms is not possible; give a positive number of milliseconds below 2^53 \
                    [INVALID_TTL, correlation id 123]";
    assert_refused("key1", -1, 1000, expected).await;
}

#[tokio::test]
async fn a_ttl_that_no_server_takes_is_refused() {
    let lock = MemoryLock::new();
    let error = lock.try_acquire_lock(None, "key1", i64::MAX).await.expect_err("too long");
    assert_eq!((error.code(), error.detail("ttl")), ("INVALID_TTL", Some("9223372036854775807")));
    assert!(lock.try_acquire_lock(None, "key1", (1 << 53) - 1).await.expect("the longest"));
}

#[tokio::test]
async fn a_negative_timeout_is_refused() {
    let expected = "A timeout of -1 ms is not possible; give 0 for one attempt, or how long to wait \
                    [INVALID_TIMEOUT, correlation id 123]";
    assert_refused("key1", 3000, -1, expected).await;
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let long = "k".repeat(64 * 1024 + 1);
    let expected = format!(
        "A key of 65537 bytes is too long; 65536 is the most. It begins with {}… [INVALID_KEY, \
         correlation id 123]",
        &long[..100]
    );
    assert_refused(&long, 3000, 0, &expected).await;
    let error = MemoryLock::new().release_lock("1", &long).await.expect_err("too long");
    assert_eq!((error.code(), error.correlation_id()), ("INVALID_KEY", Some("1")));
}

#[tokio::test]
async fn any_text_is_a_key_of_its_own() {
    let lock = MemoryLock::new();
    let keys = ["", " ", "a b", "a\nb", "\r\n", "\0", "ключ", "🔒", "key1", "Key1", " key1"];
    for key in keys {
        assert!(lock.try_acquire_lock(None, key, 3000).await.expect(key), "{key:?}");
    }
    for key in keys {
        assert!(!lock.try_acquire_lock(None, key, 3000).await.expect(key), "{key:?}");
        lock.release_lock(None, key).await.expect(key);
        assert!(lock.try_acquire_lock(None, key, 3000).await.expect(key), "{key:?}");
    }
}

#[tokio::test]
async fn a_key_in_an_error_stays_on_its_line() {
    let lock = MemoryLock::new();
    let key = "a\nключ ";
    lock.acquire_lock(None, key, 3000, 0).await.expect("it is free");
    let error = lock.acquire_lock("123", key, 3000, 0).await.expect_err("it is held");
    assert_eq!(
        error.to_string(),
        "Acquiring lock a\\nключ  failed on timeout: somebody else still had it after 0 ms; try again \
         later or wait longer [LOCK_TIMEOUT, correlation id 123]"
    );
    assert_eq!(error.detail("key"), Some(key));
}

/// A timeout of 0 tries once, and so gets a lock that is free.
#[tokio::test]
async fn a_timeout_of_0_is_one_attempt() {
    let lock = MemoryLock::new();
    lock.acquire_lock(None, "key1", 3000, 0).await.expect("it is free");
    let begun = Instant::now();
    lock.acquire_lock(None, "key1", 3000, 0).await.expect_err("it is held");
    assert!(begun.elapsed() < Duration::from_millis(90), "{:?}", begun.elapsed());
}

/// The whole timeout is waited, and not longer than a little.
#[tokio::test]
async fn a_lock_that_stays_held_is_waited_for_as_long_as_asked() {
    let lock = MemoryLock::new();
    lock.acquire_lock(None, "key1", 30_000, 0).await.expect("it is free");
    let begun = Instant::now();
    lock.acquire_lock(None, "key1", 3000, 250).await.expect_err("it is held");
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(250), "{waited:?}");
    assert!(waited < Duration::from_millis(1000), "{waited:?}");
}

/// An expired lock is free, though nobody released it; what is left of the ttl is waited for.
#[tokio::test]
async fn a_lock_expires() {
    let lock = MemoryLock::new();
    let begun = Instant::now();
    assert!(lock.try_acquire_lock(None, "key1", 150).await.expect("an attempt"));
    lock.acquire_lock(None, "key1", 3000, 5000).await.expect("it expires");
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert!(begun.elapsed() < Duration::from_millis(2000));
}

#[tokio::test]
async fn the_pause_between_attempts_is_configured() {
    let lock = MemoryLock::new();
    lock.configure(&ConfigParams::from_string("options.retry_timeout=2000")).expect("an option");
    assert!(lock.try_acquire_lock(None, "key1", 50).await.expect("an attempt"));
    let begun = Instant::now();
    lock.acquire_lock(None, "key1", 3000, 400).await.expect("free at the last attempt");
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[test]
fn options_are_checked_and_a_bad_configuration_changes_nothing() {
    let cases = [
        ("options.retry_timeout=0", "INVALID_VALUE", "options.retry_timeout"),
        ("options.retry_timeout=-5", "INVALID_VALUE", "options.retry_timeout"),
        ("options.retry_timeout=3600001", "INVALID_VALUE", "options.retry_timeout"),
        ("options.retry_timeout=fast", "INVALID_VALUE", "options.retry_timeout"),
        ("options.retries=-1", "INVALID_VALUE", "options.retries"),
        ("options.retries=4294967296", "INVALID_VALUE", "options.retries"),
        ("options.Retries=1", "UNKNOWN_KEY", "options.Retries"),
        ("option.retries=1", "UNKNOWN_KEY", "option.retries"),
        ("retries=1", "UNKNOWN_KEY", "retries"),
        ("connection.hots=a", "UNKNOWN_KEY", "connection.hots"),
        ("connections.host=a", "UNKNOWN_KEY", "connections.host"),
        ("=v", "UNKNOWN_KEY", ""),
    ];
    let lock = MemoryLock::new();
    for (text, code, key) in cases {
        let error = lock.configure(&ConfigParams::from_string(text)).expect_err(text);
        assert_eq!((error.code(), error.detail("key")), (code, Some(key)), "{text}");
        assert_eq!(error.category().as_str(), "Misconfiguration", "{text}");
    }
    let good = [
        "",
        "options.retry_timeout=1;options.retries=0",
        "options.retry_timeout=3600000;options.retries",
        "host=a;port=1;username=u;password=p",
        "descriptor=pip-services:lock:memory:default:1.0;type=x",
        "connections.a.host=h;connection.uri=redis://h;credential.store_key=k;credentials.b.pass=p",
    ];
    for text in good {
        lock.configure(&ConfigParams::from_string(text)).expect(text);
    }
}

#[test]
fn an_unknown_key_is_explained() {
    let refused = |text| {
        let error = MemoryLock::new().configure(&ConfigParams::from_string(text));
        error.expect_err(text).message().to_owned()
    };
    let cases = [
        (
            "options.Retries=1",
            "Nothing reads the parameter options.Retries; letter case counts: write retries",
        ),
        (
            "connection.user=1",
            "Nothing reads the parameter connection.user; known are discovery_key, host, ip, port, uri",
        ),
        (
            "connections.host=1",
            "Nothing reads the parameter connections.host; write connections.<name>.<key>",
        ),
        (
            "option.retries=1",
            "Nothing reads the parameter option.retries; known are connection, credential, options, \
             tls, connections, credentials",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text), expected);
    }
}

#[test]
fn each_memory_lock_has_its_own_locks_and_its_blocking_face_shares_them() {
    let lock = MemoryLock::new();
    let (face, other) = (blocking::MemoryLock::from(&lock), blocking::MemoryLock::new());
    assert!(face.try_acquire_lock("123", "key1", 3000).expect("an attempt"));
    assert!(!ready(lock.try_acquire_lock("123", "key1", 3000)).expect("an attempt"));
    assert!(other.try_acquire_lock("123", "key1", 3000).expect("an attempt"));
    ready(lock.release_lock(None, "key1")).expect("a release");
    assert!(face.try_acquire_lock(Some("123"), "key1", 3000).expect("an attempt"));
}

/// Outside of a runtime everything works that need not wait.
#[test]
fn waiting_outside_of_a_runtime_is_an_error_and_no_panic() {
    let lock = MemoryLock::new();
    ready(lock.acquire_lock("123", "key1", 3000, 1000)).expect("it is free");
    let error = ready(lock.acquire_lock("123", "key1", 3000, 1000)).expect_err("no runtime");
    assert_eq!((error.code(), error.correlation_id()), ("NO_RUNTIME", Some("123")));
    assert!(core::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn dropping_a_waiter_leaves_nothing_held() {
    let lock = MemoryLock::new();
    assert!(lock.try_acquire_lock(None, "key1", 3000).await.expect("an attempt"));
    let waiting = lock.acquire_lock(None, "key1", 3000, 10_000);
    tokio::time::timeout(Duration::from_millis(20), waiting).await.expect_err("it is held");
    lock.release_lock(None, "key1").await.expect("a release");
    assert!(lock.try_acquire_lock(None, "key1", 3000).await.expect("nobody has it"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_exclude_one_another() {
    let lock = Arc::new(MemoryLock::new());
    lock.configure(&ConfigParams::from_string("options.retry_timeout=1")).expect("an option");
    let (inside, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let worker = || {
        let (lock, inside, done) = (Arc::clone(&lock), Arc::clone(&inside), Arc::clone(&done));
        async move {
            for _ in 0..10 {
                lock.acquire_lock(None, "key1", 30_000, 30_000).await?;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                lock.release_lock(None, "key1").await?;
            }
            Ok::<_, Error>(())
        }
    };
    let workers: Vec<_> = (0..8).map(|_| tokio::spawn(worker())).collect();
    for worker in workers {
        worker.await.expect("no panic").expect("no error");
    }
    assert_eq!(done.load(Ordering::SeqCst), 80);
}

#[test]
fn every_lock_can_be_shared_as_an_object() {
    fn check<T: Send + Sync + 'static>(_: T) {}
    check(Arc::new(MemoryLock::new()) as Arc<dyn Lock>);
    check(Arc::new(blocking::MemoryLock::new()) as Arc<dyn blocking::Lock>);
    check(Context::NONE);
}

/// The result of a future that need not wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}
