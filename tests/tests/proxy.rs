//! The proxy that does harm: each of its behaviours, as a client and the server see it.

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use redlatch_testkit::model::{ModelServer, Value};
use redlatch_testkit::proxy::{Behaviour, End, Proxy, Strike, Way};

/// Long against everything that these tests do; only a failing one waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long a client waits for what must not come.
const SILENCE: Duration = Duration::from_millis(50);

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";
const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nold\r\n";
const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

fn start() -> (ModelServer, Proxy) {
    let server = ModelServer::start().expect("a port");
    let proxy = Proxy::start(server.addr().expect("a port")).expect("a port");
    (server, proxy)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let client = TcpStream::connect(proxy.address()).expect("it accepts");
    client.set_read_timeout(Some(PATIENCE)).expect("not zero");
    client
}

/// A connection that has carried something.
fn connected(proxy: &Proxy) -> TcpStream {
    let mut client = connect(proxy);
    expect(&mut client, PING, PONG);
    client
}

#[track_caller]
fn expect(client: &mut TcpStream, request: &[u8], reply: &[u8]) {
    client.write_all(request).expect("connected");
    expect_bytes(client, reply);
}

#[track_caller]
fn expect_bytes(client: &mut TcpStream, bytes: &[u8]) {
    let mut came = vec![0; bytes.len()];
    client.read_exact(&mut came).expect("bytes");
    assert_eq!(came, bytes, "{}", String::from_utf8_lossy(&came));
}

/// Nothing comes, and the connection is open.
#[track_caller]
fn expect_silence(client: &mut TcpStream) {
    client.set_read_timeout(Some(SILENCE)).expect("not zero");
    let error = client.read(&mut [0]).expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    client.set_read_timeout(Some(PATIENCE)).expect("not zero");
}

#[track_caller]
fn expect_reset(client: &mut TcpStream) {
    let error = client.read(&mut [0]).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[track_caller]
fn expect_end(client: &mut TcpStream) {
    assert_eq!(client.read(&mut [0]).expect("an end in order"), 0);
}

fn value(server: &ModelServer) -> Option<Value> {
    server.with(|server| server.get(0, b"k").cloned())
}

fn old() -> Option<Value> {
    Some(Value::Text(b"old".to_vec()))
}

#[test]
fn it_carries_everything_and_counts() {
    let (server, proxy) = start();
    let mut client = connect(&proxy);
    for _ in 0..3 {
        expect(&mut client, PING, PONG);
    }
    let counters = proxy.counters();
    assert_eq!((counters.accepted, counters.open, counters.replies), (1, 1, 3));
    assert_eq!(counters.bytes_up, 3 * PING.len() as u64);
    assert_eq!(counters.bytes_down, 3 * PONG.len() as u64);
    assert_eq!(server.with(|server| server.command_count("PING")), 3);

    drop(client);
    assert!(proxy.wait_for(|now| now.open == 0, PATIENCE), "an end is carried as well");
    assert!(!proxy.wait_for(|now| now.open == 1, SILENCE));
}

#[test]
fn a_request_is_late() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.set(Behaviour::late(SILENCE * 4, Duration::ZERO)).expect("carried out");
    let begun = Instant::now();
    client.write_all(SET).expect("connected");
    expect_silence(&mut client);
    assert!(value(&server).is_none() || begun.elapsed() >= SILENCE * 4, "it is on its way");
    expect_bytes(&mut client, b"+OK\r\n");
    assert!(begun.elapsed() >= SILENCE * 4, "{:?}", begun.elapsed());
}

#[test]
fn a_reply_is_late() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.set(Behaviour::late(Duration::ZERO, SILENCE * 4)).expect("carried out");
    let begun = Instant::now();
    client.write_all(SET).expect("connected");
    assert!(proxy.wait_for(|now| now.replies == 2, PATIENCE));
    assert_eq!(value(&server), old(), "the server has done it");
    expect_bytes(&mut client, b"+OK\r\n");
    assert!(begun.elapsed() >= SILENCE * 4, "{:?}", begun.elapsed());
}

