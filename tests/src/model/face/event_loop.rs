//! The thread behind [`ModelServer`](super::ModelServer): one loop over all sockets.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Events, Interest, Poll, Token};

use redlatch_model::{Data, Flow, Server, SessionId};

use super::{Address, Clock, lock};
use crate::port::{Port, listen};

pub(super) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
const FIRST_PEER: usize = 2;

/// Bytes of one read.
const CHUNK: usize = 16 * 1024;
/// Reads of one connection before the others have their turn.
const TURN: usize = 16;
/// Unsent bytes of a connection from which on nothing more is read from it.
const HIGH_WATER: usize = 1 << 20;
/// Unsent bytes of a connection from which on it is closed.
const FLOOD: usize = 32 << 20;

/// What the owner asks of the thread.
pub(super) enum Order {
    Pause,
    Resume,
    Crash,
    Restart(Data),
    Stop,
}

trait Stream: Read + Write + Source + Send {}
impl<T: Read + Write + Source + Send> Stream for T {}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

struct Peer {
    stream: Box<dyn Stream>,
    session: SessionId,
    outgoing: Vec<u8>,
    /// Closes when `outgoing` is out.
    ending: bool,
}

pub(super) struct EventLoop {
    poll: Poll,
    server: Arc<Mutex<Server>>,
    clock: Clock,
    address: Address,
    /// Kept while the server is down.
    port: Option<Port>,
    inbox: Receiver<(Order, Sender<io::Result<()>>)>,
    listener: Option<Listener>,
    peers: BTreeMap<Token, Peer>,
    tokens: BTreeMap<SessionId, Token>,
    next_token: usize,
    /// Connections wait to be accepted.
    arrivals: bool,
    /// Sockets that may hold bytes to read. Events come on the edge: this remembers them.
    readable: BTreeSet<Token>,
    paused: bool,
}

impl EventLoop {
    pub(super) fn new(
        poll: Poll,
        server: Arc<Mutex<Server>>,
        clock: Clock,
        address: Address,
        inbox: Receiver<(Order, Sender<io::Result<()>>)>,
    ) -> Self {
        Self {
            poll,
            server,
            clock,
            address,
            port: None,
            inbox,
            listener: None,
            peers: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: FIRST_PEER,
            arrivals: false,
            readable: BTreeSet::new(),
            paused: false,
        }
    }

