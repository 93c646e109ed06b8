//! The commands about the connection and the server itself.
//!
//! Source: [`HELLO`](https://redis.io/docs/latest/commands/hello/) and its neighbours; the order of
//! the checks is that of Redis 7.0.

use super::Call;
use super::errors;
use super::reply::{Protocol, Reply};
use super::request::integer;
use super::server::Server;
use super::session::{Session, SessionId, Tracking};
use super::settings::{Cluster, Dialect, Role};
use super::table::{lower, wrong_arguments};

type Outcome = Result<Reply, Reply>;

fn either(outcome: Outcome) -> Reply {
    match outcome {
        Ok(reply) | Err(reply) => reply,
    }
}

/// `HELLO [protover [AUTH user password] [SETNAME name]]`. Options take effect one by one, also
/// when a later one is wrong.
pub(crate) fn hello(server: &mut Server, call: &Call<'_>) -> Reply {
    either(try_hello(server, call))
}

fn try_hello(server: &mut Server, call: &Call<'_>) -> Outcome {
    let wanted = match call.arguments.get(1).map(|text| integer(text)) {
        None => None,
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(Reply::error(errors::NOPROTO)),
        Some(None) => {
            return Err(Reply::error("ERR Protocol version is not an integer or out of range"));
        }
    };
    let mut rest = call.arguments.get(2..).unwrap_or_default();
    while let Some((option, words)) = rest.split_first() {
        rest = match (lower(option).as_str(), words) {
            ("auth", [user, password, rest @ ..]) => {
                server.log_in(call.session, &lossy(user), password)?;
                rest
            }
            ("setname", [name, rest @ ..]) => {
                server.rename(call.session, name)?;
                rest
            }
            _ => {
                let option = lossy(option);
                return Err(Reply::error(format!("ERR Syntax error in HELLO option '{option}'")));
            }
        };
    }
    let session = server.session_mut(call.session)?;
    if session.user.is_none() {
        return Err(Reply::error(errors::NOAUTH_HELLO));
    }
    if let Some(protocol) = wanted {
        session.protocol = protocol;
    }
    let version = if session.protocol == Protocol::Resp2 { 2 } else { 3 };
    Ok(server.greeting(call.session, version))
}

/// `AUTH password`, `AUTH user password`
pub(crate) fn auth(server: &mut Server, call: &Call<'_>) -> Reply {
    either(try_auth(server, call))
}

fn try_auth(server: &mut Server, call: &Call<'_>) -> Outcome {
    let old = server.settings.dialect == Dialect::Redis5;
    let (user, password) = match &call.arguments[1..] {
        [password] => ("default".to_owned(), password),
        _ if old => return Err(wrong_arguments("auth")),
        [user, password] => (lossy(user), password),
        _ => return Err(Reply::error(errors::SYNTAX)),
    };
    let open = server.settings.find("default").is_some_and(|user| user.password.is_none());
    if open && call.arguments.len() == 2 {
        let text = if old { errors::NO_PASSWORD_SET_5 } else { errors::NO_PASSWORD_SET };
        return Err(Reply::error(text));
    }
    server.log_in(call.session, &user, password)?;
    Ok(Reply::OK)
}

/// `SELECT index`
pub(crate) fn select(server: &mut Server, call: &Call<'_>) -> Reply {
    let databases = server.settings.databases;
    let Some(index) = integer(call.argument(1)) else {
        return Reply::error(errors::NOT_AN_INTEGER);
    };
    if server.conditions.cluster != Cluster::Off && index != 0 {
        return Reply::error(errors::SELECT_IN_CLUSTER);
    }
    let Some(index) = usize::try_from(index).ok().filter(|&index| index < databases) else {
        return Reply::error(errors::DATABASE_RANGE);
    };
    either(server.session_mut(call.session).map(|session| {
        session.database = index;
        Reply::OK
    }))
}

/// `PING [message]`
pub(crate) fn ping(_: &mut Server, call: &Call<'_>) -> Reply {
    match call.arguments {
        [_] => Reply::Simple("PONG".into()),
        [_, message] => Reply::bulk(message),
        _ => wrong_arguments("ping"),
    }
}

/// `ECHO message`
pub(crate) fn echo(_: &mut Server, call: &Call<'_>) -> Reply {
    Reply::bulk(call.argument(1))
}

/// `CLIENT ID`
pub(crate) fn id(server: &mut Server, call: &Call<'_>) -> Reply {
    session_number(server, call.session)
}

/// `CLIENT SETNAME name`
pub(crate) fn set_name(server: &mut Server, call: &Call<'_>) -> Reply {
    either(server.rename(call.session, call.argument(2)).map(|()| Reply::OK))
}

