//! Locks between processes: the example `hold-std`, run as users run it, mostly on a real server.

#[path = "processes/holder.rs"]
mod holder;

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

use redlatch_testkit::conformance::{Host, ModelHost, RealHost, Running, Setup};
use redlatch_testkit::server::{Inspector, Kind, Value};

use holder::{Holder, PATIENCE};

/// How late a line may reach the test on a busy machine.
const LATE: Duration = Duration::from_millis(60);

fn hold_std() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| holder::build("std"))
}

fn hold(arguments: &[&str]) -> Holder {
    Holder::start(hold_std(), arguments)
}

fn redis(setup: Setup) -> Box<dyn Running> {
    RealHost(Kind::Redis7).start(setup).unwrap_or_else(|broken| panic!("{broken}"))
}

fn model() -> Box<dyn Running> {
    ModelHost::default().start(Setup::default()).unwrap_or_else(|broken| panic!("{broken}"))
}

fn both() -> [Box<dyn Running>; 2] {
    [redis(Setup::default()), model()]
}

fn url(server: &dyn Running) -> String {
    format!("redis://{}", server.address())
}

fn plain(server: &dyn Running) -> Inspector {
    Inspector::connect(server.address(), None, PATIENCE).expect("a plain connection")
}

fn ask(server: &dyn Running, question: &[&str]) -> Value {
    plain(server).command(question).expect("an answer")
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Asserts that no two of these times overlap by more than a line may be late.
fn assert_apart(mut held: Vec<(Instant, Instant, &str)>) {
    held.sort_by_key(|&(from, ..)| from);
    for pair in held.windows(2) {
        let ((_, until, first), (from, _, second)) = (pair[0], pair[1]);
        let overlap = until.saturating_duration_since(from);
        assert!(overlap < LATE, "{first} and {second} held at once for {overlap:?}");
    }
}

/// Requirements 1 and 11: processes on one key, and a client that shares no code with them, never
/// hold it at once.
#[test]
fn processes_and_a_plain_client_never_hold_at_once() {
    const HOLD: Duration = Duration::from_millis(200);
    hold_std();
    for server in both() {
        let server = &*server;
        let url = url(server);
        let held = thread::scope(|scope| {
            let peer = scope.spawn(|| hold_plainly(server, 4));
            let arguments = [&url, "shared", "10000", "200", "--wait", "25000"];
            let holders: Vec<_> = (0..6).map(|_| hold(&arguments)).collect();
            let mut held: Vec<_> = holders
                .into_iter()
                .map(|holder| {
                    let acquired = holder.expect("acquired validity=");
                    let released = holder.expect("released");
                    assert!(released.millis - acquired.millis >= 199, "{acquired:?} {released:?}");
                    assert_eq!(holder.end().1, 0);
                    (acquired.at, acquired.at + HOLD, "a process")
                })
                .collect();
            held.extend(peer.join().expect("no panic"));
            held
        });
        assert_eq!(held.len(), 10);
        assert_apart(held);
    }
}

/// Takes the same lock as a client of another make would.
fn hold_plainly(server: &dyn Running, rounds: usize) -> Vec<(Instant, Instant, &'static str)> {
    let mut peer = plain(server);
    let mut command = |line: &[&str]| peer.command(line).expect("an answer");
    (0..rounds)
        .map(|_| {
            while command(&["SET", "shared", "peer", "NX", "PX", "10000"]) == Value::Nil {
                thread::sleep(Duration::from_millis(3));
            }
            let from = Instant::now();
            thread::sleep(Duration::from_millis(100));
            let until = Instant::now();
            assert_eq!(
                command(&["GET", "shared"]).text(),
                "peer",
                "somebody took the lock of the plain client"
            );
            command(&["DEL", "shared"]);
            // The others shall have their turn.
            thread::sleep(Duration::from_millis(50));
            (from, until, "the plain client")
        })
        .collect()
}

/// Two keys do not exclude each other: else the test above could pass for the wrong reason.
#[test]
fn processes_on_two_keys_hold_at_once() {
    let server = model();
    let url = url(&*server);
    let [first, second] = ["a", "b"].map(|key| hold(&[&url, key, "10000", "20000"]));
    first.expect("acquired");
    second.expect("acquired");
}

#[test]
fn kill_9_of_a_holder_frees_the_key_after_its_ttl_and_not_before() {
    const TTL: Duration = Duration::from_millis(800);
    for server in both() {
        let url = url(&*server);
        let mut holder = hold(&[&url, "k", "800", "60000", "--extend"]);
        let acquired = holder.expect("acquired");
        let token = ask(&*server, &["GET", "k"]);
        assert!(matches!(&token, Value::Bulk(bytes) if bytes.len() == 40), "{token:?}");
        holder.child.kill().expect("SIGKILL");
        holder.child.wait().expect("a status");

        let waiter = hold(&[&url, "k", "10000", "0", "--wait", "20000"]);
        let next = waiter.expect("acquired");
        assert!(next.at - holder.begun >= TTL, "free {:?} after the start", next.at - holder.begun);
        let after = next.at - acquired.at;
        assert!(after >= TTL - LATE, "free {after:?} after the acquisition, before the ttl");
        assert!(after < TTL + Duration::from_secs(2), "not free {after:?} after the acquisition");
        assert_eq!(waiter.end().1, 0);
    }
}

#[test]
fn a_waiter_survives_a_restart_of_the_server() {
    for server in both() {
        let url = url(&*server);
        assert_eq!(ask(&*server, &["SET", "k", "foreign", "PX", "60000"]).text(), "OK");
        let asked = server.calls("SET").unwrap_or_else(|broken| panic!("{broken}"));
        let waiter = hold(&[&url, "k", "10000", "10", "--wait", "25000"]);
        until("the waiter tries", || server.calls("SET").is_ok_and(|calls| calls > asked));
        server.restart_empty().unwrap_or_else(|broken| panic!("{broken}"));
        waiter.expect("acquired");
        waiter.expect("released");
        assert_eq!(waiter.end().1, 0);
        assert_eq!(ask(&*server, &["GET", "k"]), Value::Nil);
    }
}

#[test]
fn a_holder_survives_dead_connections() {
    for server in both() {
        let url = url(&*server);
        let holder = hold(&[&url, "k", "1500", "1200", "--extend"]);
        holder.expect("acquired");
        ask(&*server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        holder.expect("extended");
        ask(&*server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        until("it releases", || holder.line().event == "released");
        assert_eq!(holder.end().1, 0);
        assert_eq!(ask(&*server, &["GET", "k"]), Value::Nil);
    }
}

/// Must end with this status and exactly one line, an error that holds all of these words and no
/// secret.
fn expect_error(arguments: &[&str], words: &[&str], within: Duration) {
    let holder = hold(arguments);
    let begun = holder.begun;
    let line = holder.expect("error ");
    assert!(line.at - begun < within, "told after {:?}: {line:?}", line.at - begun);
    let (more, status, complaints) = holder.end();
    assert!(begun.elapsed() < within + Duration::from_secs(1), "ended after {:?}", begun.elapsed());
    assert_eq!((status, more.len(), complaints.as_str()), (3, 0, ""), "{line:?} {more:?}");
    for word in words {
        assert!(line.event.contains(word), "{word} is not in {line:?}");
    }
    assert!(!line.event.contains("hunter2"), "{line:?}");
}

#[test]
fn a_wrong_or_missing_password_is_one_clear_error() {
    let server = redis(Setup { password: Some("right"), ..Setup::default() });
    let address = server.address().to_string();
    let soon = Duration::from_secs(3);
    for login in [":hunter2@", "default:hunter2@", "nobody:hunter2@"] {
        let url = format!("redis://{login}{address}");
        expect_error(&[&url, "k", "5000", "10"], &[&address, "password is wrong"], soon);
        expect_error(
            &[&url, "k", "5000", "10", "--wait", "20000"],
            &[&address, "password is wrong"],
            soon,
        );
    }
    expect_error(
        &[&format!("redis://{address}"), "k", "5000", "10"],
        &[&address, "wants a password"],
        soon,
    );
}

#[test]
fn a_port_where_nobody_listens_is_one_clear_error() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    let url = format!("redis://{free}");
    expect_error(
        &[&url, "k", "5000", "10", "--wait", "20000"],
        &[&free.to_string(), "nothing listens"],
        Duration::from_secs(4),
    );
}

/// Accepts connections and does this with each, in a thread of its own, until the test process
/// ends.
fn serve(each: fn(std::net::TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || each(stream));
        }
    });
    address
}

