//! What a check must catch, done on purpose by one lane of the process of threads.

use core::time::Duration;
use std::fs::File;
use std::process;
use std::thread;

use redlatch_core::Retry;
use redlatch_std::Client;
use redlatch_testkit::server::Inspector;

use super::lane::Shared;
use super::stay::Stay;
use crate::clock;
use crate::keys::{Group, name};
use crate::line::Line;
use crate::options::Cheat;

/// A lane that does not hold for long: it has many turns, and finds many locks taken.
const LANE: u64 = 1;
/// What is grown by in one turn, and how often at most.
const STEP: usize = 1 << 20;
const STEPS_MAX: usize = 500;
const SECOND: Duration = Duration::from_secs(1);

/// Who cheats, or does not.
pub(crate) struct Cheater<'a> {
    cheat: Option<Cheat>,
    shared: &'a Shared,
    lane: u64,
    memory: Vec<Vec<u8>>,
    files: Vec<File>,
}

impl<'a> Cheater<'a> {
    pub(crate) fn new(shared: &'a Shared, lane: u64) -> Self {
        let cheat = shared.worker.cheat.filter(|_| lane == LANE);
        Self { cheat, shared, lane, memory: Vec::new(), files: Vec::new() }
    }

    /// Somebody else has the lock.
    pub(crate) fn refused(&self, key: usize) {
        let always = || SECOND;
        match self.cheat {
            Some(Cheat::Exclusion) => {
                let mut stay = Stay::begin(self.shared, key, clock::now(), false);
                thread::sleep(Duration::from_millis(5));
                stay.leave(always, None);
                stay.end("released", false);
            }
            Some(Cheat::Update) => {
                let mut stay = Stay::begin(self.shared, key, clock::now(), false);
                if let Some(read) = stay.read() {
                    thread::sleep(Duration::from_millis(5));
                    stay.write(self.lane, read, always);
                }
                stay.end("released", false);
            }
            _ => {}
        }
    }

    /// One turn is over.
    pub(crate) fn turn(&mut self) {
        match self.cheat {
            Some(Cheat::Memory) if self.memory.len() < STEPS_MAX => {
                self.memory.push(vec![1; STEP]);
            }
            Some(Cheat::Descriptors) if self.files.len() < STEPS_MAX => {
                self.files.extend(File::open("/dev/null"));
            }
            Some(Cheat::Delete) => self.delete(),
            Some(Cheat::Panic) => panic!("as it was told"),
            Some(Cheat::Noise) => eprintln!("something is odd"),
            Some(Cheat::Unexpected) => self.count("unexpected"),
            Some(Cheat::Death) => process::exit(7),
            Some(Cheat::Secret) => self.count(&self.shared.orders.urls[0]),
            _ => {}
        }
    }

    fn count(&self, word: &str) {
        self.shared.diary.tell(&[Line::Count(word.to_owned())]);
    }

    fn delete(&self) {
        let (password, address) = self.shared.orders.single();
        let Ok(address) = address.parse() else { return };
        let Ok(mut plain) = Inspector::connect(address, Some(password), SECOND) else { return };
        for key in Group::Single.keys() {
            let _ = plain.command(&["DEL", &name(key)]);
        }
    }

    /// The lane is over.
    pub(crate) fn ends(&self, client: &Client) {
        let ttl = match self.cheat {
            // Longer than the end of a busy machine takes.
            Some(Cheat::Orphan) => SECOND * 3,
            Some(Cheat::Eternal) => Duration::from_secs(600),
            _ => return,
        };
        let patience = Retry::until(Duration::from_secs(5));
        // Whoever detaches a guard keeps the key.
        let _ = client.lock_with(&*name(0), ttl, patience).map(|guard| guard.detach());
    }
}