    /// Opens the port. A port 0 becomes one that is ours, for good.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        let registry = self.poll.registry();
        self.listener = Some(match &mut self.address {
            Address::Tcp(address) => {
                if address.port() == 0 {
                    let port = Port::claim()?;
                    address.set_port(port.number());
                    self.port = Some(port);
                }
                let mut listener = listen(*address)?;
                registry.register(&mut listener, LISTENER, Interest::READABLE)?;
                Listener::Tcp(listener)
            }
            Address::Unix(path) => {
                remove_file(path)?;
                let mut listener = UnixListener::bind(path)?;
                registry.register(&mut listener, LISTENER, Interest::READABLE)?;
                Listener::Unix(listener)
            }
        });
        Ok(())
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return self.shut(),
                Ok(()) => {}
            }
            for event in &events {
                match event.token() {
                    WAKER => {}
                    LISTENER => self.arrivals = true,
                    token => {
                        self.readable.insert(token);
                        if !self.paused {
                            self.write(token);
                        }
                    }
                }
            }
            while let Ok((order, done)) = self.inbox.try_recv() {
                let last = matches!(order, Order::Stop);
                let outcome = self.obey(order);
                // The owner may have given up waiting; then nobody wants to know.
                let _ = done.send(outcome);
                if last {
                    return;
                }
            }
            if !self.paused {
                self.accept();
                self.serve();
            }
        }
    }

    /// How long nothing needs to be done.
    fn patience(&self) -> Option<Duration> {
        if self.paused {
            return None;
        }
        if self.readable.iter().any(|token| self.may_read(*token)) {
            return Some(Duration::ZERO);
        }
        lock(&self.server).next_wake().map(|moment| self.clock.until(moment))
    }

    fn may_read(&self, token: Token) -> bool {
        self.peers.get(&token).is_some_and(|peer| !peer.ending && peer.outgoing.len() < HIGH_WATER)
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Pause => self.paused = true,
            Order::Resume => {
                self.paused = false;
                let tokens: Vec<_> = self.peers.keys().copied().collect();
                tokens.into_iter().for_each(|token| self.write(token));
            }
            Order::Crash | Order::Stop => self.shut(),
            Order::Restart(data) => {
                self.shut();
                lock(&self.server).restart(data == Data::Keep, self.clock.now());
                self.listen()?;
            }
        }
        Ok(())
    }

    /// Closes the port and every connection.
    fn shut(&mut self) {
        self.paused = false;
        self.arrivals = false;
        if self.listener.take().is_some()
            && let Address::Unix(path) = &self.address
        {
            // Best effort: the next start removes it otherwise.
            let _ = remove_file(path);
        }
        let tokens: Vec<_> = self.peers.keys().copied().collect();
        for token in tokens {
            self.close(token);
        }
        self.readable.clear();
    }

    fn accept(&mut self) {
        while self.arrivals {
            let accepted = match &self.listener {
                None => break,
                Some(Listener::Tcp(listener)) => listener.accept().and_then(|(stream, _)| {
                    stream.set_nodelay(true)?;
                    Ok(Box::new(stream) as Box<dyn Stream>)
                }),
                Some(Listener::Unix(listener)) => {
                    listener.accept().map(|(stream, _)| Box::new(stream) as Box<dyn Stream>)
                }
            };
            match accepted {
                Ok(stream) => self.welcome(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.arrivals = false,
                Err(error) if is_passing(error.kind()) => {}
                Err(_) => self.arrivals = false,
            }
        }
    }

    fn welcome(&mut self, mut stream: Box<dyn Stream>) {
        let token = Token(self.next_token);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, token, interest).is_err() {
            return;
        }
        self.next_token += 1;
        let session = lock(&self.server).connect(self.clock.now());
        self.tokens.insert(session, token);
        self.peers.insert(token, Peer { stream, session, outgoing: Vec::new(), ending: false });
        self.readable.insert(token);
    }

    /// Reads what came, and sends what the server has to say.
    fn serve(&mut self) {
        lock(&self.server).advance(self.clock.now());
        self.send();
        let tokens: Vec<_> = self.readable.iter().copied().collect();
        for token in tokens {
            for _ in 0..TURN {
                if !self.may_read(token) {
                    break;
                }
                if !self.read(token) {
                    self.readable.remove(&token);
                    break;
                }
                self.send();
            }
        }
        self.send();
    }

    /// Reads once. False when there is nothing more to read.
    fn read(&mut self, token: Token) -> bool {
        let mut chunk = [0; CHUNK];
        let Some(peer) = self.peers.get_mut(&token) else { return false };
        match peer.stream.read(&mut chunk) {
            Ok(0) => {}
            Ok(length) => {
                let mut server = lock(&self.server);
                server.receive(peer.session, &chunk[..length], self.clock.now());
                return true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if is_passing(error.kind()) => return true,
            Err(_) => {}
        }
        self.close(token);
        false
    }

    /// Moves the output of all ready sessions to their sockets.
    fn send(&mut self) {
        loop {
            let mut server = lock(&self.server);
            let Some(session) = server.poll_ready() else { return };
            let Some(&token) = self.tokens.get(&session) else {
                server.disconnect(session);
                continue;
            };
            let Some(peer) = self.peers.get_mut(&token) else { continue };
            if server.take_output(session, &mut peer.outgoing) == Flow::Close {
                peer.ending = true;
            }
            drop(server);
            self.write(token);
        }
    }

    fn write(&mut self, token: Token) {
        let Some(peer) = self.peers.get_mut(&token) else { return };
        let mut written = 0;
        let failed = loop {
            if written == peer.outgoing.len() {
                break false;
            }
            match peer.stream.write(&peer.outgoing[written..]) {
                Ok(0) => break true,
                Ok(length) => written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                Err(error) if is_passing(error.kind()) => {}
                Err(_) => break true,
            }
        };
        peer.outgoing.drain(..written);
        let finished = peer.ending && peer.outgoing.is_empty();
        if failed || finished || peer.outgoing.len() > FLOOD {
            self.close(token);
        }
    }

    fn close(&mut self, token: Token) {
        self.readable.remove(&token);
        let Some(mut peer) = self.peers.remove(&token) else { return };
        self.tokens.remove(&peer.session);
        lock(&self.server).disconnect(peer.session);
        // Closing takes it out of the poll anyway.
        let _ = self.poll.registry().deregister(&mut peer.stream);
    }
}

/// An error that says nothing about the next attempt.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}

fn remove_file(path: &std::path::Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
