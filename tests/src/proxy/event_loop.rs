//! The thread behind [`Proxy`](super::Proxy): one loop over all sockets.

use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::pipe::Side;
use super::session::{Fate, Session, Strikes, Turn};
use super::{Accepting, Behaviour, Counters, Report, Strike};
use crate::port::{Port, listen};

pub(super) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
/// The client of a session has an even number, its server the odd one behind it.
const FIRST_PEER: usize = 2;

/// What the owner asks of the thread.
pub(super) enum Order {
    Set(Behaviour),
    Strike(Option<String>, Strike),
    Retarget(SocketAddr),
    Reset,
    Close,
    Hold,
    Forsake,
    LetGo(Sender<()>),
    Report,
    Stop,
}

pub(super) struct EventLoop {
    poll: Poll,
    /// Kept while nobody listens there.
    port: Port,
    target: SocketAddr,
    inbox: Receiver<(Order, Sender<io::Result<()>>)>,
    report: Arc<Report>,
    listener: Option<TcpListener>,
    behaviour: Behaviour,
    strikes: Strikes,
    /// By the token of the client.
    sessions: BTreeMap<usize, Session>,
    next_token: usize,
    counters: Counters,
}

impl EventLoop {
    pub(super) fn new(
        poll: Poll,
        port: Port,
        target: SocketAddr,
        inbox: Receiver<(Order, Sender<io::Result<()>>)>,
        report: Arc<Report>,
    ) -> Self {
        Self {
            poll,
            port,
            target,
            inbox,
            report,
            listener: None,
            behaviour: Behaviour::CARRY,
            strikes: Strikes::new(),
            sessions: BTreeMap::new(),
            next_token: FIRST_PEER,
            counters: Counters::default(),
        }
    }

    /// Opens the port, unless it is.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        if self.listener.is_none() {
            let address = SocketAddr::from(([127, 0, 0, 1], self.port.number()));
            let mut listener = listen(address)?;
            self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        let mut wake: Option<Instant> = None;
        loop {
            let patience = wake.map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
                Ok(()) => {}
            }
            events.iter().for_each(|event| self.note(event));
            self.accept();
            let mut answers = Vec::new();
            while let Ok((order, done)) = self.inbox.try_recv() {
                if matches!(order, Order::Stop) {
                    return;
                }
                answers.push((self.obey(order), done));
            }
            wake = self.advance();
            self.publish();
            for (outcome, done) in answers {
                // The owner may have given up waiting; then nobody wants to know.
                let _ = done.send(outcome);
            }
        }
    }

    fn note(&mut self, event: &Event) {
        let Token(number) = event.token();
        let Some(session) = self.sessions.get_mut(&(number & !1)) else { return };
        let side = if number & 1 == 0 { &mut session.client } else { &mut session.server };
        side.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        side.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
    }

    /// Until nobody waits: events come on the edge.
    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) if self.behaviour.accepting == Accepting::Reset => {
                    self.counters.rejected += 1;
                    Side::new(stream).reset();
                }
                // Without a connection to the server there is none for the client.
                Ok((stream, _)) => drop(self.welcome(stream)),
                Err(error) if is_passing(error.kind()) => {}
                Err(_) => return,
            }
        }
    }

    fn welcome(&mut self, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(self.target)?;
        let number = self.next_token;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut client, Token(number), interest)?;
        self.poll.registry().register(&mut server, Token(number | 1), interest)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.next_token += 2;
        self.counters.accepted += 1;
        self.sessions.insert(number, Session::new(client, server));
        Ok(())
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Set(behaviour) => {
                self.behaviour = behaviour;
                match behaviour.accepting {
                    Accepting::Closed => self.listener = None,
                    Accepting::Carry | Accepting::Reset => self.listen()?,
                }
            }
            Order::Strike(command, strike) => self.strikes.push_back((command, strike)),
            Order::Retarget(target) => self.target = target,
            Order::Reset => self.end(Session::reset),
            Order::Close => self.end(Session::close),
            Order::Hold => self.sessions.values_mut().for_each(Session::hold),
            Order::Forsake => {
                let held = self.sessions.values_mut().map(Session::forsake_held);
                self.counters.reset += held.filter(|held| *held).count() as u64;
            }
            Order::LetGo(done) => {
                self.sessions.values_mut().for_each(|session| session.let_go(&done));
            }
            // Every order is answered with a report.
            Order::Report | Order::Stop => {}
        }
        Ok(())
    }

    fn end(&mut self, how: fn(&mut Session, &mut Counters)) {
        for session in self.sessions.values_mut() {
            how(session, &mut self.counters);
        }
        self.sessions.clear();
    }

    /// Carries what can be carried, and says when there is more to do.
    fn advance(&mut self) -> Option<Instant> {
        let mut turn = Turn {
            now: Instant::now(),
            behaviour: self.behaviour,
            strikes: &mut self.strikes,
            counters: &mut self.counters,
        };
        let mut wake: Option<Instant> = None;
        self.sessions.retain(|_, session| match session.advance(&mut turn) {
            Fate::Open(at) => {
                wake = wake.into_iter().chain(at).min();
                true
            }
            Fate::Over => false,
        });
        wake
    }

    fn publish(&mut self) {
        self.counters.open = self.sessions.len() as u64;
        self.counters.pending = self.strikes.len() as u64;
        self.counters.held =
            self.sessions.values().map(|session| session.held_bytes() as u64).sum();
        self.report.publish(self.counters);
    }
}

/// An error that says nothing about the next attempt.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}
