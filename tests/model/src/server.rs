//! The server as a machine: what goes in, what comes out, what can be seen and changed.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::errors;
use super::fault::{Faults, Rule};
use super::history::{Change, Effect, History};
use super::keyspace::{Entry, Keyspace, ServerTime, Value};
use super::reply::Reply;
use super::scripts::Known;
use super::session::{Flow, Session, SessionId};
use super::settings::{Conditions, Settings};

/// A Redis server without I/O. A clone is a second server with the same state.
#[derive(Clone)]
pub struct Server {
    /// The state that decides what is refused. It may be changed at any moment.
    pub conditions: Conditions,
    pub(crate) settings: Settings,
    pub(crate) keyspace: Keyspace,
    pub(crate) scripts: BTreeMap<String, Known>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) tracked: BTreeMap<Vec<u8>, BTreeSet<SessionId>>,
    /// The session whose request is being served, and the pushes that follow its reply.
    pub(crate) serving: Option<SessionId>,
    pub(crate) own_pushes: Vec<u8>,
    pub(crate) history: History,
    pub(crate) faults: Faults,
    pub(crate) ready: BTreeSet<SessionId>,
    /// Sessions whose output is held back or dripped.
    pub(crate) slow: BTreeSet<SessionId>,
    connected: u64,
    /// How many of them in earlier lives of the server.
    connected_before: u64,
    pub(crate) now: u64,
    offset: i64,
    started: ServerTime,
    restarts: u64,
}

/// What a restart does with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Keeps what the server has written: everything when it is persistent, else nothing.
    Keep,
    /// Starts empty.
    Lose,
}

/// One request on its way through a command.
pub(crate) struct Call<'a> {
    pub(crate) session: SessionId,
    pub(crate) database: usize,
    /// The arguments; the first is the name of the command.
    pub(crate) arguments: &'a [Vec<u8>],
}

impl Call<'_> {
    /// An argument, counted from the name; empty when it is missing.
    pub(crate) fn argument(&self, at: usize) -> &[u8] {
        self.arguments.get(at).map_or(&[], Vec::as_slice)
    }
}

/// What goes in and out.
impl Server {
    /// A server without keys, started at moment 0.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            conditions: Conditions::default(),
            history: History::new(settings.history),
            settings,
            keyspace: Keyspace::default(),
            scripts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tracked: BTreeMap::new(),
            serving: None,
            own_pushes: Vec::new(),
            faults: Faults::default(),
            ready: BTreeSet::new(),
            slow: BTreeSet::new(),
            connected: 0,
            connected_before: 0,
            now: 0,
            offset: 0,
            started: 0,
            restarts: 0,
        }
    }

    /// A client connects. With too many connections it gets an error line at once and is closed.
    pub fn connect(&mut self, now: u64) -> SessionId {
        self.advance(now);
        let user = self.settings.find("default").filter(|user| user.password.is_none());
        let mut session = Session::new(user.map(|user| user.name.clone()), self.conditions.silent);
        let crowded = self.sessions.len() >= self.conditions.max_clients;
        if crowded {
            session.send(format!("-{}\r\n", errors::MAX_CLIENTS).as_bytes());
            session.ending = true;
        }
        self.connected += 1;
        let id = SessionId(self.connected);
        self.sessions.insert(id, session);
        if crowded {
            self.ready.insert(id);
        }
        id
    }

    /// Bytes from a client, cut anywhere. Every whole request is served at once.
    pub fn receive(&mut self, id: SessionId, bytes: &[u8], now: u64) {
        self.advance(now);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ending || session.deaf {
            return;
        }
        session.requests.push(bytes);
        while let Some(session) = self.sessions.get_mut(&id) {
            if session.ending || session.deaf {
                break;
            }
            match session.requests.next(session.user.is_none()) {
                Ok(Some(request)) => self.serve(id, &request),
                Ok(None) => break,
                Err(text) => {
                    let mut frame = Vec::new();
                    Reply::error(text).encode(session.protocol, &mut frame);
                    session.send(&frame);
                    session.ending = true;
                    self.wake(id);
                }
            }
        }
    }

    /// The client has closed or vanished. Its unsent output is lost.
    pub fn disconnect(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        self.ready.remove(&id);
        self.slow.remove(&id);
    }

    /// Time passes: keys expire, slow output becomes due. Moments in the past change nothing.
    pub fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
        self.expire();
        for &id in &self.slow {
            let due = self.sessions.get(&id).and_then(Session::due);
            if due.is_some_and(|due| due <= self.now) {
                self.ready.insert(id);
            }
        }
    }

    /// The next moment at which something happens by itself.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        let expiry = self.keyspace.next_expiry().map(|expiry| self.caller_time(expiry));
        let slow = self.slow.iter().filter_map(|id| self.sessions.get(id)?.due()).min();
        [expiry, slow].into_iter().flatten().min()
    }

    /// A session that has output to send or must be closed. Each comes once until it has more.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<SessionId> {
        self.ready.pop_first()
    }

    /// Appends what session `id` may send now to `out`, and says whether to close it afterwards.
    pub fn take_output(&mut self, id: SessionId, out: &mut Vec<u8>) -> Flow {
        self.ready.remove(&id);
        let Some(session) = self.sessions.get_mut(&id) else { return Flow::Close };
        session.give(self.now, out);
        if session.is_done() {
            self.disconnect(id);
            return Flow::Close;
        }
        Flow::Continue
    }

    /// Sends bytes and returns what this session answers at once: `receive` and `take_output`.
    pub fn exchange(&mut self, id: SessionId, bytes: &[u8], now: u64) -> (Vec<u8>, Flow) {
        self.receive(id, bytes, now);
        let mut out = Vec::new();
        let flow = self.take_output(id, &mut out);
        (out, flow)
    }
}

