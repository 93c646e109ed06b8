//! Time, trouble, and what must hold.

use core::array;

use redlatch_core::Random;
use redlatch_testkit::model::{Dialect, Server, Settings, Value};

use super::board::{AnyBoard, Board, KEY};
use super::line::{Kind, Line};

const BOARDS: usize = 3;
/// How long there is trouble, in microseconds.
const TROUBLE: u64 = 3_000_000;
/// How long the boards have to recover.
const RECOVERY: u64 = 60_000_000;
/// Turns at one moment before it counts as spinning.
const TURNS_MAX: u32 = 200;

/// What happened in all worlds.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) acquired: u64,
    pub(crate) refused: u64,
    unreachable: u64,
    extended: u64,
    pub(crate) released: u64,
    dropped: u64,
    unconfirmed: u64,
    lost: u64,
    misheard: u64,
    pub(crate) faults: u64,
    pub(crate) connections: u64,
    turns: u64,
    seconds: u64,
    longest_recovery_ms: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, other: &Self) {
        self.acquired += other.acquired;
        self.refused += other.refused;
        self.unreachable += other.unreachable;
        self.extended += other.extended;
        self.released += other.released;
        self.dropped += other.dropped;
        self.unconfirmed += other.unconfirmed;
        self.lost += other.lost;
        self.misheard += other.misheard;
        self.faults += other.faults;
        self.connections += other.connections;
        self.turns += other.turns;
        self.seconds += other.seconds;
        self.longest_recovery_ms = self.longest_recovery_ms.max(other.longest_recovery_ms);
    }
}

pub(crate) struct World {
    now: u64,
    servers: Vec<Server>,
    boards: Vec<Box<dyn AnyBoard>>,
    random: Random,
    next_trouble: u64,
    turns: u64,
}

impl World {
    pub(crate) fn new(seed: u64, servers: usize, kind: Kind) -> Self {
        let mut random = Random::new(seed);
        let boards = (0..BOARDS).map(|_| board(servers, kind, random.next_u64())).collect();
        // Some have a command of their own that compares and deletes.
        let dialects = [Dialect::Redis7, Dialect::Redis8_6, Dialect::Valkey9];
        let dialects = dialects.into_iter().cycle().skip(seed as usize % 3);
        let of = |dialect| Server::new(Settings::default().dialect(dialect));
        let servers = dialects.take(servers).map(of).collect();
        Self { now: 1_000_000, servers, boards, random, next_trouble: 1_000_000, turns: 0 }
    }

    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn run(&mut self) -> Result<Summary, String> {
        let start = self.now;
        let end = start + TROUBLE;
        while self.now < end {
            self.make_trouble();
            self.turn()?;
            self.pass(end.min(self.next_trouble))?;
        }
        self.recover()?;
        let recovery = self.now - end;
        let mut summary = Summary {
            turns: self.turns,
            seconds: (self.now - start) / 1_000_000,
            longest_recovery_ms: recovery / 1000,
            ..Summary::default()
        };
        for board in &mut self.boards {
            let fared = board.fared();
            summary.acquired += fared.acquired;
            summary.refused += fared.refused;
            summary.unreachable += fared.unreachable;
            summary.extended += fared.extended;
            summary.released += fared.released;
            summary.dropped += fared.dropped;
            summary.unconfirmed += fared.unconfirmed;
            summary.lost += fared.lost;
            summary.misheard += fared.misheard;
            summary.faults += board.lines().iter().map(|line| line.faults).sum::<u64>();
            summary.connections += board.lines().iter().map(|line| line.connections).sum::<u64>();
        }
        Ok(summary)
    }

    /// Everybody does what there is to do at this moment.
    fn turn(&mut self) -> Result<(), String> {
        for at in 0..self.boards.len() {
            let mut turns = 0;
            loop {
                self.servers.iter_mut().for_each(|server| server.advance(self.now));
                self.boards[at].turn(&mut self.servers, self.now)?;
                self.check()?;
                turns += 1;
                self.turns += 1;
                if self.boards[at].next() > self.now {
                    break;
                }
                if turns > TURNS_MAX {
                    return Err(format!("board {at} spins: {}", self.boards[at].faults()));
                }
            }
        }
        Ok(())
    }

    /// Time passes until something happens, to `most` at most.
    fn pass(&mut self, most: u64) -> Result<(), String> {
        let boards = self.boards.iter().map(|board| board.next());
        let servers = self.servers.iter().filter_map(Server::next_wake);
        let next = boards.chain(servers).min().unwrap_or(u64::MAX).min(most);
        if next <= self.now && most > self.now {
            return Err(format!("time stands still until {next}"));
        }
        self.now = next.max(self.now);
        self.servers.iter_mut().for_each(|server| server.advance(self.now));
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        let believers = self.boards.iter().filter(|board| board.believes(self.now)).count();
        if believers > 1 {
            return Err(format!("{believers} boards believe in the lock"));
        }
        if believers == 1 {
            let shown =
                |server: &Server| server.get(0, KEY).and_then(Value::text).map(<[u8]>::to_vec);
            let values: Vec<_> = self.servers.iter().filter_map(shown).collect();
            let same = |value: &Vec<u8>| values.iter().filter(|other| *other == value).count();
            let most = values.iter().map(same).max().unwrap_or(0);
            if most <= self.servers.len() / 2 {
                return Err("a board believes in a lock that no majority has".into());
            }
        }
        Ok(())
    }

    fn make_trouble(&mut self) {
        if self.now < self.next_trouble {
            return;
        }
        self.next_trouble = self.now + 10_000 + self.random.next_u64() % 150_000;
        let pick = |random: &mut Random, most: usize| {
            usize::try_from(random.next_u64() % u64::try_from(most).expect("few")).expect("small")
        };
        let (board, server) =
            (pick(&mut self.random, BOARDS), pick(&mut self.random, self.servers.len()));
        let span = self.random.next_u64() % 300_000;
        let line = &mut self.boards[board].lines()[server];
        match self.random.next_u64() % 4 {
            0 => line.frozen_until = self.now + span,
            1 => line.kill(&mut self.servers[server]),
            _ => line.noisy_until = self.now + span,
        }
    }

    /// The lines are clean and nobody wants anything: everything must be given back, and every
    /// board connected.
    fn recover(&mut self) -> Result<(), String> {
        for board in &mut self.boards {
            board.retire(self.now);
            board.lines().iter_mut().for_each(Line::heal);
        }
        let end = self.now + RECOVERY;
        loop {
            self.turn()?;
            let settled = self.boards.iter().all(|board| board.is_settled());
            let gone = self.servers.iter().all(|server| server.get(0, KEY).is_none());
            if settled && gone {
                return Ok(());
            }
            if self.now >= end {
                let faults: Vec<_> = self.boards.iter().map(|board| board.faults()).collect();
                return Err(format!("not recovered, keys gone {gone}: {}", faults.join("; ")));
            }
            self.pass(end)?;
        }
    }
}

fn board(servers: usize, kind: Kind, seed: u64) -> Box<dyn AnyBoard> {
    match servers {
        1 => Box::new(Board::<1>::new(array::from_fn(|_| Line::new(kind)), seed)),
        3 => Box::new(Board::<3>::new(array::from_fn(|_| Line::new(kind)), seed)),
        other => panic!("no world has {other} servers"),
    }
}
