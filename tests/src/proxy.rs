//! A proxy between a client and a server, which does on demand what a bad network does.
//!
//! [`Proxy::set`] says how it carries bytes from now on: late, drop by drop, not at all, and whether it
//! accepts. A [`Strike`] happens once, to a whole reply that it picks. The rest happens at once to all
//! connections that there are: [`Proxy::reset`], [`Proxy::close`], [`Proxy::hold`].
//!
//! A call returns when the order is carried out, so that no test has to wait for it. What takes time is
//! told by [`Counters`], and [`Proxy::wait_for`] waits for what they tell.

mod event_loop;
mod frames;
mod pipe;
mod session;

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use mio::{Poll, Waker};

use self::event_loop::{EventLoop, Order, WAKER};
use crate::port::Port;

/// A server that has not taken by then what was held has failed the test.
const LET_GO_DEADLINE: Duration = Duration::from_secs(10);

/// How bytes are carried, and whether anybody is let in. The default carries everything at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// What becomes of new connections.
    pub accepting: Accepting,
    /// From the client to the server.
    pub up: Way,
    /// From the server to the client.
    pub down: Way,
}

/// What becomes of new connections. Those that there are stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accepting {
    /// They are carried on to the server.
    #[default]
    Carry,
    /// They are accepted and reset.
    Reset,
    /// Nobody listens: they are refused.
    Closed,
}

/// How bytes are carried in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// So late. Bytes that are on their way when this is changed keep the delay they have.
    pub delay: Duration,
    /// One byte at a time, and this long between two.
    pub pace: Option<Duration>,
    /// Not at all: nothing is read and the end of the connection is not noticed, as if the cable were out.
    pub stopped: bool,
}

impl Behaviour {
    /// Everything at once.
    pub const CARRY: Self = Self { accepting: Accepting::Carry, up: Way::CARRY, down: Way::CARRY };
    /// Connections stay open, new ones are accepted, and nothing is carried.
    pub const HALF_OPEN: Self =
        Self { accepting: Accepting::Carry, up: Way::STOPPED, down: Way::STOPPED };
    /// Nobody listens.
    pub const REFUSE: Self = Self { accepting: Accepting::Closed, ..Self::CARRY };
    /// New connections are accepted and reset.
    pub const REJECT: Self = Self { accepting: Accepting::Reset, ..Self::CARRY };

    /// Requests and replies are late.
    #[must_use]
    pub const fn late(up: Duration, down: Duration) -> Self {
        let (up, down) = (Way { delay: up, ..Way::CARRY }, Way { delay: down, ..Way::CARRY });
        Self { accepting: Accepting::Carry, up, down }
    }

    /// Replies come one byte at a time.
    #[must_use]
    pub const fn drip(interval: Duration) -> Self {
        Self { down: Way { pace: Some(interval), ..Way::CARRY }, ..Self::CARRY }
    }
}

impl Way {
    /// Everything at once.
    pub const CARRY: Self = Self { delay: Duration::ZERO, pace: None, stopped: false };
    /// Nothing.
    pub const STOPPED: Self = Self { stopped: true, ..Self::CARRY };
}

/// What happens to one reply, whose request the server has carried out. Pushes are no replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// So many bytes of it arrive, none with 0; then the connection is over.
    Cut {
        /// How many.
        bytes: usize,
        /// How it is over.
        end: End,
    },
    /// It does not arrive; the replies behind it do.
    Swallow,
    /// It arrives twice.
    Duplicate,
    /// These bytes arrive in its place.
    Replace(Vec<u8>),
    /// These bytes stand behind so many of its own, in front of it with 0.
    Garbage {
        /// How many of its own.
        at: usize,
        /// What does not belong there.
        bytes: Vec<u8>,
    },
}

/// How a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order: the client reads its end.
    Close,
    /// By a reset.
    Reset,
    /// It stays open, and nothing is carried on it any more, for good.
    Silence,
}

/// What a proxy has done since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that were carried on to the server.
    pub accepted: u64,
    /// Connections that were accepted and reset.
    pub rejected: u64,
    /// Connections that there are now.
    pub open: u64,
    /// Connections that the proxy itself has reset.
    pub reset: u64,
    /// Connections that the proxy itself has closed in order.
    pub closed: u64,
    /// Strikes that have happened.
    pub struck: u64,
    /// Strikes that wait for their reply.
    pub pending: u64,
    /// Replies that the server has given.
    pub replies: u64,
    /// Bytes that were written to the server.
    pub bytes_up: u64,
    /// Bytes that were written to the client.
    pub bytes_down: u64,
    /// Bytes of clients that wait in held connections.
    pub held: u64,
}

