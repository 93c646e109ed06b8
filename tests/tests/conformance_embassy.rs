//! The conformance scenarios, with redlatch-embassy, on the model and on every real server.

mod boards;

use core::cell::RefCell;
use core::pin::pin;
use std::collections::HashMap;
use std::sync::mpsc;

use boards::{BUFFER, Board, KEY, LOCKS, Message, Order, Report, Setup};
use redlatch_alloc_only::{Heap, Sizes};
use redlatch_embassy::{Client, EmbassyTime, Error, Guard, Options, share};
use redlatch_testkit::board::{Entropy, block_on};
use redlatch_testkit::conformance::Failure;
use smol::LocalExecutor;
use smol::channel::{Receiver, Sender, unbounded};

/// A board with an executor, which carries out any number of orders at once.
struct Executor;

type BoardClient<'s, 'a> = Client<'s, 'a, Heap<'a>, EmbassyTime>;

impl Board for Executor {
    type Line = Box<dyn Fn(Message) + Send + Sync>;
    type Orders = Receiver<Message>;
    const CONCURRENT: bool = true;

    fn line() -> (Self::Line, Self::Orders) {
        let (line, orders) = unbounded();
        let line: Sender<Message> = line;
        (Box::new(move |message| drop(line.try_send(message))), orders)
    }

    fn serve(setup: &Setup, orders: Self::Orders, connected: &mpsc::Sender<Result<(), Failure>>) {
        match setup.endpoints.len() {
            1 => serve::<1>(setup, &orders, connected),
            2 => serve::<2>(setup, &orders, connected),
            3 => serve::<3>(setup, &orders, connected),
            4 => serve::<4>(setup, &orders, connected),
            5 => serve::<5>(setup, &orders, connected),
            other => panic!("no scenario has {other} servers"),
        }
    }
}

fn serve<const N: usize>(
    setup: &Setup,
    orders: &Receiver<Message>,
    connected: &mpsc::Sender<Result<(), Failure>>,
) {
    let logins: Vec<_> =
        setup.endpoints.iter().map(|endpoint| endpoint.login(setup.protocol, None)).collect();
    let memory = Heap::new(&logins, Sizes { locks: LOCKS, buffer: BUFFER, key: KEY });
    let Setup { reply_timeout, wake, .. } = *setup;
    let options = Options { reply_timeout, wake, ..Options::default() };
    let mut shared = share(memory, EmbassyTime, &mut Entropy, &options).expect("randomness");
    let Ok(sockets) = <[_; N]>::try_from(setup.sockets()) else { panic!("one socket a server") };
    let (client, mut runner) = shared.split(sockets, Entropy);
    block_on(runner.run_while(setup.reply_timeout, async {
        let outcome = client.connect().await;
        let usable = outcome.is_ok();
        let _ = connected.send(outcome.map_err(Failure::from));
        if usable {
            serve_orders(client, orders).await;
        }
    }));
}

async fn serve_orders(client: BoardClient<'_, '_>, orders: &Receiver<Message>) {
    let guards = RefCell::new(HashMap::new());
    let executor = LocalExecutor::new();
    let serving = pin!(async {
        while let Ok((order, report)) = orders.recv().await {
            let guards = &guards;
            let task = executor.spawn(async move {
                let done = carry_out(client, guards, order).await;
                let _ = report.send(done.unwrap_or_else(|error| Report::Failed(error.into())));
            });
            task.detach();
        }
    });
    executor.run(serving).await;
}

async fn carry_out<'s>(
    client: BoardClient<'s, '_>,
    guards: &RefCell<HashMap<u64, Guard<'s>>>,
    order: Order,
) -> Result<Report, Error> {
    let take = |guard| guards.borrow_mut().remove(&guard).expect("a guard");
    Ok(match order {
        Order::Lock { guard, key, ttl, retry } => {
            let taken = client.lock_with(&key, ttl, retry).await?;
            guards.borrow_mut().insert(guard, taken);
            Report::Done
        }
        Order::Validity(guard) => Report::Validity(guards.borrow()[&guard].validity()),
        Order::Extend(guard) => {
            let mut held = take(guard);
            let extended = held.extend().await;
            guards.borrow_mut().insert(guard, held);
            Report::Validity(extended?)
        }
        Order::Release(guard) => Report::Released(take(guard).release().await?),
        Order::Drop(guard) => {
            drop(take(guard));
            Report::Done
        }
    })
}

boards::conformance_of!(Executor);
