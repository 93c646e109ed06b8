//! The servers that the scenarios run on: the model, and real ones.

use core::net::SocketAddr;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Need;
use super::bench::Broken;
use crate::model::{self, Fault, ModelServer, Role, Rule, Settings, User};
use crate::server::{self, Server};

/// How a scenario wants its server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// Password of the default user.
    pub password: Option<&'static str>,
    /// Name and password of another user.
    pub user: Option<(&'static str, &'static str)>,
    /// The commands that this user may run, if not all.
    pub commands: Option<&'static [&'static str]>,
}

/// A state in which a server refuses commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The memory is full.
    MemoryFull,
    /// It has become a replica.
    Replica,
}

/// Where servers come from.
pub trait Host: Sync {
    /// Starts a server.
    ///
    /// # Errors
    /// It does not start, or is not installed.
    fn start(&self, setup: Setup) -> Result<Box<dyn Running>, Broken>;

    /// Whether its servers can do this.
    fn offers(&self, need: Need) -> bool;
}

/// A running server. It ends when it is dropped.
pub trait Running: Send + Sync {
    /// Its address, the same over restarts.
    fn address(&self) -> SocketAddr;
    /// How often a command has been asked since the start.
    ///
    /// # Errors
    /// The host failed.
    fn calls(&self, command: &str) -> Result<u64, Broken>;
    /// In which version of the protocol it speaks to each of its clients, 2 or 3.
    ///
    /// # Errors
    /// The host failed.
    fn protocols(&self) -> Result<Vec<u8>, Broken>;
    /// Deletes a key right before the next request of this command, where the host offers
    /// [`Need::Between`].
    ///
    /// # Errors
    /// The host cannot do that.
    fn delete_before(&self, command: &str, key: &[u8]) -> Result<(), Broken>;
    /// Puts it into a condition, or out of it.
    ///
    /// # Errors
    /// The host failed.
    fn set(&self, condition: Condition, on: bool) -> Result<(), Broken>;
    /// Freezes it.
    ///
    /// # Errors
    /// The host failed.
    fn pause(&self) -> Result<(), Broken>;
    /// Thaws it.
    ///
    /// # Errors
    /// The host failed.
    fn resume(&self) -> Result<(), Broken>;
    /// Kills it at once.
    ///
    /// # Errors
    /// The host failed.
    fn crash(&self) -> Result<(), Broken>;
    /// Starts it again without its data.
    ///
    /// # Errors
    /// The host failed.
    fn restart_empty(&self) -> Result<(), Broken>;
}

/// The model server, on loopback in this process.
#[derive(Clone, Debug, Default)]
pub struct ModelHost {
    /// Which server it imitates.
    pub dialect: model::Dialect,
}

impl Host for ModelHost {
    fn start(&self, setup: Setup) -> Result<Box<dyn Running>, Broken> {
        let mut settings = match setup.password {
            Some(password) => Settings::with_password(password),
            None => Settings::default(),
        };
        if let Some((name, password)) = setup.user {
            let user = User::new(name).password(password);
            settings = settings.user(match setup.commands {
                Some(commands) => user.commands(commands),
                None => user,
            });
        }
        Ok(Box::new(ModelServer::with_settings(settings.dialect(self.dialect))?))
    }

    /// It knows only our own scripts; `HELLO` and users came with Redis 6.
    fn offers(&self, need: Need) -> bool {
        match need {
            Need::Scripts => false,
            Need::Resp3 | Need::Users => self.dialect > model::Dialect::Redis5,
            _ => true,
        }
    }
}

impl Running for ModelServer {
    fn address(&self) -> SocketAddr {
        self.addr().expect("it was started on a port")
    }

    fn calls(&self, command: &str) -> Result<u64, Broken> {
        Ok(self.with(|server| server.command_count(command)))
    }

    fn protocols(&self) -> Result<Vec<u8>, Broken> {
        let version = |session: &model::Session| match session.protocol() {
            model::Protocol::Resp2 => 2,
            model::Protocol::Resp3 => 3,
        };
        Ok(self.with(|server| server.sessions().map(|(_, session)| version(session)).collect()))
    }

    fn delete_before(&self, command: &str, key: &[u8]) -> Result<(), Broken> {
        self.with(|server| server.fail(Rule::on(command, Fault::Gone(key.to_vec()))));
        Ok(())
    }

    fn set(&self, condition: Condition, on: bool) -> Result<(), Broken> {
        self.with(|server| match condition {
            Condition::MemoryFull => server.conditions.out_of_memory = on,
            Condition::Replica if on => server.conditions.role = Role::Replica { linked: true },
            Condition::Replica => server.conditions.role = Role::Master,
        });
        Ok(())
    }

