//! What a seed draws: how large the world is, what goes wrong in it and how often.

use core::fmt;
use core::str::FromStr;

use redlatch_model::Dialect;

use crate::dice::Dice;

/// Something that goes wrong inside the stated bounds. Each seed draws which of them, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client's connection breaks; what is on its way still arrives, or a part of it, also after
    /// the requests of the next connection.
    Reset,
    /// The server ends a connection (`CLIENT KILL`), between two replies or within one.
    Kill,
    /// Bytes take up to 1.2 ttl.
    Slow,
    /// A connection carries nothing any more, and nobody is told.
    Silence,
    /// A connection cannot be opened.
    Unreachable,
    /// Bytes come one at a time, and in pieces of any size.
    Drip,
    /// One request is refused with an error line.
    Refuse,
    /// A server refuses for a while: loading, busy, full, replica, cluster down; or never answers those
    /// who connect meanwhile.
    Trouble,
    /// A server forgets its scripts.
    Flush,
    /// A server starts again, with its keys or without. Clients give it no vote for a ttl.
    Restart,
    /// A server stands still, for up to 2 ttl.
    Freeze,
    /// Pushes come between replies and inside of them.
    Push,
    /// A client stands still, for up to 3 ttl.
    Pause,
    /// A client loses interest while it waits, extends or holds.
    Cancel,
    /// A client dies and comes back knowing nothing.
    Crash,
    /// A client is told without reason that the key may be free.
    Hint,
    /// A server tells of changes that have not happened, again and again.
    Storm,
    /// A server tells of a change twice.
    Double,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Reset,
        Self::Kill,
        Self::Slow,
        Self::Silence,
        Self::Unreachable,
        Self::Drip,
        Self::Refuse,
        Self::Trouble,
        Self::Flush,
        Self::Restart,
        Self::Freeze,
        Self::Push,
        Self::Pause,
        Self::Cancel,
        Self::Crash,
        Self::Hint,
        Self::Storm,
        Self::Double,
    ];

    /// The highest rate that is drawn, per mille of its occasions: requests, or acts of an owner.
    const fn highest(self) -> u64 {
        match self {
            Self::Reset | Self::Slow => 60,
            Self::Refuse | Self::Unreachable => 80,
            Self::Kill | Self::Flush => 30,
            Self::Silence => 8,
            Self::Drip => 1000,
            Self::Push => 100,
            Self::Trouble | Self::Freeze | Self::Pause | Self::Storm => 40,
            Self::Restart | Self::Crash => 15,
            Self::Cancel => 150,
            Self::Hint | Self::Double => 200,
        }
    }
}

/// A bound that the promises stand on. A world may break one of them, to see what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Servers start again without their keys, and clients let them vote at once.
    Forget,
    /// Wall clocks of servers jump, by up to a ttl.
    ServerClock,
    /// Clocks of clients stand still for up to a ttl, as one that does not count a suspended machine.
    ClientClock,
    /// Clocks are off by up to 3 %.
    Drift3Percent,
    /// Clocks are off by up to 0.6 %.
    Drift6Permille,
    /// What a dead connection left behind arrives up to 2 ttl later.
    LateRequests,
    /// Servers evict keys.
    Evict,
    /// Servers add replies that nobody asked for, and leave some out.
    Replies,
}

impl Bound {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Forget,
        Self::ServerClock,
        Self::ClientClock,
        Self::Drift3Percent,
        Self::Drift6Permille,
        Self::LateRequests,
        Self::Evict,
        Self::Replies,
    ];
}

/// Names for the command line: the variant in lower case.
macro_rules! named {
    ($kind:ident) => {
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{self:?}").to_lowercase())
            }
        }

        impl FromStr for $kind {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                let known = Self::ALL.into_iter().find(|it| it.to_string() == name);
                known.ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(ToString::to_string).collect();
                    format!("{name} is none of {}", names.join(", "))
                })
            }
        }
    };
}
named!(Fault);
named!(Bound);

/// One world, as its seed draws it. Times are in microseconds.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) servers: usize,
    pub(crate) clients: usize,
    pub(crate) keys: usize,
    /// Locks that each client has for each key.
    crowd: usize,
    /// Owners decide often.
    pub(crate) hasty: bool,
    /// Owners do nothing but contend, and of so many clients there is only one owner each.
    pub(crate) contest: Option<usize>,
    /// The longest that bytes take unless they are slow.
    pub(crate) latency: u64,
    pub(crate) ttl: u64,
    pub(crate) reply_timeout: u64,
    /// Clocks are off by at most so many parts per million.
    pub(crate) drift: u64,
    pub(crate) resp2: bool,
    pub(crate) password: bool,
    /// Servers that may not be asked to tell of changes.
    pub(crate) mute: [bool; 8],
    /// What each server is.
    pub(crate) dialects: [Dialect; 8],
    rates: [u64; Fault::ALL.len()],
    pub(crate) broken: Option<Bound>,
}

/// Servers with and without a command of their own that compares and deletes.
const DIALECTS: [Dialect; 3] = [Dialect::Redis7, Dialect::Redis8_6, Dialect::Valkey9];

/// How long there are faults, in ttls.
pub(crate) const TTLS: u64 = 30;

