//! Error lines of servers: what each is read as, what may be concluded from it, and what the owner
//! of a lock is told to do about it (R17, R18).

use std::collections::BTreeMap;

use redlatch_core::Class::{self, Held, Permanent, Refused, Unknown};
use redlatch_core::{Answer, Refusal, Reply};

/// An error line without its `-`, what it is read as, its class, words of the advice.
type Row = (&'static str, Refusal, Class, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Refusal::*;
    &[
    ("NOSCRIPT No matching script.", NoScript, Refused, "does not keep the script"),
    ("BUSY Redis is busy running a script.", Busy, Refused, "kill that script or wait"),
    ("READONLY You can't write against a read only replica.", ReadOnly, Refused, "read-only replica"),
    ("LOADING Redis is loading the dataset in memory", Loading, Refused, "loading its data set"),
    ("MASTERDOWN Link with MASTER is down", MasterDown, Refused, "replica without its master"),
    ("OOM command not allowed when used memory > 'maxmemory'.", OutOfMemory, Refused, "raise maxmemory"),
    ("MISCONF Errors writing to the AOF file", Misconfigured, Refused, "look into its log"),
    ("NOREPLICAS Not enough good replicas to write.", NoReplicas, Refused, "too few replicas"),
    ("CLUSTERDOWN Hash slot not served", ClusterDown, Refused, "repair the cluster"),
    ("MOVED 3999 127.0.0.1:6381", Moved, Refused, "connect to that one"),
    ("ASK 3999 127.0.0.1:6381", Ask, Refused, "connect to that one"),
    ("TRYAGAIN Multiple keys request during rehashing of slot", TryAgain, Refused, "moving the key"),
    ("CROSSSLOT Keys in request don't hash to the same slot", CrossSlot, Permanent, "one hash tag"),
    ("NOAUTH Authentication required.", NoAuth, Permanent, "wants a password"),
    ("WRONGPASS invalid username-password pair", WrongPassword, Permanent, "is wrong; correct them"),
    ("NOPERM this user has no permissions", NoPermission, Permanent, "the user lacks rights"),
    ("WRONGTYPE Operation against a key", WrongType, Held, "use another key"),
    ("NOPROTO unsupported protocol version", NoProtocol, Permanent, "this version of the protocol"),
    ("DENIED Redis is running in protected mode", ProtectedMode, Permanent, "in protected mode"),
    ("ERR Script killed by user with SCRIPT KILL...", ScriptKilled, Refused, "killed the running script"),
    ("ERR Script attempted to access a non local key in a cluster", CrossSlot, Permanent, "one hash tag"),
    ("ERR AUTH <password> called without any password configured", PasswordNotSet, Permanent, "remove it"),
    ("ERR Client sent AUTH, but no password is set", PasswordNotSet, Permanent, "remove it"),
    ("ERR invalid password", WrongPassword, Permanent, "is wrong; correct them"),
    ("ERR The user executing the script can't run this command", NoPermission, Permanent, "lacks rights"),
    ("ERR ACL failure in script: User x has no permissions", NoPermission, Permanent, "lacks rights"),
    ("ERR max number of clients reached", TooManyClients, Refused, "raise maxclients"),
    ("ERR invalid expire time in 'set' command", InvalidExpire, Refused, "use a shorter one"),
    ("ERR unknown command 'EVALSHA'", UnknownCommand, Permanent, "does not know a command"),
    // The code may stand behind ERR, and before version 7 behind the position in the script.
    ("ERR READONLY You can't write", ReadOnly, Refused, "read-only replica"),
    ("ERR Error running script (call to f_0): @user_script:1: WRONGTYPE Operation", WrongType, Held, "another key"),
    ("ERR Error running script (call to f_0): @user_script:12: @user_script: 12: -OOM no", OutOfMemory, Refused, "maxmemory"),
    ("ERR Error running script (call to f_0): @user_script: 1: Script killed by user", ScriptKilled, Refused, "try again"),
    // Nothing may be concluded from any other line, also not from what looks like a known one.
    ("ERR Error running script (call to f_0): OOM no", Other, Unknown, "unknown error"),
    ("ERR Error running script (call to f_0): @user_script", Other, Unknown, "unknown error"),
    ("ERR @user_script:1: WRONGTYPE Operation", Other, Unknown, "unknown error"),
    ("Script killed by user", Other, Unknown, "unknown error"),
    ("ERR ERR Script killed by user", Other, Unknown, "unknown error"),
    ("ERR", Other, Unknown, "unknown error"),
    ("ERR  OOM two blanks", Other, Unknown, "unknown error"),
    ("OOMX", Other, Unknown, "unknown error"),
    ("oom", Other, Unknown, "unknown error"),
    ("", Other, Unknown, "unknown error"),
    ]
};

#[test]
fn r17_every_error_line_is_read_and_judged() {
    for (line, refusal, class, advice) in ROWS {
        let read = Refusal::classify(line.as_bytes());
        assert_eq!((read, read.class()), (*refusal, *class), "{line:?}");
        let text = read.to_string();
        assert!(text.contains(advice), "{line:?}: {text}");
        assert_eq!(Answer::from(Reply::Error(line.as_bytes())), Answer::Refused(*refusal));
    }
}

/// Clients say this where a server restarted; no server does.
#[test]
fn r17_a_restarted_server_may_vote_later() {
    assert_eq!(Refusal::Restarted.class(), Refused);
    assert!(Refusal::Restarted.to_string().contains("restarted a moment ago"));
}

/// R18: two refusals that say the same would be one, but for a key that is served elsewhere.
#[test]
fn r18_no_two_refusals_give_the_same_advice() {
    let mut said = BTreeMap::new();
    for (line, refusal, ..) in ROWS {
        let text = refusal.to_string();
        let first = *said.entry(text.clone()).or_insert(*refusal);
        let elsewhere = [first, *refusal] == [Refusal::Moved, Refusal::Ask];
        assert!(first == *refusal || elsewhere, "{line:?} and {first:?}: {text}");
    }
    assert_eq!(said.len(), 24);
}
