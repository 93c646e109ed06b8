//! The commands on keys.
//!
//! Sources: the pages of [`SET`](https://redis.io/docs/latest/commands/set/) and its neighbours;
//! the order of the checks is that of Redis 7.0.

use core::time::Duration;
use std::collections::BTreeMap;

use super::Call;
use super::errors;
use super::history::Change;
use super::keyspace::{Entry, ServerTime, Value};
use super::reply::Reply;
use super::request::integer;
use super::server::Server;
use super::session::SessionId;
use super::table::{lower, wrong_arguments};

/// Where the wall clock of real servers stands about now. A ttl is too long when the moment of
/// its end does not fit into an `i64` of milliseconds.
const WALL_CLOCK_MILLIS: i64 = 1_790_000_000_000;

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]`
pub(crate) fn set(server: &mut Server, call: &Call<'_>) -> Reply {
    match try_set(server, call) {
        Ok(reply) | Err(reply) => reply,
    }
}

fn try_set(server: &mut Server, call: &Call<'_>) -> Result<Reply, Reply> {
    let options = SetOptions::parse(call.arguments.get(3..).unwrap_or_default())?;
    let ttl = options.ttl.map(Ttl::checked).transpose()?;
    let (database, key, value) = (call.database, call.argument(1), call.argument(2));
    let present = server.keyspace.get(database, key);
    let old = match present.map(|entry| &entry.value) {
        Some(Value::Hash(_)) if options.get => return Err(Reply::error(errors::WRONGTYPE)),
        Some(Value::Text(text)) if options.get => Some(Reply::bulk(text)),
        _ => options.get.then_some(Reply::Null),
    };
    let wanted = match options.only {
        Some(Only::Missing) => present.is_none(),
        Some(Only::Present) => present.is_some(),
        None => true,
    };
    if !wanted {
        return Ok(old.unwrap_or(Reply::Null));
    }
    let kept = present.and_then(|entry| entry.expiry).filter(|_| options.keep);
    let expiry = ttl.map(|millis| server.server_time() + millis_to_micros(millis)).or(kept);
    let entry = Entry { value: Value::Text(value.to_vec()), expiry };
    server.keyspace.insert(database, key, entry);
    let change = Change::Set(ttl.map(duration));
    server.changed(Some(call.session), database, key, value.to_vec(), change);
    Ok(old.unwrap_or(Reply::OK))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Missing,
    Present,
}

#[derive(Clone, Copy)]
enum Ttl {
    Seconds(i64),
    Millis(i64),
}

#[derive(Default)]
struct SetOptions {
    only: Option<Only>,
    get: bool,
    keep: bool,
    ttl: Option<Ttl>,
}

impl SetOptions {
    /// The syntax is read to its end before any number: a wrong word wins over a wrong ttl.
    fn parse(words: &[Vec<u8>]) -> Result<Self, Reply> {
        let syntax = || Reply::error(errors::SYNTAX);
        let mut options = Self::default();
        let mut ttl: Option<(String, &[u8])> = None;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let word = lower(word);
            match word.as_str() {
                "nx" if options.only != Some(Only::Present) => options.only = Some(Only::Missing),
                "xx" if options.only != Some(Only::Missing) => options.only = Some(Only::Present),
                "get" => options.get = true,
                "keepttl" if ttl.is_none() => options.keep = true,
                "ex" | "px"
                    if !options.keep && ttl.as_ref().is_none_or(|(unit, _)| *unit == word) =>
                {
                    ttl = Some((word, rest.next().ok_or_else(syntax)?));
                }
                _ => return Err(syntax()),
            }
        }
        if let Some((unit, text)) = ttl {
            let number = integer(text).ok_or_else(|| Reply::error(errors::NOT_AN_INTEGER))?;
            options.ttl =
                Some(if unit == "ex" { Ttl::Seconds(number) } else { Ttl::Millis(number) });
        }
        Ok(options)
    }
}

impl Ttl {
    /// Milliseconds, when a server accepts them.
    fn checked(self) -> Result<i64, Reply> {
        let millis = match self {
            Self::Seconds(seconds) => seconds.checked_mul(1000),
            Self::Millis(millis) => Some(millis),
        };
        millis
            .filter(|&millis| millis > 0 && millis <= i64::MAX - WALL_CLOCK_MILLIS)
            .ok_or_else(|| Reply::error("ERR invalid expire time in 'set' command"))
    }
}

/// `GET key`
pub(crate) fn get(server: &mut Server, call: &Call<'_>) -> Reply {
    match server.get(call.database, call.argument(1)) {
        None => Reply::Null,
        Some(Value::Text(text)) => Reply::bulk(text),
        Some(Value::Hash(_)) => Reply::error(errors::WRONGTYPE),
    }
}

/// `DEL key [key ...]`
pub(crate) fn del(server: &mut Server, call: &Call<'_>) -> Reply {
    let keys = call.arguments.get(1..).unwrap_or_default();
    let gone = keys.iter().filter(|key| server.erase(call, key, None)).count();
    number(gone)
}

/// `DELIFEQ key value`, since Valkey 9.0
pub(crate) fn delifeq(server: &mut Server, call: &Call<'_>) -> Reply {
    delete_equal(server, call, call.argument(2), errors::WRONGTYPE)
}

/// `DELEX key [IFEQ value]`, since Redis 8.4. The model knows no other condition.
pub(crate) fn delex(server: &mut Server, call: &Call<'_>) -> Reply {
    match call.arguments {
        [_, key] => number(usize::from(server.erase(call, key, None))),
        [_, _, condition, value] if lower(condition) == "ifeq" => {
            delete_equal(server, call, value, errors::DELEX_WRONGTYPE)
        }
        [_, _, _, _] => Reply::error("ERR The model server knows DELEX IFEQ only"),
        _ => wrong_arguments("delex"),
    }
}

fn delete_equal(server: &mut Server, call: &Call<'_>, value: &[u8], other: &'static str) -> Reply {
    let key = call.argument(1);
    let is_equal = match server.get(call.database, key) {
        None => false,
        Some(Value::Text(text)) => text == value,
        Some(Value::Hash(_)) => return Reply::error(other),
    };
    number(usize::from(is_equal && server.erase(call, key, Some(value))))
}

/// `EXISTS key [key ...]`
pub(crate) fn exists(server: &mut Server, call: &Call<'_>) -> Reply {
    let keys = call.arguments.get(1..).unwrap_or_default();
    number(keys.iter().filter(|key| server.get(call.database, key).is_some()).count())
}

/// `TYPE key`
pub(crate) fn kind(server: &mut Server, call: &Call<'_>) -> Reply {
    let name = match server.get(call.database, call.argument(1)) {
        None => "none",
        Some(Value::Text(_)) => "string",
        Some(Value::Hash(_)) => "hash",
    };
    Reply::Simple(name.into())
}

/// `PTTL key`: milliseconds, rounded down, so that the key surely lives so long.
pub(crate) fn pttl(server: &mut Server, call: &Call<'_>) -> Reply {
    let Some(entry) = server.keyspace.get(call.database, call.argument(1)) else {
        return Reply::Integer(-2);
    };
    Reply::Integer(match entry.expiry {
        None => -1,
        Some(expiry) => {
            let left = (expiry - server.server_time()).max(0) / 1000;
            i64::try_from(left).unwrap_or(i64::MAX)
        }
    })
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`. Zero and less delete the key.
pub(crate) fn pexpire(server: &mut Server, call: &Call<'_>) -> Reply {
    let flags = match ExpireFlags::parse(call.arguments.get(3..).unwrap_or_default()) {
        Ok(flags) => flags,
        Err(refusal) => return refusal,
    };
    let (key, text) = (call.argument(1), call.argument(2));
    match server.expire_in(call, key, text, flags, None) {
        Ok(done) => Reply::Integer(done.into()),
        Err(text) => Reply::error(text),
    }
}

