//! The exact error lines of real servers, and what each says about the request.
//!
//! The texts were read from Redis 7.0.15 unless the name of a line says otherwise. They stand
//! without the leading `-` and the closing CR LF.

pub(crate) const WRONGTYPE: &str =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
pub(crate) const DELEX_WRONGTYPE: &str =
    "ERR Key should be of string type if conditions are specified";
pub(crate) const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
pub(crate) const SYNTAX: &str = "ERR syntax error";
pub(crate) const OVERFLOW: &str = "ERR increment or decrement would overflow";
pub(crate) const NOSCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";
pub(crate) const NOSCRIPT_VALKEY: &str = "NOSCRIPT No matching script.";
pub(crate) const BUSY: &str =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
pub(crate) const NOTBUSY: &str = "NOTBUSY No scripts in execution right now.";
pub(crate) const READONLY: &str = "READONLY You can't write against a read only replica.";
pub(crate) const LOADING: &str = "LOADING Redis is loading the dataset in memory";
pub(crate) const MASTERDOWN: &str =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
pub(crate) const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";
pub(crate) const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's \
     currently unable to persist to disk. Commands that may modify the data set are disabled, \
     because this instance is configured to report errors during writes if RDB snapshotting \
     fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about \
     the RDB error.";
pub(crate) const NOREPLICAS: &str = "NOREPLICAS Not enough good replicas to write.";
pub(crate) const CLUSTER_DOWN: &str = "CLUSTERDOWN The cluster is down";
pub(crate) const SLOT_NOT_SERVED: &str = "CLUSTERDOWN Hash slot not served";
pub(crate) const TRYAGAIN: &str = "TRYAGAIN Multiple keys request during rehashing of slot";
pub(crate) const CROSSSLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";
pub(crate) const NOAUTH: &str = "NOAUTH Authentication required.";
pub(crate) const NOAUTH_HELLO: &str = "NOAUTH HELLO must be called with the client already \
     authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate \
     the client and select the RESP protocol version at the same time";
pub(crate) const WRONGPASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";
pub(crate) const WRONGPASS_5: &str = "ERR invalid password";
pub(crate) const NO_PASSWORD_SET: &str = "ERR AUTH <password> called without any password \
     configured for the default user. Are you sure your configuration is correct?";
pub(crate) const NO_PASSWORD_SET_5: &str = "ERR Client sent AUTH, but no password is set";
pub(crate) const NOPERM_KEY: &str =
    "NOPERM this user has no permissions to access one of the keys used as arguments";
pub(crate) const NOPERM_KEY_8: &str = "NOPERM No permissions to access a key";
pub(crate) const MAX_CLIENTS: &str = "ERR max number of clients reached";
pub(crate) const CACHING: &str = "ERR CLIENT CACHING can be called only when the client is in \
     tracking mode with OPTIN or OPTOUT mode enabled";
pub(crate) const CACHING_NO: &str =
    "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
pub(crate) const NOPROTO: &str = "NOPROTO unsupported protocol version";
pub(crate) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";
pub(crate) const SELECT_IN_CLUSTER: &str = "ERR SELECT is not allowed in cluster mode";
pub(crate) const DATABASE_RANGE: &str = "ERR DB index is out of range";
pub(crate) const WAIT_ON_REPLICA: &str = "ERR WAIT cannot be used with replica instances. Please \
     also note that since Redis 4.0 if a replica is configured to be writable (which is not the \
     default) writes to replicas are just local and are not propagated.";
pub(crate) const LUA_ARGUMENTS: &str =
    "ERR Lua redis lib command arguments must be strings or integers";
pub(crate) const OTHER_SCRIPT: &str = "ERR The model server runs only the two scripts of redlatch";

/// What an error line says about the request it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Surely not applied; it may work later.
    Refused,
    /// Surely not applied, and it will not work later either: the set-up is wrong.
    Permanent,
    /// Surely not applied: the key is held, in a format that is not ours.
    Held,
    /// Nothing is certain.
    Unknown,
}

/// One error line of a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorLine {
    /// The fault that it belongs to (F1 to F26 of the fault list).
    pub fault: &'static str,
    /// When a server says it.
    pub when: &'static str,
    /// The line without `-` and CR LF.
    pub text: &'static str,
    /// What it means for the request.
    pub outcome: Outcome,
}

macro_rules! lines {
    ($($fault:literal $when:literal $outcome:ident $text:expr;)*) => {
        &[$(ErrorLine { fault: $fault, when: $when, text: $text, outcome: Outcome::$outcome }),*]
    };
}

