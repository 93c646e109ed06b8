//! A server: the model, with a clock of its own and troubles of its own.

use core::time::Duration;

use redlatch_core::Token;
use redlatch_model::{Change, Cluster, Conditions, Effect, Fault as Strike, Role, Rule, Server};
use redlatch_model::{SessionId, Settings, User};
use std::collections::BTreeMap;

use crate::client::{PASSWORD, name};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::judge::Violation;
use crate::network::ConnectionId;
use crate::plan::{Bound, Fault, Plan};
use crate::world::{Happening, World};

pub(crate) struct Node {
    pub(crate) clock: Clock,
    pub(crate) server: Server,
    /// It stands still until then.
    pub(crate) frozen_until: u64,
    /// Its troubles end then.
    troubled_until: u64,
    /// Who is behind each session.
    pub(crate) sessions: BTreeMap<SessionId, ConnectionId>,
}

impl Node {
    pub(crate) fn new(plan: &Plan, at: usize, dice: &mut Dice) -> Self {
        let settings =
            if plan.password { Settings::with_password(PASSWORD) } else { Settings::default() };
        let settings = if plan.mute[at] { settings.user(mute(plan)) } else { settings };
        // It has run for a while, so it may vote.
        let clock = Clock::new(dice.around_zero(plan.drift), 100_000_000);
        let server = Server::new(Settings {
            dialect: plan.dialects[at],
            seed: at as u64,
            databases: 1,
            ..settings
        });
        Self { clock, server, frozen_until: 0, troubled_until: 0, sessions: BTreeMap::new() }
    }

    /// The token under a key.
    pub(crate) fn token(&self, slot: usize) -> Option<Token> {
        self.server.get(0, &name(slot))?.text().and_then(Token::from_wire)
    }
}

impl World {
    pub(crate) fn server_now(&self, server: usize) -> u64 {
        self.nodes[server].clock.at(self.now)
    }

    /// Lets the server notice what time it is.
    pub(crate) fn tick(&mut self, server: usize) {
        let now = self.server_now(server);
        self.nodes[server].server.advance(now);
    }

    /// A request is on its way to a server: what may go wrong there.
    pub(crate) fn trouble_request(&mut self, server: usize) {
        if self.strikes(Fault::Flush) {
            self.command(server, &[b"SCRIPT", b"FLUSH"]);
        }
        if self.strikes(Fault::Refuse) {
            let line = self.dice.among(&REFUSALS);
            self.strike(server, Strike::Error(line.to_owned()));
        }
        if self.strikes(Fault::Push) {
            let push = self.push();
            let inside = self.dice.chance(200) && !self.plan.resp2;
            let strike = if inside { Strike::Inside(push) } else { Strike::Before(push) };
            self.strike(server, strike);
        }
        if self.strikes(Fault::Kill) {
            let cut = self.dice.index(12);
            let kill =
                self.dice.among(&[Kill::Before, Kill::After, Kill::Cut, Kill::Cut]).strike(cut);
            self.strike(server, kill);
        }
        if self.breaks(Bound::Replies, 5) {
            let surplus: [&[u8]; 6] =
                [b"+OK\r\n", b"$-1\r\n", b":0\r\n", b":1\r\n", b":-1\r\n", b"+PONG\r\n"];
            let surplus = Strike::Surplus(self.dice.among(&surplus).to_vec());
            let strike = if self.dice.chance(500) { surplus } else { Strike::DropReply };
            self.strike(server, strike);
        }
    }

    fn strike(&mut self, server: usize, strike: Strike) {
        self.trace.tell(self.now, || format!("s{server}: {strike:?} for the next request"));
        let node = &mut self.nodes[server].server;
        if node.pending_faults() < 4 {
            node.fail(Rule::next(strike));
        }
    }

    fn push(&mut self) -> Vec<u8> {
        let pushes: [&[u8]; 4] = [
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\nlock:{a}\r\n",
            b">2\r\n$10\r\ninvalidate\r\n_\r\n",
            b">1\r\n+OK\r\n",
            b">3\r\n+message\r\n$1\r\nc\r\n$3\r\n+OK\r\n",
        ];
        // A server that speaks RESP2 pushes nothing.
        if self.plan.resp2 { Vec::new() } else { self.dice.among(&pushes).to_vec() }
    }