/// The options of `PEXPIRE`.
#[derive(Clone, Copy, Default)]
pub(crate) struct ExpireFlags {
    missing: bool,
    present: bool,
    greater: bool,
    less: bool,
}

impl ExpireFlags {
    fn parse(words: &[Vec<u8>]) -> Result<Self, Reply> {
        let mut flags = Self::default();
        for word in words {
            match lower(word).as_str() {
                "nx" => flags.missing = true,
                "xx" => flags.present = true,
                "gt" => flags.greater = true,
                "lt" => flags.less = true,
                _ => {
                    let word = String::from_utf8_lossy(word);
                    return Err(Reply::error(format!("ERR Unsupported option {word}")));
                }
            }
        }
        if flags.missing && (flags.present || flags.greater || flags.less) {
            return Err(Reply::error(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if flags.greater && flags.less {
            return Err(Reply::error("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(flags)
    }

    /// A key without an expiry counts as one that ends last.
    fn allow(self, old: Option<ServerTime>, new: ServerTime) -> bool {
        let refused = (self.missing && old.is_some())
            || (self.present && old.is_none())
            || (self.greater && old.is_none_or(|old| new <= old))
            || (self.less && old.is_some_and(|old| new >= old));
        !refused
    }
}

/// `INCR key`. The ttl stays.
pub(crate) fn incr(server: &mut Server, call: &Call<'_>) -> Reply {
    let (database, key) = (call.database, call.argument(1));
    let present = server.keyspace.get(database, key);
    let old = match present.map(|entry| &entry.value) {
        None => Some(0),
        Some(Value::Text(text)) => integer(text),
        Some(Value::Hash(_)) => return Reply::error(errors::WRONGTYPE),
    };
    let Some(old) = old else { return Reply::error(errors::NOT_AN_INTEGER) };
    let Some(new) = old.checked_add(1) else { return Reply::error(errors::OVERFLOW) };
    let expiry = present.and_then(|entry| entry.expiry);
    let text = new.to_string().into_bytes();
    server.keyspace.insert(database, key, Entry { value: Value::Text(text.clone()), expiry });
    server.changed(Some(call.session), database, key, text, Change::Set(None));
    Reply::Integer(new)
}

/// `HSET key field value [field value ...]`: enough to make a key of another type.
pub(crate) fn hset(server: &mut Server, call: &Call<'_>) -> Reply {
    let (database, key) = (call.database, call.argument(1));
    let pairs = call.arguments.get(2..).unwrap_or_default();
    if pairs.len() % 2 == 1 {
        return wrong_arguments("hset");
    }
    if server.get(database, key).is_none() {
        let entry = Entry { value: Value::Hash(BTreeMap::new()), expiry: None };
        server.keyspace.insert(database, key, entry);
    }
    let Some(Value::Hash(fields)) = server.keyspace.value_mut(database, key) else {
        return Reply::error(errors::WRONGTYPE);
    };
    let mut added = 0;
    for pair in pairs.chunks_exact(2) {
        added += usize::from(fields.insert(pair[0].clone(), pair[1].clone()).is_none());
    }
    server.changed(Some(call.session), database, key, Vec::new(), Change::Set(None));
    number(added)
}

/// `DBSIZE`
pub(crate) fn dbsize(server: &mut Server, call: &Call<'_>) -> Reply {
    number(server.keyspace.len(call.database))
}

/// `FLUSHALL [ASYNC | SYNC]`
pub(crate) fn flushall(server: &mut Server, call: &Call<'_>) -> Reply {
    let known = matches!(lower(call.argument(1)).as_str(), "async" | "sync");
    match call.arguments.len() {
        1 => {}
        2 if known => {}
        _ => return Reply::error(errors::SYNTAX),
    }
    server.lose_keys(Some(call.session));
    Reply::OK
}

impl Server {
    /// Deletes a key. `shown` is the token that a script was given.
    pub(crate) fn erase(&mut self, call: &Call<'_>, key: &[u8], shown: Option<&[u8]>) -> bool {
        let Some(entry) = self.keyspace.remove(call.database, key) else { return false };
        let token = entry.value.text().unwrap_or_default().to_vec();
        self.note(call.session, call.database, key, token, Change::Deleted, shown);
        true
    }

    /// What `PEXPIRE` does, alone or in a script. The error is a text, which a script extends.
    pub(crate) fn expire_in(
        &mut self,
        call: &Call<'_>,
        key: &[u8],
        millis: &[u8],
        flags: ExpireFlags,
        shown: Option<&[u8]>,
    ) -> Result<bool, &'static str> {
        let millis = integer(millis).ok_or(errors::NOT_AN_INTEGER)?;
        if millis > i64::MAX - WALL_CLOCK_MILLIS {
            return Err("ERR invalid expire time in 'pexpire' command");
        }
        let end = self.server_time() + millis_to_micros(millis);
        let database = call.database;
        let Some(entry) = self.keyspace.get(database, key) else { return Ok(false) };
        if !flags.allow(entry.expiry, end) {
            return Ok(false);
        }
        if millis <= 0 {
            return Ok(self.erase(call, key, shown));
        }
        let entry = Entry { expiry: Some(end), ..entry.clone() };
        let token = entry.value.text().unwrap_or_default().to_vec();
        self.keyspace.insert(database, key, entry);
        let change = Change::Extended(duration(millis));
        self.note(call.session, database, key, token, change, shown);
        Ok(true)
    }

    fn note(
        &mut self,
        by: SessionId,
        database: usize,
        key: &[u8],
        token: Vec<u8>,
        change: Change,
        shown: Option<&[u8]>,
    ) {
        self.record(Some(by), database, key, token, change, shown.map(<[u8]>::to_vec));
        self.invalidate(key, Some(by));
    }
}

fn number(count: usize) -> Reply {
    Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn millis_to_micros(millis: i64) -> ServerTime {
    ServerTime::from(millis) * 1000
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
