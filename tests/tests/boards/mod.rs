//! Clients of one thread, as on a microcontroller, under test from many: each lives on a thread of its
//! own, its board, and does what it is ordered to do.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use redlatch_client::{Address, Endpoint};
use redlatch_core::{Protocol, Retry};
use redlatch_testkit::board::Dialled;
use redlatch_testkit::conformance::{
    Client, Failure, Guard, Host, Kind, ModelHost, Need, Options, RealHost, Subject, run,
};
use redlatch_testkit::model::Dialect;
use redlatch_testkit::server::Kind as Server;

/// The model runs only our own scripts.
const MODEL_LEAVES_OUT: &str = "a_peer_can_release_with_our_token_and_not_without";

/// No test comes between two requests to a real server.
const REAL_LEAVES_OUT: &str = "a_release_before_the_server_was_asked_to_tell_is_seen";

/// What Redis 5 lacks besides: `HELLO` and users.
const REDIS_5_LEAVES_OUT: [&str; 4] = [
    MODEL_LEAVES_OUT,
    "the_protocol_that_was_asked_for_is_spoken",
    "a_user_of_the_url_is_used",
    "who_may_not_be_told_polls",
];

/// Places for locks on a board.
pub(crate) const LOCKS: usize = 64;
/// Longest key, in bytes: what the scenarios use.
pub(crate) const KEY: usize = 512;
/// Bytes each way.
pub(crate) const BUFFER: usize = KEY + 256;

/// What a board is ordered to do.
pub(crate) enum Order {
    Lock { guard: u64, key: Vec<u8>, ttl: Duration, retry: Retry },
    Validity(u64),
    Extend(u64),
    Release(u64),
    Drop(u64),
}

/// How it went.
pub(crate) enum Report {
    Done,
    Validity(Duration),
    Released(bool),
    Failed(Failure),
}

/// An order, and where to report.
pub(crate) type Message = (Order, mpsc::Sender<Report>);

/// One kind of board.
pub(crate) trait Board: Sync + Send + 'static {
    /// What carries orders to it. The board ends when it is dropped.
    type Line: Fn(Message) + Send + Sync + 'static;

    /// Makes the two ends of a line to a board.
    fn line() -> (Self::Line, Self::Orders);
    /// The board's end.
    type Orders: Send + 'static;

    /// Connects, reports, and then serves until the line is dropped.
    fn serve(setup: &Setup, orders: Self::Orders, connected: &mpsc::Sender<Result<(), Failure>>);

    /// Whether it takes another order while one is being carried out.
    const CONCURRENT: bool;
}

/// What a board is told when it is switched on.
pub(crate) struct Setup {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) protocol: Protocol,
    pub(crate) reply_timeout: Duration,
    pub(crate) wake: bool,
}

impl Setup {
    /// A socket to each server.
    pub(crate) fn sockets(&self) -> Vec<Dialled> {
        let address = |endpoint: &Endpoint| match endpoint.address() {
            Address::Tcp { host, port } => (host.as_str(), *port)
                .to_socket_addrs()
                .expect("a name")
                .next()
                .expect("an address"),
            other => panic!("a board has no {other:?}"),
        };
        self.endpoints.iter().map(address).map(Dialled::new).collect()
    }
}

/// The adapter under test.
pub(crate) struct OnBoards<B>(pub(crate) core::marker::PhantomData<B>);

impl<B: Board> Subject for OnBoards<B> {
    fn connect(&self, urls: &str, options: &Options) -> Result<Arc<dyn Client>, Failure> {
        let endpoints = Endpoint::parse_list(urls).map_err(redlatch_client::Error::from)?;
        let Options { protocol, reply_timeout, wake } = *options;
        let setup = Setup { endpoints, protocol, reply_timeout, wake };
        let (line, orders) = B::line();
        let (connected, outcome) = mpsc::channel();
        let board = thread::spawn(move || B::serve(&setup, orders, &connected));
        let outcome = outcome.recv().expect("a board says whether it is connected");
        let remote = Remote::<B> { line: Some(line), board: Some(board), next: AtomicU64::new(0) };
        outcome?;
        Ok(Arc::new(Handle(Arc::new(remote))))
    }

    fn offers(&self, need: Need) -> bool {
        match need {
            Need::Threads => B::CONCURRENT,
            Need::Line => false,
            _ => true,
        }
    }
}

/// The way to a board. Dropping it switches the board off and waits for that.
struct Remote<B: Board> {
    line: Option<B::Line>,
    board: Option<JoinHandle<()>>,
    next: AtomicU64,
}

impl<B: Board> Remote<B> {
    fn ask(&self, order: Order) -> Result<Report, Failure> {
        let (report, reported) = mpsc::channel();
        if let Some(line) = &self.line {
            line((order, report));
        }
        match reported.recv() {
            Ok(Report::Failed(failure)) => Err(failure),
            Ok(report) => Ok(report),
            Err(_) => Err(Failure { kind: Kind::Other, text: "the board is off".into() }),
        }
    }
}

