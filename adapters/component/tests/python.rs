//! RedisLock of the family in Python, as its package is, against ours: on one key of one server, both
//! ways.
//!
//! The family's package for Node is not in its registry, so this is the one that can be had.

mod subject;

use core::time::Duration;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use redlatch_testkit::server::{Kind, Server};
use subject::{LONG, PATIENCE, Subject};

/// The original as a process. It is killed when the value is dropped.
struct Python {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl Python {
    fn start(server: &Server) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/pip_services.py");
        let address = server.address();
        let mut child = Command::new("python3")
            .env("PYTHONPATH", installed())
            // The original gives redis-py an option that is deprecated.
            .env("PYTHONWARNINGS", "ignore")
            .arg(program)
            .args([address.ip().to_string(), address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python");
        let commands = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, commands, answers }
    }

    fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("it reads");
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {command}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `.ci/clients` puts packages, or what the user gives instead.
fn installed() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = env::var_os("REDLATCH_CLIENTS_DIR");
    let store = given.map_or_else(|| workspace.join(".clients"), PathBuf::from).join("python");
    assert!(
        store.join("pip_services4_redis").exists(),
        "pip-services4-redis is not installed: run `.ci/clients` in the workspace, or set \
         REDLATCH_CLIENTS_DIR to a folder that holds python/pip_services4_redis"
    );
    store
}

/// A server, the original, and both faces of ours.
async fn stand(kind: Kind) -> (Server, Python, [Subject; 2]) {
    let server = Server::start(kind).unwrap_or_else(|error| panic!("{error}"));
    let mut python = Python::start(&server);
    assert_eq!(python.ask("open"), "opened");
    let config = format!("host=127.0.0.1;port={}", server.address().port());
    let ours = Subject::both_open(&config).await;
    (server, python, ours)
}

async fn both_exclude_one_another(kind: Kind) {
    let (server, mut python, ours) = stand(kind).await;
    let get = || server.command(&["GET", "key"]).expect("answered").text();
    for ours in ours {
        // Held by Python.
        assert_eq!(python.ask("try key 60000"), "True");
        let theirs = get();
        assert_eq!(theirs.len(), 32, "its token: {theirs}");
        assert!(!ours.attempt("key", LONG).await.expect("answered"), "refused to us");
        let error = ours.acquire("key", LONG, 250).await.expect_err("held");
        assert_eq!(error.code(), "LOCK_TIMEOUT");
        assert!(!ours.release("key").await.expect("no error"), "we cannot release it");
        assert_eq!(get(), theirs, "and change nothing");
        assert_eq!(python.ask("release key"), "released");

        // Free for us, then held by us.
        assert!(ours.attempt("key", LONG).await.expect("answered"), "released by Python");
        let own = get();
        assert_eq!(python.ask("try key 60000"), "False", "refused to Python");
        assert_eq!(python.ask("acquire key 60000 250"), "ConflictException LOCK_TIMEOUT");
        assert_eq!(python.ask("release key"), "released", "it says so, and releases nothing");
        assert_eq!(get(), own, "Python cannot release it");
        assert!(ours.release("key").await.expect("answered"), "still ours");
        assert_eq!(python.ask("try key 60000"), "True", "released by us");
        assert_eq!(python.ask("release key"), "released");
    }
}

#[tokio::test]
async fn held_by_one_is_refused_to_the_other_on_redis_7() {
    both_exclude_one_another(Kind::Redis7).await;
}

#[tokio::test]
async fn held_by_one_is_refused_to_the_other_on_redis_8() {
    both_exclude_one_another(Kind::Redis8).await;
}

#[tokio::test]
async fn held_by_one_is_refused_to_the_other_on_valkey_9() {
    both_exclude_one_another(Kind::Valkey9).await;
}

#[tokio::test]
async fn expiry_frees_it_for_the_other() {
    let (_server, mut python, ours) = stand(Kind::Redis8).await;
    for ours in ours {
        assert_eq!(python.ask("try key 300"), "True");
        assert!(!ours.attempt("key", 300).await.expect("answered"));
        ours.acquire("key", 300, 5000).await.expect("theirs expires");
        assert_eq!(python.ask("try key 300"), "False");
        assert_eq!(python.ask("acquire key 60000 5000"), "acquired", "ours expires");
        assert!(!ours.release("key").await.expect("no error"), "not ours any more");
        assert!(!ours.attempt("key", LONG).await.expect("answered"), "Python has it");
        assert_eq!(python.ask("release key"), "released");
    }
}

/// One waits while the other has it, and gets it after the release.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_by_one_lets_the_other_in() {
    let (_server, mut python, ours) = stand(Kind::Redis7).await;
    for ours in ours {
        assert_eq!(python.ask("try key 60000"), "True");
        let waiter = ours.waiter("key", 20_000);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!waiter.is_finished());
        assert_eq!(python.ask("release key"), "released");
        waiter.await.expect("no panic").expect("Python released it");

        writeln!(python.commands, "acquire key 60000 20000").expect("it reads");
        assert!(python.answers.recv_timeout(Duration::from_millis(150)).is_err(), "it waits");
        assert!(ours.release("key").await.expect("answered"), "ours until now");
        assert_eq!(python.answers.recv_timeout(PATIENCE).expect("an answer"), "acquired");
        assert_eq!(python.ask("release key"), "released");
    }
}

/// What the original does wrong, so that nobody looks for it on our side.
#[tokio::test]
async fn where_the_original_is_broken() {
    let (server, mut python, [ours, _]) = stand(Kind::Redis7).await;
    // Its token is one for the instance: it takes the lock of a later holder for the one it lost.
    assert_eq!(python.ask("try key 100"), "True");
    let first = server.command(&["GET", "key"]).expect("answered").text();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(python.ask("try key 60000"), "True");
    assert_eq!(server.command(&["GET", "key"]).expect("answered").text(), first);
    assert_eq!(python.ask("release key"), "released");

    // A ttl that cannot be is an error of its driver.
    assert_eq!(python.ask("try key 0"), "ResponseError");
    assert_eq!(ours.attempt("key", 0).await.expect_err("0").code(), "INVALID_TTL");

    // A release without opening is no error of the family.
    let mut closed = Python::start(&server);
    assert_eq!(closed.ask("try key 60000"), "InvalidStateException NOT_OPENED");
    assert_eq!(closed.ask("release key"), "AttributeError");
    ours.close("123").await.expect("open");
    assert_eq!(ours.release("key").await.expect_err("closed").code(), "NOT_OPENED");
}
