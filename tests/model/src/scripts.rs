//! `EVAL`, `EVALSHA` and `SCRIPT`, for the two scripts of redlatch.
//!
//! Lua is not run. A script is recognised by its source, and the model does what that source says,
//! command by command, with the errors that each inner command would meet. The sources stand here
//! a second time: when those of the core change, the model does not know them until somebody has
//! read them and changed it too.

use super::Call;
use super::errors;
use super::keys::ExpireFlags;
use super::keyspace::Value;
use super::reply::Reply;
use super::request::integer;
use super::server::Server;
use super::settings::Dialect;
use super::table::lower;

/// Compare and delete, then tell the token.
pub const RELEASE_SOURCE: &str = "local v=redis.call('GET',KEYS[1]) \
     if v==ARGV[1] then redis.call('DEL',KEYS[1]) return v end \
     if v then return -1 end \
     return 0";

/// Compare and extend, then tell the token.
pub const EXTEND_SOURCE: &str = "local v=redis.call('GET',KEYS[1]) \
     if v==ARGV[1] then redis.call('PEXPIRE',KEYS[1],ARGV[2]) return v end \
     if v then return -1 end \
     return 0";

/// A script that the model can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Release,
    Extend,
}

impl Known {
    fn recognise(source: &[u8]) -> Result<Self, Reply> {
        if source == RELEASE_SOURCE.as_bytes() {
            Ok(Self::Release)
        } else if source == EXTEND_SOURCE.as_bytes() {
            Ok(Self::Extend)
        } else {
            Err(Reply::error(errors::OTHER_SCRIPT))
        }
    }
}

/// `EVAL script numkeys [key ...] [arg ...]`. The script stays loaded.
pub(crate) fn eval(server: &mut Server, call: &Call<'_>) -> Reply {
    let (keys, arguments) = match split(call) {
        Ok(parts) => parts,
        Err(refusal) => return refusal,
    };
    let script = match Known::recognise(call.argument(1)) {
        Ok(script) => script,
        Err(refusal) => return refusal,
    };
    let digest = server.remember(script, call.argument(1));
    server.run(call, script, &digest, keys, arguments)
}

/// `EVALSHA digest numkeys [key ...] [arg ...]`
pub(crate) fn evalsha(server: &mut Server, call: &Call<'_>) -> Reply {
    let digest = lower(call.argument(1));
    let missing = Reply::error(match server.settings.dialect {
        Dialect::Valkey9 => errors::NOSCRIPT_VALKEY,
        _ => errors::NOSCRIPT,
    });
    if call.argument(1).len() != 40 {
        return missing;
    }
    let (keys, arguments) = match split(call) {
        Ok(parts) => parts,
        Err(refusal) => return refusal,
    };
    match server.scripts.get(&digest).copied() {
        Some(script) => server.run(call, script, &digest, keys, arguments),
        None => missing,
    }
}

/// `SCRIPT LOAD script`
pub(crate) fn load(server: &mut Server, call: &Call<'_>) -> Reply {
    match Known::recognise(call.argument(2)) {
        Ok(script) => Reply::bulk(&server.remember(script, call.argument(2))),
        Err(refusal) => refusal,
    }
}

/// `SCRIPT EXISTS digest [digest ...]`
pub(crate) fn exists(server: &mut Server, call: &Call<'_>) -> Reply {
    let digests = call.arguments.get(2..).unwrap_or_default();
    let known = |digest: &Vec<u8>| server.scripts.contains_key(&lower(digest));
    Reply::Array(digests.iter().map(|digest| Reply::Integer(known(digest).into())).collect())
}

