//! A lock on one server, from claim to release, with all machines of the core and no socket.

use core::hint::black_box;
use core::time::Duration;

use redlatch_core::{
    Answer, Command, Connection, Event, Incoming, Instant, Limits, Lock, Output, Released, Seat,
    Settings, Ticket, Token, Ttl,
};

use crate::sample::{KEY, OK, TTL};

/// A lock, its connection, and a server that grants everything.
pub(crate) struct Cycle {
    lock: Lock<&'static [u8], [Seat; 1]>,
    connection: Connection<[u8; 512]>,
    now: Instant,
    /// Two, in turn: no attempt may have the token of the last one.
    tokens: [(Token, Vec<u8>); 2],
    /// The requests in flight, oldest first, and whether the reply is the token.
    asked: [Option<(Ticket, bool)>; 2],
}

impl Cycle {
    pub(crate) fn new() -> Self {
        let token = |first: u8| {
            let random = core::array::from_fn(|i| first.wrapping_add(i as u8));
            let token = Token::from_random(random).expect("not constant");
            (token, [b"$40\r\n".as_slice(), &token.to_hex(), b"\r\n"].concat())
        };
        let settings = Settings::new(Ttl::from_millis(TTL).expect("good"));
        let timeout = Duration::from_secs(1);
        Self {
            lock: Lock::new(KEY, [Seat::NEW], settings, 1),
            connection: Connection::new([0; 512], [0; 512], Limits::HOSTED, timeout),
            now: Instant::ZERO,
            tokens: [token(0), token(100)],
            asked: [None; 2],
        }
    }

    /// Takes the lock and gives it back.
    pub(crate) fn run(&mut self) {
        self.tokens.swap(0, 1);
        self.lock.acquire(self.now);
        assert!(matches!(self.drive(), Event::Acquired(_)));
        self.lock.release(self.now);
        assert_eq!(self.drive(), Event::Released(Released::Confirmed));
        assert!(matches!(self.lock.poll_output(), Output::Wait(None)));
        assert!(self.lock.is_settled());
    }

    /// Until the owner hears something.
    fn drive(&mut self) -> Event {
        loop {
            match self.lock.poll_output() {
                Output::NeedToken => {
                    self.lock.provide(black_box(self.tokens[0].0), self.now).expect("fresh");
                }
                Output::Send { ticket, command } => {
                    let is_claim = matches!(command, Command::Claim { .. });
                    self.connection.submit(&command, self.now).expect("room");
                    let free = self.asked.iter_mut().find(|asked| asked.is_none());
                    *free.expect("two requests at most") = Some((ticket, !is_claim));
                }
                Output::Event(event) => return event,
                Output::Wait(_) => self.exchange(),
            }
        }
    }

    /// Everything goes out, and the replies come in.
    fn exchange(&mut self) {
        let io = self.connection.io();
        let sent = black_box(io.pending).len();
        let mut received = 0;
        for (_, is_token) in self.asked.iter().flatten() {
            let reply = if *is_token { self.tokens[0].1.as_slice() } else { OK };
            io.space[received..][..reply.len()].copy_from_slice(black_box(reply));
            received += reply.len();
        }
        self.connection.wrote(sent);
        self.connection.received(received);
        self.now = self.now.saturating_add(Duration::from_micros(100));
        for (ticket, _) in self.asked.iter_mut().map_while(Option::take) {
            let incoming = self.connection.poll().expect("RESP").expect("a reply to each");
            let Incoming::Reply { reply, .. } = incoming else { panic!("no reply: {incoming:?}") };
            self.lock.handle_answer(ticket, Answer::from(reply), self.now);
        }
        assert!(self.connection.poll().expect("RESP").is_none());
    }
}
