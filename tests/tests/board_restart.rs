//! What a board says of a key that is gone: whether its server was started again is told only where it
//! is proved. Requirement 7.

use core::time::Duration;

use redlatch_bare::{Engine, Fixed, Instant, LockId, Login, Loss, Options, Retry, Want};
use redlatch_testkit::model::{Server, SessionId, Settings};

const TTL: Duration = Duration::from_secs(60);
const KEY: &[u8] = b"k";

/// A board, its server, and the line between them, in virtual time.
struct Bench {
    engine: Engine<'static, Fixed<'static, 1, 1, 256, 32>>,
    server: Server,
    session: SessionId,
    /// What the stream says when it is opened: how long it must be quiet.
    quiet: Duration,
    now: u64,
    tokens: u8,
}

impl Bench {
    fn new(quiet: Duration) -> Self {
        let mut server = Server::new(Settings::default());
        let session = server.connect(0);
        let engine = Engine::new(Fixed::new([&Login::NONE]), &Options::DEFAULT, 7);
        Self { engine, server, session, quiet, now: 1_000_000, tokens: 0 }
    }

    fn moment(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    /// Works until `done`, for a virtual minute at most.
    fn until<T>(&mut self, mut done: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = self.now + 60_000_000;
        while self.now < end {
            self.turn();
            if let Some(done) = done(self) {
                return done;
            }
            self.now = self.engine.poll_timeout().as_micros().clamp(self.now + 1000, end);
        }
        panic!("nothing came of it: {:?}", self.engine);
    }

    fn turn(&mut self) {
        let now = self.moment();
        while let Some(want) = self.engine.poll_stream(0, now) {
            if want == Want::Open {
                if self.quiet.is_zero() {
                    self.server.disconnect(self.session);
                    self.session = self.server.connect(self.now);
                }
                self.engine.opened(0, self.quiet, now);
            }
        }
        loop {
            let tokens = &mut self.tokens;
            self.engine.step(now, &mut |random| {
                *tokens += 1;
                random.fill(*tokens);
                random[0] = 0;
                true
            });
            let pending = self.engine.io(0).pending.to_vec();
            if pending.is_empty() {
                return;
            }
            self.engine.wrote(0, pending.len());
            let (reply, _) = self.server.exchange(self.session, &pending, self.now);
            self.engine.io(0).space[..reply.len()].copy_from_slice(&reply);
            self.engine.received(0, reply.len(), now);
        }
    }

    fn take(&mut self) -> LockId {
        let lock = self.engine.acquire(KEY, TTL, Retry::NONE, self.moment()).expect("a place");
        self.until(|bench| bench.engine.poll_acquired(&lock)).expect("it is free");
        lock
    }

    /// The board gives its connection up and greets again.
    fn reconnect(&mut self) {
        let now = self.moment();
        self.engine.failed(0, redlatch_bare::ErrorKind::Other, now);
        self.until(|bench| bench.engine.is_connected().then_some(()));
    }

    fn loss(&mut self, lock: &LockId) -> Loss {
        self.engine.extend(lock, self.moment());
        let extended = self.until(|bench| bench.engine.poll_extended(lock));
        assert!(extended.is_err(), "the key is gone");
        self.engine.loss(lock).expect("a loss")
    }
}

/// Seen in an emulator: a serial line outlives the greeting, so the server tells the same number again.
#[test]
fn a_serial_line_that_is_greeted_again_proves_no_restart() {
    let mut bench = Bench::new(Duration::from_millis(20));
    let lock = bench.take();
    bench.reconnect();
    assert!(bench.server.remove(0, KEY));
    assert_eq!(bench.loss(&lock), Loss::Deleted);
}

#[test]
fn a_socket_that_is_opened_again_proves_no_restart() {
    let mut bench = Bench::new(Duration::ZERO);
    let lock = bench.take();
    bench.reconnect();
    assert!(bench.server.remove(0, KEY));
    assert_eq!(bench.loss(&lock), Loss::Deleted);
}

#[test]
fn a_server_that_counts_anew_was_started_again() {
    let mut bench = Bench::new(Duration::ZERO);
    let lock = bench.take();
    bench.server.restart(false, bench.now);
    bench.reconnect();
    assert_eq!(bench.loss(&lock), Loss::ServerRestarted);
}

/// The lock was taken after it.
#[test]
fn a_restart_before_the_lock_explains_nothing() {
    let mut bench = Bench::new(Duration::ZERO);
    let early = bench.take();
    bench.engine.abandon(&early, bench.moment());
    bench.until(|bench| bench.engine.is_settled().then_some(()));
    bench.server.restart(false, bench.now);
    // Asked for before the board notices, granted after it.
    let lock = bench.engine.acquire(KEY, TTL, Retry::NONE, bench.moment()).expect("a place");
    bench.reconnect();
    bench.until(|bench| bench.engine.poll_acquired(&lock)).expect("it is free");
    assert!(bench.server.remove(0, KEY));
    assert_eq!(bench.loss(&lock), Loss::Deleted);
}