/// Every error line of the fault list, word for word, and its variants in scripts and on other
/// servers.
pub const ERRORS: &[ErrorLine] = lines! {
    "F1" "script not cached" Refused NOSCRIPT;
    "F1" "script not cached, Valkey" Refused NOSCRIPT_VALKEY;
    "F2" "script running" Refused BUSY;
    "F3" "our script killed" Refused "ERR Script killed by user with SCRIPT KILL... script: 9b9b6c5a00f747fa1eba58d375a214e77463876a, on @user_script:1.";
    "F3" "our script killed, before 7.0" Refused "ERR Error running script (call to f_9b9b6c5a00f747fa1eba58d375a214e77463876a): @user_script:1: Script killed by user with SCRIPT KILL...";
    "F4" "write on a replica" Refused READONLY;
    "F4" "write by a script on a replica" Refused "READONLY You can't write against a read only replica. script: c2c0e58783404965e316c458a4cd9613a4a060b9, on @user_script:1.";
    "F4" "write by a script on a replica, Valkey" Refused "READONLY You can't write against a read only replica. script: on @user_script:1.";
    "F4" "write by a script on a replica, before 7.0" Refused "ERR Error running script (call to f_68ff610345ee5fdd358bbeb9719cb69d7d544400): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.";
    "F5" "loading" Refused LOADING;
    "F6" "replica cut off" Refused MASTERDOWN;
    "F7" "memory full" Refused OOM;
    "F8" "disk error" Refused MISCONF;
    "F8" "disk error in a script" Refused "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error. script: 68ff610345ee5fdd358bbeb9719cb69d7d544400, on @user_script:1.";
    "F9" "too few replicas" Refused NOREPLICAS;
    "F9" "too few replicas in a script" Refused "NOREPLICAS Not enough good replicas to write. script: c2c0e58783404965e316c458a4cd9613a4a060b9, on @user_script:1.";
    "F10" "slot not served" Refused SLOT_NOT_SERVED;
    "F10" "cluster down" Refused CLUSTER_DOWN;
    "F11" "slot on another node" Refused "MOVED 15495 127.0.0.1:17122";
    "F12" "slot migrating" Refused "ASK 3300 127.0.0.1:17122";
    "F13" "two keys while migrating" Refused TRYAGAIN;
    "F14" "keys in two slots" Permanent CROSSSLOT;
    "F14" "undeclared key in a script" Permanent "ERR Script attempted to access a non local key in a cluster node script: 9b9b6c5a00f747fa1eba58d375a214e77463876a, on @user_script:1.";
    "F15" "not authenticated" Permanent NOAUTH;
    "F15" "HELLO without AUTH" Permanent NOAUTH_HELLO;
    "F15" "wrong password" Permanent WRONGPASS;
    "F15" "wrong password, before 6.0" Permanent WRONGPASS_5;
    "F15" "no password set" Permanent NO_PASSWORD_SET;
    "F15" "no password set, before 6.0" Permanent NO_PASSWORD_SET_5;
    "F16" "command not allowed" Permanent "NOPERM this user has no permissions to run the 'eval' command";
    "F16" "command not allowed, 6.2" Permanent "NOPERM this user has no permissions to run the 'eval' command or its subcommand";
    "F16" "command not allowed, Redis 8 and Valkey" Permanent "NOPERM User locker has no permissions to run the 'eval' command";
    "F16" "key not allowed" Permanent NOPERM_KEY;
    "F16" "key not allowed, Redis 8 and Valkey" Permanent NOPERM_KEY_8;
    "F16" "command of a script not allowed" Permanent "ERR The user executing the script can't run this command or subcommand script: c2c0e58783404965e316c458a4cd9613a4a060b9, on @user_script:1.";
    "F16" "command of a script not allowed, Redis 8" Permanent "ERR ACL failure in script: User locker has no permissions to run the 'pexpire' command script: 68ff610345ee5fdd358bbeb9719cb69d7d544400, on @user_script:1.";
    "F16" "command of a script not allowed, Valkey" Permanent "ERR ACL failure in script: User locker has no permissions to run the 'pexpire' command script: on @user_script:1.";
    "F16" "command of a script not allowed, 6.2" Permanent "ERR Error running script (call to f_c2c0e58783404965e316c458a4cd9613a4a060b9): @user_script:1: @user_script: 1: The user executing the script can't run this command or subcommand";
    "F17" "another type" Held WRONGTYPE;
    "F17" "another type in a script" Held "WRONGTYPE Operation against a key holding the wrong kind of value script: c2c0e58783404965e316c458a4cd9613a4a060b9, on @user_script:1.";
    "F17" "another type in a script, Valkey" Held "WRONGTYPE Operation against a key holding the wrong kind of value script: on @user_script:1.";
    "F17" "another type in a script, before 7.0" Held "ERR Error running script (call to f_c2c0e58783404965e316c458a4cd9613a4a060b9): @user_script:1: WRONGTYPE Operation against a key holding the wrong kind of value";
    "F17" "another type, DELEX" Held DELEX_WRONGTYPE;
    "F18" "connections exhausted" Refused MAX_CLIENTS;
    "F24" "SET with a ttl it does not accept" Refused "ERR invalid expire time in 'set' command";
    "F24" "PEXPIRE with a ttl it does not accept" Refused "ERR invalid expire time in 'pexpire' command";
    "F25" "protocol version" Permanent NOPROTO;
    "F25" "unknown command" Permanent "ERR unknown command 'HELLO', with args beginning with: '3' ";
    "F25" "unknown command, before 7.0" Permanent "ERR unknown command `HELLO`, with args beginning with: `3`, ";
    "F26" "anything else" Unknown "ERR something that no table knows";
    "F26" "a code that no table knows" Unknown "NEWCODE of a later version";
    "F26" "an empty line" Unknown "";
};