/// `CLIENT GETNAME`
pub(crate) fn get_name(server: &mut Server, call: &Call<'_>) -> Reply {
    either(server.session_mut(call.session).map(|session| match session.name.as_slice() {
        [] => Reply::Null,
        name => Reply::bulk(name),
    }))
}

/// `CLIENT SETINFO LIB-NAME | LIB-VER value`, since Redis 7.2
pub(crate) fn set_info(_: &mut Server, call: &Call<'_>) -> Reply {
    let option = lower(call.argument(2));
    if option != "lib-name" && option != "lib-ver" {
        let shown = lossy(call.argument(2));
        return Reply::error(format!("ERR Unrecognized option '{shown}'"));
    }
    if !is_name(call.argument(3)) {
        let option = option.to_ascii_uppercase();
        return Reply::error(format!(
            "ERR {option} cannot contain spaces, newlines or special characters."
        ));
    }
    Reply::OK
}

/// `CLIENT KILL [ID id] [TYPE normal] [SKIPME yes | no]`, and the old form with an address, which
/// finds nobody here.
pub(crate) fn kill(server: &mut Server, call: &Call<'_>) -> Reply {
    either(try_kill(server, call))
}

fn try_kill(server: &mut Server, call: &Call<'_>) -> Outcome {
    let pairs = call.arguments.get(2..).unwrap_or_default();
    if pairs.len() == 1 {
        return Err(Reply::error("ERR No such client"));
    }
    let (mut wanted, mut normal, mut skip_me) = (None, true, true);
    for pair in pairs.chunks(2) {
        let [option, value] = pair else { return Err(Reply::error(errors::SYNTAX)) };
        match (lower(option).as_str(), lower(value).as_str()) {
            ("id", text) => match integer(text.as_bytes()).and_then(|id| u64::try_from(id).ok()) {
                None | Some(0) => {
                    return Err(Reply::error("ERR client-id should be greater than 0"));
                }
                number => wanted = number,
            },
            ("type", "normal") => normal = true,
            ("type", "master" | "replica" | "slave" | "pubsub") => normal = false,
            ("type", _) => {
                let value = lossy(value);
                return Err(Reply::error(format!("ERR Unknown client type '{value}'")));
            }
            ("skipme", "yes") => skip_me = true,
            ("skipme", "no") => skip_me = false,
            _ => return Err(Reply::error(errors::SYNTAX)),
        }
    }
    let victims: Vec<_> = server
        .sessions
        .keys()
        .copied()
        .filter(|&id| normal && wanted.is_none_or(|number| number == server.number(id)))
        .filter(|&id| !(skip_me && id == call.session))
        .collect();
    for &id in &victims {
        if id == call.session {
            server.end(id);
        } else {
            server.kill(id);
        }
    }
    Ok(Reply::Integer(i64::try_from(victims.len()).unwrap_or(i64::MAX)))
}

/// `CLIENT TRACKING ON | OFF [OPTIN] [NOLOOP]`
pub(crate) fn tracking(server: &mut Server, call: &Call<'_>) -> Reply {
    let (mut noloop, mut optin) = (false, false);
    for option in call.arguments.get(3..).unwrap_or_default() {
        match lower(option).as_str() {
            "noloop" => noloop = true,
            "optin" => optin = true,
            "bcast" | "optout" | "prefix" | "redirect" => {
                return Reply::error(
                    "ERR The model server knows CLIENT TRACKING OPTIN and NOLOOP only",
                );
            }
            _ => return Reply::error(errors::SYNTAX),
        }
    }
    let tracking = match lower(call.argument(2)).as_str() {
        "on" => Some(Tracking { noloop, optin }),
        "off" => None,
        _ => return Reply::error(errors::SYNTAX),
    };
    either(server.session_mut(call.session).map(|session| {
        session.tracking = tracking;
        Reply::OK
    }))
}

/// `CLIENT CACHING YES | NO`
pub(crate) fn caching(server: &mut Server, call: &Call<'_>) -> Reply {
    let yes = match lower(call.argument(2)).as_str() {
        "yes" => true,
        "no" => false,
        _ => return Reply::error(errors::SYNTAX),
    };
    either(server.session_mut(call.session).map(|session| match session.tracking {
        Some(Tracking { optin: true, .. }) if yes => {
            session.caching = true;
            Reply::OK
        }
        Some(Tracking { optin: true, .. }) => Reply::error(errors::CACHING_NO),
        _ => Reply::error(errors::CACHING),
    }))
}

