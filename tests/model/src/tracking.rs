//! Client-side caching: who is told when a key changes.
//!
//! A read, with `OPTIN` one right behind `CLIENT CACHING YES`, registers the key once; the first change
//! after it, an expiry too, sends one push and forgets the registration. Databases are not told apart.
//! Messages exist in RESP3 only.
//!
//! Source: [client-side caching](https://redis.io/docs/latest/develop/reference/client-side-caching/).

use super::reply::{Protocol, Reply};
use super::server::Server;
use super::session::{Session, SessionId};

/// Most keys that are tracked; beyond it one is given up, and its watchers are told.
const TRACKED_KEYS: usize = 65_536;

impl Server {
    /// Registers the keys that session `id` has read.
    pub(crate) fn track(&mut self, id: SessionId, keys: &[Vec<u8>]) {
        if !self.sessions.get(&id).is_some_and(Session::tracks) {
            return;
        }
        for key in keys {
            self.tracked.entry(key.clone()).or_default().insert(id);
        }
        while self.tracked.len() > TRACKED_KEYS {
            let Some(key) = self.tracked.keys().next().cloned() else { return };
            self.invalidate(&key, None);
        }
    }

    /// A key has changed: its watchers are told once. The sender itself is told after its reply,
    /// or not at all with `NOLOOP`.
    pub(crate) fn invalidate(&mut self, key: &[u8], by: Option<SessionId>) {
        let Some(watchers) = self.tracked.remove(key) else { return };
        let push = message(Reply::Array(vec![Reply::bulk(key)]));
        for id in watchers {
            let noloop = self.sessions.get(&id).and_then(|session| session.tracking);
            let own = by == Some(id) && noloop.is_some_and(|tracking| tracking.noloop);
            if !own {
                self.tell(id, &push);
            }
        }
    }

    /// Every key has changed.
    pub(crate) fn invalidate_all(&mut self) {
        self.tracked.clear();
        let push = message(Reply::Null);
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.tell(id, &push);
        }
    }

    fn tell(&mut self, id: SessionId, push: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.tracking.is_none() || session.protocol != Protocol::Resp3 || session.deaf {
            return;
        }
        if self.serving == Some(id) {
            self.own_pushes.extend_from_slice(push);
        } else if !session.ending {
            session.send(push);
            self.wake(id);
        }
    }
}

fn message(keys: Reply) -> Vec<u8> {
    let mut push = Vec::new();
    Reply::Push(vec![Reply::bulk("invalidate"), keys]).encode(Protocol::Resp3, &mut push);
    push
}