#[test]
fn replies_keep_their_order_when_the_delay_shrinks() {
    let (_server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.set(Behaviour::late(Duration::ZERO, SILENCE)).expect("carried out");
    client.write_all(GET).expect("connected");
    assert!(proxy.wait_for(|now| now.replies == 2, PATIENCE));
    proxy.set(Behaviour::CARRY).expect("carried out");
    expect(&mut client, PING, b"$-1\r\n+PONG\r\n");
}

#[test]
fn a_reply_comes_drop_by_drop() {
    const INTERVAL: Duration = Duration::from_millis(10);
    let (_server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.set(Behaviour::drip(INTERVAL)).expect("carried out");
    let begun = Instant::now();
    client.write_all(PING).expect("connected");
    let mut drops = [0; 7];
    for drop in &mut drops {
        let mut buffer = [0; 7];
        assert_eq!(client.read(&mut buffer).expect("a byte"), 1, "one byte at a time");
        *drop = buffer[0];
    }
    assert_eq!(drops, PONG);
    assert!(begun.elapsed() >= INTERVAL * 6, "{:?}", begun.elapsed());
}

#[test]
fn a_reply_is_cut_and_its_request_is_done() {
    for bytes in [0, 3] {
        for end in [End::Close, End::Reset, End::Silence] {
            let (server, proxy) = start();
            let mut client = connected(&proxy);
            proxy.strike(Strike::Cut { bytes, end }).expect("carried out");
            client.write_all(SET).expect("connected");
            expect_bytes(&mut client, &b"+OK\r\n"[..bytes]);
            match end {
                End::Close => expect_end(&mut client),
                End::Reset => expect_reset(&mut client),
                End::Silence => {
                    expect_silence(&mut client);
                    client.write_all(PING).expect("open");
                    expect_silence(&mut client);
                }
            }
            assert_eq!(value(&server), old());
            connected(&proxy);
            let now = proxy.counters();
            let ended = (u64::from(end == End::Close), u64::from(end == End::Reset));
            assert_eq!(
                ((now.closed, now.reset), now.struck, now.pending),
                (ended, 1, 0),
                "{end:?}"
            );
        }
    }
}

#[test]
fn half_open_connections_carry_nothing_until_they_do() {
    let (server, proxy) = start();
    let mut before = connected(&proxy);
    proxy.set(Behaviour::HALF_OPEN).expect("carried out");
    let mut after = connect(&proxy);
    for client in [&mut before, &mut after] {
        client.write_all(PING).expect("open");
        expect_silence(client);
    }
    assert_eq!(server.with(|server| server.command_count("PING")), 1);
    proxy.set(Behaviour::CARRY).expect("carried out");
    expect_bytes(&mut before, PONG);
    expect_bytes(&mut after, PONG);
}

#[test]
fn one_direction_can_stop_alone() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.set(Behaviour { down: Way::STOPPED, ..Behaviour::CARRY }).expect("carried out");
    client.write_all(SET).expect("open");
    expect_silence(&mut client);
    assert_eq!(value(&server), old(), "the request went through");
}

#[test]
fn all_connections_are_reset_or_closed_on_both_sides() {
    let (server, proxy) = start();
    let sessions = || server.with(|server| server.sessions().count());
    let mut clients = [connected(&proxy), connected(&proxy)];
    proxy.reset().expect("carried out");
    clients.iter_mut().for_each(expect_reset);
    eventually(|| sessions() == 0);
    assert_eq!(proxy.counters().reset, 2);

    let mut clients = [connected(&proxy), connected(&proxy)];
    proxy.close().expect("carried out");
    clients.iter_mut().for_each(expect_end);
    eventually(|| sessions() == 0);
    assert_eq!((proxy.counters().closed, proxy.counters().open), (2, 0));
}

fn eventually(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never happened");
        thread::yield_now();
    }
}

