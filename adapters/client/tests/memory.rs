//! A whole client without I/O: keeper, reaper and owner are polled by hand, the server is a model in
//! memory. So a test decides what happens between any two polls.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Wake;

use redlatch_client::{
    Acquiring, ConfigError, Endpoint, Engine, Error, Held, Keeper, Options, Outlet, Progress,
    Reaper, Want, os,
};
use redlatch_core::{Instant, Loss, Renew, Retry};
use redlatch_testkit::model::{Flow, Server, SessionId, Settings};

const TTL: Duration = Duration::from_secs(60);

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// One client and one server.
struct World {
    engine: Arc<Engine>,
    keeper: Keeper,
    reaper: Reaper,
    server: Server,
    session: SessionId,
    keeper_woken: Arc<Count>,
    /// What callers have written, where they write themselves.
    written: Option<Arc<Mutex<Vec<u8>>>>,
}

/// Where callers write, as those of the blocking adapter do.
struct Written(Arc<Mutex<Vec<u8>>>);

impl Outlet for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn shutdown(&mut self) {}
}

impl World {
    /// A world whose keeper writes.
    fn new() -> Self {
        Self::with(None)
    }

    fn with(written: Option<Arc<Mutex<Vec<u8>>>>) -> Self {
        let endpoints = Endpoint::parse_list("redis://server").expect("a URL");
        let mut options = Options::default();
        options.endpoints = endpoints;
        let engine = Engine::new(options).expect("valid");
        let keeper = Keeper::all(&engine).pop().expect("one server");
        let reaper = Reaper::new(&engine);
        let mut server = Server::new(Settings::default());
        let session = server.connect(micros());
        let keeper_woken = Arc::default();
        let mut world = Self { engine, keeper, reaper, server, session, keeper_woken, written };
        world.connect();
        world
    }

    /// Another client of the same server.
    fn succeeded(self) -> Self {
        let mut next = Self { server: self.server, ..Self::new() };
        assert!(!next.keeper.received(&[]), "the connection has ended");
        next.connect();
        next
    }

    fn connect(&mut self) {
        let deadline = self.keeper.begin().expect("not closing");
        assert!(deadline > os::now());
        self.session = self.server.connect(micros());
        let mut greeter = self.keeper.greeter().expect("no TLS");
        let mut incoming = Vec::new();
        loop {
            match greeter.poll().expect("greeted") {
                Want::Write(bytes) => {
                    let count = bytes.len();
                    incoming = self.server.exchange(self.session, bytes, micros()).0;
                    greeter.wrote(count);
                }
                Want::Read => {
                    assert!(!incoming.is_empty(), "nothing was asked");
                    greeter.received(&incoming).expect("greeted");
                }
                Want::Ready => break,
            }
        }
        let greeted = greeter.finish().expect("ready");
        let outlet =
            self.written.clone().map(|written| Box::new(Written(written)) as Box<dyn Outlet>);
        self.keeper.opened(greeted, outlet);
        self.outgoing();
    }

    /// What the keeper would write.
    fn outgoing(&self) -> Vec<u8> {
        if let Some(written) = &self.written {
            return core::mem::take(&mut *written.lock().expect("no panic"));
        }
        let mut out = Vec::new();
        let waker = Waker::from(Arc::clone(&self.keeper_woken));
        let _until = self.keeper.poll_outgoing(&waker, |bytes| {
            out.extend_from_slice(bytes);
            bytes.len()
        });
        out
    }

    /// Carries requests to the server and its answers back.
    fn carry(&mut self) {
        let out = self.outgoing();
        if out.is_empty() {
            return;
        }
        let (answers, flow) = self.server.exchange(self.session, &out, micros());
        assert_eq!(flow, Flow::Continue, "the connection is in step");
        assert!(self.keeper.received(&answers));
    }

    /// Everybody but the owner goes on until nothing more is to be done.
    fn settle(&mut self) {
        for _ in 0..10 {
            let _until = self.reaper.poll(Waker::noop());
            self.carry();
        }
    }

    fn acquire(&self, key: &str, retry: Retry) -> Acquiring {
        self.engine.acquire(key.into(), TTL, retry, None).expect("valid")
    }

    fn lock(&mut self, key: &str) -> Held {
        self.lock_renewed(key, TTL, None)
    }

    fn lock_renewed(&mut self, key: &str, ttl: Duration, renew: Option<Renew>) -> Held {
        let acquiring = self.engine.acquire(key.into(), ttl, Retry::NONE, renew);
        let mut acquiring = acquiring.expect("valid");
        self.finish(|waker| acquiring.poll(waker)).expect("free")
    }