/// What tests do to a server.
impl Server {
    /// Adds a rule that makes requests go wrong.
    pub fn fail(&mut self, rule: Rule) {
        self.faults.add(rule);
    }

    /// Removes all rules.
    pub fn heal(&mut self) {
        self.faults.clear();
    }

    /// How many rules are still in force.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.faults.len()
    }

    /// The server process dies and starts again: connections and scripts are gone, `run_id`
    /// changes. Conditions and rules stay.
    pub fn restart(&mut self, keep_data: bool, now: u64) {
        self.advance(now);
        self.kill_all();
        self.scripts.clear();
        self.tracked.clear();
        if !keep_data {
            self.lose_keys(None);
        }
        self.connected_before = self.connected;
        self.restarts += 1;
        self.started = self.server_time();
    }

    /// Ends one connection at once, as `CLIENT KILL` does.
    pub fn kill(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.kill();
            self.wake(id);
        }
    }

    /// Ends every connection at once.
    pub fn kill_all(&mut self) {
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        ids.into_iter().for_each(|id| self.kill(id));
    }

    /// Moves the server's own clock by so many microseconds, forwards or back. Keys whose time
    /// is over by the new clock end at once.
    pub fn step_clock(&mut self, micros: i64) {
        self.offset = self.offset.saturating_add(micros);
        self.expire();
    }

    /// Writes a key as if another client had done it.
    pub fn put(&mut self, database: usize, key: &[u8], value: Value, ttl: Option<Duration>) {
        let expiry = ttl.map(|ttl| self.server_time() + micros(ttl));
        let token = value.text().unwrap_or_default().to_vec();
        self.keyspace.insert(database, key, Entry { value, expiry });
        self.changed(None, database, key, token, Change::Set(ttl));
    }

    /// Deletes a key as if another client had done it. Tells whether it was there.
    pub fn remove(&mut self, database: usize, key: &[u8]) -> bool {
        let Some(entry) = self.keyspace.remove(database, key) else { return false };
        let token = entry.value.text().unwrap_or_default().to_vec();
        self.changed(None, database, key, token, Change::Deleted);
        true
    }
}

