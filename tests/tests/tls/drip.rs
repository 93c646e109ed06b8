//! A proxy that hands on one byte at a time.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Listens for one connection, to be handed on to this port. Gives its own.
pub(crate) fn to(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let own = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let server = TcpStream::connect(("127.0.0.1", port)).expect("a server");
        let back = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
        thread::spawn(move || hand_on(back.0, back.1));
        hand_on(client, server);
    });
    own
}

fn hand_on(mut from: TcpStream, mut to: TcpStream) {
    let _unpacked = to.set_nodelay(true);
    let mut byte = [0];
    while from.read_exact(&mut byte).is_ok() && to.write_all(&byte).is_ok() {}
    let _already_gone = to.shutdown(std::net::Shutdown::Both);
}
