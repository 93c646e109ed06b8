//! The commands that the model knows: name, number of arguments, and when a server refuses them.
//!
//! The flags are those of `COMMAND INFO` on Redis 7.0.

use super::settings::Dialect;
use super::{Call, Server, connection, keys, scripts};
use crate::reply::Reply;

/// Changes keys.
pub(crate) const WRITE: u8 = 1;
/// Reads keys: a connection with tracking on is told when they change.
pub(crate) const READ: u8 = 2;
/// Refused when the memory is full.
pub(crate) const DENY_OOM: u8 = 4;
/// Served while the data set loads.
pub(crate) const LOADING: u8 = 8;
/// Served by a replica without its master.
pub(crate) const STALE: u8 = 16;
/// Served while a script runs.
pub(crate) const BUSY: u8 = 32;
/// Needs no authentication and no permission.
pub(crate) const OPEN: u8 = 64;

/// Where the keys stand among the arguments.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    None,
    First,
    All,
    /// Counted by the argument before them.
    Counted,
}

/// One command.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// Exactly so many arguments with the name; at least so many when negative.
    pub(crate) arity: isize,
    pub(crate) flags: u8,
    pub(crate) keys: Keys,
    pub(crate) run: fn(&mut Server, &Call<'_>) -> Reply,
}

type Run = fn(&mut Server, &Call<'_>) -> Reply;

const fn spec(name: &'static str, arity: isize, flags: u8, keys: Keys, run: Run) -> Spec {
    Spec { name, arity, flags, keys, run }
}

const ANY_STATE: u8 = LOADING | STALE;

const COMMANDS: &[Spec] = &[
    spec("set", -3, WRITE | DENY_OOM, Keys::First, keys::set),
    spec("get", 2, READ, Keys::First, keys::get),
    spec("del", -2, WRITE, Keys::All, keys::del),
    spec("delifeq", 3, WRITE, Keys::First, keys::delifeq),
    spec("delex", -2, WRITE, Keys::First, keys::delex),
    spec("exists", -2, READ, Keys::All, keys::exists),
    spec("type", 2, READ, Keys::First, keys::kind),
    spec("pttl", 2, READ, Keys::First, keys::pttl),
    spec("pexpire", -3, WRITE, Keys::First, keys::pexpire),
    spec("incr", 2, WRITE | DENY_OOM, Keys::First, keys::incr),
    spec("hset", -4, WRITE | DENY_OOM, Keys::First, keys::hset),
    spec("dbsize", 1, 0, Keys::None, keys::dbsize),
    spec("flushall", -1, WRITE, Keys::None, keys::flushall),
    spec("eval", -3, STALE, Keys::Counted, scripts::eval),
    spec("evalsha", -3, STALE, Keys::Counted, scripts::evalsha),
    spec("script|load", 3, STALE, Keys::None, scripts::load),
    spec("script|exists", -3, 0, Keys::None, scripts::exists),
    spec("script|flush", -2, 0, Keys::None, scripts::flush),
    spec("script|kill", 2, STALE | BUSY, Keys::None, scripts::kill),
    spec("hello", -1, ANY_STATE | BUSY | OPEN, Keys::None, connection::hello),
    spec("auth", -2, ANY_STATE | BUSY | OPEN, Keys::None, connection::auth),
    spec("select", 2, ANY_STATE, Keys::None, connection::select),
    spec("ping", -1, 0, Keys::None, connection::ping),
    spec("echo", 2, ANY_STATE, Keys::None, connection::echo),
    spec("client|id", 2, ANY_STATE, Keys::None, connection::id),
    spec("client|setname", 3, ANY_STATE, Keys::None, connection::set_name),
    spec("client|getname", 2, ANY_STATE, Keys::None, connection::get_name),
    spec("client|setinfo", 4, ANY_STATE, Keys::None, connection::set_info),
    spec("client|kill", -3, ANY_STATE, Keys::None, connection::kill),
    spec("client|tracking", -3, ANY_STATE, Keys::None, connection::tracking),
    spec("client|caching", 3, ANY_STATE, Keys::None, connection::caching),
    spec("role", 1, ANY_STATE, Keys::None, connection::role),
    spec("info", -1, ANY_STATE, Keys::None, connection::info),
    spec("wait", 3, 0, Keys::None, connection::wait),
];

const CONTAINERS: &[&str] = &["client", "script"];

/// Finds the command of a request, or the error that a server gives.
pub(crate) fn lookup(request: &[Vec<u8>], dialect: Dialect) -> Result<&'static Spec, Reply> {
    let name = request.first().map(|name| lower(name)).unwrap_or_default();
    if !CONTAINERS.contains(&name.as_str()) {
        let known = find(&name, dialect).ok_or_else(|| unknown(request, dialect))?;
        return check_arity(known, request);
    }
    let Some(sub) = request.get(1) else { return Err(wrong_arguments(&name)) };
    let full = format!("{name}|{}", lower(sub));
    let known = find(&full, dialect).ok_or_else(|| {
        let shown = String::from_utf8_lossy(&sub[..sub.len().min(128)]);
        Reply::error(format!(
            "ERR unknown subcommand '{shown}'. Try {} HELP.",
            name.to_ascii_uppercase()
        ))
    })?;
    check_arity(known, request)
}

