//! The conformance scenarios, with redlatch-embedded, on the model and on every real server.

mod boards;

use core::time::Duration;
use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};

use boards::{BUFFER, Board, KEY, LOCKS, Message, Order, Report, Setup};
use redlatch_alloc_only::{Heap, Sizes};
use redlatch_embedded::{Client, Error, Guard, Options};
use redlatch_testkit::board::{Dialled, Entropy, micros};
use redlatch_testkit::conformance::Failure;

/// A board that does one thing at a time, and its main loop.
struct MainLoop;

type BoardClient<'a> = Client<'a, Heap<'a>, &'a mut [Dialled], fn() -> u64, Entropy>;

impl Board for MainLoop {
    type Line = Box<dyn Fn(Message) + Send + Sync>;
    type Orders = Receiver<Message>;
    const CONCURRENT: bool = false;

    fn line() -> (Self::Line, Self::Orders) {
        let (line, orders) = mpsc::channel();
        let line: Sender<Message> = line;
        (Box::new(move |message| drop(line.send(message))), orders)
    }

    fn serve(setup: &Setup, orders: Self::Orders, connected: &Sender<Result<(), Failure>>) {
        let logins: Vec<_> =
            setup.endpoints.iter().map(|endpoint| endpoint.login(setup.protocol, None)).collect();
        let memory = Heap::new(&logins, Sizes { locks: LOCKS, buffer: BUFFER, key: KEY });
        let Setup { reply_timeout, wake, .. } = *setup;
        let options = Options { reply_timeout, wake, ..Options::default() };
        let mut sockets = setup.sockets();
        let clock: fn() -> u64 = micros;
        let client: BoardClient<'_> =
            Client::new(memory, sockets.as_mut_slice(), clock, Entropy, &options)
                .expect("randomness");
        let outcome = client.connect();
        let usable = outcome.is_ok();
        let _ = connected.send(outcome.map_err(Failure::from));
        if usable {
            main_loop(&client, &orders);
            let _ = client.settle(setup.reply_timeout);
        }
    }
}

fn main_loop(client: &BoardClient<'_>, orders: &Receiver<Message>) {
    let mut guards = HashMap::new();
    loop {
        match orders.recv_timeout(Duration::from_millis(1)) {
            Ok((order, report)) => {
                let done = carry_out(client, &mut guards, order);
                let _ = report.send(done.unwrap_or_else(|error| Report::Failed(error.into())));
            }
            Err(RecvTimeoutError::Timeout) => client.poll().expect("nobody else is in here"),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn carry_out<'c>(
    client: &'c BoardClient<'_>,
    guards: &mut HashMap<u64, Guard<'c>>,
    order: Order,
) -> Result<Report, Error> {
    Ok(match order {
        Order::Lock { guard, key, ttl, retry } => {
            guards.insert(guard, client.lock_with(&key, ttl, retry)?);
            Report::Done
        }
        Order::Validity(guard) => Report::Validity(guards[&guard].validity()),
        Order::Extend(guard) => {
            Report::Validity(guards.get_mut(&guard).expect("a guard").extend()?)
        }
        Order::Release(guard) => {
            Report::Released(guards.remove(&guard).expect("a guard").release()?)
        }
        Order::Drop(guard) => {
            guards.remove(&guard);
            Report::Done
        }
    })
}

boards::conformance_of!(MainLoop);
