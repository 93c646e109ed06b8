//! One lock machine, with the inbox where its answers arrive, a note of who drives it, and what its
//! owner may believe.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use core::task::Waker;
use std::sync::{Arc, Mutex, MutexGuard};

use redlatch_core::{Answer, Event, Instant, Lease, Lock, Loss, Settings, Ticket};

use crate::driven::Driven;
use crate::errands::Errands;
use crate::key::Key;
use crate::mail::Mail;
use crate::os;
use crate::progress::Awaits;
use crate::seats::Seats;
use crate::sync::{Place, Wakers, lock};
use crate::trace::Untold;

/// A machine and its mail. Whoever drives it holds [`Session::machine`] while doing so, and waits
/// without holding anything.
pub(crate) struct Session {
    key: Key,
    /// When it was made, for somebody who wants the lock.
    asked: Instant,
    machine: Mutex<Driven>,
    inbox: Mutex<Inbox>,
    status: Mutex<Status>,
    cancelled: AtomicBool,
    abandoned: AtomicBool,
    in_line: AtomicU8,
    /// Which line that is.
    line: AtomicUsize,
    /// It waits for a visit of the reaper.
    queued: AtomicBool,
    /// The reaper drives, or has done so. Only the owner changes that.
    is_reapers: AtomicBool,
    /// Requests that were queued. Only whoever drives the machine adds to it.
    sent: AtomicU32,
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

struct Inbox {
    mail: Mail,
    driver: Driver,
    /// Answers that came.
    answered: u32,
}

/// Whom to wake when something arrives. The owner has a waker while it waits.
enum Driver {
    Owner(Option<Waker>),
    Reaper(Arc<Errands>),
}

/// Who drives the machine and is to be told that something has arrived, once no mutex is held.
#[must_use]
pub(crate) enum Call {
    Nobody,
    Owner(Waker),
    Reaper(Arc<Errands>),
}

/// What is to be told once no mutex is held: what the machine said, and a loss to those who wait for
/// one.
#[derive(Default)]
#[must_use]
pub(crate) struct Tidings {
    untold: Untold,
    watchers: Vec<Waker>,
}

impl Tidings {
    pub(crate) fn tell(self, key: &Key) {
        self.untold.tell(key);
        self.watchers.into_iter().for_each(Waker::wake);
    }
}

/// What the owner may believe. A loss stays.
#[derive(Default)]
struct Status {
    /// When it was taken.
    taken: Option<Instant>,
    lease: Option<Lease>,
    lost: Option<Loss>,
    watchers: Wakers,
}

impl Session {
    /// A lock that is not held, driven by its owner.
    pub(crate) fn new(key: Key, servers: usize, settings: Settings) -> Arc<Self> {
        let lock = Lock::new(key.clone(), Seats::new(servers), settings, os::seed());
        Arc::new(Self {
            key,
            asked: os::now(),
            machine: Mutex::new(Driven::new(lock)),
            inbox: Mutex::new(Inbox::new()),
            status: Mutex::default(),
            cancelled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            in_line: AtomicU8::new(InLine::Outside as u8),
            line: AtomicUsize::new(0),
            queued: AtomicBool::new(false),
            is_reapers: AtomicBool::new(false),
            sent: AtomicU32::new(0),
        })
    }

    /// Different for every session that there is.
    pub(crate) fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    /// When it was asked for.
    pub(crate) const fn asked(&self) -> Instant {
        self.asked
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Driven> {
        lock(&self.machine)
    }
}

/// Who drives.
impl Session {
    /// The owner drives the machine from now on, and does not wait: no waker is kept. Who takes the
    /// machine from the reaper holds it meanwhile, so that a step under way is finished.
    pub(crate) fn take(&self) {
        self.is_reapers.store(false, Ordering::Release);
        let before = self.drive_by(Driver::Owner(None));
        drop(before);
    }

    /// [Takes](Session::take) the machine if the reaper has it: mostly not.
    pub(crate) fn take_back(&self) {
        if self.is_reapers.load(Ordering::Acquire) {
            self.take();
        }
    }

    /// The reaper drives the machine from now on.
    pub(crate) fn hand_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        self.is_reapers.store(true, Ordering::Release);
        let before = self.drive_by(Driver::Reaper(Arc::clone(reaper)));
        drop(before);
        reaper.visit(Arc::clone(self));
    }

    /// The owner is gone. Never waits for a step under way: the reaper tells the machine.
    pub(crate) fn abandon_to(self: &Arc<Self>, reaper: &Arc<Errands>) {
        self.abandoned.store(true, Ordering::Release);
        self.hand_to(reaper);
    }

    /// Whether the owner drives: it has not gone. That stays so while [`Session::machine`] is held, as far as
    /// the machine goes.
    pub(crate) fn is_owned(&self) -> bool {
        matches!(lock(&self.inbox).driver, Driver::Owner(_))
    }

    #[must_use]
    fn drive_by(&self, driver: Driver) -> Driver {
        core::mem::replace(&mut lock(&self.inbox).driver, driver)
    }

