//! The real servers themselves: start, stop, faults, and that none outlives the tests.

use core::time::Duration;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use redlatch_testkit::server::{Data, Kind, Server, ServerError, Value};

/// Longer than any of these steps takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

type Outcome = Result<(), ServerError>;

#[test]
fn every_kind_starts_and_is_the_version_it_claims() -> Outcome {
    for (kind, field) in [
        (Kind::Redis6, "redis_version:6.2.14"),
        (Kind::Redis7, "redis_version:7.0."),
        (Kind::Redis8, "redis_version:8.2.3"),
        (Kind::Redis8_6, "redis_version:8.6.2"),
        (Kind::Valkey9, "valkey_version:9.1.2"),
    ] {
        let server = Server::start(kind)?;
        let info = server.command(&["INFO", "server"])?.text();
        assert!(info.lines().any(|line| line.starts_with(field)), "{kind}: no {field} in {info}");
        assert_eq!(
            server.command(&["SET", "k", "v", "NX", "PX", "60000"])?,
            Value::Simple("OK".into())
        );
        assert_eq!(server.command(&["SET", "k", "w", "NX", "PX", "60000"])?, Value::Nil);
        assert_eq!(server.command(&["GET", "k"])?, Value::Bulk(b"v".to_vec()));
        assert!(
            (1..=60_000).contains(&server.command(&["PTTL", "k"])?.integer().expect("a number"))
        );
        assert!(
            matches!(server.command(&["NO SUCH COMMAND"])?, Value::Error(text) if text.starts_with("ERR "))
        );
        assert_eq!(server.command(&["DEBUG", "SLEEP", "0"])?, Value::Simple("OK".into()), "{kind}");
    }
    Ok(())
}

/// The dialects of "delete if it is mine" that need no script: no two servers have the same.
#[test]
fn who_compares_before_it_deletes() -> Outcome {
    for kind in Kind::ALL {
        let server = Server::start(kind)?;
        let mut inspector = server.inspect()?;
        let mut deletes = |command: &[&str]| -> Result<bool, ServerError> {
            inspector.command(&["SET", "k", "mine"])?;
            Ok(inspector.command(command)? == Value::Integer(1))
        };
        let ifeq = ["DELEX", "k", "IFEQ"];
        assert_eq!(deletes(&[&ifeq[..], &["mine"]].concat())?, kind == Kind::Redis8_6, "{kind}");
        assert!(!deletes(&[&ifeq[..], &["theirs"]].concat())?, "{kind}");
        assert_eq!(deletes(&["DELIFEQ", "k", "mine"])?, kind == Kind::Valkey9, "{kind}");
        assert!(!deletes(&["DELIFEQ", "k", "theirs"])?, "{kind}");
    }
    Ok(())
}

#[test]
fn servers_that_start_together_do_not_share_a_port() {
    let servers: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> =
            (0..6).map(|_| scope.spawn(|| Server::start(Kind::Valkey9))).collect();
        starting
            .into_iter()
            .map(|thread| thread.join().expect("no panic").expect("a server"))
            .collect()
    });
    for (number, server) in servers.iter().enumerate() {
        server.command(&["SET", "me", &number.to_string()]).expect("an answer");
    }
    for (number, server) in servers.iter().enumerate() {
        assert_eq!(server.command(&["GET", "me"]).expect("an answer").text(), number.to_string());
    }
}

#[test]
fn a_restart_keeps_the_port_and_does_with_the_data_as_it_is_told() -> Outcome {
    for kind in Kind::ALL {
        let mut server = Server::builder(kind).persistent().start()?;
        let address = server.address();
        server.command(&["SET", "k", "v"])?;

        server.kill9()?;
        assert!(TcpStream::connect(address).is_err(), "{kind} is gone after SIGKILL");
        assert!(matches!(server.pause(), Err(ServerError::NotRunning(_))));
        server.restart(Data::Keep)?;
        assert_eq!(server.address(), address);
        assert_eq!(server.command(&["GET", "k"])?.text(), "v", "{kind} reads its append-only file");

        server.restart(Data::Lose)?;
        assert_eq!(server.address(), address);
        assert_eq!(server.command(&["GET", "k"])?, Value::Nil, "{kind} starts empty");
    }
    Ok(())
}

