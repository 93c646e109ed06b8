//! Who reads from a connection: one at a time, and mostly whoever waits for an answer.
//!
//! A thread that is woken by another one for every answer pays two switches of threads a round trip. So
//! the right to read, [`Reading`], lies here whenever nobody reads, and a caller that waits for an answer
//! takes it and reads for itself, and for all others: it *leads*. A caller that finds it gone *follows*: it
//! is parked until its answer is handed out, or until it is *appointed* to lead. The thread of the
//! connection, which keeps the *watch*, reads when no caller does.
//!
//! ```text
//!            opened                 a caller takes it
//!   absent ---------> idle -----------------------------> led
//!     ^               | ^ ^                                | put back
//!     |    nobody led | | +--------------------------------+  nobody waits
//!     |   for a while | |                                  |
//!     |               | | nobody waits      +--------------+  others wait for answers, or the
//!     |               v | for the watch     v              |  connection has ended
//!     +----------- watched <---------- appointed, called <-+
//!        ended        |   the watch takes it    ^   |
//!                     +-------------------------+   +---> led: who is appointed takes it
//!                       followers take over
//! ```
//!
//! Invariants, each true whenever the mutex is free:
//!
//! * One thread at most has the `Reading`; it holds no mutex while it reads.
//! * While it lies here and somebody follows, sleeps or awaits an answer, somebody was unparked to take it:
//!   the newest follower, whose answer comes last, or the watch. Or a caller has just asked and is about to
//!   come. Who was unparked and does not need it any more passes that on.
//! * Somebody *sleeps* who waits for what the server tells of its own accord. The watch does not leave
//!   while anybody does.
//! * While the connection is idle for long, the watch blocks in a read without a timeout.
//! * An ended connection is taken by the watch only, which closes it.
//!
//! A leader reads for [`SLICE`] at most before it looks around: nobody can unpark it out of a read, but
//! those who end the connection.

use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use redlatch_client::{Awaits, os};
use redlatch_core::Instant;

use crate::reading::Reading;

/// Longest read of a caller.
pub(crate) const SLICE: Duration = Duration::from_millis(20);
/// Nobody has led for so long: the watch reads.
pub(crate) const GRACE: Duration = Duration::from_millis(20);
/// On Windows a socket is of no use after a read that has timed out.
const CALLERS_LEAD: bool = cfg!(not(windows));

/// Where the right to read from one connection lies while nobody reads.
pub(crate) struct Post {
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reading: Option<Box<Reading>>,
    /// Who is parked until its answer comes, in the order of coming.
    followers: Vec<(u64, Thread)>,
    /// Numbers them.
    followed: u64,
    /// The follower that was unparked to lead.
    appointed: Option<u64>,
    /// Those for whom the watch must read.
    sleepers: usize,
    /// The watch was unparked to read.
    called: bool,
    watch: Option<Thread>,
    /// How often a caller has taken the right to read.
    led: u64,
    /// How often the watch has.
    watched: u64,
}

impl Post {
    /// Callers may lead if there is no other connection that they wait for. If none has for the time of
    /// `grace`, the watch reads.
    pub(crate) fn new(is_only: bool, grace: Duration) -> Self {
        let sleepers = usize::from(!(is_only && CALLERS_LEAD));
        Self { grace, state: Mutex::new(State { sleepers, ..State::default() }) }
    }

    /// Somebody has sent something and does not wait for the answer here.
    pub(crate) fn look_after(&self) {
        let mut state = self.state();
        unpark(state.settle());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(&self, reading: Box<Reading>) {
        let mut state = self.state();
        state.reading = Some(reading);
        unpark(state.settle());
    }
}

/// For the watch.
impl Post {
    /// Reads until the connection has ended, whoever reads meanwhile.
    pub(crate) fn attend(&self, opened: Box<Reading>) -> Box<Reading> {
        self.state().watch = Some(thread::current());
        self.put_back(opened);
        loop {
            let mut reading = self.watch();
            while !reading.has_ended() {
                reading.read(None);
                if !reading.has_ended() && self.may_leave(&reading) {
                    break;
                }
            }
            if reading.has_ended() {
                return reading;
            }
            self.put_back(reading);
        }
    }

    /// Waits until the watch is to read: it is called, or no caller has led for the time of `grace`.
    fn watch(&self) -> Box<Reading> {
        let (mut led, mut due) = (None, Instant::NEVER);
        loop {
            let mut state = self.state();
            let now = os::now();
            let is_idle = led == Some(state.led) && now >= due && state.appointed.is_none();
            let is_due = state.called || is_idle;
            if let Some(reading) = state.reading.take_if(|_| is_due) {
                state.called = false;
                state.watched += 1;
                return reading;
            }
            // Who comes too early, because it was unparked for another reason, does not begin anew.
            if led != Some(state.led) || now >= due {
                (led, due) = (Some(state.led), now.saturating_add(self.grace));
            }
            drop(state);
            park(due);
        }
    }