#[test]
fn a_reply_is_swallowed_and_the_next_arrives() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.strike(Strike::Swallow).expect("carried out");
    client.write_all(SET).expect("connected");
    expect(&mut client, PING, PONG);
    assert_eq!(value(&server), old());
}

#[test]
fn a_reply_is_duplicated() {
    let (_server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.strike(Strike::Duplicate).expect("carried out");
    expect(&mut client, PING, b"+PONG\r\n+PONG\r\n");
    expect(&mut client, GET, b"$-1\r\n");
}

#[test]
fn a_reply_is_replaced() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.strike(Strike::Replace(b"-ERR no\r\n".to_vec())).expect("carried out");
    expect(&mut client, SET, b"-ERR no\r\n");
    assert_eq!(value(&server), old(), "and it is done");
    expect(&mut client, PING, PONG);
}

#[test]
fn garbage_stands_in_front_of_a_reply_or_inside() {
    let (_server, proxy) = start();
    let mut client = connected(&proxy);
    for (at, whole) in [(0, &b"?!+PONG\r\n"[..]), (3, b"+PO?!NG\r\n"), (99, b"+PONG\r\n?!")] {
        proxy.strike(Strike::Garbage { at, bytes: b"?!".to_vec() }).expect("carried out");
        expect(&mut client, PING, whole);
    }
}

#[test]
fn a_strike_waits_for_the_reply_to_its_command() {
    let (_server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.strike_on("get", Strike::Duplicate).expect("carried out");
    proxy.strike_on("PING", Strike::Swallow).expect("carried out");
    assert_eq!(proxy.counters().pending, 2);
    // All in one write: replies find their requests by counting.
    expect(&mut client, &[SET, PING, GET].concat(), b"+OK\r\n$3\r\nold\r\n$3\r\nold\r\n");
    assert_eq!((proxy.counters().struck, proxy.counters().pending), (2, 0));
}

#[test]
fn nobody_listens_or_everybody_is_reset() {
    let (_server, proxy) = start();
    let mut before = connected(&proxy);
    proxy.set(Behaviour::REFUSE).expect("carried out");
    let refused = TcpStream::connect(proxy.address()).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    expect(&mut before, PING, PONG);

    proxy.set(Behaviour::REJECT).expect("carried out");
    expect_reset(&mut connect(&proxy));
    assert_eq!(proxy.counters().rejected, 1);

    proxy.set(Behaviour::CARRY).expect("carried out");
    connected(&proxy);
}

#[test]
fn a_request_of_an_old_connection_arrives_behind_those_of_a_new_one() {
    for forsaken in [true, false] {
        let (server, proxy) = start();
        let mut old_client = connected(&proxy);
        proxy.hold().expect("carried out");
        old_client.write_all(SET).expect("open");
        assert!(proxy.wait_for(|now| now.held == SET.len() as u64, PATIENCE));
        if forsaken {
            proxy.forsake().expect("carried out");
            expect_reset(&mut old_client);
        }
        let mut new_client = connected(&proxy);
        expect(&mut new_client, GET, b"$-1\r\n");
        assert_eq!(server.with(|server| server.sessions().count()), 2, "it knows nothing");

        proxy.let_go().expect("the server takes it");
        if !forsaken {
            expect_bytes(&mut old_client, b"+OK\r\n");
        }
        assert_eq!(value(&server), old());
        assert_eq!(proxy.counters().held, 0);
        expect(&mut new_client, GET, b"$3\r\nold\r\n");
    }
}

/// Nothing of it is held, so it must not keep the others.
#[test]
fn a_silenced_connection_is_let_go_of_as_well() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.strike(Strike::Cut { bytes: 2, end: End::Silence }).expect("carried out");
    expect(&mut client, SET, b"+O");
    expect_silence(&mut client);
    proxy.hold().expect("carried out");
    proxy.forsake().expect("carried out");
    expect_reset(&mut client);
    proxy.let_go().expect("nothing is left to take");
    assert!(proxy.wait_for(|now| now.open == 0, PATIENCE));
    assert_eq!(value(&server), old());
}

