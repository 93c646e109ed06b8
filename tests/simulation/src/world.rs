//! Time, and whose turn it is.

use core::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use redlatch_core::Token;

use crate::client::Client;
use crate::contest::Standing;
use crate::dice::Dice;
use crate::judge::{Deeds, Violation};
use crate::lines::{Line, Place};
use crate::network::{Connection, ConnectionId};
use crate::node::Node;
use crate::plan::{Fault, Plan, TTLS};
use crate::trace::Trace;
use crate::waiting::Presence;

/// Turns of one client at one moment from which on it spins.
pub(crate) const TURNS_MAX: u32 = 5_000;

/// Something that happens at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Happening {
    /// Something arrives at a server, or at a client.
    Up(ConnectionId),
    Down(ConnectionId),
    /// The client notices that its connection broke.
    Broken(ConnectionId),
    /// A connection is open, or cannot be opened.
    Opened {
        client: usize,
        server: usize,
        refused: bool,
    },
    /// The client's clock shows what it waits for, if this is still the wake-up that counts.
    Wake {
        client: usize,
        wake: u64,
    },
    /// An owner decides something.
    Act {
        client: usize,
        slot: usize,
    },
    /// A server has no trouble any more.
    Calm {
        server: usize,
    },
    /// A key's time is over on a server, whether that notices or not.
    Lapse {
        key: usize,
    },
    /// Whoever paused then, in this attempt, must not pause any more.
    Watch {
        client: usize,
        slot: usize,
        attempt: u64,
        since: u64,
    },
    /// A server tells of changes that have not happened.
    Storm {
        server: usize,
        until: u64,
    },
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) now: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    serial: u64,
    pub(crate) clients: Vec<Client>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) connections: Vec<Connection>,
    /// The faults are over.
    pub(crate) is_healed: bool,
    pub(crate) healed_at: u64,
    /// Nobody wants a lock any more.
    pub(crate) is_over: bool,
    pub(crate) tokens: u64,
    pub(crate) deeds: HashMap<Token, Deeds>,
    /// Of locks that were let go, and may be left to their ttl.
    pub(crate) excused: HashSet<Token>,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    pub(crate) violations: Vec<Violation>,
    /// When somebody last took or extended each key.
    pub(crate) had_at: Vec<u64>,
    /// Of clients that died: keys that must be gone at a moment.
    pub(crate) orphans: Vec<(u64, u16)>,
    /// How often each client has been started.
    pub(crate) lives: Vec<u16>,
    /// Who had each key last, and how often in a row while another client asked for it.
    pub(crate) runs: Vec<(usize, u64)>,
    /// How the clients of a contest fare.
    pub(crate) standings: Vec<Standing>,
    /// Which servers have each key.
    pub(crate) presence: Vec<Presence>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Simulated time, in microseconds.
    pub micros: u64,
    /// Things that happened.
    pub events: u64,
    /// Requests that servers executed.
    pub requests: u64,
    /// Locks that were granted.
    pub grants: u64,
    /// Extensions.
    pub extensions: u64,
    /// Leases that were lost.
    pub losses: u64,
    /// Locks that were given back, confirmed.
    pub releases: u64,
    /// Waits that ended without a lock.
    pub denials: u64,
    /// Releases of which nobody can tell how they went.
    pub unconfirmed: u64,
    /// Pauses in which all servers that had refused were to tell of changes.
    pub sleeps: u64,
    /// Keys that were found gone by the question that asks to be told.
    pub gone: u64,
    /// Pushes that told somebody who paused.
    pub hints: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Most of them in a second, by one who waits.
    pub retries_most: u64,
    /// Most turns in a row that one client took with one key, while others of its own waited.
    pub turns_most: u64,
    /// How often a client held back so that others had a chance.
    pub held_back: u64,
    /// Most grants in a row to one client while another asked for the same key.
    pub bypassed_most: u64,
    /// Most grants in a row to others in a contest, while a client asked for the same key.
    pub passed_over_most: u64,
    /// The smallest share of a client in a contest, in percent of an equal one.
    pub share_least: Option<u64>,
    /// Faults that struck.
    pub faults: [u64; Fault::ALL.len()],
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.micros += other.micros;
        self.events += other.events;
        self.requests += other.requests;
        self.grants += other.grants;
        self.extensions += other.extensions;
        self.losses += other.losses;
        self.releases += other.releases;
        self.denials += other.denials;
        self.unconfirmed += other.unconfirmed;
        self.sleeps += other.sleeps;
        self.gone += other.gone;
        self.hints += other.hints;
        self.retries += other.retries;
        self.retries_most = self.retries_most.max(other.retries_most);
        self.held_back += other.held_back;
        self.bypassed_most = self.bypassed_most.max(other.bypassed_most);
        self.passed_over_most = self.passed_over_most.max(other.passed_over_most);
        self.share_least = self.share_least.into_iter().chain(other.share_least).min();
        self.turns_most = self.turns_most.max(other.turns_most);
        for (count, more) in self.faults.iter_mut().zip(other.faults) {
            *count += more;
        }
    }
}

