//! The model server behind real sockets.

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use redlatch_testkit::model::{Data, Fault, ModelServer, Rule, Settings};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const SET: &[u8] = b"*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nt\r\n$2\r\nPX\r\n$5\r\n60000\r\n";
const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

fn connect(server: &ModelServer) -> TcpStream {
    let stream = TcpStream::connect(server.addr().expect("a port")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
    stream
}

fn ask(stream: &mut (impl Read + Write), request: &[u8], reply: &str) {
    stream.write_all(request).expect("it takes requests");
    hear(stream, reply);
}

fn hear(stream: &mut impl Read, reply: &str) {
    let mut bytes = vec![0; reply.len()];
    stream.read_exact(&mut bytes).expect("a whole reply");
    assert_eq!(String::from_utf8_lossy(&bytes), reply);
}

/// The connection is over: an end or a reset, never bytes.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn many_clients_are_served_at_once() {
    let server = ModelServer::start().expect("a server");
    let mut clients: Vec<_> = (0..50).map(|_| connect(&server)).collect();
    for client in &mut clients {
        client.write_all(PING).expect("it takes requests");
    }
    for client in &mut clients {
        hear(client, "+PONG\r\n");
    }
    assert_eq!(server.with(|server| server.command_count("ping")), 50);
    assert_eq!(server.url(), format!("redis://{}", server.addr().expect("a port")));
}

/// A pipeline larger than any buffer in between, read only after it is written: no deadlock as long
/// as the client reads at last.
#[test]
fn a_large_pipeline_gets_every_reply() {
    let server = ModelServer::start().expect("a server");
    let mut client = connect(&server);
    let mut writer = client.try_clone().expect("a clone");
    let sender = std::thread::spawn(move || writer.write_all(&PING.repeat(200_000)));
    let mut replies = vec![0; 7 * 200_000];
    client.read_exact(&mut replies).expect("every reply");
    assert!(replies.chunks(7).all(|reply| reply == b"+PONG\r\n"));
    sender.join().expect("no panic").expect("it takes requests");
}

#[test]
fn a_push_reaches_another_client_without_a_request() {
    let server = ModelServer::start().expect("a server");
    let (mut watcher, mut writer) = (connect(&server), connect(&server));
    watcher.write_all(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n").expect("it takes requests");
    let mut greeting = [0; 512];
    assert!(watcher.read(&mut greeting).expect("a greeting") > 0);
    let on = b"*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n";
    ask(&mut watcher, on, "+OK\r\n");
    ask(&mut watcher, GET, "_\r\n");
    ask(&mut writer, SET, "+OK\r\n");
    let push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
    hear(&mut watcher, push);
    ask(&mut watcher, GET, "$1\r\nt\r\n");
    server.with(|server| assert!(server.remove(0, b"k")));
    hear(&mut watcher, push);
}

#[test]
fn an_expiry_wakes_the_server_by_itself() {
    let server = ModelServer::start().expect("a server");
    let mut client = connect(&server);
    client.write_all(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n").expect("it takes requests");
    assert!(client.read(&mut [0; 512]).expect("a greeting") > 0);
    ask(&mut client, b"*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n", "+OK\r\n");
    ask(&mut client, &SET.to_vec().replace_ttl(b"00030"), "+OK\r\n");
    let start = Instant::now();
    ask(&mut client, GET, "$1\r\nt\r\n");
    hear(&mut client, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
    assert!(start.elapsed() < Duration::from_secs(5));
}

trait ReplaceTtl {
    fn replace_ttl(self, ttl: &[u8; 5]) -> Self;
}

impl ReplaceTtl for Vec<u8> {
    /// A ttl has no leading zeros, so the length shrinks with it.
    fn replace_ttl(mut self, ttl: &[u8; 5]) -> Self {
        let digits: Vec<u8> = ttl.iter().copied().skip_while(|&digit| digit == b'0').collect();
        self.truncate(self.len() - b"$5\r\n60000\r\n".len());
        self.extend(format!("${}\r\n", digits.len()).into_bytes());
        self.extend(digits);
        self.extend(b"\r\n");
        self
    }
}

#[test]
fn a_paused_server_accepts_and_answers_later() {
    let server = ModelServer::start().expect("a server");
    let mut early = connect(&server);
    ask(&mut early, PING, "+PONG\r\n");
    server.pause().expect("a pause");
    let mut late = connect(&server);
    early.write_all(PING).expect("the system takes it");
    late.write_all(PING).expect("the system takes it");
    for stream in [&mut early, &mut late] {
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let error = stream.read(&mut [0; 16]).expect_err("nothing is answered");
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    }
    server.resume().expect("an end of the pause");
    hear(&mut early, "+PONG\r\n");
    hear(&mut late, "+PONG\r\n");
}

#[test]
fn a_crashed_server_refuses_and_returns_on_the_same_port() {
    let server = ModelServer::start().expect("a server");
    for (data, reply) in [(Data::Keep, "$1\r\nt\r\n"), (Data::Lose, "$-1\r\n")] {
        let mut client = connect(&server);
        ask(&mut client, SET, "+OK\r\n");
        server.crash().expect("a crash");
        assert!(is_closed(&mut client));
        let error = TcpStream::connect(server.addr().expect("a port")).expect_err("it is down");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        server.restart(data).expect("a restart");
        ask(&mut connect(&server), GET, reply);
    }
}

#[test]
fn killed_connections_end_and_new_ones_work() {
    let server = ModelServer::start().expect("a server");
    let mut client = connect(&server);
    ask(&mut client, PING, "+PONG\r\n");
    server.kill_connections();
    assert!(is_closed(&mut client));
    ask(&mut connect(&server), PING, "+PONG\r\n");
}

#[test]
fn faults_work_on_the_socket() {
    let server = ModelServer::start().expect("a server");
    server.with(|server| server.fail(Rule::on("SET", Fault::CloseAfter)));
    let mut client = connect(&server);
    client.write_all(SET).expect("it takes requests");
    assert!(is_closed(&mut client));
    let mut client = connect(&server);
    ask(&mut client, GET, "$1\r\nt\r\n");
    server.with(|server| server.fail(Rule::on("PING", Fault::Drip { interval: 2_000 })));
    let start = Instant::now();
    ask(&mut client, PING, "+PONG\r\n");
    assert!(start.elapsed() >= Duration::from_millis(10), "six pauses of two milliseconds");
    server.with(|server| server.conditions.max_clients = 1);
    let mut late = connect(&server);
    hear(&mut late, "-ERR max number of clients reached\r\n");
    assert!(is_closed(&mut late));
}

#[test]
fn stopping_closes_everything() {
    let server = ModelServer::start().expect("a server");
    let address = server.addr().expect("a port");
    let mut client = connect(&server);
    ask(&mut client, PING, "+PONG\r\n");
    server.stop();
    assert!(is_closed(&mut client));
    let error = TcpStream::connect(address).expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_unix_socket_works_and_its_file_goes_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.sock");
    let settings = Settings::default();
    let server = ModelServer::on_unix_socket(&path, settings).expect("a server");
    assert_eq!(server.url(), format!("unix://{}", path.display()));
    let mut client = UnixStream::connect(&path).expect("it listens");
    ask(&mut client, SET, "+OK\r\n");
    server.restart(Data::Keep).expect("a restart");
    let mut client = UnixStream::connect(&path).expect("it listens again");
    ask(&mut client, GET, "$1\r\nt\r\n");
    server.stop();
    assert!(!path.exists());
}