impl Plan {
    /// What the seed draws.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let crowd = dice.among(&[1, 1, 2, 3]);
        let hasty = dice.chance(100);
        let servers = dice.among(&[1, 2, 3, 4, 5, 5, 5, 7]);
        // Few where each has a crowd of its own, or one alone.
        let clients = match crowd {
            1 => dice.among(&[2, 3, 4, 5, 6]),
            _ if hasty => dice.among(&[1, 2, 2]),
            _ => dice.among(&[2, 3]),
        };
        let ttl = 1000 * dice.among(&[50, 100, 300, 1000, 3000, 10_000, 30_000]);
        // Some worlds have no faults at all: they test that things get done.
        let calm = dice.chance(50);
        let rates = Fault::ALL.map(|fault| {
            let rate = 1 + dice.below(fault.highest());
            if dice.chance(500) || calm { 0 } else { rate }
        });
        Self {
            seed,
            servers,
            clients,
            keys: dice.among(&[1, 1, 1, 2, 2, 4]),
            ttl,
            reply_timeout: ttl / dice.among(&[4, 5, 10]),
            drift: dice.among(&[0, 4000, 4000]),
            resp2: dice.chance(300),
            password: dice.chance(300),
            rates,
            dialects: core::array::from_fn(|_| dice.among(&DIALECTS)),
            crowd,
            hasty,
            contest: None,
            latency: 50 + (ttl / 200).min(5_000),
            mute: core::array::from_fn(|_| dice.chance(60)),
            broken: None,
        }
    }

    /// The same world without this fault.
    #[must_use]
    pub fn without(mut self, fault: Fault) -> Self {
        self.rates[fault as usize] = 0;
        self
    }

    /// The same world with this bound broken.
    #[must_use]
    pub fn breaking(mut self, bound: Bound) -> Self {
        self.drift = match bound {
            Bound::Drift3Percent => 30_000,
            Bound::Drift6Permille => 6_000,
            _ => self.drift,
        };
        self.broken = Some(bound);
        self
    }

    /// The same world with one server and more keys, of which clients that often stand still ask for several in one
    /// write.
    #[must_use]
    pub const fn crowding(mut self) -> Self {
        (self.servers, self.keys, self.crowd, self.resp2) = (1, 4, 1, true);
        self.rates[Fault::Pause as usize] = Fault::Pause.highest();
        self
    }

    /// A world without faults, with one key that all owners want all the time, and hold for a millisecond.
    #[must_use]
    pub fn contest(seed: u64) -> Self {
        let plan = Fault::ALL.into_iter().fold(Self::new(seed), Self::without);
        let mut dice = Dice::new(seed);
        let clients = dice.among(&[2, 3, 4, 4, 6, 8]);
        let contest = Some(dice.among(&[0, 0, 0, 1, clients / 2]));
        let servers = dice.among(&[1, 1, 1, 1, 3, 5]);
        // Several servers are near: clients hold back for a fixed time there.
        let farthest = if servers > 1 { 500 } else { 1500 };
        Self {
            servers,
            clients,
            contest,
            crowd: dice.among(&[1, 2, 4, 4, 12]),
            latency: dice.among(&[100, 100, 200, 500, farthest]),
            keys: 1,
            ttl: 300_000,
            reply_timeout: 60_000,
            resp2: false,
            mute: [false; 8],
            ..plan
        }
    }

    /// Whether its owners do nothing but contend.
    #[must_use]
    pub const fn is_contest(&self) -> bool {
        self.contest.is_some()
    }

    /// Whether every client of a contest passes its locks on among its own, and one server decides.
    pub(crate) const fn is_orderly(&self) -> bool {
        matches!(self.contest, Some(0)) && self.crowd > 1 && self.servers == 1
    }

    /// The faults that this world has.
    pub fn faults(&self) -> impl Iterator<Item = Fault> + '_ {
        Fault::ALL.into_iter().filter(|fault| self.rate(*fault) > 0)
    }

    /// The seed that drew it.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The bound that is broken.
    #[must_use]
    pub const fn broken(&self) -> Option<Bound> {
        self.broken
    }

    /// Locks of each client.
    pub(crate) const fn slots(&self) -> usize {
        self.keys * self.crowd
    }

    /// Per mille of its occasions.
    pub(crate) const fn rate(&self, fault: Fault) -> u64 {
        self.rates[fault as usize]
    }

    pub(crate) fn breaks(&self, bound: Bound) -> bool {
        self.broken == Some(bound)
    }
}

/// One line: the size of the world, and each fault with its rate per mille.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, servers, clients, keys, crowd, ttl, reply_timeout, drift, .. } = self;
        let (ttl, reply_timeout) = (ttl / 1000, reply_timeout / 1000);
        write!(
            f,
            "seed {seed}: {servers} servers, {clients} clients, {keys} keys for {crowd} each, ttl {ttl} ms, "
        )?;
        write!(f, "reply timeout {reply_timeout} ms, clocks off by {drift} ppm;")?;
        for fault in self.faults() {
            write!(f, " {fault} {}", self.rate(fault))?;
        }
        if let Some(alone) = self.contest {
            let latency = self.latency;
            write!(f, " a contest, {alone} owners alone, bytes take up to {latency} us")?;
        }
        self.broken.map_or(Ok(()), |bound| write!(f, "; bound broken: {bound}"))
    }
}