impl World {
    pub(crate) fn new(plan: &Plan, with_timeline: bool) -> Self {
        // Another stream than the plan's own: a fault that is left out changes only itself.
        let mut dice = Dice::new(plan.seed ^ 0x5eed_0000_0000_0000);
        let nodes = (0..plan.servers).map(|at| Node::new(plan, at, &mut dice)).collect();
        let clients = (0..plan.clients).map(|_| Client::new(plan, &mut dice)).collect();
        let mut world = Self {
            dice,
            now: 0,
            queue: BinaryHeap::new(),
            serial: 0,
            clients,
            nodes,
            connections: Vec::new(),
            is_healed: false,
            healed_at: 0,
            is_over: false,
            tokens: 0,
            deeds: HashMap::new(),
            excused: HashSet::new(),
            trace: Trace::new(with_timeline),
            tally: Tally::default(),
            violations: Vec::new(),
            had_at: vec![0; plan.keys],
            orphans: Vec::new(),
            lives: vec![0; plan.clients],
            runs: vec![(0, 0); plan.keys],
            standings: vec![Standing::default(); plan.clients],
            presence: vec![Presence::new(plan.servers); plan.keys],
            plan: plan.clone(),
        };
        for client in 0..world.clients.len() {
            for slot in 0..world.plan.slots() {
                let at = world.dice.below(world.plan.ttl / 10);
                world.schedule(at, Happening::Act { client, slot });
            }
            world.plan_wake(client);
        }
        world
    }

    /// Lives through the faults, heals, and comes to rest.
    pub(crate) fn run(&mut self) {
        let ttl = self.plan.ttl;
        let parts: [Part; 4] = [
            (TTLS * ttl, Self::heal),
            (6 * ttl + ABSTENTION + SLACK, Self::retire),
            (SLACK, Self::judge_clean_up),
            // The longest wait before a debt is tried again.
            (ttl + 6_000_000, Self::judge_rest),
        ];
        for (span, then) in parts {
            self.run_until(self.now + span);
            if !self.is_decided() {
                then(self);
            }
        }
        self.tally.micros = self.now;
    }

    fn run_until(&mut self, end: u64) {
        while let Some(Reverse((at, _, _))) = self.queue.peek() {
            if *at > end || self.is_decided() {
                break;
            }
            let Some(Reverse((at, _, what))) = self.queue.pop() else { break };
            self.now = at;
            self.happen(what);
        }
        self.now = if self.is_decided() { self.now } else { end };
    }

    /// Inside of the bounds one violation is enough.
    fn is_decided(&self) -> bool {
        self.plan.broken.is_none() && !self.violations.is_empty()
    }

    pub(crate) fn schedule(&mut self, at: u64, what: Happening) {
        self.serial += 1;
        self.queue.push(Reverse((at.max(self.now), self.serial, what)));
    }

