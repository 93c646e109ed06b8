//! What a model server is: its version, its users, and the state it is in.

use core::fmt;

/// Whose texts and commands the model imitates, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// Redis 5: no `HELLO`, no users, RESP2 only.
    Redis5,
    /// Redis 6.2: `HELLO` exists; an error inside a script hides its first word behind
    /// `ERR Error running script`.
    Redis6,
    /// Redis 7.0, the reference for every text.
    #[default]
    Redis7,
    /// Redis 8: other texts for missing rights, `CLIENT SETINFO`.
    Redis8,
    /// Redis 8.6: `DELEX`.
    Redis8_6,
    /// Valkey 9: `DELIFEQ`.
    Valkey9,
}

impl Dialect {
    /// The name in `HELLO`.
    pub(crate) const fn product(self) -> &'static str {
        match self {
            Self::Valkey9 => "valkey",
            _ => "redis",
        }
    }

    /// The version in `HELLO`.
    pub(crate) const fn version(self) -> &'static str {
        match self {
            Self::Redis5 => "5.0.14",
            Self::Redis6 => "6.2.5",
            Self::Redis7 => "7.0.15",
            Self::Redis8 => "8.2.3",
            Self::Redis8_6 => "8.6.2",
            Self::Valkey9 => "9.1.2",
        }
    }

    /// The version in `INFO`, where Valkey keeps a Redis version for old clients.
    pub(crate) const fn redis_version(self) -> &'static str {
        match self {
            Self::Valkey9 => "7.2.4",
            _ => self.version(),
        }
    }
}

/// A user of the server and what the user may do.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) name: String,
    pub(crate) password: Option<String>,
    pub(crate) commands: Option<Vec<String>>,
    pub(crate) prefixes: Option<Vec<String>>,
}

impl User {
    /// A user who needs no password and may do everything.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), password: None, commands: None, prefixes: None }
    }

    /// Wants this password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// May run these commands only. A subcommand is written `client|id`; `client` means all.
    #[must_use]
    pub fn commands(mut self, names: &[&str]) -> Self {
        self.commands = Some(names.iter().map(|name| name.to_ascii_lowercase()).collect());
        self
    }

    /// May touch keys with one of these prefixes only.
    #[must_use]
    pub fn prefixes(mut self, prefixes: &[&str]) -> Self {
        self.prefixes = Some(prefixes.iter().map(|&prefix| prefix.to_owned()).collect());
        self
    }

    pub(crate) fn may_run(&self, name: &str) -> bool {
        let container = name.split_once('|').map_or(name, |(container, _)| container);
        self.commands
            .as_ref()
            .is_none_or(|names| names.iter().any(|known| known == name || known == container))
    }

    pub(crate) fn may_touch(&self, key: &[u8]) -> bool {
        self.prefixes
            .as_ref()
            .is_none_or(|prefixes| prefixes.iter().any(|known| key.starts_with(known.as_bytes())))
    }
}

/// Never shows the password.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("commands", &self.commands)
            .field("prefixes", &self.prefixes)
            .finish_non_exhaustive()
    }
}

/// What stays the same for the life of a model server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose texts and commands. The default is Redis 7.0.
    pub dialect: Dialect,
    /// The users; one is named `default`. The default user needs no password by default.
    pub users: Vec<User>,
    /// Number of databases. The default is 16.
    pub databases: usize,
    /// How many effects the history keeps. The default is 65 536.
    pub history: usize,
    /// Makes the `run_id` of two servers differ.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            users: vec![User::new("default")],
            databases: 16,
            history: 65_536,
            seed: 0,
        }
    }
}

impl Settings {
    /// The default settings with a password for the default user (`requirepass`).
    #[must_use]
    pub fn with_password(password: impl Into<String>) -> Self {
        Self { users: vec![User::new("default").password(password)], ..Self::default() }
    }

    /// Adds a user, or replaces the one of the same name.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.retain(|known| known.name != user.name);
        self.users.push(user);
        self
    }

    /// Speaks as another version.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }
}

/// Master or replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Takes writes.
    #[default]
    Master,
    /// Refuses writes with `READONLY`.
    Replica {
        /// Whether its master is there. Without it reads are refused with `MASTERDOWN`.
        linked: bool,
    },
}

/// The state of the cluster that the server belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cluster {
    /// Not a cluster.
    #[default]
    Off,
    /// This node serves every slot.
    Serving,
    /// `CLUSTERDOWN Hash slot not served`.
    NotServed,
    /// `CLUSTERDOWN The cluster is down`.
    Down,
    /// Every slot is on the node with this address (`host:port`): `MOVED`.
    Moved(String),
    /// Every slot is on its way to the node with this address: keys that are still here are
    /// served, the others answer `ASK`, and `TRYAGAIN` when only some of them are here.
    Migrating(String),
}

/// States that make a server refuse commands. They may change at any moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Master or replica.
    pub role: Role,
    /// The data set is being read: `LOADING`.
    pub loading: bool,
    /// A script runs without end: `BUSY`, until `SCRIPT KILL`.
    pub busy: bool,
    /// The memory is full: `OOM` for commands that may need more.
    pub out_of_memory: bool,
    /// The disk cannot be written: `MISCONF` for writes and `PING`.
    pub disk_error: bool,
    /// `NOREPLICAS` for writes.
    pub too_few_replicas: bool,
    /// The cluster.
    pub cluster: Cluster,
    /// Connections beyond this many get an error line unasked and are closed.
    pub max_clients: usize,
    /// Connections are accepted, nothing is ever read or answered. A connection that was accepted
    /// in this state stays so.
    pub silent: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            role: Role::Master,
            loading: false,
            busy: false,
            out_of_memory: false,
            disk_error: false,
            too_few_replicas: false,
            cluster: Cluster::Off,
            max_clients: 10_000,
            silent: false,
        }
    }
}
