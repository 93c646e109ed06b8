//! One lock machine, with the inbox where its answers arrive and a note of who drives it.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, Thread};

use redlatch_client::os;
use redlatch_core::{Answer, Instant, Lock, Seat, Settings, Ticket};

use crate::reaper::Errands;
use crate::sync::lock;

/// The machine itself.
pub(crate) type Machine = Lock<Vec<u8>, Vec<Seat>>;

/// A machine and its mail. Whoever drives it holds [`Session::machine`] while doing so, and waits
/// without holding anything.
pub(crate) struct Session {
    id: u64,
    machine: Mutex<Driven>,
    inbox: Mutex<Inbox>,
    cancelled: AtomicBool,
    abandoned: AtomicBool,
}

/// What is only touched by the current driver.
pub(crate) struct Driven {
    pub(crate) lock: Machine,
    /// Under which moment the reaper has it in its list.
    pub(crate) listed: Option<Instant>,
}

struct Inbox {
    answers: VecDeque<(Ticket, Answer)>,
    hint: bool,
    driver: Driver,
}

/// Whom to wake when something arrives.
#[derive(Clone)]
enum Driver {
    Caller(Thread),
    Reaper(Arc<Errands>),
}

/// What a driver finds in the inbox.
pub(crate) enum Incoming {
    Answer(Ticket, Answer),
    Hint,
}

impl Session {
    /// A lock that is not held, driven by this thread.
    pub(crate) fn new(key: Vec<u8>, servers: usize, settings: Settings) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let lock = Lock::new(key, vec![Seat::default(); servers], settings, os::seed());
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            machine: Mutex::new(Driven { lock, listed: None }),
            inbox: Mutex::new(Inbox {
                answers: VecDeque::new(),
                hint: false,
                driver: Driver::Caller(thread::current()),
            }),
            cancelled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        })
    }

    /// Different for every session of the process.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Driven> {
        lock(&self.machine)
    }

    /// This thread drives the machine from now on. The reaper, if it is at it, finishes its step
    /// first.
    pub(crate) fn take(&self) {
        let _no_step_under_way = self.machine();
        lock(&self.inbox).driver = Driver::Caller(thread::current());
    }

    /// The reaper drives the machine from now on.
    pub(crate) fn hand_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        lock(&self.inbox).driver = Driver::Reaper(Arc::clone(reaper));
        reaper.visit(Arc::clone(self));
    }

    /// The owner is gone. Never waits for a step under way: the reaper tells the machine.
    pub(crate) fn abandon_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        self.abandoned.store(true, Ordering::Release);
        self.hand_to(reaper);
    }

    pub(crate) fn is_reapers(&self) -> bool {
        matches!(lock(&self.inbox).driver, Driver::Reaper(_))
    }

    /// Whether the owner went since the last look.
    pub(crate) fn take_abandoned(&self) -> bool {
        self.abandoned.swap(false, Ordering::AcqRel)
    }

    /// The client is shut down: whoever waits for the lock shall stop.
    pub(crate) fn cancel(self: &Arc<Self>) {
        self.cancelled.store(true, Ordering::Release);
        self.hint();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Puts an answer in, without waking the driver: answers come in bunches.
    pub(crate) fn deliver(&self, ticket: Ticket, answer: Answer) {
        lock(&self.inbox).answers.push_back((ticket, answer));
    }

    /// The key may be free.
    pub(crate) fn hint(self: &Arc<Self>) {
        lock(&self.inbox).hint = true;
        self.wake();
    }

    /// Wakes the driver.
    pub(crate) fn wake(self: &Arc<Self>) {
        let driver = lock(&self.inbox).driver.clone();
        match driver {
            Driver::Caller(thread) => thread.unpark(),
            Driver::Reaper(errands) => errands.visit(Arc::clone(self)),
        }
    }

    /// Takes the next thing out of the inbox.
    pub(crate) fn incoming(&self) -> Option<Incoming> {
        let mut inbox = lock(&self.inbox);
        if let Some((ticket, answer)) = inbox.answers.pop_front() {
            return Some(Incoming::Answer(ticket, answer));
        }
        core::mem::take(&mut inbox.hint).then_some(Incoming::Hint)
    }

    /// Waits until something is in the inbox, or until the moment. For the driving thread.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        while self.is_empty() && !self.is_cancelled() {
            let Some(until) = until else {
                thread::park();
                continue;
            };
            let left = until.saturating_since(os::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }

    fn is_empty(&self) -> bool {
        let inbox = lock(&self.inbox);
        inbox.answers.is_empty() && !inbox.hint
    }
}

#[cfg(test)]
mod tests {
    use super::{Incoming, Session};
    use core::time::Duration;
    use redlatch_client::os;
    use redlatch_core::{Answer, Output, Settings, Ticket, Ttl};
    use std::sync::Arc;
    use std::thread;

    fn session() -> Arc<Session> {
        let ttl = Ttl::from_millis(1000).expect("positive");
        Session::new(b"key".to_vec(), 1, Settings::new(ttl))
    }

    /// The ticket of the first request.
    fn ticket(session: &Session) -> Ticket {
        let mut machine = session.machine();
        machine.lock.acquire(os::now());
        let token = os::token().expect("randomness");
        machine.lock.provide(token, os::now()).expect("fresh");
        match machine.lock.poll_output() {
            Output::Send { ticket, .. } => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_from_another_thread_ends_the_waiting() {
        let session = session();
        let ticket = ticket(&session);
        let there = Arc::clone(&session);
        let thread = thread::spawn(move || {
            there.deliver(ticket, Answer::Ok);
            there.wake();
        });
        session.wait(None);
        assert!(matches!(session.incoming(), Some(Incoming::Answer(_, Answer::Ok))));
        assert!(session.incoming().is_none());
        thread.join().expect("no panic");
    }

    /// Bytes before time, and answers before hints.
    #[test]
    fn answers_come_out_in_order_and_hints_after_them_once() {
        let session = session();
        let ticket = ticket(&session);
        session.hint();
        session.hint();
        session.deliver(ticket, Answer::Ok);
        session.deliver(ticket, Answer::Nil);
        session.wait(None);
        assert!(matches!(session.incoming(), Some(Incoming::Answer(_, Answer::Ok))));
        assert!(matches!(session.incoming(), Some(Incoming::Answer(_, Answer::Nil))));
        assert!(matches!(session.incoming(), Some(Incoming::Hint)));
        assert!(session.incoming().is_none());
    }

    #[test]
    fn waiting_ends_at_the_moment_and_when_cancelled() {
        let session = session();
        let until = os::now().saturating_add(Duration::from_millis(20));
        session.wait(Some(until));
        assert!(os::now() >= until);
        session.cancel();
        session.wait(None);
        assert!(session.is_cancelled());
    }

    /// Another thread drives on: it is the one that is woken.
    #[test]
    fn the_last_to_take_it_is_woken() {
        let session = session();
        let there = Arc::clone(&session);
        let (taken, is_taken) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            there.take();
            taken.send(()).expect("heard");
            there.wait(None);
        });
        is_taken.recv().expect("said");
        session.hint();
        thread.join().expect("woken");
    }
}
