//! Threads that join, wait, give up and hold at random moments: at most one of a line has the turn, each is
//! woken when it is its turn, and nothing is left at the end.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

use redlatch_core::{Drift, Event, Instant, Lease, Random, Settings, Ttl};

use super::{Lines, Turn};
use crate::mail::Mail;
use crate::os;
use crate::session::{Session, Tidings};

const THREADS: u64 = 6;
const ROUNDS: usize = 2_000;

/// Nobody sleeps so long but by a wake-up that was lost.
const LOST: Duration = Duration::from_secs(30);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What all threads share.
#[derive(Default)]
struct World {
    lines: Lines,
    /// How many have the turn in the line.
    turns: AtomicUsize,
    /// The server's key.
    taken: AtomicBool,
    had: AtomicUsize,
}

/// What one does of its own will.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Will {
    Patient,
    /// Tries once, beside the line.
    Apart,
    /// Gives up the first time that it has to wait.
    Impatient,
    /// Makes its last attempt the first time that it has to wait.
    Late,
    /// Gives up when it is its turn.
    Fickle,
}

impl Will {
    fn random(random: &mut Random) -> Self {
        match random.next_u64() % 10 {
            0 => Self::Apart,
            1 => Self::Impatient,
            2 => Self::Late,
            3 => Self::Fickle,
            _ => Self::Patient,
        }
    }
}

fn wake(next: Option<Arc<Session>>) {
    if let Some(next) = next {
        next.wake();
    }
}

impl World {
    /// One who wants the lock, from when it comes until it goes.
    fn visit(&self, random: &mut Random) {
        let ttl = Ttl::from_millis(60_000).expect("positive");
        let session = Session::new(b"key".into(), 1, Settings::new(ttl));
        let mut will = Will::random(random);
        let at_once = match will {
            Will::Apart => {
                self.lines.join_apart(&session);
                true
            }
            _ => self.lines.join(&session),
        };
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let begins = at_once || self.wait_for_turn(&session, &mut will, &waker);
        if begins && will != Will::Fickle {
            self.ask(&session, will, random, &waker, ttl);
        } else {
            wake(self.lines.leave(&session, os::now()));
        }
    }

    /// As `Acquiring::poll_turn` does. Whether it may ask.
    fn wait_for_turn(&self, session: &Arc<Session>, will: &mut Will, waker: &Waker) -> bool {
        loop {
            if let Turn::Begin(_) = self.lines.turn(session, os::now()) {
                return true;
            }
            session.note_owner(waker.clone());
            let Turn::Wait(until) = self.lines.turn(session, os::now()) else { return true };
            match will {
                Will::Impatient => return false,
                Will::Late => {
                    wake(self.lines.step_aside(session));
                    // It may have come to the front in this moment.
                    let aside = !self.is_front(session);
                    *will = if aside { Will::Apart } else { Will::Patient };
                }
                _ => sleep(until),
            }
        }
    }

    fn is_front(&self, session: &Arc<Session>) -> bool {
        let state = self.lines.state();
        let at = state.by_key.get(b"key".as_slice());
        super::is(at.and_then(|at| state.lines[*at].front.as_ref()), session)
    }

    /// Asks the server until it has the lock, once if it is apart.
    fn ask(
        &self,
        session: &Arc<Session>,
        will: Will,
        random: &mut Random,
        waker: &Waker,
        ttl: Ttl,
    ) {
        let in_line = will != Will::Apart;
        if in_line {
            assert_eq!(self.turns.fetch_add(1, Ordering::SeqCst), 0, "two have the turn");
        }
        let mut refused = false;
        // Who is refused sleeps until a hint, which comes from whoever held it apart.
        while self.taken.swap(true, Ordering::SeqCst) {
            refused = true;
            if !in_line {
                return wake(self.lines.leave(session, os::now()));
            }
            let mut mail = Mail::default();
            session.look(&mut mail, Some(waker.clone()));
            if mail.is_empty() && self.taken.load(Ordering::SeqCst) {
                sleep(Instant::NEVER);
            }
        }
        let now = os::now();
        let lease = Lease::new(ttl, Drift::DEFAULT, now);
        let mut tidings = Tidings::default();
        session.publish(Event::Acquired(lease), now, &mut tidings);
        tidings.tell(session.key());
        wake(self.lines.took(session, refused));
        self.had.fetch_add(1, Ordering::SeqCst);
        if random.next_u64() % 4 == 0 {
            thread::yield_now();
        }
        if in_line {
            self.turns.fetch_sub(1, Ordering::SeqCst);
        }
        self.taken.store(false, Ordering::SeqCst);
        wake(self.lines.leave(session, os::now()));
    }
}

/// Until the moment, or until it is woken; for ever means until it is woken.
fn sleep(until: Instant) {
    let began = os::now();
    thread::park_timeout(until.saturating_since(began).min(LOST));
    assert!(os::now().saturating_since(began) < LOST, "nobody has woken it");
}

#[test]
fn threads_take_turns_and_nobody_sleeps_for_ever() {
    let seed = os::seed();
    println!("seed {seed}");
    let world = World::default();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let world = &world;
            scope.spawn(move || {
                let mut random = Random::new(seed.wrapping_add(number));
                (0..ROUNDS).for_each(|_| world.visit(&mut random));
            });
        }
    });
    let state = world.lines.state();
    assert!(state.is_empty() && state.waiting == 0, "seed {seed}: somebody is left");
    assert_eq!(state.lines.len(), 1, "seed {seed}: places are used again");
    let had = world.had.load(Ordering::SeqCst);
    assert!(had > ROUNDS, "seed {seed}: only {had} had the lock");
}