    fn pause(&self) -> Result<(), Broken> {
        Ok(Self::pause(self)?)
    }

    fn resume(&self) -> Result<(), Broken> {
        Ok(Self::resume(self)?)
    }

    fn crash(&self) -> Result<(), Broken> {
        Ok(Self::crash(self)?)
    }

    fn restart_empty(&self) -> Result<(), Broken> {
        Ok(self.restart(model::Data::Lose)?)
    }
}

/// A real server.
#[derive(Clone, Copy, Debug)]
pub struct RealHost(pub server::Kind);

impl Host for RealHost {
    fn start(&self, setup: Setup) -> Result<Box<dyn Running>, Broken> {
        let mut builder = Server::builder(self.0);
        if let Some(password) = setup.password {
            builder = builder.password(password);
        }
        let server = builder.start()?;
        if let Some((name, password)) = setup.user {
            let rule = format!(">{password}");
            let rights: Vec<_> = match setup.commands {
                Some(commands) => commands.iter().map(|command| format!("+{command}")).collect(),
                None => vec!["+@all".into()],
            };
            let mut question = vec!["ACL", "SETUSER", name, "on", &rule, "~*"];
            question.extend(rights.iter().map(String::as_str));
            let reply = server.command(&question)?;
            if reply != server::Value::Simple("OK".into()) {
                return Err(format!("ACL SETUSER was answered with {reply:?}").into());
            }
        }
        Ok(Box::new(Mutex::new(server)))
    }

    /// Nobody can come between two of its requests to order.
    fn offers(&self, need: Need) -> bool {
        need != Need::Between
    }
}

impl Running for Mutex<Server> {
    fn address(&self) -> SocketAddr {
        inner(self).address()
    }

    fn calls(&self, command: &str) -> Result<u64, Broken> {
        let text = inner(self).command(&["INFO", "commandstats"])?.text();
        let head = format!("cmdstat_{}:calls=", command.to_ascii_lowercase());
        let line = text.lines().find_map(|line| line.strip_prefix(&head));
        let calls = line.and_then(|line| line.split(',').next());
        calls.map_or(Ok(0), |calls| calls.parse().map_err(|_| "INFO commandstats is odd".into()))
    }

    fn protocols(&self) -> Result<Vec<u8>, Broken> {
        let text = inner(self).command(&["CLIENT", "LIST"])?.text();
        // The connection that asks is in the list as well.
        let others = text.lines().filter(|line| !line.contains(" cmd=client|list "));
        let version = |line: &str| {
            line.split(' ').find_map(|field| field.strip_prefix("resp=")?.parse().ok())
        };
        others.map(|line| version(line).ok_or_else(|| "CLIENT LIST is odd".into())).collect()
    }

    fn delete_before(&self, _: &str, _: &[u8]) -> Result<(), Broken> {
        Err("a real server lets nobody in between".into())
    }

    fn set(&self, condition: Condition, on: bool) -> Result<(), Broken> {
        let question: &[&str] = match (condition, on) {
            (Condition::MemoryFull, true) => &["CONFIG", "SET", "maxmemory", "1"],
            (Condition::MemoryFull, false) => &["CONFIG", "SET", "maxmemory", "0"],
            // Nobody listens on port 1: the master never comes.
            (Condition::Replica, true) => &["REPLICAOF", "127.0.0.1", "1"],
            (Condition::Replica, false) => &["REPLICAOF", "NO", "ONE"],
        };
        match inner(self).command(question)? {
            server::Value::Simple(_) => Ok(()),
            other => Err(format!("{question:?} was answered with {other:?}").into()),
        }
    }

    fn pause(&self) -> Result<(), Broken> {
        Ok(inner(self).pause()?)
    }

    fn resume(&self) -> Result<(), Broken> {
        Ok(inner(self).resume()?)
    }

    fn crash(&self) -> Result<(), Broken> {
        Ok(inner(self).kill9()?)
    }

    fn restart_empty(&self) -> Result<(), Broken> {
        // Without SIGTERM: nobody says good-bye in a crash either.
        inner(self).kill9()?;
        Ok(inner(self).restart(server::Data::Lose)?)
    }
}

fn inner(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kept here so that the hosts and their errors stand together.
impl From<server::ServerError> for Broken {
    fn from(error: server::ServerError) -> Self {
        Self::from(error.to_string())
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::from(format!("the test's own connection: {error}"))
    }
}