#[test]
fn a_port_that_speaks_http_is_one_clear_error() {
    let address = serve(|mut stream| {
        let mut request = [0; 512];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let (url, address) = (format!("redis://{address}"), address.to_string());
    expect_error(&[&url, "k", "5000", "10"], &[&address, "no Redis"], Duration::from_secs(4));
}

#[test]
fn a_server_that_accepts_and_never_answers_is_one_clear_error() {
    let address = serve(|mut stream| {
        let mut ignored = [0; 512];
        while stream.read(&mut ignored).is_ok_and(|count| count > 0) {}
    });
    let (url, address) = (format!("redis://{address}"), address.to_string());
    expect_error(&[&url, "k", "5000", "10"], &[&address, "did not answer"], Duration::from_secs(4));
}

/// One byte now and then keeps a naive read time-out from ever ending.
#[test]
fn a_server_that_drips_is_one_clear_error() {
    let address = serve(|mut stream| {
        while stream.write_all(b"+").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let (url, address) = (format!("redis://{address}"), address.to_string());
    expect_error(&[&url, "k", "5000", "10"], &[&address], Duration::from_secs(4));
}

#[test]
fn wrong_usage_ends_with_2_and_tells_the_usage() {
    for arguments in [
        &[] as &[&str],
        &["redis://127.0.0.1:1"],
        &["redis://:hunter2@127.0.0.1:1", "k", "1000"],
        &["redis://:hunter2@127.0.0.1:1", "k", "0", "10"],
        &["redis://:hunter2@127.0.0.1:1", "k", "soon", "10"],
        &["redis://:hunter2@127.0.0.1:1", "k", "1000", "10", "--wait"],
        &["redis://:hunter2@127.0.0.1:1", "k", "1000", "10", "--forever"],
    ] {
        let (lines, status, complaints) = hold(arguments).end();
        assert_eq!((status, lines.len()), (2, 0), "{arguments:?}: {complaints}");
        assert!(complaints.contains("usage: hold-std URL[,URL...] KEY"), "{complaints}");
        assert!(!complaints.contains("hunter2"), "{complaints}");
    }
}

/// What only the client can tell is an error line, and still the caller's mistake.
#[test]
fn arguments_that_the_client_refuses_end_with_2() {
    for arguments in [
        ["http://:hunter2@127.0.0.1:1", "k", "5000", "10"],
        ["redis://:hunter2@127.0.0.1:0", "k", "5000", "10"],
        ["redis://:hunter2@127.0.0.1:1,redis://127.0.0.1:1", "k", "5000", "10"],
    ] {
        let holder = hold(&arguments);
        let line = holder.expect("error ");
        let (more, status, complaints) = holder.end();
        assert_eq!((status, more.len(), complaints.as_str()), (2, 0, ""), "{line:?}");
        assert!(!line.event.contains("hunter2"), "{line:?}");
    }
    let server = model();
    let holder = hold(&[&url(&*server), "k", "1", "10"]);
    holder.expect("error a ttl of");
    assert_eq!(holder.end().1, 2);
}

#[test]
fn a_lock_of_somebody_else_is_denied_with_1() {
    let server = redis(Setup::default());
    let url = url(&*server);
    assert_eq!(ask(&*server, &["SET", "k", "foreign", "PX", "60000"]).text(), "OK");
    for (wait, least) in [(&[] as &[&str], 0), (&["--wait", "300"], 150)] {
        let holder = hold(&[&[&*url, "k", "5000", "10"], wait].concat());
        let line = holder.expect("denied");
        assert!(line.millis >= least && line.millis < 2000, "{line:?}");
        assert_eq!(holder.end().1, 1);
    }
    assert_eq!(ask(&*server, &["GET", "k"]).text(), "foreign");
}

#[test]
fn a_lost_lock_ends_with_4_and_the_reason() {
    let server = redis(Setup::default());
    let url = url(&*server);

    let holder = hold(&[&url, "expires", "300", "5000"]);
    let acquired = holder.expect("acquired");
    let lost = holder.expect("lost reason=expired");
    let held = lost.millis - acquired.millis;
    assert!((200..1500).contains(&held), "a ttl of 300 ms was lost after {held} ms");
    assert_eq!(holder.end().1, 4);

    type Trouble = fn(&dyn Running);
    let cases: [(&str, Trouble); 2] = [
        ("deleted", |server| drop(ask(server, &["DEL", "k"]))),
        ("stolen", |server| drop(ask(server, &["SET", "k", "foreign", "PX", "60000"]))),
    ];
    for (reason, trouble) in cases {
        let holder = hold(&[&url, "k", "1500", "60000", "--extend"]);
        holder.expect("acquired");
        trouble(&*server);
        holder.expect(&format!("lost reason={reason}"));
        assert_eq!(holder.end().1, 4);
    }
    assert_eq!(ask(&*server, &["GET", "k"]).text(), "foreign");
}

#[test]
fn a_reader_that_goes_away_does_not_keep_the_lock_taken() {
    let server = model();
    let mut child = Command::new(hold_std())
        .args([&url(&*server), "k", "30000", "300"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("hold-std starts");
    drop(child.stdout.take());
    until("the lock is taken", || ask(&*server, &["GET", "k"]) != Value::Nil);
    assert_eq!(child.wait().expect("a status").code(), Some(0));
    assert_eq!(ask(&*server, &["GET", "k"]), Value::Nil);
}