fn find(name: &str, dialect: Dialect) -> Option<&'static Spec> {
    let absent = match name {
        "hello" | "client|tracking" | "client|caching" => dialect == Dialect::Redis5,
        "client|setinfo" => dialect < Dialect::Redis8,
        "delifeq" => dialect != Dialect::Valkey9,
        "delex" => dialect != Dialect::Redis8_6,
        _ => false,
    };
    COMMANDS.iter().find(|spec| spec.name == name && !absent)
}

fn check_arity(spec: &'static Spec, request: &[Vec<u8>]) -> Result<&'static Spec, Reply> {
    let given = request.len();
    let wanted = spec.arity.unsigned_abs();
    if given == wanted || (spec.arity < 0 && given > wanted) {
        Ok(spec)
    } else {
        Err(wrong_arguments(spec.name))
    }
}

/// The error for a wrong number of arguments.
pub(crate) fn wrong_arguments(name: &str) -> Reply {
    Reply::error(format!("ERR wrong number of arguments for '{name}' command"))
}

/// A real server cuts the name and the list of arguments at 128 bytes each.
fn unknown(request: &[Vec<u8>], dialect: Dialect) -> Reply {
    let quotes = if dialect < Dialect::Redis7 { ("`", "`, ") } else { ("'", "' ") };
    let mut list = Vec::new();
    for argument in request.iter().skip(1) {
        if list.len() >= 128 {
            break;
        }
        let room = 128 - list.len();
        list.extend_from_slice(quotes.0.as_bytes());
        list.extend_from_slice(&argument[..argument.len().min(room)]);
        list.extend_from_slice(quotes.1.as_bytes());
    }
    let name = request.first().map(Vec::as_slice).unwrap_or_default();
    Reply::error(format!(
        "ERR unknown command {open}{}{close}, with args beginning with: {}",
        String::from_utf8_lossy(&name[..name.len().min(128)]),
        String::from_utf8_lossy(&list),
        open = quotes.0,
        close = quotes.0,
    ))
}

impl Spec {
    /// The keys among the arguments of a request.
    pub(crate) fn keys<'a>(&self, request: &'a [Vec<u8>]) -> &'a [Vec<u8>] {
        match self.keys {
            Keys::None => &[],
            Keys::First => request.get(1..2).unwrap_or_default(),
            Keys::All => request.get(1..).unwrap_or_default(),
            Keys::Counted => {
                let count = request.get(2).and_then(|text| super::request::integer(text));
                let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
                request.get(3..count.saturating_add(3)).unwrap_or_default()
            }
        }
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it is a subcommand of this one.
    pub(crate) fn is_of(&self, container: &str) -> bool {
        self.name.split_once('|').is_some_and(|(name, _)| name == container)
    }
}

/// Lower case; bytes that are not UTF-8 become signs that no command has.
pub(crate) fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}