/// The client of a held connection may also reset it itself.
#[test]
fn a_held_connection_outlives_its_client() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    proxy.hold().expect("carried out");
    client.write_all(SET).expect("open");
    assert!(proxy.wait_for(|now| now.held == SET.len() as u64, PATIENCE));
    drop(client);
    assert_eq!(value(&server), None);
    proxy.let_go().expect("the server takes it");
    eventually(|| value(&server) == old());
    assert!(proxy.wait_for(|now| now.open == 0, PATIENCE));
}

#[test]
fn a_server_that_is_gone_is_told_to_the_client() {
    let (server, proxy) = start();
    let mut client = connected(&proxy);
    server.crash().expect("a thread");
    assert!(!matches!(client.read(&mut [0]), Ok(1..)));
    drop(client);
    let mut client = connect(&proxy);
    expect_reset(&mut client);
    assert!(proxy.wait_for(|now| now.open == 0, PATIENCE));
}

#[test]
fn new_connections_are_carried_to_another_server() {
    let (_server, proxy) = start();
    let other = ModelServer::start().expect("a port");
    let mut before = connected(&proxy);
    proxy.retarget(other.addr().expect("a port")).expect("carried out");
    expect(&mut connected(&proxy), SET, b"+OK\r\n");
    assert_eq!(value(&other), old());
    expect(&mut before, GET, b"$-1\r\n");
}

#[test]
fn everything_ends_with_the_proxy() {
    let (server, proxy) = start();
    let (mut client, address) = (connected(&proxy), proxy.address());
    drop(proxy);
    expect_end(&mut client);
    let refused = TcpStream::connect(address).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    eventually(|| server.with(|server| server.sessions().count()) == 0);
}

/// The beginning of a reply does not wait for its end; and it counts once.
#[test]
fn a_reply_is_carried_as_it_comes() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let proxy = Proxy::start(listener.local_addr().expect("bound")).expect("a port");
    let mut client = connect(&proxy);
    let (mut server, _) = listener.accept().expect("a connection");
    client.write_all(&[GET, GET].concat()).expect("connected");
    server.write_all(b">1\r\n+a").expect("connected");
    expect_bytes(&mut client, b">1\r\n+a");
    server.write_all(b"\r\n$3\r\no").expect("connected");
    expect_bytes(&mut client, b"\r\n$3\r\no");
    server.write_all(b"l").expect("connected");
    expect_bytes(&mut client, b"l");
    proxy.strike(Strike::Duplicate).expect("carried out");
    server.write_all(b"d\r\n:").expect("connected");
    expect_bytes(&mut client, b"d\r\n");
    expect_silence(&mut client);
    server.write_all(b"1\r\n").expect("connected");
    expect_bytes(&mut client, b":1\r\n:1\r\n");
    assert_eq!(proxy.counters().replies, 2);
}

/// Also when nobody reads for a while, and in both directions at once.
#[test]
fn what_is_not_resp_goes_through_whole() {
    const LENGTH: usize = 4 << 20;
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let proxy = Proxy::start(listener.local_addr().expect("bound")).expect("a port");
    let echo = thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut back = stream.try_clone()?;
        std::io::copy(&mut stream, &mut back)?;
        back.shutdown(std::net::Shutdown::Write)
    });
    let sent: Vec<u8> = (0..LENGTH).map(|at| (at * 31 % 251) as u8).collect();
    let mut client = connect(&proxy);
    let mut writer = client.try_clone().expect("a descriptor");
    let bytes = sent.clone();
    let writing = thread::spawn(move || {
        writer.write_all(&bytes)?;
        writer.shutdown(std::net::Shutdown::Write)
    });
    let mut came = Vec::new();
    client.read_to_end(&mut came).expect("an end in order");
    assert!(came == sent, "{} of {LENGTH} bytes", came.len());
    writing.join().expect("no panic").expect("written");
    echo.join().expect("no panic").expect("echoed");
    assert_eq!(proxy.counters().replies, 0);
}
