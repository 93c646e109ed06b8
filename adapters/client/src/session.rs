//! One lock machine, with the inbox where its answers arrive, a note of who drives it, and what its
//! owner may believe.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use core::task::{Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use redlatch_core::{Answer, Event, Instant, Lease, Lock, Loss, Seat, Settings, Ticket};

use crate::errands::Errands;
use crate::key::Key;
use crate::os;
use crate::sync::{Place, Wakers, lock};
use crate::trace::Untold;

/// The machine itself.
pub(crate) type Machine = Lock<Key, Vec<Seat>>;

/// A machine and its mail. Whoever drives it holds [`Session::machine`] while doing so, and waits
/// without holding anything.
pub(crate) struct Session {
    id: u64,
    key: Key,
    machine: Mutex<Driven>,
    inbox: Mutex<Inbox>,
    status: Mutex<Status>,
    cancelled: AtomicBool,
    abandoned: AtomicBool,
    in_line: AtomicU8,
    /// It waits for a visit of the reaper.
    queued: AtomicBool,
}

/// Where its owner stands in the [line](crate::lines) for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InLine {
    Outside,
    /// Nothing is asked for it.
    Behind,
    /// In front or apart.
    Asking,
    Holding,
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

/// Whom to wake when something arrives. The owner has a waker while it waits.
enum Driver {
    Owner(Option<Waker>),
    Reaper(Arc<Errands>),
}

/// What a driver finds in the inbox.
pub(crate) enum Incoming {
    Answer(Ticket, Answer),
    Hint,
}

/// What the owner may believe. A loss stays.
#[derive(Default)]
struct Status {
    untold: Untold,
    /// When it was taken.
    taken: Option<Instant>,
    lease: Option<Lease>,
    lost: Option<Loss>,
    watchers: Wakers,
}

impl Session {
    /// A lock that is not held, driven by its owner.
    pub(crate) fn new(key: Key, servers: usize, settings: Settings) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let lock = Lock::new(key.clone(), vec![Seat::default(); servers], settings, os::seed());
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            key,
            machine: Mutex::new(Driven { lock, listed: None }),
            inbox: Mutex::new(Inbox {
                answers: VecDeque::new(),
                hint: false,
                driver: Driver::Owner(None),
            }),
            status: Mutex::default(),
            cancelled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            in_line: AtomicU8::new(InLine::Outside as u8),
            queued: AtomicBool::new(false),
        })
    }

    /// Different for every session of the process.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Driven> {
        lock(&self.machine)
    }
}

/// Who drives.
impl Session {
    /// The owner drives the machine from now on. The reaper, if it is at it, finishes its step
    /// first.
    pub(crate) fn take(&self) {
        let step_under_way = self.machine();
        let before = self.drive_by(Driver::Owner(None));
        drop(step_under_way);
        drop(before);
    }

    /// The owner does not wait any more: its waker, and with it a task, need not be kept.
    pub(crate) fn rest(&self) {
        let before = self.drive_by(Driver::Owner(None));
        drop(before);
    }

