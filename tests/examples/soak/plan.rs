//! Which fault is next. The plan depends on the seed alone, but for faults that are tried again.

use core::fmt;

use redlatch_core::Random;

/// A class of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// SIGSTOP and later SIGCONT for a server.
    StopServer,
    /// The same for a worker.
    StopWorker,
    /// SIGKILL for a server, which comes back with its data.
    KillAndKeep,
    /// The same, and it comes back empty. Only where a majority is left.
    KillAndLose,
    /// CLIENT KILL
    ClientKill,
    /// CLIENT PAUSE
    ClientPause,
    /// SCRIPT FLUSH
    ScriptFlush,
    /// A script that does not end.
    BusyScript,
    /// `maxmemory 1`
    OutOfMemory,
    Reset,
    HalfOpen,
    Delay,
    Drip,
    Duplicate,
    Garbage,
    Cut,
    /// Requests of an old connection arrive behind those of a new one.
    Reorder,
}

impl Class {
    pub(crate) const ALL: [Self; 17] = [
        Self::StopServer,
        Self::StopWorker,
        Self::KillAndKeep,
        Self::KillAndLose,
        Self::ClientKill,
        Self::ClientPause,
        Self::ScriptFlush,
        Self::BusyScript,
        Self::OutOfMemory,
        Self::Reset,
        Self::HalfOpen,
        Self::Delay,
        Self::Drip,
        Self::Duplicate,
        Self::Garbage,
        Self::Cut,
        Self::Reorder,
    ];
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::StopServer => "stop a server",
            Self::StopWorker => "stop a worker",
            Self::KillAndKeep => "kill, data kept",
            Self::KillAndLose => "kill, data lost",
            Self::ClientKill => "CLIENT KILL",
            Self::ClientPause => "CLIENT PAUSE",
            Self::ScriptFlush => "SCRIPT FLUSH",
            Self::BusyScript => "busy script",
            Self::OutOfMemory => "maxmemory 1",
            Self::Reset => "reset",
            Self::HalfOpen => "half-open",
            Self::Delay => "delay",
            Self::Drip => "drip",
            Self::Duplicate => "duplicate reply",
            Self::Garbage => "garbage",
            Self::Cut => "cut in a reply",
            Self::Reorder => "reorder",
        })
    }
}

/// One fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) class: Class,
    /// Whom it strikes, modulo how many there are.
    pub(crate) target: u64,
    /// How long or how hard, of 1000.
    pub(crate) share: u64,
}

/// The faults of one seed, without end: each class once, in random order, then again.
pub(crate) struct Plan {
    random: Random,
    left: Vec<Class>,
}

impl Plan {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), left: Vec::new() }
    }

    fn below(&mut self, count: u64) -> u64 {
        self.random.next_u64() % count
    }

    /// The next one of this class.
    pub(crate) fn fault(&mut self, class: Class) -> Fault {
        Fault { class, target: self.random.next_u64(), share: self.below(1001) }
    }

    /// The class that is next.
    pub(crate) fn turn(&mut self) -> Class {
        if self.left.is_empty() {
            self.left = Class::ALL.to_vec();
        }
        let at = self.below(self.left.len() as u64) as usize;
        self.left.swap_remove(at)
    }
}