    /// Now and then something happens to a whole server.
    pub(crate) fn trouble_server(&mut self) {
        let server = self.dice.index(self.nodes.len());
        let ttl = self.plan.ttl;
        let span = self.dice.below(2 * ttl);
        if self.strikes(Fault::Trouble) {
            let conditions = condition(self.dice.index(8));
            self.trace.tell(self.now, || format!("s{server}: {conditions:?}"));
            self.nodes[server].server.conditions = conditions;
            self.nodes[server].troubled_until = self.now + span;
            self.schedule(self.now + span, Happening::Calm { server });
        }
        if self.strikes(Fault::Freeze) {
            self.trace.tell(self.now, || format!("s{server}: stands still for {span} us"));
            self.nodes[server].frozen_until = self.now + span;
            // It answers nobody who looks whether a key is free.
            (0..self.clients.len()).for_each(|client| self.unrest(client, self.now + span));
        }
        if self.strikes(Fault::Storm) {
            self.trace.tell(self.now, || format!("s{server}: tells of changes without end"));
            self.schedule(
                self.now,
                Happening::Storm { server, until: self.now + span.min(300_000) },
            );
        }
        if self.strikes(Fault::Restart) {
            let keeps = self.dice.chance(500);
            self.restart(server, keeps);
        }
        if self.breaks(Bound::Forget, 20) {
            self.restart(server, false);
        }
        if self.breaks(Bound::ServerClock, 20) {
            let by = self.dice.around_zero(ttl);
            self.trace.tell(self.now, || format!("s{server}: its clock jumps by {by} us"));
            self.nodes[server].server.step_clock(by);
        }
        if self.breaks(Bound::Evict, 20) {
            let key = name(self.dice.index(self.plan.keys));
            self.tick(server);
            let evicted = self.nodes[server].server.remove(0, &key);
            self.trace.tell(self.now, || format!("s{server}: evicts a key: {evicted}"));
        }
    }

    /// Whether the bound is broken now.
    pub(crate) fn breaks(&mut self, bound: Bound, per_mille: u64) -> bool {
        self.plan.breaks(bound) && !self.is_healed && self.dice.chance(per_mille)
    }

    fn restart(&mut self, server: usize, keeps: bool) {
        self.trace.tell(self.now, || format!("s{server}: starts again, keeps its keys: {keeps}"));
        let now = self.server_now(server);
        self.nodes[server].server.restart(keeps, now);
        self.observe(server);
        self.collect(server);
    }

    /// The server is itself again.
    pub(crate) fn calm(&mut self, server: usize) {
        let node = &mut self.nodes[server];
        if self.is_healed {
            node.server.heal();
            (node.frozen_until, node.troubled_until) = (0, 0);
        }
        if node.troubled_until <= self.now {
            node.server.conditions = Conditions::default();
        }
    }