    /// The reaper drives the machine from now on.
    pub(crate) fn hand_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        let before = self.drive_by(Driver::Reaper(Arc::clone(reaper)));
        drop(before);
        reaper.visit(Arc::clone(self));
    }

    /// The owner is gone. Never waits for a step under way: the reaper tells the machine.
    pub(crate) fn abandon_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        self.abandoned.store(true, Ordering::Release);
        self.hand_to(reaper);
    }

    #[must_use]
    fn drive_by(&self, driver: Driver) -> Driver {
        core::mem::replace(&mut lock(&self.inbox).driver, driver)
    }

    pub(crate) fn is_reapers(&self) -> bool {
        matches!(lock(&self.inbox).driver, Driver::Reaper(_))
    }

    /// Whether the owner went since the last look.
    pub(crate) fn take_abandoned(&self) -> bool {
        self.abandoned.swap(false, Ordering::AcqRel)
    }

    /// Notes that it waits for a visit. Whether it did not before.
    pub(crate) fn queue(&self) -> bool {
        !self.queued.swap(true, Ordering::AcqRel)
    }

    /// Notes that the visit has come.
    pub(crate) fn unqueue(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// The client is shut down: whoever waits for the lock shall stop.
    pub(crate) fn cancel(self: &Arc<Self>) {
        self.cancelled.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

/// The line.
impl Session {
    pub(crate) fn in_line(&self) -> InLine {
        InLine::of(self.in_line.load(Ordering::Acquire))
    }

    /// Gives where it stood before.
    pub(crate) fn set_in_line(&self, place: InLine) -> InLine {
        InLine::of(self.in_line.swap(place as u8, Ordering::AcqRel))
    }

    /// Hints at the key if it is asked for; whether it is.
    pub(crate) fn hint_if_asking(&self) -> bool {
        let asking = self.in_line() == InLine::Asking;
        if asking {
            self.hint();
        }
        asking
    }

    /// The owner's waker will be woken once, by [`Session::wake`]. What was hinted at is forgotten: it is
    /// not asked for yet.
    pub(crate) fn note_owner(&self, waker: &Waker) {
        let fresh = waker.clone();
        let mut inbox = lock(&self.inbox);
        inbox.hint = false;
        let before = core::mem::replace(&mut inbox.driver, Driver::Owner(Some(fresh)));
        drop(inbox);
        drop(before);
    }
}

impl InLine {
    const fn of(number: u8) -> Self {
        match number {
            0 => Self::Outside,
            1 => Self::Behind,
            2 => Self::Asking,
            _ => Self::Holding,
        }
    }
}

/// What arrives.
impl Session {
    /// Puts an answer in, without waking the driver: answers come in bunches.
    pub(crate) fn deliver(&self, ticket: Ticket, answer: Answer) {
        lock(&self.inbox).answers.push_back((ticket, answer));
    }

    /// The key may be free. Does not wake the driver either.
    pub(crate) fn hint(&self) {
        lock(&self.inbox).hint = true;
    }

    /// Wakes the driver.
    pub(crate) fn wake(self: &Arc<Self>) {
        let mut inbox = lock(&self.inbox);
        match &mut inbox.driver {
            Driver::Owner(waker) => {
                let waker = waker.take();
                drop(inbox);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Driver::Reaper(errands) => {
                let errands = Arc::clone(errands);
                drop(inbox);
                errands.visit(Arc::clone(self));
            }
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

    /// Ready when something is in the inbox, or the session is cancelled; else the owner's waker
    /// will be woken once when that happens.
    pub(crate) fn poll_incoming(&self, waker: &Waker) -> Poll<()> {
        let fresh = waker.clone();
        let mut inbox = lock(&self.inbox);
        if self.is_cancelled() || !inbox.answers.is_empty() || inbox.hint {
            drop(inbox);
            return Poll::Ready(());
        }
        let before = core::mem::replace(&mut inbox.driver, Driver::Owner(Some(fresh)));
        drop(inbox);
        drop(before);
        Poll::Pending
    }
}

/// What the owner may believe.
impl Session {
    /// Notes what the machine said. Whoever drives it calls this before it lets go of the machine.
    pub(crate) fn publish(&self, event: Event, now: Instant) {
        let mut status = lock(&self.status);
        status.untold.note(event);
        match event {
            Event::Acquired(lease) => (status.taken, status.lease) = (Some(now), Some(lease)),
            Event::Extended(lease) => status.lease = Some(lease),
            Event::Lost(loss) => status.lost = Some(loss),
            _ => {}
        }
    }

    /// When the lock was taken.
    pub(crate) fn taken(&self) -> Option<Instant> {
        lock(&self.status).taken
    }

    /// Tells what was published, and wakes those who wait for a loss, if there is one.
    pub(crate) fn tell(&self) {
        let mut status = lock(&self.status);
        let untold = status.untold.take();
        let watchers = if status.lost.is_some() { status.watchers.take() } else { Vec::new() };
        drop(status);
        untold.tell(&self.key);
        watchers.into_iter().for_each(Waker::wake);
    }

    /// The lease, or why it is lost; `None` when it has run out and the machine has not said why.
    pub(crate) fn standing(&self, now: Instant) -> Option<Result<Lease, Loss>> {
        let status = lock(&self.status);
        match status.lost {
            Some(loss) => Some(Err(loss)),
            None => status.lease.filter(|lease| lease.is_valid(now)).map(Ok),
        }
    }

    /// Notes who is to be woken by a loss. Call it before the look, so that none is missed.
    pub(crate) fn watch(&self, place: &mut Place, waker: &Waker) {
        let fresh = waker.clone();
        let before = lock(&self.status).watchers.note(place, fresh);
        drop(before);
    }

    /// The opposite of [`Session::watch`].
    pub(crate) fn leave_watchers(&self, place: &Place) {
        let before = lock(&self.status).watchers.leave(place);
        drop(before);
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
