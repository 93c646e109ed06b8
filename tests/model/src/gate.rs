//! What a server refuses before it looks at the arguments, in the order of a real one
//! (`processCommand` in the source of Redis 7.0).

use super::errors;
use super::reply::Reply;
use super::server::Server;
use super::session::{Session, SessionId};
use super::settings::{Cluster, Dialect, Role, User};
use super::table::{BUSY, DENY_OOM, LOADING, OPEN, STALE, Spec, WRITE};

impl Server {
    /// Lets a request pass, or gives the error reply.
    pub(crate) fn admit(
        &self,
        spec: &Spec,
        id: SessionId,
        request: &[Vec<u8>],
    ) -> Result<(), Reply> {
        let keys = spec.keys(request);
        self.check_rights(spec, id, keys)?;
        self.check_cluster(id, keys)?;
        let state = &self.conditions;
        let refusals = [
            (state.out_of_memory && spec.has(DENY_OOM), errors::OOM),
            (self.denies_writes() && (spec.has(WRITE) || spec.name == "ping"), errors::MISCONF),
            (state.too_few_replicas && spec.has(WRITE), errors::NOREPLICAS),
            (state.role != Role::Master && spec.has(WRITE), errors::READONLY),
            (self.is_stale() && !spec.has(STALE), errors::MASTERDOWN),
            (state.loading && !spec.has(LOADING), errors::LOADING),
            (state.busy && !spec.has(BUSY), errors::BUSY),
        ];
        match refusals.into_iter().find(|(refused, _)| *refused) {
            Some((_, text)) => Err(Reply::error(text)),
            None => Ok(()),
        }
    }

    fn check_rights(&self, spec: &Spec, id: SessionId, keys: &[Vec<u8>]) -> Result<(), Reply> {
        if spec.has(OPEN) {
            return Ok(());
        }
        let Some(user) = self.user(id) else { return Err(Reply::error(errors::NOAUTH)) };
        let dialect = self.settings.dialect;
        if !user.may_run(spec.name) {
            return Err(Reply::error(no_right(dialect, user, spec.name)));
        }
        if keys.iter().any(|key| !user.may_touch(key)) {
            let old = dialect < Dialect::Redis8;
            return Err(Reply::error(if old { errors::NOPERM_KEY } else { errors::NOPERM_KEY_8 }));
        }
        Ok(())
    }

    fn check_cluster(&self, id: SessionId, keys: &[Vec<u8>]) -> Result<(), Reply> {
        let Some(first) = keys.first() else { return Ok(()) };
        if self.conditions.cluster == Cluster::Off {
            return Ok(());
        }
        if self.conditions.cluster == Cluster::NotServed {
            return Err(Reply::error(errors::SLOT_NOT_SERVED));
        }
        let slot = slot(first);
        if keys.iter().any(|key| self::slot(key) != slot) {
            return Err(Reply::error(errors::CROSSSLOT));
        }
        match &self.conditions.cluster {
            Cluster::Off | Cluster::Serving | Cluster::NotServed => Ok(()),
            Cluster::Down => Err(Reply::error(errors::CLUSTER_DOWN)),
            Cluster::Moved(address) => Err(Reply::error(format!("MOVED {slot} {address}"))),
            Cluster::Migrating(address) => {
                let database = self.sessions.get(&id).map_or(0, Session::database);
                let here = keys.iter().filter(|key| self.get(database, key).is_some()).count();
                match here {
                    0 => Err(Reply::error(format!("ASK {slot} {address}"))),
                    _ if here < keys.len() => Err(Reply::error(errors::TRYAGAIN)),
                    _ => Ok(()),
                }
            }
        }
    }

    /// What a write inside a script meets. A script itself is no write.
    pub(crate) fn admit_inner(&self, id: SessionId, name: &str) -> Result<(), String> {
        let state = &self.conditions;
        self.may_run_inner(id, name)?;
        let refusals = [
            (state.role != Role::Master, errors::READONLY),
            (self.denies_writes(), errors::MISCONF),
            (state.too_few_replicas, errors::NOREPLICAS),
        ];
        match refusals.into_iter().find(|(refused, _)| *refused) {
            Some((_, text)) => Err(text.to_owned()),
            None => Ok(()),
        }
    }

    /// Whether the sender may run this command inside a script.
    pub(crate) fn may_run_inner(&self, id: SessionId, name: &str) -> Result<(), String> {
        let Some(user) = self.user(id) else { return Err(errors::NOAUTH.to_owned()) };
        if user.may_run(name) {
            return Ok(());
        }
        Err(if self.settings.dialect < Dialect::Redis8 {
            "ERR The user executing the script can't run this command or subcommand".to_owned()
        } else {
            let text = no_right(self.settings.dialect, user, name);
            text.replacen("NOPERM", "ERR ACL failure in script:", 1)
        })
    }

    /// A replica that has lost its master.
    pub(crate) fn is_stale(&self) -> bool {
        self.conditions.role == Role::Replica { linked: false }
    }

    /// Only a master cares for its disk before it writes.
    fn denies_writes(&self) -> bool {
        self.conditions.disk_error && self.conditions.role == Role::Master
    }

    fn user(&self, id: SessionId) -> Option<&User> {
        self.settings.find(self.sessions.get(&id)?.user()?)
    }
}

fn no_right(dialect: Dialect, user: &User, name: &str) -> String {
    match dialect {
        Dialect::Redis5 | Dialect::Redis6 => {
            let container = name.split_once('|').map_or(name, |(container, _)| container);
            format!(
                "NOPERM this user has no permissions to run the '{container}' command or its \
                 subcommand"
            )
        }
        Dialect::Redis7 => {
            format!("NOPERM this user has no permissions to run the '{name}' command")
        }
        Dialect::Redis8 | Dialect::Redis8_6 | Dialect::Valkey9 => {
            format!("NOPERM User {} has no permissions to run the '{name}' command", user.name)
        }
    }
}

/// The slot of a key in a cluster: CRC16 (XMODEM) of the key, or of what stands between the first
/// braces, modulo 16 384.
///
/// Source: [cluster specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    let crc = tag.unwrap_or(key).iter().fold(0_u16, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::slot;

    /// The slots that a real cluster names in `MOVED`.
    #[test]
    fn slots_are_those_of_a_real_cluster() {
        let cases: [(&[u8], u16); 7] = [
            (b"k", 7629),
            (b"h2", 5266),
            (b"other", 11361),
            (b"none", 6388),
            (b"a{k}b", 7629),
            (b"{k}{other}", 7629),
            (b"n", 3432),
        ];
        for (key, expected) in cases {
            assert_eq!(slot(key), expected, "{}", key.escape_ascii());
        }
    }
}
