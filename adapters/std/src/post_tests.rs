//! Who reads: callers for themselves and each other, the watch for the rest.

use core::panic::AssertUnwindSafe;
use core::task::Waker;
use core::time::Duration;
use std::panic;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant as Clock;

use redlatch_client::{Acquiring, Awaits, Error, Held, Options, Progress, Releasing, os};
use redlatch_core::{Instant, Retry};
use redlatch_testkit::model::{ModelServer, Value};

use super::{Caller, GRACE, Post, State};
use crate::handle::Handle;
use crate::wait::{wait, wait_for};

/// A ttl that no test outlives.
const LONG: Duration = Duration::from_secs(60);
/// Within this everything that is bound to happen has happened.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client and its only server.
struct Stand {
    // Dropped first: what is owed to the server is paid.
    handle: Handle,
    server: ModelServer,
}

impl Stand {
    /// Its watch reads when it is called only.
    fn new() -> Self {
        Self::with_grace(LONG)
    }

    fn with_grace(grace: Duration) -> Self {
        let server = ModelServer::start().expect("a free port");
        let mut options = Options::default();
        options.endpoints = vec![server.url().parse().expect("a URL")];
        options.reply_timeout = PATIENCE;
        let handle = Handle::start_with(options, grace).expect("threads");
        let deadline = handle.engine().connect_deadline();
        wait(|waker| handle.engine().poll_connected(deadline, waker)).expect("connected");
        let stand = Self { handle, server };
        stand.until("it can be read", |state| state.reading.is_some() || state.watched > 0);
        stand
    }

    fn post(&self) -> &Post {
        self.handle.post().expect("there is one server")
    }

    fn lock(&self, key: &str) -> Result<Held, Error> {
        let retry = Retry::until(LONG);
        let mut acquiring = self.handle.engine().acquire(key.into(), LONG, retry, None)?;
        wait_for(self.handle.post(), &mut acquiring, Acquiring::poll, Acquiring::awaits)
    }

    fn release(&self, held: Held) -> Result<bool, Error> {
        let mut releasing = held.release()?;
        wait_for(self.handle.post(), &mut releasing, Releasing::poll, Releasing::awaits)
    }

    fn cycle(&self) {
        let held = self.lock("cycle").expect("free");
        assert!(self.release(held).expect("answered"), "ours until now");
    }

    /// How often a caller has taken the right to read, and how often the watch has.
    fn turns(&self) -> (u64, u64) {
        let state = self.post().state();
        (state.led, state.watched)
    }

    /// Waits until it is so here; fails when it does not come.
    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let began = Clock::now();
        while !is_so(&self.post().state()) {
            assert!(began.elapsed() < PATIENCE, "never so: {what}");
            thread::yield_now();
        }
    }

    /// The watch blocks in a read, or is about to.
    #[track_caller]
    fn until_watched(&self) {
        self.until("the watch reads", |state| state.watched > 0 && state.reading.is_none());
    }

    /// A caller that leads, and gets no answer before the server is resumed.
    fn leader<'a>(&'a self, scope: &'a thread::Scope<'a, '_>) -> Asker<'a> {
        self.server.pause().expect("a thread");
        let led = self.turns().0;
        let leader = scope.spawn(|| self.lock("led"));
        self.until("it leads", |state| state.led > led);
        leader
    }
}

type Asker<'a> = ScopedJoinHandle<'a, Result<Held, Error>>;

#[test]
fn a_caller_reads_its_own_answers() {
    let stand = Stand::new();
    for _ in 0..100 {
        stand.cycle();
    }
    let (led, watched) = stand.turns();
    // The reaper looks around when it starts: it may have called the watch for an answer.
    assert!(led + watched == 200 && watched <= 1, "{led}, {watched}");
}

#[test]
fn an_idle_connection_is_watched_without_another_look() {
    let stand = Stand::with_grace(GRACE);
    stand.cycle();
    stand.until_watched();
    let turns = stand.turns();
    // Nothing at all happens, in which time something might.
    thread::sleep(5 * GRACE);
    assert_eq!(stand.turns(), turns);
    assert!(stand.post().state().reading.is_none(), "it still reads");
}

/// The server says of itself that it goes, while nobody asks it for anything.
#[test]
fn the_end_of_an_idle_connection_is_seen() {
    let stand = Stand::with_grace(GRACE);
    stand.cycle();
    stand.until_watched();
    let watched = stand.turns().1;
    stand.server.kill_connections();
    stand.until("another connection is watched", |state| {
        state.watched > watched && state.reading.is_none()
    });
    stand.cycle();
}

#[test]
fn a_caller_that_finds_a_leader_follows_and_leads_after_it() {
    let stand = Stand::new();
    stand.cycle();
    thread::scope(|scope| {
        let mut leader = Caller::new(stand.post());
        leader.wait(|| Awaits::Answer, os::now());
        let (led, watched) = stand.turns();
        let follower = scope.spawn(|| stand.lock("followed"));
        stand.until("it follows", |state| state.followers.len() == 1);
        drop(leader);
        let held = follower.join().expect("no panic").expect("free");
        assert_eq!(stand.turns(), (led + 1, watched), "it was appointed");
        assert!(stand.release(held).expect("answered"));
    });
    assert!(stand.post().state().followers.is_empty());
}