#[test]
fn a_server_without_persistence_forgets_on_a_restart() -> Outcome {
    let mut server = Server::start(Kind::Redis7)?;
    server.command(&["SET", "k", "v"])?;
    server.restart(Data::Keep)?;
    assert_eq!(server.command(&["GET", "k"])?, Value::Nil);
    Ok(())
}

#[test]
fn a_paused_server_answers_after_it_is_resumed_and_not_before() -> Outcome {
    let server = Server::start(Kind::Redis8)?;
    let mut inspector = server.inspect()?;
    server.pause()?;
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || tell.send(inspector.command(&["PING"])));
    assert!(matches!(
        hear.recv_timeout(Duration::from_millis(300)),
        Err(RecvTimeoutError::Timeout)
    ));
    server.resume()?;
    let answer = hear.recv_timeout(PATIENCE).expect("an answer").expect("a reply");
    assert_eq!(answer, Value::Simple("PONG".into()));
    Ok(())
}

#[test]
fn a_paused_server_can_be_stopped_and_dropped() -> Outcome {
    let mut server = Server::start(Kind::Valkey9)?;
    server.pause()?;
    server.stop()?;
    server.restart(Data::Keep)?;
    server.pause()?;
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    Ok(())
}

#[test]
fn a_password_is_asked_for_and_stays_out_of_debug() -> Outcome {
    let server = Server::builder(Kind::Redis7).password("open-sesame").start()?;
    assert_eq!(server.url(), format!("redis://:open-sesame@{}", server.address()));
    assert_eq!(server.command(&["PING"])?.text(), "PONG");
    assert!(!format!("{server:?}").contains("sesame"));

    let mut stranger = TcpStream::connect(server.address())?;
    stranger.write_all(b"PING\r\n")?;
    let mut line = String::new();
    BufReader::new(stranger).read_line(&mut line)?;
    assert!(line.starts_with("-NOAUTH"), "{line}");
    Ok(())
}

#[test]
fn a_unix_socket_is_there_when_asked_for() -> Outcome {
    let server = Server::builder(Kind::Valkey9).unix_socket().start()?;
    let mut socket = UnixStream::connect(server.unix_path().expect("a path"))?;
    socket.write_all(b"PING\r\n")?;
    let mut reply = [0; 7];
    socket.read_exact(&mut reply)?;
    assert_eq!(&reply, b"+PONG\r\n");
    assert_eq!(Server::start(Kind::Valkey9)?.unix_path(), None);
    Ok(())
}

#[test]
fn a_server_that_cannot_start_says_why_in_its_own_words() {
    let error = Server::builder(Kind::Redis7)
        .arguments(["--maxmemory-policy", "no-such-policy"])
        .start()
        .expect_err("the setting is wrong");
    assert!(matches!(error, ServerError::Start { .. }), "{error}");
    assert!(error.to_string().starts_with("Redis 7.0 did not start: it ended with"), "{error}");
}

#[test]
fn dropping_a_server_removes_its_process_and_its_files() -> Outcome {
    let server = Server::builder(Kind::Redis8).unix_socket().start()?;
    let (address, socket) = (server.address(), server.unix_path().expect("a path"));
    assert!(socket.exists());
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    assert!(!socket.parent().expect("a folder").exists());
    Ok(())
}

/// The other half of the next test, in a process that is killed.
#[test]
#[ignore = "only runs inside another test"]
fn holder_of_a_server() {
    let server = Server::start(Kind::Redis7).expect("a server");
    println!("\nport {}", server.address().port());
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_server_does_not_outlive_a_test_process_that_is_killed() -> Outcome {
    let mut holder = Command::new(std::env::current_exe()?)
        .args(["--exact", "holder_of_a_server", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(holder.stdout.take().expect("a pipe"));
    let port: u16 = output
        .lines()
        .find_map(|line| line.ok()?.strip_prefix("port ")?.parse().ok())
        .expect("the holder starts a server");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "the server runs");

    holder.kill()?;
    holder.wait()?;
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "the server still runs");
        thread::yield_now();
    }
    Ok(())
}