    /// Whether a fault strikes now. Draws in any case, so that leaving one out changes only itself.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        let struck = self.dice.chance(self.plan.rate(fault)) && !self.is_healed;
        self.tally.faults[fault as usize] += u64::from(struck);
        struck
    }

    fn happen(&mut self, what: Happening) {
        self.tally.events += 1;
        self.trace.number(self.now);
        if let Some(client) = self.client_of(what) {
            if self.is_asleep(client, what) {
                return;
            }
        }
        match what {
            Happening::Up(id) => self.arrive_at_server(id),
            Happening::Down(id) => self.arrive_at_client(id),
            Happening::Broken(id) => self.notice_break(id),
            Happening::Opened { client, server, refused } => self.opened(client, server, refused),
            Happening::Wake { client, .. } => self.wake(client),
            Happening::Act { client, slot } => self.act(client, slot),
            Happening::Calm { server } => self.calm(server),
            Happening::Lapse { key } => self.review_presence(key),
            Happening::Watch { client, slot, attempt, since } => {
                self.watch(client, slot, attempt, since);
            }
            Happening::Storm { server, until } => self.storm(server, until),
        }
    }

    fn client_of(&self, what: Happening) -> Option<usize> {
        match what {
            Happening::Down(id) | Happening::Broken(id) => Some(self.connections[id].client),
            Happening::Opened { client, .. }
            | Happening::Wake { client, .. }
            | Happening::Act { client, .. } => Some(client),
            Happening::Up(_)
            | Happening::Calm { .. }
            | Happening::Lapse { .. }
            | Happening::Watch { .. }
            | Happening::Storm { .. } => None,
        }
    }

    /// A client that stands still notices nothing; when it goes on, things come in any order.
    fn is_asleep(&mut self, client: usize, what: Happening) -> bool {
        let subject = &self.clients[client];
        if let Happening::Wake { wake, .. } = what {
            if subject.wake != wake {
                return true;
            }
        }
        let until = subject.paused_until;
        if until > self.now {
            let at = until + self.dice.below(3);
            self.schedule(at, what);
        }
        until > self.now
    }

    /// Counts a turn of a client, and says so if it spins.
    pub(crate) fn count_turn(&mut self, client: usize) {
        let subject = &mut self.clients[client];
        if subject.turned_at != self.now {
            (subject.turned_at, subject.turns) = (self.now, 0);
        }
        subject.turns += 1;
        if subject.turns == TURNS_MAX {
            self.violate(Violation::Unbounded(format!("client {client} spins")));
        }
    }

    /// Plans when the client looks at its clock next.
    pub(crate) fn plan_wake(&mut self, client: usize) {
        let subject = &self.clients[client];
        let at = match subject.poll_timeout() {
            redlatch_core::Instant::NEVER => u64::MAX,
            at => subject.clock.when(at).max(self.now),
        };
        if at == subject.wake_at && at > self.now {
            return;
        }
        let subject = &mut self.clients[client];
        subject.wake += 1;
        subject.wake_at = at;
        let wake = subject.wake;
        if at < u64::MAX {
            self.schedule(at, Happening::Wake { client, wake });
        }
    }

    fn heal(&mut self) {
        self.is_healed = true;
        self.healed_at = self.now;
        self.trace.tell(self.now, || "--- the faults are over".to_owned());
        for server in 0..self.nodes.len() {
            self.calm(server);
        }
    }

    /// Nobody wants a lock any more.
    fn retire(&mut self) {
        self.judge_progress();
        self.judge_shares();
        self.is_over = true;
        self.trace.tell(self.now, || "--- nobody wants a lock any more".to_owned());
        for client in 0..self.clients.len() {
            let now = self.clients[client].clock.instant(self.now);
            for line in &mut self.clients[client].lines {
                *line = Line::default();
            }
            for slot in &mut self.clients[client].slots {
                (slot.place, slot.queued) = (Place::Outside, false);
                slot.let_go();
                slot.lock.abandon(now);
                slot.adopt(now);
            }
            self.drive(client);
        }
    }
}

/// How long a part of a world lasts, and what ends it.
type Part = (u64, fn(&mut World));

/// How much longer than a ttl a server may be without a vote: it tells its uptime in whole seconds.
const ABSTENTION: u64 = 2_000_000;

/// What a round trip and its turns take in a healed world, generously.
pub(crate) const SLACK: u64 = 100_000;