#[test]
fn who_is_appointed_and_goes_appoints_another() {
    let stand = Stand::new();
    stand.cycle();
    thread::scope(|scope| {
        let [mut leader, mut newest] = [(); 2].map(|()| Caller::new(stand.post()));
        leader.wait(|| Awaits::Answer, os::now());
        let turns = stand.turns();
        let follower = scope.spawn(|| stand.lock("followed"));
        stand.until("it follows", |state| state.followers.len() == 1);
        newest.wait(|| Awaits::Answer, os::now());
        drop(leader);
        let state = stand.post().state();
        assert!(state.appointed.is_some() && state.appointed == newest.follows);
        drop(state);
        drop(newest);
        let held = follower.join().expect("no panic").expect("free");
        assert_eq!(stand.turns(), (turns.0 + 1, turns.1));
        assert!(stand.release(held).expect("answered"));
    });
}

#[test]
fn the_end_of_the_connection_under_a_leader_is_seen() {
    let stand = Stand::new();
    stand.cycle();
    thread::scope(|scope| {
        let leader = stand.leader(scope);
        stand.server.kill_connections();
        stand.server.resume().expect("a thread");
        // It asks again on the next connection.
        drop(leader.join().expect("no panic").expect("free"));
    });
    stand.cycle();
    // What the lost claim may have left is owed for long.
    stand.handle.close(Duration::ZERO);
}

#[test]
fn a_client_that_is_closed_under_a_leader_is_closed_soon() {
    let stand = Stand::new();
    stand.cycle();
    let began = Clock::now();
    thread::scope(|scope| {
        let leader = stand.leader(scope);
        stand.handle.close(Duration::ZERO);
        assert!(matches!(leader.join().expect("no panic"), Err(Error::Closed)));
    });
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    stand.server.resume().expect("a thread");
}

#[test]
fn who_sleeps_calls_the_watch() {
    let stand = Stand::new();
    stand.cycle();
    let value = Value::Text(b"somebody else".to_vec());
    stand.server.with(|server| server.put(0, b"slept", value, Some(LONG)));
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| stand.lock("slept"));
        stand.until("the watch reads for it", |state| {
            state.sleepers == 1 && state.reading.is_none() && state.followers.is_empty()
        });
        stand.server.with(|server| server.remove(0, b"slept"));
        let held = sleeper.join().expect("no panic").expect("given back");
        assert!(stand.release(held).expect("answered"));
    });
    assert_eq!(stand.post().state().sleepers, 0);
    stand.cycle();
}

/// It neither parks nor reads: what it sends is looked after.
#[test]
fn a_dropped_guard_calls_the_watch() {
    let stand = Stand::new();
    drop(stand.lock("dropped").expect("free"));
    stand.until("the watch has read the answer and left", |state| {
        state.watched > 0 && state.reading.as_ref().is_some_and(|reading| !reading.is_awaiting())
    });
    assert!(stand.handle.close(PATIENCE), "all was given back");
    let (led, watched) = stand.turns();
    assert!(led <= 1 && watched > 0, "{led}, {watched}");
}

/// The claim of the next in line leaves with the release, whatever its owner does meanwhile.
#[test]
fn who_lets_go_asks_for_the_next() {
    let stand = Stand::new();
    // From here on the server knows the script.
    stand.cycle();
    let held = stand.lock("passed").expect("free");
    let engine = stand.handle.engine();
    let mut next = engine.acquire("passed".into(), LONG, Retry::until(LONG), None).expect("open");
    assert!(matches!(next.poll(Waker::noop()), Progress::Wait(_)), "it stands behind");
    assert!(stand.release(held).expect("answered"));
    let has_key = || stand.server.with(|server| server.get(0, b"passed").is_some());
    let began = Clock::now();
    while !has_key() {
        assert!(began.elapsed() < PATIENCE, "nobody has asked for it");
        thread::yield_now();
    }
    let held = wait_for(Some(stand.post()), &mut next, Acquiring::poll, Acquiring::awaits);
    assert!(stand.release(held.expect("it is free")).expect("answered"));
}

#[test]
fn a_leader_that_panics_lets_go() {
    let stand = Stand::new();
    stand.cycle();
    let led = stand.turns().0;
    let calls = core::cell::Cell::new(0);
    let awaits = || {
        calls.set(calls.get() + 1);
        assert!(calls.get() == 1, "on purpose");
        Awaits::Answer
    };
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
        Caller::new(stand.post()).wait(awaits, Instant::NEVER);
    }));
    assert!(panicked.is_err());
    assert!(stand.turns().0 > led, "it led");
    stand.cycle();
}