    /// Asks as a stranger, over a connection of no client.
    fn command(&mut self, server: usize, arguments: &[&[u8]]) {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend(format!("${}\r\n", argument.len()).bytes());
            request.extend(*argument);
            request.extend(b"\r\n");
        }
        let now = self.server_now(server);
        let node = &mut self.nodes[server].server;
        let session = node.connect(now);
        if self.plan.password {
            let login = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{PASSWORD}\r\n", PASSWORD.len());
            let _ = node.exchange(session, login.as_bytes(), now);
        }
        let _ = node.exchange(session, &request, now);
        node.disconnect(session);
    }

    /// Looks at what a server has done since the last look.
    /// Gives the keys that have changed.
    pub(crate) fn observe(&mut self, server: usize) -> Vec<usize> {
        if self.nodes[server].server.effects().is_empty() {
            return Vec::new();
        }
        let effects: Vec<Effect> = self.nodes[server].server.effects().iter().cloned().collect();
        self.nodes[server].server.reset_history();
        for effect in &effects {
            self.note_presence(server, effect);
            self.observe_one(server, effect);
        }
        (0..self.plan.keys).filter(|key| effects.iter().any(|it| it.key == name(*key))).collect()
    }

    fn observe_one(&mut self, server: usize, effect: &Effect) {
        let (Some(session), Some(token)) = (effect.session, Token::from_wire(&effect.token)) else {
            return;
        };
        let node = &self.nodes[server];
        let sender = node.sessions.get(&session).map(|id| self.connections[*id].owner);
        self.trace.tell(self.now, || format!("s{server}: {:?} {}", effect.change, short(&token)));
        let by_owner = sender == Some(owner_of(&token)) || sender.is_none();
        let shown = effect.shown.as_deref() == Some(&effect.token);
        let deeds = self.deeds.entry(token).or_default();
        match effect.change {
            Change::Set(ttl) => {
                deeds.set |= 1 << server;
                self.judge_set(server, &effect.key, &token);
                if ttl != Some(Duration::from_micros(self.plan.ttl)) {
                    self.violate(Violation::Orphan(format!("a key was set for {ttl:?}")));
                }
            }
            Change::Extended(_) if by_owner && shown => deeds.extended[server] = self.now,
            Change::Deleted if by_owner && shown => deeds.deleted |= 1 << server,
            Change::Expired | Change::Lost => {}
            change => {
                let text = format!("s{server}: {change:?} of {} by {sender:?}", short(&token));
                self.violate(Violation::ForeignRelease(text));
            }
        }
    }
}

/// A user who may do all that locks need, and may not ask to be told of changes.
fn mute(plan: &Plan) -> User {
    let names = [
        "hello",
        "auth",
        "select",
        "info",
        "role",
        "echo",
        "ping",
        "set",
        "get",
        "del",
        "pttl",
        "pexpire",
        "eval",
        "evalsha",
        "script|flush",
        "delex",
        "delifeq",
    ];
    let user = User::new("default").commands(&names);
    if plan.password { user.password(PASSWORD) } else { user }
}

/// Who drew a token.
pub(crate) fn owner_of(token: &Token) -> u16 {
    let hex = token.to_hex();
    let digits = core::str::from_utf8(&hex[..4]).unwrap_or_default();
    u16::from_str_radix(digits, 16).unwrap_or(u16::MAX)
}

/// For which of its owner's locks.
pub(crate) fn slot_of(token: &Token) -> usize {
    let hex = token.to_hex();
    let digits = core::str::from_utf8(&hex[36..38]).unwrap_or_default();
    usize::from_str_radix(digits, 16).unwrap_or_default()
}

/// A token for a timeline: its number.
pub(crate) fn short(token: &Token) -> String {
    let hex = token.to_hex();
    let digits = core::str::from_utf8(&hex[4..20]).unwrap_or_default();
    format!("t{}", u64::from_str_radix(digits, 16).unwrap_or_default())
}

/// How a server ends a connection.
#[derive(Clone, Copy)]
enum Kill {
    Before,
    After,
    Cut,
}

impl Kill {
    fn strike(self, cut: usize) -> Strike {
        match self {
            Self::Before => Strike::CloseBefore,
            Self::After => Strike::CloseAfter,
            Self::Cut => Strike::Cut(cut),
        }
    }
}

/// Lines of servers that have not executed the request.
const REFUSALS: [&str; 11] = [
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "NOREPLICAS Not enough good replicas to write.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "MOVED 3999 127.0.0.1:6381",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOPERM User default has no permissions to run this command",
    "ERR nobody knows this text",
];

fn condition(which: usize) -> Conditions {
    let usual = Conditions::default();
    match which {
        0 => Conditions { loading: true, ..usual },
        1 => Conditions { busy: true, ..usual },
        2 => Conditions { out_of_memory: true, ..usual },
        3 => Conditions { disk_error: true, ..usual },
        4 => Conditions { too_few_replicas: true, ..usual },
        5 => Conditions { cluster: Cluster::Down, ..usual },
        6 => Conditions { silent: true, ..usual },
        _ => Conditions { role: Role::Replica { linked: true }, ..usual },
    }
}
