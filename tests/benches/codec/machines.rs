//! What redlatch builds upon its codec.

use core::hint::black_box;
use core::time::Duration;

use redlatch_core::{Answer, Command, Connection, Incoming, Instant, Limits, Reply, Token, Ttl};

use crate::cycle::Cycle;
use crate::sample::{HEX, KEY, OK, TOKEN, TTL};
use crate::work::Work;

pub(crate) const MACHINES: [Work; 3] = [
    Work::new("meaning of a token", || {
        Box::new(|| _ = black_box(Answer::from(black_box(Reply::Bulk(HEX)))))
    }),
    Work::new("claim and read through Connection", || {
        let mut exchange = Exchange::new();
        Box::new(move || exchange.claim_and_read())
    }),
    Work::new("cycle of Lock and Connection", || {
        let mut cycle = Cycle::new();
        Box::new(move || cycle.run())
    }),
];

/// A connection whose server is here.
struct Exchange {
    connection: Connection<[u8; 512]>,
    token: Token,
    ttl: Ttl,
    replies: Vec<u8>,
}

impl Exchange {
    fn new() -> Self {
        Self {
            connection: Connection::new([0; 512], [0; 512], Limits::HOSTED, Duration::from_secs(1)),
            token: Token::from_wire(HEX).expect("a token"),
            ttl: Ttl::from_millis(TTL).expect("good"),
            replies: [OK, TOKEN].concat(),
        }
    }

    fn claim_and_read(&mut self) {
        let connection = &mut self.connection;
        let claim = Command::Claim { key: KEY, token: &self.token, ttl: self.ttl };
        connection.submit(&claim, Instant::ZERO).expect("room");
        connection.submit(&Command::Read { key: KEY }, Instant::ZERO).expect("room");
        let sent = black_box(connection.io().pending).len();
        connection.wrote(sent);
        connection.io().space[..self.replies.len()].copy_from_slice(black_box(&self.replies));
        connection.received(self.replies.len());
        while let Some(incoming) = connection.poll().expect("RESP") {
            if let Incoming::Reply { reply, .. } = incoming {
                black_box(&Answer::from(reply));
            }
        }
    }
}