/// `SCRIPT FLUSH [ASYNC | SYNC]`
pub(crate) fn flush(server: &mut Server, call: &Call<'_>) -> Reply {
    let known = matches!(lower(call.argument(2)).as_str(), "async" | "sync");
    match call.arguments.len() {
        2 => {}
        3 if known => {}
        _ => return Reply::error("ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
    }
    server.scripts.clear();
    Reply::OK
}

/// `SCRIPT KILL`: ends [`busy`](super::Conditions::busy).
pub(crate) fn kill(server: &mut Server, _: &Call<'_>) -> Reply {
    if core::mem::take(&mut server.conditions.busy) {
        Reply::OK
    } else {
        Reply::error(errors::NOTBUSY)
    }
}

/// Keys and arguments.
type Parts<'a> = (&'a [Vec<u8>], &'a [Vec<u8>]);

/// Keys and arguments, told apart by the number before them.
fn split<'a>(call: &Call<'a>) -> Result<Parts<'a>, Reply> {
    let rest = call.arguments.get(3..).unwrap_or_default();
    let count = integer(call.argument(2)).ok_or(Reply::error(errors::NOT_AN_INTEGER))?;
    match usize::try_from(count) {
        Err(_) => Err(Reply::error("ERR Number of keys can't be negative")),
        Ok(count) if count > rest.len() => {
            Err(Reply::error("ERR Number of keys can't be greater than number of args"))
        }
        Ok(count) => Ok(rest.split_at(count)),
    }
}

impl Server {
    /// Loads a script. The digest is computed here, not taken from the code under test.
    fn remember(&mut self, script: Known, source: &[u8]) -> String {
        let digest = sha1_smol::Sha1::from(source).digest().to_string();
        self.scripts.insert(digest.clone(), script);
        digest
    }

    fn run(
        &mut self,
        call: &Call<'_>,
        script: Known,
        digest: &str,
        keys: &[Vec<u8>],
        arguments: &[Vec<u8>],
    ) -> Reply {
        if self.is_stale() {
            return Reply::error(errors::MASTERDOWN);
        }
        match self.compare(call, script, keys, arguments) {
            Ok(reply) => reply,
            Err(failure) => Reply::error(failure.text(self.settings.dialect, digest)),
        }
    }

    /// `GET`, compare, then `DEL` or `PEXPIRE`, whose result is not looked at.
    fn compare(
        &mut self,
        call: &Call<'_>,
        script: Known,
        keys: &[Vec<u8>],
        arguments: &[Vec<u8>],
    ) -> Result<Reply, Failure> {
        let Some(key) = keys.first() else { return Err(Failure::raised(errors::LUA_ARGUMENTS)) };
        self.may_run_inner(call.session, "get").map_err(Failure::refused)?;
        self.track(call.session, core::slice::from_ref(key));
        let found = match self.get(call.database, key) {
            None => return Ok(Reply::Integer(0)),
            Some(Value::Hash(_)) => return Err(Failure::replied(errors::WRONGTYPE)),
            Some(Value::Text(text)) => text.as_slice(),
        };
        let Some(shown) = arguments.first().filter(|token| token.as_slice() == found) else {
            return Ok(Reply::Integer(-1));
        };
        match script {
            Known::Release => {
                self.admit_inner(call.session, "del").map_err(Failure::refused)?;
                self.erase(call, key, Some(shown));
            }
            Known::Extend => {
                let Some(ttl) = arguments.get(1) else {
                    return Err(Failure::raised(errors::LUA_ARGUMENTS));
                };
                self.admit_inner(call.session, "pexpire").map_err(Failure::refused)?;
                self.expire_in(call, key, ttl, ExpireFlags::default(), Some(shown))
                    .map_err(Failure::replied)?;
            }
        }
        Ok(Reply::bulk(shown))
    }
}

/// An error inside a script, and where it came from: old servers word the two differently.
struct Failure {
    line: String,
    /// From the command itself; otherwise from what stands in front of it.
    replied: bool,
}

impl Failure {
    fn replied(line: &str) -> Self {
        Self { line: line.to_owned(), replied: true }
    }

    fn refused(line: String) -> Self {
        Self { line, replied: false }
    }

    fn raised(line: &str) -> Self {
        Self::refused(line.to_owned())
    }

    fn text(&self, dialect: Dialect, digest: &str) -> String {
        let line = &self.line;
        match dialect {
            Dialect::Redis7 | Dialect::Redis8 | Dialect::Redis8_6 => {
                format!("{line} script: {digest}, on @user_script:1.")
            }
            Dialect::Valkey9 => format!("{line} script: on @user_script:1."),
            Dialect::Redis5 | Dialect::Redis6 => {
                let inner = match (self.replied, line.strip_prefix("ERR ")) {
                    (true, _) => line.clone(),
                    (false, Some(text)) => format!("@user_script: 1: {text}"),
                    (false, None) => format!("@user_script: 1: -{line}"),
                };
                format!("ERR Error running script (call to f_{digest}): @user_script:1: {inner}")
            }
        }
    }
}