    fn finish<T>(&mut self, mut poll: impl FnMut(&Waker) -> Progress<T>) -> T {
        for _ in 0..10 {
            if let Progress::Done(done) = poll(Waker::noop()) {
                return done;
            }
            self.carry();
        }
        panic!("it does not end");
    }

    fn is_held(&self, key: &str) -> bool {
        self.server.get(0, key.as_bytes()).is_some()
    }
}

fn micros() -> u64 {
    os::now().as_micros()
}

/// When the lease ends.
fn until(held: &Held) -> Instant {
    os::now().saturating_add(held.validity())
}

/// Polls up to `polls` times, with a trip to the server after each. Whether it was done.
fn advance<T>(
    world: &mut World,
    polls: usize,
    mut poll: impl FnMut(&Waker) -> Progress<T>,
) -> Option<T> {
    for _ in 0..polls {
        if let Progress::Done(done) = poll(Waker::noop()) {
            return Some(done);
        }
        world.carry();
    }
    None
}

/// Requirement 10: an acquisition that is dropped after any number of polls leaves no key, and the
/// next one works.
#[test]
fn an_acquisition_may_be_dropped_at_any_poll() {
    for retry in [Retry::NONE, Retry::until(TTL)] {
        let mut polls = 0;
        loop {
            let mut world = World::new();
            let mut acquiring = world.acquire("key", retry);
            let done = advance(&mut world, polls, |waker| acquiring.poll(waker)).is_some();
            drop(acquiring);
            world.settle();
            assert!(!world.is_held("key"), "dropped after {polls} polls");
            assert!(world.lock("key").is_valid());
            if done {
                break;
            }
            polls += 1;
        }
        assert!(polls >= 2, "it was cut in the middle");
    }
}

/// Requirement 10: an extension that is dropped leaves the lock held; it goes on without its owner.
#[test]
fn an_extension_may_be_dropped_at_any_poll() {
    let mut polls = 0;
    loop {
        let mut world = World::new();
        let mut held = world.lock("key");
        let before = until(&held);
        std::thread::sleep(Duration::from_millis(2));
        let mut extending = held.extend().expect("held");
        let done = advance(&mut world, polls, |waker| extending.poll(waker)).is_some();
        drop(extending);
        world.settle();
        let more = until(&held).saturating_since(before);
        assert!(more > Duration::from_millis(1), "dropped after {polls} polls: it was extended");
        let mut again = held.extend().expect("held");
        world.finish(|waker| again.poll(waker)).expect("extended");
        drop(again);
        let mut releasing = held.release().expect("open");
        assert!(world.finish(|waker| releasing.poll(waker)).expect("answered"), "still ours");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls >= 2, "it was cut in the middle");
}

/// Requirement 10: a release that is dropped is a release.
#[test]
fn a_release_may_be_dropped_at_any_poll() {
    let mut polls = 0;
    loop {
        let mut world = World::new();
        let mut releasing = world.lock("key").release().expect("open");
        let done = advance(&mut world, polls, |waker| releasing.poll(waker)).is_some();
        drop(releasing);
        world.settle();
        assert!(!world.is_held("key"), "dropped after {polls} polls");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls >= 2, "it was cut in the middle");
}

/// The connection is lost with the answer in it: the claim may stand, so it is taken back.
#[test]
fn a_claim_whose_answer_is_lost_is_taken_back() {
    let mut world = World::new();
    let mut acquiring = world.acquire("key", Retry::NONE);
    assert!(matches!(acquiring.poll(Waker::noop()), Progress::Wait(_)));
    let out = world.outgoing();
    let _lost = world.server.exchange(world.session, &out, micros());
    assert!(world.is_held("key"), "the server has granted it");
    assert!(!world.keeper.received(&[]), "the connection has ended");
    drop(acquiring);
    world.connect();
    world.settle();
    assert!(!world.is_held("key"));
}

/// The machine learns at once that the answer is lost, and asks on the next connection.
#[test]
fn a_claim_whose_answer_is_lost_is_asked_about() {
    let mut world = World::new();
    let mut acquiring = world.acquire("key", Retry::NONE);
    assert!(matches!(acquiring.poll(Waker::noop()), Progress::Wait(_)));
    let out = world.outgoing();
    let _lost = world.server.exchange(world.session, &out, micros());
    assert!(!world.keeper.received(&[]), "the connection has ended");
    world.connect();
    let began = os::now();
    let held = loop {
        if let Progress::Done(done) = acquiring.poll(Waker::noop()) {
            break done;
        }
        world.carry();
        let waited = os::now().saturating_since(began);
        assert!(waited < world.engine.options().reply_timeout / 2, "it waits for nothing");
    };
    assert!(held.expect("it was ours").is_valid());
}

