//! What the workers share: the clock, the record, the end of the run, and a check of its own that
//! nobody meets anybody inside.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::options::Options;
use crate::record::{Entry, Record};

/// Where the workers act.
pub(crate) struct Stage {
    begun: Instant,
    length: Duration,
    /// How many workers are inside. It knows nothing of locks, so it can tell whether they work.
    inside: AtomicUsize,
    /// How often somebody entered while somebody was inside.
    pub(crate) overlaps: AtomicU64,
    record: Mutex<Record>,
    over: Mutex<bool>,
    /// Whoever watches has had enough.
    stopped: AtomicBool,
    ended: Condvar,
    news: Option<Sender<News>>,
}

/// Something to tell, for plain lines.
pub(crate) struct News {
    pub(crate) at: Duration,
    pub(crate) worker: usize,
    pub(crate) what: What,
}

pub(crate) enum What {
    Entered(Entry),
    Released,
    Trouble(String),
}

impl Stage {
    /// Opens the stage: time counts from here. The news come only where they are printed.
    pub(crate) fn open(options: &Options) -> (Self, Receiver<News>) {
        let (sender, news) = mpsc::channel();
        let stage = Self {
            begun: Instant::now(),
            length: options.length(),
            inside: AtomicUsize::new(0),
            overlaps: AtomicU64::new(0),
            record: Mutex::new(Record::new(
                options.workers.into(),
                options.length(),
                options.hold(),
            )),
            over: Mutex::new(false),
            stopped: AtomicBool::new(false),
            ended: Condvar::new(),
            news: (!options.draws()).then_some(sender),
        };
        (stage, news)
    }

    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What is left of the run.
    pub(crate) fn left(&self) -> Duration {
        self.length.saturating_sub(self.now())
    }

    /// Something that differs from run to run.
    pub(crate) fn seed(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() ^ u64::from(since.subsec_nanos()).rotate_left(32)
    }

    pub(crate) fn is_over(&self) -> bool {
        *lock(&self.over) || self.left().is_zero()
    }

    /// Ends the run and wakes everybody.
    pub(crate) fn end(&self) {
        *lock(&self.over) = true;
        self.ended.notify_all();
    }

    /// Ends the run, and all that would follow.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.end();
    }

    pub(crate) fn was_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Sleeps so long, or until the run is over.
    pub(crate) fn sleep(&self, time: Duration) {
        let time = time.min(self.left());
        let over = lock(&self.over);
        let waited = self.ended.wait_timeout_while(over, time, |over| !*over);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn waits(&self, worker: usize) {
        let now = self.now();
        lock(&self.record).waits(worker, now);
    }

    /// The worker has the lock.
    pub(crate) fn enters(&self, worker: usize) {
        if self.inside.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        let now = self.now();
        let entry = lock(&self.record).enters(worker, now);
        self.tell(now, worker, What::Entered(entry));
    }

    /// The worker is about to give the lock back, or has lost it.
    pub(crate) fn leaves(&self, worker: usize) {
        let now = self.now();
        lock(&self.record).leaves(worker, now);
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    /// The lock has been given back, or that did not go well.
    pub(crate) fn released(&self, worker: usize, outcome: Result<(), String>) {
        let what = match outcome {
            Ok(()) => What::Released,
            Err(trouble) => {
                lock(&self.record).meets(worker, trouble.clone());
                What::Trouble(trouble)
            }
        };
        self.tell(self.now(), worker, what);
    }

    /// The worker has ended.
    pub(crate) fn retires(&self, worker: usize) {
        let now = self.now();
        lock(&self.record).retires(worker, now);
    }

    pub(crate) fn fails(&self, worker: usize, what: String) {
        let now = self.now();
        lock(&self.record).fails(worker, what.clone(), now);
        self.tell(now, worker, What::Trouble(what));
    }

    pub(crate) fn snapshot(&self) -> Record {
        let mut record = lock(&self.record).clone();
        record.now = self.now().min(self.length);
        record
    }

    fn tell(&self, at: Duration, worker: usize, what: What) {
        if let Some(news) = &self.news {
            let _ = news.send(News { at, worker, what });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