impl<B: Board> Drop for Remote<B> {
    fn drop(&mut self) {
        self.line = None;
        let ended = self.board.take().map_or(Ok(()), JoinHandle::join);
        assert!(ended.is_ok() || thread::panicking(), "a board panicked");
    }
}

struct Handle<B: Board>(Arc<Remote<B>>);

impl<B: Board> Client for Handle<B> {
    fn try_lock(&self, key: &[u8], ttl: Duration) -> Result<Option<Box<dyn Guard>>, Failure> {
        match self.lock(key, ttl, Retry::NONE) {
            Ok(guard) => Ok(Some(guard)),
            Err(failure) if failure.kind == Kind::TimedOut => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn lock(&self, key: &[u8], ttl: Duration, retry: Retry) -> Result<Box<dyn Guard>, Failure> {
        let guard = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.ask(Order::Lock { guard, key: key.to_vec(), ttl, retry })?;
        Ok(Box::new(Held { remote: Arc::clone(&self.0), guard, released: false }))
    }
}

struct Held<B: Board> {
    remote: Arc<Remote<B>>,
    guard: u64,
    released: bool,
}

impl<B: Board> Guard for Held<B> {
    fn validity(&self) -> Duration {
        match self.remote.ask(Order::Validity(self.guard)) {
            Ok(Report::Validity(validity)) => validity,
            _ => Duration::ZERO,
        }
    }

    fn extend(&mut self) -> Result<Duration, Failure> {
        match self.remote.ask(Order::Extend(self.guard))? {
            Report::Validity(validity) => Ok(validity),
            _ => Err(Failure { kind: Kind::Other, text: "no validity was reported".into() }),
        }
    }

    fn release(mut self: Box<Self>) -> Result<bool, Failure> {
        self.released = true;
        match self.remote.ask(Order::Release(self.guard))? {
            Report::Released(ours) => Ok(ours),
            _ => Err(Failure { kind: Kind::Other, text: "no release was reported".into() }),
        }
    }
}

impl<B: Board> Drop for Held<B> {
    fn drop(&mut self) {
        if !self.released {
            let _ = self.remote.ask(Order::Drop(self.guard));
        }
    }
}

/// On the model, in both versions of the protocol, and on a model of Redis 5, which has no `HELLO` and
/// no users.
pub(crate) fn on_the_model<B: Board>() {
    let new = ModelHost::default();
    conforms::<B>(&new, Protocol::Resp2, &[MODEL_LEAVES_OUT]);
    conforms::<B>(&new, Protocol::Resp3, &[MODEL_LEAVES_OUT]);
    let old = ModelHost { dialect: Dialect::Redis5 };
    conforms::<B>(&old, Protocol::Resp3, &REDIS_5_LEAVES_OUT);
}

/// On a real server, in this version of the protocol.
pub(crate) fn on_a_server<B: Board>(kind: Server, protocol: Protocol) {
    conforms::<B>(&RealHost(kind), protocol, &[REAL_LEAVES_OUT]);
}

/// What needs several threads is left out where a board does one thing at a time.
fn conforms<B: Board>(host: &dyn Host, protocol: Protocol, left_out: &[&str]) {
    let report = run(&OnBoards::<B>(core::marker::PhantomData), host, protocol);
    println!("{protocol:?}: {report}");
    let threads = [
        "a_server_that_restarts_empty_lets_a_waiter_in",
        "many_threads_on_one_client_exclude_each_other",
        "a_waiter_gets_the_lock_after_the_release",
    ];
    let expected = redlatch_testkit::conformance::SCENARIOS.iter().map(|scenario| scenario.name);
    let in_line = |name: &str| {
        let mut all = redlatch_testkit::conformance::SCENARIOS.iter();
        all.any(|scenario| scenario.name == name && scenario.needs.contains(&Need::Line))
    };
    let expected: Vec<_> = expected
        .filter(|name| {
            left_out.contains(name) || in_line(name) || (!B::CONCURRENT && threads.contains(name))
        })
        .collect();
    report.expect_all_but(&expected);
}

/// All tests of one kind of board.
macro_rules! conformance_of {
    ($board:ident) => {
        use redlatch_core::Protocol::{Resp2, Resp3};
        use redlatch_testkit::server::Kind::{Redis7, Redis8, Valkey9};

        #[test]
        fn on_the_model_in_every_version() {
            crate::boards::on_the_model::<$board>();
        }

        #[test]
        fn on_redis_7_0_with_resp2() {
            crate::boards::on_a_server::<$board>(Redis7, Resp2);
        }

        #[test]
        fn on_redis_7_0_with_resp3() {
            crate::boards::on_a_server::<$board>(Redis7, Resp3);
        }

        #[test]
        fn on_redis_8_2_with_resp3() {
            crate::boards::on_a_server::<$board>(Redis8, Resp3);
        }

        #[test]
        fn on_valkey_9_1_with_resp3() {
            crate::boards::on_a_server::<$board>(Valkey9, Resp3);
        }
    };
}
pub(crate) use conformance_of;