    /// What has arrived, if the reaper drives. It is called again for what arrives later.
    pub(crate) fn reapers_mail(&self) -> Option<Mail> {
        let mut inbox = lock(&self.inbox);
        let is_reapers = matches!(inbox.driver, Driver::Reaper(_));
        is_reapers.then(|| core::mem::take(&mut inbox.mail))
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

    /// Gives where it stood before. Called under the mutex of the lines.
    pub(crate) fn set_in_line(&self, stands: InLine) -> InLine {
        let before = self.in_line();
        self.in_line.store(stands as u8, Ordering::Release);
        before
    }

    /// Which [line](crate::lines) it stands in, unless outside. Known under the mutex of the lines.
    pub(crate) fn line(&self) -> usize {
        self.line.load(Ordering::Relaxed)
    }

    pub(crate) fn set_line(&self, line: usize) {
        self.line.store(line, Ordering::Relaxed);
    }

    /// The owner's waker will be woken once, by [`Session::wake`].
    pub(crate) fn note_owner(&self, waker: Waker) {
        let before = self.drive_by(Driver::Owner(Some(waker)));
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
    /// A request was queued: its answer will be put in. Called under the mutexes of the machine and of the link.
    pub(crate) fn expect_answer(&self) {
        let sent = self.sent.load(Ordering::Relaxed);
        self.sent.store(sent.wrapping_add(1), Ordering::Relaxed);
    }

    /// What the owner, who has [looked](Session::look) with a waker, waits for.
    pub(crate) fn awaits(&self) -> Awaits {
        let inbox = lock(&self.inbox);
        let is_answered = inbox.answered == self.sent.load(Ordering::Relaxed);
        match inbox.driver {
            Driver::Owner(Some(_)) if !is_answered => Awaits::Answer,
            Driver::Owner(Some(_)) => Awaits::Push,
            _ => Awaits::Call,
        }
    }

    /// Puts an answer in that its driver has no use for before others have come.
    pub(crate) fn put(&self, ticket: Ticket, answer: Answer) {
        lock(&self.inbox).put(ticket, answer);
    }

    /// Puts an answer in. Gives whom to [call](Session::call): answers come in bunches.
    pub(crate) fn deliver(&self, ticket: Ticket, answer: Answer) -> Call {
        let mut inbox = lock(&self.inbox);
        inbox.put(ticket, answer);
        inbox.driver.call()
    }

    /// The key may be free. [Wake](Session::wake) the driver afterwards.
    pub(crate) fn put_hint(&self) {
        lock(&self.inbox).mail.hint();
    }

    /// The key may be free. Gives whom to call, too.
    pub(crate) fn hint(&self) -> Call {
        let mut inbox = lock(&self.inbox);
        inbox.mail.hint();
        inbox.driver.call()
    }

    /// Wakes the driver.
    pub(crate) fn wake(self: &Arc<Self>) {
        let call = lock(&self.inbox).driver.call();
        self.call(call);
    }

    /// Wakes whom something that arrived has called for.
    pub(crate) fn call(self: &Arc<Self>, call: Call) {
        match call {
            Call::Nobody => {}
            Call::Owner(waker) => waker.wake(),
            Call::Reaper(errands) => errands.visit(Arc::clone(self)),
        }
    }

    /// Takes all that has arrived, whoever drives.
    pub(crate) fn take_mail(&self) -> Mail {
        core::mem::take(&mut lock(&self.inbox).mail)
    }

    /// The owner drives the machine from now on, and takes all that has arrived into `mail`, which is
    /// empty. If that is nothing, its waker will be woken once when something arrives or the session
    /// is cancelled: look whether [it is](Session::is_cancelled) after this.
    pub(crate) fn look(&self, mail: &mut Mail, waker: Option<Waker>) {
        let mut inbox = lock(&self.inbox);
        let (waker, unused) = if inbox.mail.is_empty() {
            (waker, None)
        } else {
            core::mem::swap(mail, &mut inbox.mail);
            (None, waker)
        };
        let before = core::mem::replace(&mut inbox.driver, Driver::Owner(waker));
        drop(inbox);
        drop((before, unused));
    }
}

impl Inbox {
    fn new() -> Self {
        Self { mail: Mail::default(), driver: Driver::Owner(None), answered: 0 }
    }

    fn put(&mut self, ticket: Ticket, answer: Answer) {
        self.answered = self.answered.wrapping_add(1);
        self.mail.push(ticket, answer);
    }
}

impl Driver {
    /// Takes out whom to tell. The owner hears once, until it looks again.
    fn call(&mut self) -> Call {
        match self {
            Self::Owner(waker) => waker.take().map_or(Call::Nobody, Call::Owner),
            Self::Reaper(errands) => Call::Reaper(Arc::clone(errands)),
        }
    }
}

/// What the owner may believe.
impl Session {
    /// Notes what the machine said. Whoever drives it calls this before it lets go of the machine, and
    /// tells the tidings afterwards.
    pub(crate) fn publish(&self, event: Event, now: Instant, tidings: &mut Tidings) {
        tidings.untold.note(event);
        match event {
            Event::Acquired(lease) => {
                let mut status = lock(&self.status);
                (status.taken, status.lease) = (Some(now), Some(lease));
            }
            Event::Extended(lease) => lock(&self.status).lease = Some(lease),
            Event::Lost(loss) => {
                let mut status = lock(&self.status);
                status.lost = Some(loss);
                tidings.watchers.append(&mut status.watchers.take());
            }
            _ => {}
        }
    }

    /// When the lock was taken.
    pub(crate) fn taken(&self) -> Option<Instant> {
        lock(&self.status).taken
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
