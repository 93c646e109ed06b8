//! The model server behind a real socket, for clients that need one.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use mio::{Poll, Waker};

use self::event_loop::{EventLoop, Order, WAKER};
use redlatch_model::{Data, Server, Settings};

mod event_loop;

/// A [`Server`] on a loopback port or a unix socket, served by one thread of its own.
///
/// The thread waits for events only, never polls, and ends when this value is dropped. The clock
/// is the monotonic clock of the machine; moment 0 is the start.
///
/// ```
/// use std::io::{Read, Write};
/// use redlatch_testkit::model::ModelServer;
///
/// let server = ModelServer::start()?;
/// let mut client = std::net::TcpStream::connect(server.addr().expect("a port"))?;
/// client.write_all(b"*1\r\n$4\r\nPING\r\n")?;
/// let mut reply = [0; 7];
/// client.read_exact(&mut reply)?;
/// assert_eq!(&reply, b"+PONG\r\n");
/// assert_eq!(server.with(|server| server.command_count("PING")), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ModelServer {
    server: Arc<Mutex<Server>>,
    clock: Clock,
    address: Address,
    orders: Sender<(Order, Sender<io::Result<()>>)>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Where clients find the server.
#[derive(Clone, Debug)]
enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Microseconds since the start.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn until(self, moment: u64) -> Duration {
        Duration::from_micros(moment.saturating_sub(self.now()))
    }
}

impl ModelServer {
    /// Starts with default settings on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The system has no port, descriptor or thread left.
    pub fn start() -> io::Result<Self> {
        Self::with_settings(Settings::default())
    }

    /// Starts with these settings on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The system has no port, descriptor or thread left.
    pub fn with_settings(settings: Settings) -> io::Result<Self> {
        Self::launch(settings, Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))))
    }

    /// Starts on a unix socket. A file of that name is replaced; it is removed at the end.
    ///
    /// # Errors
    ///
    /// The socket cannot be made, or the system has no descriptor or thread left.
    pub fn on_unix_socket(path: impl AsRef<Path>, settings: Settings) -> io::Result<Self> {
        Self::launch(settings, Address::Unix(path.as_ref().to_owned()))
    }

    fn launch(settings: Settings, address: Address) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let clock = Clock(Instant::now());
        let server = Arc::new(Mutex::new(Server::new(settings)));
        let (orders, inbox) = channel();
        let mut events = EventLoop::new(poll, Arc::clone(&server), clock, address, inbox);
        events.listen()?;
        let address = events.address().clone();
        let thread = thread::Builder::new()
            .name("model-server".to_owned())
            .spawn(move || events.run())
            .map(Some)?;
        Ok(Self { server, clock, address, orders, waker, thread })
    }

    /// The URL for clients: `redis://127.0.0.1:port` or `unix:///path`, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.address {
            Address::Tcp(address) => format!("redis://{address}"),
            Address::Unix(path) => format!("unix://{}", path.display()),
        }
    }

    /// The address of the port; none on a unix socket.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        }
    }

    /// Looks at the server, or changes it, between two requests. Output that this causes is sent
    /// at once.
    pub fn with<R>(&self, look: impl FnOnce(&mut Server) -> R) -> R {
        let mut server = lock(&self.server);
        server.advance(self.clock.now());
        let result = look(&mut server);
        drop(server);
        self.wake();
        result
    }

    /// Ends every connection.
    pub fn kill_connections(&self) {
        self.with(Server::kill_all);
    }

    /// Answers and accepts nothing until [`resume`](Self::resume), as after SIGSTOP: the system
    /// still takes connections and bytes, and they are served later.
    ///
    /// # Errors
    ///
    /// The thread of the server has ended.
    pub fn pause(&self) -> io::Result<()> {
        self.order(Order::Pause)
    }

    /// Serves again, and first what came during the pause.
    ///
    /// # Errors
    ///
    /// The thread of the server has ended.
    pub fn resume(&self) -> io::Result<()> {
        self.order(Order::Resume)
    }

    /// The process dies: connections end, new ones are refused until [`restart`](Self::restart).
    ///
    /// # Errors
    ///
    /// The thread of the server has ended.
    pub fn crash(&self) -> io::Result<()> {
        self.order(Order::Crash)
    }

    /// The process dies, if it has not yet, and starts again on the same port.
    ///
    /// # Errors
    ///
    /// The port was taken by somebody else meanwhile, or the thread of the server has ended.
    pub fn restart(&self, data: Data) -> io::Result<()> {
        self.order(Order::Restart(data))
    }

    /// Closes all connections and ends the thread. Dropping does the same.
    pub fn stop(self) {}

    /// Gives an order to the thread and waits until it is carried out.
    fn order(&self, order: Order) -> io::Result<()> {
        let ended = || io::Error::other("the thread of the model server has ended");
        let (done, answer) = channel();
        self.orders.send((order, done)).map_err(|_| ended())?;
        self.wake();
        answer.recv().map_err(|_| ended())?
    }

    /// A wake-up can fail only when the thread is gone, and then nobody needs it.
    fn wake(&self) {
        let _ = self.waker.wake();
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let _ = self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A test that panics while it looks must not blind the others.
fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}