/// A proxy on a loopback port, carried by one thread of its own. The thread waits for events only, and
/// ends, with all connections, when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    orders: Sender<(Order, Sender<io::Result<()>>)>,
    report: Arc<Report>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one in front of `target`, which need not listen yet.
    ///
    /// # Errors
    /// The system has no port, descriptor or thread left.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let port = Port::claim()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let report = Arc::new(Report::default());
        let (orders, inbox) = channel();
        let mut events = EventLoop::new(poll, port, target, inbox, Arc::clone(&report));
        events.listen()?;
        let thread = thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || events.run())
            .map(Some)?;
        Ok(Self { address, orders, report, waker, thread })
    }

    /// Where it listens, the same all its life.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Behaves so from now on, on all connections.
    ///
    /// # Errors
    /// The port cannot be opened again.
    pub fn set(&self, behaviour: Behaviour) -> io::Result<()> {
        self.order(Order::Set(behaviour))
    }

    /// Does this to the next reply that no earlier strike picks.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn strike(&self, strike: Strike) -> io::Result<()> {
        self.order(Order::Strike(None, strike))
    }

    /// Does this to the next reply to `command`, `"SET"` for example, that no earlier strike picks.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn strike_on(&self, command: &str, strike: Strike) -> io::Result<()> {
        self.order(Order::Strike(Some(command.to_ascii_uppercase()), strike))
    }

    /// Carries new connections to another server, as a name that was pointed elsewhere does.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn retarget(&self, target: SocketAddr) -> io::Result<()> {
        self.order(Order::Retarget(target))
    }

    /// Resets every connection, on both sides. What is on its way is lost.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn reset(&self) -> io::Result<()> {
        self.order(Order::Reset)
    }

    /// Closes every connection in order, on both sides. What is on its way is lost.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn close(&self) -> io::Result<()> {
        self.order(Order::Close)
    }

    /// Holds what clients send from now on over the connections that there are. New connections are carried.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn hold(&self) -> io::Result<()> {
        self.order(Order::Hold)
    }

    /// Resets the side of the client of all held connections. The server knows nothing of it.
    ///
    /// # Errors
    /// The thread of the proxy has ended.
    pub fn forsake(&self) -> io::Result<()> {
        self.order(Order::Forsake)
    }

    /// Carries on what was held. For connections whose clients are gone it returns when the server has
    /// carried out all of it: so the requests of an old connection arrive behind those of a new one.
    ///
    /// # Errors
    /// The server did not take it in time.
    pub fn let_go(&self) -> io::Result<()> {
        let (done, served) = channel();
        self.order(Order::LetGo(done))?;
        // Nothing is ever sent: the last connection that is over drops the last sender.
        match served.recv_timeout(LET_GO_DEADLINE) {
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    /// What it has done: all that its clients and the server have seen of it, at least.
    #[must_use]
    pub fn counters(&self) -> Counters {
        // Without a thread nothing changes any more.
        let _ = self.order(Order::Report);
        *self.report.lock()
    }

    /// Waits until this holds for the counters, for `patience` at most. Whether it does.
    #[must_use]
    pub fn wait_for(&self, holds: impl Fn(&Counters) -> bool, patience: Duration) -> bool {
        let counters = self.report.lock();
        let waited = self.report.changed.wait_timeout_while(counters, patience, |now| !holds(now));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Gives an order to the thread and waits until it is carried out.
    fn order(&self, order: Order) -> io::Result<()> {
        let ended = || io::Error::other("the thread of the proxy has ended");
        let (done, answer) = channel();
        self.orders.send((order, done)).map_err(|_| ended())?;
        // A wake-up can fail only when the thread is gone, which the answer tells.
        let _ = self.waker.wake();
        answer.recv().map_err(|_| ended())?
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where the thread writes down what it has done.
#[derive(Default)]
struct Report {
    counters: Mutex<Counters>,
    changed: Condvar,
}

impl Report {
    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, now: Counters) {
        let mut counters = self.lock();
        if *counters != now {
            *counters = now;
            self.changed.notify_all();
        }
    }
}