    /// Whether others read what is to come.
    fn may_leave(&self, reading: &Reading) -> bool {
        let state = self.state();
        state.sleepers == 0 && (!state.followers.is_empty() || !reading.is_awaiting())
    }
}

impl State {
    /// Finds somebody to read, if that is needed and nobody is under way. Gives whom to unpark.
    fn settle(&mut self) -> Option<Thread> {
        let reading = self.reading.as_ref()?;
        if self.called || self.appointed.is_some() {
            return None;
        }
        let is_awaiting = !reading.has_ended() && reading.is_awaiting();
        if let Some((number, thread)) = self.followers.last().filter(|_| is_awaiting) {
            self.appointed = Some(*number);
            return Some(thread.clone());
        }
        self.called = is_awaiting || reading.has_ended() || self.sleepers > 0;
        self.watch.clone().filter(|_| self.called)
    }

    /// Whether a caller may take what lies here.
    fn may_lead(&self) -> bool {
        !self.called && self.reading.as_ref().is_some_and(|reading| !reading.has_ended())
    }
}

fn unpark(thread: Option<Thread>) {
    if let Some(thread) = thread {
        thread.unpark();
    }
}

/// One that waits for something, and may lead meanwhile. Dropped, it lets go of all it has here.
pub(crate) struct Caller<'a> {
    post: &'a Post,
    leads: Option<Box<Reading>>,
    /// Its number among the followers.
    follows: Option<u64>,
}

impl<'a> Caller<'a> {
    pub(crate) const fn new(post: &'a Post) -> Self {
        Self { post, leads: None, follows: None }
    }

    /// Waits for what `awaits` says, until the moment at most; or not so long.
    pub(crate) fn wait(&mut self, awaits: impl Fn() -> Awaits, until: Instant) {
        match awaits() {
            Awaits::Answer => self.lead_or_follow(awaits, until),
            Awaits::Push => self.sleep(until),
            Awaits::Call => {
                self.let_go();
                park(until);
            }
        }
    }

    fn lead_or_follow(&mut self, awaits: impl Fn() -> Awaits, until: Instant) {
        if self.leads.is_none() {
            self.take_or_follow();
        }
        let Some(reading) = &mut self.leads else { return park(until) };
        // Another leader may have handed out the answer just before.
        if awaits() == Awaits::Answer {
            reading.read(Some(until.saturating_since(os::now()).min(SLICE)));
        }
        if reading.has_ended() {
            self.let_go();
        }
    }

    fn take_or_follow(&mut self) {
        let mut state = self.post.state();
        if state.may_lead() {
            self.leads = state.reading.take();
            state.appointed = None;
            state.led += 1;
            state.dismiss(self.follows.take());
        } else if self.follows.is_none() {
            state.followed += 1;
            self.follows = Some(state.followed);
            let follower = (state.followed, thread::current());
            state.followers.push(follower);
        }
    }

    fn sleep(&mut self, until: Instant) {
        self.let_go();
        let _sleeper = Sleeper::new(self.post);
        park(until);
    }

    /// Others may lead.
    fn let_go(&mut self) {
        if let Some(reading) = self.leads.take() {
            self.post.put_back(reading);
        }
        if let Some(number) = self.follows.take() {
            let mut state = self.post.state();
            state.dismiss(Some(number));
            if state.appointed == Some(number) {
                state.appointed = None;
                unpark(state.settle());
            }
        }
    }
}

impl State {
    fn dismiss(&mut self, follower: Option<u64>) {
        let at = self.followers.iter().rposition(|(number, _)| Some(*number) == follower);
        if let Some(at) = at {
            self.followers.remove(at);
        }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// One that waits for what the server tells of its own accord.
struct Sleeper<'a>(&'a Post);

impl<'a> Sleeper<'a> {
    fn new(post: &'a Post) -> Self {
        let mut state = post.state();
        state.sleepers += 1;
        unpark(state.settle());
        Self(post)
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.0.state().sleepers -= 1;
    }
}

/// Parks the thread until it is unparked, until the moment at most.
pub(crate) fn park(until: Instant) {
    match until {
        Instant::NEVER => thread::park(),
        until => thread::park_timeout(until.saturating_since(os::now())),
    }
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