/// `ROLE`
pub(crate) fn role(server: &mut Server, _: &Call<'_>) -> Reply {
    match server.conditions.role {
        Role::Master => {
            Reply::Array(vec![Reply::bulk("master"), Reply::Integer(0), Reply::Array(Vec::new())])
        }
        Role::Replica { linked } => Reply::Array(vec![
            Reply::bulk("slave"),
            Reply::bulk("127.0.0.1"),
            Reply::Integer(6379),
            Reply::bulk(if linked { "connected" } else { "connect" }),
            Reply::Integer(if linked { 0 } else { -1 }),
        ]),
    }
}

/// `INFO [section ...]`: the sections `server` and `replication`.
pub(crate) fn info(server: &mut Server, call: &Call<'_>) -> Reply {
    let wanted: Vec<_> = call.arguments.iter().skip(1).map(|name| lower(name)).collect();
    let has = |name: &str| {
        let all = ["default", "all", "everything"];
        wanted.is_empty() || wanted.iter().any(|word| word == name || all.contains(&word.as_str()))
    };
    let mut sections = Vec::new();
    if has("server") {
        sections.push(server.info_server());
    }
    if has("replication") {
        let role = if server.conditions.role == Role::Master { "master" } else { "slave" };
        sections.push(format!("# Replication\r\nrole:{role}\r\nconnected_slaves:0\r\n"));
    }
    Reply::Verbatim(sections.join("\r\n"))
}

/// `WAIT numreplicas timeout`: there are none, and it does not wait for them.
pub(crate) fn wait(server: &mut Server, call: &Call<'_>) -> Reply {
    if server.conditions.role != Role::Master {
        return Reply::error(errors::WAIT_ON_REPLICA);
    }
    match (integer(call.argument(1)), integer(call.argument(2))) {
        (None, _) => Reply::error(errors::NOT_AN_INTEGER),
        (_, None) => Reply::error("ERR timeout is not an integer or out of range"),
        (_, Some(timeout)) if timeout < 0 => Reply::error("ERR timeout is negative"),
        _ => Reply::Integer(0),
    }
}

impl Server {
    pub(crate) fn session_mut(&mut self, id: SessionId) -> Result<&mut Session, Reply> {
        self.sessions.get_mut(&id).ok_or(Reply::error("ERR No such client"))
    }

    /// After a failure the session stays who it was.
    fn log_in(&mut self, id: SessionId, name: &str, password: &[u8]) -> Result<(), Reply> {
        let fits = self.settings.find(name).is_some_and(|user| {
            user.password.as_ref().is_none_or(|known| known.as_bytes() == password)
        });
        if !fits {
            let old = self.settings.dialect == Dialect::Redis5;
            return Err(Reply::error(if old { errors::WRONGPASS_5 } else { errors::WRONGPASS }));
        }
        self.session_mut(id)?.user = Some(name.to_owned());
        Ok(())
    }

    fn rename(&mut self, id: SessionId, name: &[u8]) -> Result<(), Reply> {
        if !is_name(name) {
            return Err(Reply::error(errors::BAD_NAME));
        }
        self.session_mut(id)?.name = name.to_vec();
        Ok(())
    }

    fn greeting(&self, id: SessionId, version: i64) -> Reply {
        let dialect = self.settings.dialect;
        let cluster = self.conditions.cluster != Cluster::Off;
        let master = self.conditions.role == Role::Master;
        let fields = [
            ("server", Reply::bulk(dialect.product())),
            ("version", Reply::bulk(dialect.version())),
            ("proto", Reply::Integer(version)),
            ("id", session_number(self, id)),
            ("mode", Reply::bulk(if cluster { "cluster" } else { "standalone" })),
            ("role", Reply::bulk(if master { "master" } else { "replica" })),
            ("modules", Reply::Array(Vec::new())),
        ];
        Reply::Map(fields.map(|(name, value)| (Reply::bulk(name), value)).into())
    }

    fn info_server(&self) -> String {
        let dialect = self.settings.dialect;
        let mut text = format!("# Server\r\nredis_version:{}\r\n", dialect.redis_version());
        if dialect == Dialect::Valkey9 {
            text += &format!("server_name:valkey\r\nvalkey_version:{}\r\n", dialect.version());
        }
        let mode = if self.conditions.cluster == Cluster::Off { "standalone" } else { "cluster" };
        text += &format!("redis_mode:{mode}\r\nrun_id:{}\r\n", self.run_id());
        text += &format!("uptime_in_seconds:{}\r\n", self.uptime().as_secs());
        text
    }
}

fn session_number(server: &Server, id: SessionId) -> Reply {
    Reply::Integer(i64::try_from(server.number(id)).unwrap_or(i64::MAX))
}

/// Printable ASCII without the space; empty takes the name away.
fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