/// What tests see.
impl Server {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, database: usize, key: &[u8]) -> Option<&Value> {
        self.keyspace.get(database, key).map(|entry| &entry.value)
    }

    /// The time a key has left; none when it is not there or never ends.
    #[must_use]
    pub fn remaining(&self, database: usize, key: &[u8]) -> Option<Duration> {
        let left = self.keyspace.get(database, key)?.expiry? - self.server_time();
        Some(Duration::from_micros(u64::try_from(left.max(0)).unwrap_or(u64::MAX)))
    }

    /// All keys of a database, in order.
    pub fn keys(&self, database: usize) -> impl Iterator<Item = &[u8]> {
        self.keyspace.keys(database)
    }

    /// The newest changes of keys, oldest first.
    #[must_use]
    pub fn effects(&self) -> &VecDeque<Effect> {
        self.history.effects()
    }

    /// How many effects did not fit into the history any more.
    #[must_use]
    pub fn forgotten_effects(&self) -> u64 {
        self.history.forgotten()
    }

    /// How many requests came, by command: `set`, `client|id`, `unknown`.
    #[must_use]
    pub fn commands(&self) -> &BTreeMap<&'static str, u64> {
        self.history.commands()
    }

    /// How many requests of this command came. Upper or lower case.
    #[must_use]
    pub fn command_count(&self, name: &str) -> u64 {
        self.commands().get(name.to_ascii_lowercase().as_str()).copied().unwrap_or(0)
    }

    /// When requests of this command came, in microseconds on the clock of the caller, as far as the
    /// history reaches. Upper or lower case.
    #[must_use]
    pub fn command_moments(&self, name: &str) -> Vec<u64> {
        self.history.moments(&name.to_ascii_lowercase())
    }

    /// Forgets effects and counters.
    pub fn reset_history(&mut self) {
        self.history.reset();
    }

    /// The open connections.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// The number that `CLIENT ID` tells: it counts from one in each life of the server.
    #[must_use]
    pub const fn number(&self, id: SessionId) -> u64 {
        id.0.saturating_sub(self.connected_before)
    }

    /// How many connections have ever been made.
    #[must_use]
    pub const fn connections(&self) -> u64 {
        self.connected
    }

    /// The `run_id` of this run of the server: 40 hexadecimal digits, another after each restart.
    #[must_use]
    pub fn run_id(&self) -> String {
        let name = format!("model {} {}", self.settings.seed, self.restarts);
        sha1_smol::Sha1::from(name).digest().to_string()
    }

    /// How long it says that it has run: as the servers do, it subtracts clocks that are cut to seconds.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        let second = |time: ServerTime| time.div_euclid(1_000_000);
        let ran = (second(self.server_time()) - second(self.started)).max(0);
        Duration::from_secs(u64::try_from(ran).unwrap_or(u64::MAX))
    }
}

/// Time and keys.
impl Server {
    /// Now, on the server's own clock.
    pub(crate) fn server_time(&self) -> ServerTime {
        ServerTime::from(self.now) + ServerTime::from(self.offset)
    }

    fn caller_time(&self, moment: ServerTime) -> u64 {
        let moment = (moment - ServerTime::from(self.offset)).max(0);
        u64::try_from(moment).unwrap_or(u64::MAX)
    }

    fn expire(&mut self) {
        let now = self.server_time();
        while let Some((database, key, entry)) = self.keyspace.pop_expired(now) {
            let token = entry.value.text().unwrap_or_default().to_vec();
            self.changed(None, database, &key, token, Change::Expired);
        }
    }

    /// Every key is gone at once. Each client that tracks is told to forget everything.
    pub(crate) fn lose_keys(&mut self, by: Option<SessionId>) {
        for database in 0..self.settings.databases {
            let keys: Vec<_> = self.keyspace.keys(database).map(<[u8]>::to_vec).collect();
            for key in keys {
                let entry = self.keyspace.remove(database, &key);
                let token = entry.and_then(|entry| entry.value.text().map(<[u8]>::to_vec));
                self.record(by, database, &key, token.unwrap_or_default(), Change::Lost, None);
            }
        }
        self.keyspace.clear();
        self.invalidate_all();
    }

    /// Remembers a change and tells the clients that track the key.
    pub(crate) fn changed(
        &mut self,
        by: Option<SessionId>,
        database: usize,
        key: &[u8],
        token: Vec<u8>,
        change: Change,
    ) {
        self.record(by, database, key, token, change, None);
        self.invalidate(key, by);
    }

    /// Remembers a change. `shown` is the token that a script was given.
    pub(crate) fn record(
        &mut self,
        session: Option<SessionId>,
        database: usize,
        key: &[u8],
        token: Vec<u8>,
        change: Change,
        shown: Option<Vec<u8>>,
    ) {
        let (at, key) = (self.now, key.to_vec());
        self.history.record(Effect { at, session, database, key, token, shown, change });
    }
}

/// A duration on the server's clock.
pub(crate) fn micros(duration: Duration) -> ServerTime {
    ServerTime::try_from(duration.as_micros()).unwrap_or(ServerTime::MAX)
}