/// A keeper that is gone leaves nobody waiting.
#[test]
fn without_its_keeper_a_server_is_unreachable() {
    let world = World::new();
    let mut acquiring = world.acquire("key", Retry::NONE);
    let count = Arc::<Count>::default();
    let waker = Waker::from(Arc::clone(&count));
    assert!(matches!(acquiring.poll(&waker), Progress::Wait(_)));
    let World { engine, keeper, reaper: _reaper, .. } = world;
    drop(keeper);
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "the owner is woken");
    let [server] = &*engine.servers() else { panic!("one server") };
    assert!(!server.connected && matches!(server.error, Some(Error::Closed)));
}

/// Requirement 10: a runtime that is dropped drops keepers and reapers. Nobody waits for ever then,
/// and nothing panics.
#[test]
fn without_keeper_and_reaper_everybody_hears_of_the_end() {
    let mut world = World::new();
    let held = world.lock("held");
    let mut acquiring = world.acquire("key", Retry::until(TTL));
    let count = Arc::<Count>::default();
    let waker = Waker::from(Arc::clone(&count));
    assert!(matches!(acquiring.poll(&waker), Progress::Wait(_)));
    let World { engine, keeper, reaper, .. } = world;
    drop((keeper, reaper));
    assert!(count.0.load(Ordering::SeqCst) > 0, "the owner is woken");
    assert!(matches!(acquiring.poll(&waker), Progress::Done(Err(Error::Closed))));
    assert!(matches!(engine.acquire(b"key".into(), TTL, Retry::NONE, None), Err(Error::Closed)));
    assert!(held.is_valid(), "the key is there until its ttl");
    drop((held, acquiring));
    let mut closing = engine.close(TTL);
    assert_eq!(closing.poll(&waker), Progress::Done(false), "what was owed is left to its ttl");
}

/// The keeper is woken to write, once until it has looked.
#[test]
fn the_keeper_is_woken_when_there_is_something_to_write() {
    let world = World::new();
    let woken = || world.keeper_woken.0.load(Ordering::SeqCst);
    let before = woken();
    let mut acquisitions = [world.acquire("a", Retry::NONE), world.acquire("b", Retry::NONE)];
    for acquiring in &mut acquisitions {
        assert!(matches!(acquiring.poll(Waker::noop()), Progress::Wait(_)));
    }
    assert_eq!(woken(), before + 1);
    assert!(!world.outgoing().is_empty() && world.outgoing().is_empty());
}

/// Requirement 8: the reaper renews, the owner reads what it found, and a loss wakes who waits.
#[test]
fn a_renewal_that_finds_the_key_gone_wakes_who_waits() {
    let mut world = World::new();
    let ttl = Duration::from_millis(300);
    let held = world.lock_renewed("key", ttl, Some(Renew::default()));
    let mut losing = held.losing();
    let count = Arc::<Count>::default();
    let waker = Waker::from(Arc::clone(&count));
    assert!(matches!(losing.poll(&waker), Progress::Wait(_)));
    let until = os::now().saturating_add(ttl);
    while os::now() < until {
        world.settle();
        assert!(held.is_valid());
    }
    assert_eq!(count.0.load(Ordering::SeqCst), 0, "nothing is lost");
    world.server.remove(0, b"key");
    while held.loss().is_none() {
        world.settle();
    }
    assert!(count.0.load(Ordering::SeqCst) > 0, "woken");
    assert_eq!(losing.poll(&waker), Progress::Done(Loss::Deleted));
    assert!(!world.is_held("key"), "it is not made again");
}

/// Requirement 8: without a driver the lease ends by the clock all the same, with the reason.
#[test]
fn a_lease_that_nobody_drives_ends_by_the_clock() {
    let mut world = World::new();
    let ttl = Duration::from_millis(300);
    for (renew, reason) in [(None, Loss::Expired), (Some(Renew::default()), Loss::Unreachable)] {
        let held = world.lock_renewed("key", ttl, renew);
        let began = os::now();
        while held.is_valid() {
            assert!(os::now().saturating_since(began) < ttl);
            // The reaper sends the renewal, the server never gets it.
            let _until = world.reaper.poll(Waker::noop());
        }
        assert_eq!(held.loss(), Some(reason));
        drop(held);
        world.settle();
    }
}

