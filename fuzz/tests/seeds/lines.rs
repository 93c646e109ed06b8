//! Texts: error lines of servers, and what users write as URLs and parameters.

use redlatch_model::ERRORS;

use crate::Seed;

/// Errors as weapons.
#[rustfmt::skip]
const WEAPONS: &[&[u8]] = &[
    b"MOVED", b"MOVED ", b"MOVED 16384 127.0.0.1:6379", b"MOVED -1 127.0.0.1:6379", b"MOVED 99999 127.0.0.1:6379",
    b"MOVED 1 127.0.0.1:0", b"MOVED 1 127.0.0.1:65536", b"MOVED 1 127.0.0.1", b"MOVED 1 :6379", b"MOVED 1 ::1:6379",
    b"MOVED 1 [::1]:6379", b"MOVED 1 host\rname:6379", b"MOVED 1 host\0:6379", b"MOVED 1 user@host:6379",
    b"ASK", b"ASK 1 :6379", b"ASK 3999 127.0.0.1:6379", b"NOSCRIPT", b"-", b"--", b" ", b"ERR", b"ERR ", b"ERR  ",
    b"ERR ERR", b"ERR NOAUTH", b"ERR WRONGTYPE in another place", b"noauth lower case", b"NoAuth mixed", b"NOAUTHX",
    b" NOAUTH leading blank", b"READONLY\tYou can't", b"BUSYKEY Target key name already exists.", b"BUS",
    b"LOADIN", b"ERR unknown", b"ERR unknown command", b"ERR invalid password: hunter2", b"ERR max number of client",
    b"ERR Error running script", b"ERR Error running script (call to f_0): @user_script:1:",
    b"ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -",
    b"ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -NOSCRIPT x",
    b"ERR Error running script (call to f_0): @user_script:1: WRONGTYPE @user_script: 2: -OOM",
    b"ERR value is not an integer or out of range", b"EXECABORT Transaction discarded", b"UNKILLABLE Sorry",
    b"NOTBUSY No scripts in execution right now.", b"WRONGTYPE", b"WRONGTYPED", b"\xff\xfe", b"\0", b"OOM", b"OOMX",
];

/// What can be read, and what cannot.
const URLS: &[&str] = &[
    "redis://127.0.0.1:6379",
    "redis://localhost",
    "redis://localhost/",
    "redis://localhost/3",
    "redis://localhost:1/4294967295",
    "redis://localhost/4294967296",
    "redis://localhost/-1",
    "redis://localhost/+1",
    "redis://localhost//3",
    "redis://[::1]:6379/1",
    "redis://[::1",
    "redis://[v1.x]",
    "redis://::1:6379",
    "redis://localhost:0",
    "redis://localhost:65535",
    "redis://localhost:65536",
    "redis://localhost:00006379",
    "redis://localhost:",
    "redis://:pass@localhost",
    "redis://user:pass@localhost",
    "redis://user@localhost",
    "redis://@localhost",
    "redis://:@localhost",
    "redis://user:p%40ss%2Fw%3Ard@localhost/2",
    "redis://user:p@ss@localhost",
    "redis://user:pa#ss@localhost",
    "redis://user:pa/ss@localhost",
    "redis://us%00er:%ff%fe@localhost",
    "redis://user:%zz@localhost",
    "redis://user:%4@localhost",
    "redis://loc%61lhost",
    "redis://localhost?db=3",
    "redis://localhost#x",
    "redis://",
    "redis:",
    "redis:/x",
    "REDIS://LOCALHOST",
    "rediss://localhost",
    "http://localhost",
    "unix:///run/redis.sock",
    "unix:///run/redis.sock?db=2",
    "unix:///run/redis.sock?db=2&user=u&password=p%26q",
    "unix:///run/redis.sock?db=2&db=3",
    "unix:///run/redis.sock?user=u",
    "unix:///run/redis.sock?other=1",
    "unix:///run/redis.sock?",
    "unix:/run/redis.sock",
    "unix://host/run/redis.sock",
    "unix:relative",
    "unix:///",
    "unix:///a%00b",
    "unix:///a%0ab%ff",
    "redis+unix:///run/redis.sock",
    "redis://a,redis://b, redis://c ,,redis://d:1/2",
    "redis://a,http://b",
    "host=localhost;port=6379",
    "connection.host=localhost;connection.port=6379;credential.password=hunter2",
    "connections.a.uri=redis://:pw@h;connections.b.host=::1;connections.b.ip=[::1]",
    "connection.uri=redis://u:pw@h:x",
    "host=a;ip=b",
    "host=;=x;;a.b.c=d;k",
    "Host=localhost",
    "options.timeout=-1;options.retry_timeout=1e9",
    "descriptor=a:b:c:d:1.0",
];

pub(crate) fn refusals() -> Vec<Seed> {
    let weapons = WEAPONS.iter().map(|line| (label(line), line.to_vec()));
    let said = ERRORS.iter().map(|line| {
        let name = format!("{} {}", line.fault, line.when);
        (label(name.as_bytes()), line.text.as_bytes().to_vec())
    });
    numbered("weapon", weapons).chain(numbered("said", said)).collect()
}

pub(crate) fn urls() -> Vec<Seed> {
    let urls = URLS.iter().map(|url| (label(url.as_bytes()), url.as_bytes().to_vec()));
    numbered("url", urls).collect()
}

fn numbered(kind: &str, seeds: impl Iterator<Item = Seed>) -> impl Iterator<Item = Seed> {
    seeds.enumerate().map(move |(at, (name, bytes))| (format!("{kind}-{at:02}-{name}"), bytes))
}

/// As much of a text as a file name can have.
fn label(text: &[u8]) -> String {
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '-' };
    let name: String = text.iter().take(40).map(plain).collect();
    name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
}
