//! Everything that the workers have told, and what was wrong with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::histogram::Histogram;
use crate::keys::KEYS;
use crate::ledger::Ledger;
use crate::line::Line;
use crate::updates::Updates;

/// A worker has no more kinds of outcomes than this.
const WORDS_MAX: usize = 40;
/// So much of what was wrong is told in words.
const TOLD: usize = 5;

/// One book for all workers.
#[derive(Clone)]
pub(crate) struct Shelf(Arc<Mutex<Book>>);

impl Shelf {
    pub(crate) fn new(secret: &str, workers: &[&'static str]) -> Self {
        Self(Arc::new(Mutex::new(Book::new(secret, workers))))
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the workers have told.
pub(crate) struct Book {
    secret: String,
    pub(crate) ledger: Ledger,
    pub(crate) updates: Updates,
    pub(crate) accounts: Vec<Account>,
    /// Lines with the password in them.
    pub(crate) secrets: u64,
    pub(crate) panics: Told,
    /// What else no worker may say.
    pub(crate) complaints: Told,
}

/// A number, and the first few in words.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) count: u64,
    pub(crate) first: Vec<String>,
}

impl Told {
    pub(crate) fn add(&mut self, text: String) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(text);
        }
    }
}

/// What one worker has told.
pub(crate) struct Account {
    pub(crate) who: &'static str,
    pub(crate) is_ready: bool,
    pub(crate) is_done: bool,
    pub(crate) words: BTreeMap<String, u64>,
    pub(crate) free: Histogram,
    pub(crate) contended: Histogram,
}

impl Account {
    fn new(who: &'static str) -> Self {
        Self {
            who,
            is_ready: false,
            is_done: false,
            words: BTreeMap::new(),
            free: Histogram::default(),
            contended: Histogram::default(),
        }
    }

    pub(crate) fn count(&self, word: &str) -> u64 {
        self.words.get(word).copied().unwrap_or(0)
    }
}

impl Book {
    fn new(secret: &str, workers: &[&'static str]) -> Self {
        Self {
            secret: secret.to_owned(),
            ledger: Ledger::new(KEYS),
            updates: Updates::new(KEYS),
            accounts: workers.iter().map(|who| Account::new(who)).collect(),
            secrets: 0,
            panics: Told::default(),
            complaints: Told::default(),
        }
    }

    /// A line of the standard output of a worker.
    pub(crate) fn output(&mut self, worker: usize, text: &str) {
        if self.hides_secret(text) {
            return;
        }
        let told = text.parse().and_then(|line| self.note(worker, line));
        if let Err(wrong) = told {
            self.complaints.add(format!("{}: {wrong}", self.accounts[worker].who));
        }
    }

    /// A line of the standard error of a worker, which has nothing to say there.
    pub(crate) fn error(&mut self, worker: usize, text: &str) {
        if !self.hides_secret(text) {
            self.complaints.add(format!("{}: {text}", self.accounts[worker].who));
        }
    }

    /// Whether the password is in it. It is then told nowhere.
    pub(crate) fn hides_secret(&mut self, text: &str) -> bool {
        let found = text.contains(&self.secret);
        self.secrets += u64::from(found);
        found
    }

    pub(crate) fn are_ready(&self) -> bool {
        self.accounts.iter().all(|account| account.is_ready)
    }

    pub(crate) fn total(&self, word: &str) -> u64 {
        self.accounts.iter().map(|account| account.count(word)).sum()
    }

    fn note(&mut self, worker: usize, line: Line) -> Result<(), String> {
        let account = &mut self.accounts[worker];
        match line {
            Line::Ready => account.is_ready = true,
            Line::Done => account.is_done = true,
            Line::Count(word) => {
                if account.words.len() >= WORDS_MAX && !account.words.contains_key(&word) {
                    return Err(format!("one outcome too many: {word}"));
                }
                *account.words.entry(word).or_default() += 1;
            }
            Line::Took { contended: true, nanos } => account.contended.add(nanos),
            Line::Took { contended: false, nanos } => account.free.add(nanos),
            Line::Held(held) => self.ledger.note(held, account.who)?,
            Line::Wrote(wrote) => self.updates.note(wrote, account.who)?,
            Line::Panic(text) => self.panics.add(format!("{}: {text}", account.who)),
        }
        Ok(())
    }
}