/// Requirement 6: nobody waits for the answer to a release but the reaper, and the server is silent.
/// Where callers write, no keeper notices that: the reaper must, or the key would stay.
#[test]
fn a_server_that_is_silent_to_the_last_release_is_noticed() {
    let mut world = World::with(Some(Arc::default()));
    let held = world.lock("key");
    drop(held);
    let began = os::now();
    let Progress::Wait(until) = world.reaper.poll(Waker::noop()) else { panic!("it is owed") };
    assert!(!world.outgoing().is_empty(), "the release is sent, and never comes");
    let longest = world.engine.options().reply_timeout * 2;
    assert!(until.saturating_since(began) <= longest, "{:?}", until.saturating_since(began));
    while world.engine.servers()[0].connected {
        assert!(os::now().saturating_since(began) <= longest, "the connection is still believed");
        let _until = world.reaper.poll(Waker::noop());
    }
    world.connect();
    while world.is_held("key") {
        assert!(os::now().saturating_since(began) <= 2 * longest, "the key stays");
        world.settle();
    }
}

/// A detached lock outlives its client, and another one releases it; dropped at any poll, too.
#[test]
fn a_detached_lock_is_released_by_another_client() {
    let mut polls = 0;
    loop {
        let mut world = World::new();
        let detached = world.lock("key").detach().expect("held");
        assert_eq!((detached.key().as_ref(), detached.is_over()), (&b"key"[..], false));
        assert_eq!(format!("{detached:?}"), "Detached { key: key, .. }");
        world.settle();
        assert!(world.is_held("key"), "nobody owes its release");
        let mut world = world.succeeded();
        let mut releasing = world.engine.release_detached(detached).expect("the same server");
        let done = advance(&mut world, polls, |waker| releasing.poll(waker));
        drop(releasing);
        world.settle();
        assert!(!world.is_held("key"), "dropped after {polls} polls");
        if let Some(done) = done {
            assert!(done.expect("answered"), "it was ours");
            break;
        }
        polls += 1;
    }
    assert!(polls >= 2, "it was cut in the middle");
}

#[test]
fn a_detached_lock_of_somebody_else_stays() {
    let mut world = World::new();
    let detached = world.lock("key").detach().expect("held");
    world.server.remove(0, b"key");
    let other = world.lock("key");
    let mut releasing = world.engine.release_detached(detached).expect("the same server");
    assert!(!world.finish(|waker| releasing.poll(waker)).expect("answered"), "not ours");
    drop(releasing);
    world.settle();
    assert!(world.is_held("key") && other.is_valid());
}

#[test]
fn a_detached_lock_is_for_its_own_servers_and_for_open_clients() {
    let mut world = World::new();
    let detached = world.lock("key").detach().expect("held");
    let mut options = Options::default();
    options.endpoints = Endpoint::parse_list("redis://server/1").expect("a URL");
    let elsewhere = Engine::new(options).expect("valid");
    let error = elsewhere.release_detached(detached).err();
    assert!(matches!(error, Some(Error::Config(ConfigError::OtherServers))), "{error:?}");

    world.server.remove(0, b"key");
    let detached = world.lock("key").detach().expect("held");
    drop(world.engine.close(TTL));
    let error = world.engine.release_detached(detached).err();
    assert!(matches!(error, Some(Error::Closed)), "{error:?}");
}

#[test]
fn a_lost_lock_is_not_detached() {
    let mut world = World::new();
    let held = world.lock_renewed("key", Duration::from_millis(5), None);
    std::thread::sleep(Duration::from_millis(10));
    assert!(held.detach().is_none());
    world.settle();
}

/// Closes the client when it is woken.
struct Close(Arc<Engine>);

impl Wake for Close {
    fn wake(self: Arc<Self>) {
        drop(self.0.close(TTL));
    }
}

/// Requirement 10: between the request and the wait for its answer, too.
#[test]
fn who_is_about_to_wait_notices_that_the_client_closes() {
    let world = World::new();
    let keeper = Waker::from(Arc::new(Close(Arc::clone(&world.engine))));
    let _until = world.keeper.poll_outgoing(&keeper, <[u8]>::len);
    let mut acquiring = world.acquire("key", Retry::until(TTL));
    assert!(matches!(acquiring.poll(Waker::noop()), Progress::Done(Err(Error::Closed))));
}

/// Requirement 10: a lock that is won while the client closes is given back, not handed out: its
/// guard could not release it.
#[test]
fn a_lock_that_is_won_during_the_shutdown_is_given_back() {
    let mut world = World::new();
    let mut acquiring = world.acquire("key", Retry::until(TTL));
    assert!(matches!(acquiring.poll(Waker::noop()), Progress::Wait(_)));
    world.carry();
    assert!(world.is_held("key"), "it is won");
    let mut closing = world.engine.close(TTL);
    let ended = acquiring.poll(Waker::noop());
    assert!(matches!(ended, Progress::Done(Err(Error::Closed))), "{ended:?}");
    world.settle();
    assert!(!world.is_held("key"));
    assert_eq!(closing.poll(Waker::noop()), Progress::Done(true), "all is paid");
}
