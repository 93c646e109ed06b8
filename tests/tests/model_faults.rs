//! Expiry, clocks, tracking between clients, faults on demand and the history of the model.

mod model_support;

use core::time::Duration;

use model_support::{Answers, Model, request, shown};
use redlatch_testkit::model::{
    Change, Cluster, Dialect, ERRORS, Fault, Flow, Outcome, Role, Rule, Settings, User, Value,
};

fn model() -> Model {
    Model::new(Settings::default())
}

const INVALIDATED: &str = r">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

#[test]
fn a_key_ends_exactly_when_its_time_is_over() {
    let mut model = model();
    model.say("SET k t NX PX 100");
    assert_eq!(model.server.next_wake(), Some(100_000));
    model.now = 99_999;
    assert_eq!(model.say("GET k"), r"$1\r\nt");
    assert_eq!(model.say("PTTL k"), ":0", "rounded down");
    model.now = 100_000;
    assert_eq!(model.say("SET k u NX PX 100"), "+OK");
    assert_eq!(model.server.next_wake(), Some(200_000));
    model.say("PEXPIRE k 50");
    assert_eq!(model.server.remaining(0, b"k"), Some(Duration::from_millis(50)));
    model.say("SET k v");
    assert_eq!(model.server.next_wake(), None, "no ttl, no wake-up");
}

/// The clock of the server is not that of the client: fault F37.
#[test]
fn the_server_clock_can_be_stepped() {
    let mut model = model();
    model.pass(10);
    model.say("SET k t PX 100");
    model.server.step_clock(-50_000);
    assert_eq!(model.say("PTTL k"), ":150");
    assert_eq!(model.server.next_wake(), Some(160_000));
    model.server.step_clock(100_000);
    assert_eq!(model.say("PTTL k"), ":50");
    model.server.step_clock(50_000);
    assert_eq!(model.say("GET k"), "$-1");
}

#[test]
fn clients_are_told_once_when_a_key_they_read_changes() {
    let changes: [(&str, bool); 8] = [
        ("SET k v", true),
        ("SET k v NX", false),
        ("DEL k", true),
        ("PEXPIRE k 5000", true),
        ("EVAL {release} 1 k t", true),
        ("EVAL {release} 1 k other", false),
        ("EVAL {extend} 1 k t 9000", true),
        ("GET k", false),
    ];
    for (change, told) in changes {
        let mut model = model();
        model.say("SET k t PX 100");
        let watcher = model.connect();
        model.say_as(watcher, "HELLO 3");
        model.say_as(watcher, "CLIENT TRACKING ON");
        model.say_as(watcher, "SET k x NX");
        assert_eq!(model.say_as(watcher, "PTTL k"), ":100");
        model.say(change);
        let expected = if told { INVALIDATED.trim_end_matches(r"\r\n") } else { "" };
        assert_eq!(model.heard(watcher), expected, "{change}");
        model.say("SET k w");
        assert_eq!(model.heard(watcher).is_empty(), told, "once: {change}");
    }
}

#[test]
fn an_expiry_is_told_by_itself() {
    let mut model = model();
    model.say("SET k t PX 100");
    let watcher = model.connect();
    model.say_as(watcher, "HELLO 3");
    model.say_as(watcher, "CLIENT TRACKING ON");
    model.say_as(watcher, "GET k");
    model.pass(99);
    assert_eq!(model.server.poll_ready(), None);
    model.pass(1);
    assert_eq!(model.server.poll_ready(), Some(watcher));
    assert_eq!(model.heard(watcher) + r"\r\n", INVALIDATED);
}

#[test]
fn with_optin_only_the_keys_of_the_next_command_are_told() {
    let mut model = model();
    let watcher = model.connect();
    model.say_as(watcher, "HELLO 3");
    let cases: [(&[&str], bool); 6] = [
        (&["GET k"], false),
        (&["CLIENT CACHING YES", "PTTL k"], true),
        (&["CLIENT CACHING YES", "CLIENT GETNAME", "GET k"], true),
        (&["CLIENT CACHING YES", "PTTL other", "GET k"], false),
        (&["CLIENT CACHING YES", "PING", "GET k"], false),
        (&["CLIENT CACHING YES", "SET k v"], false),
    ];
    for (words, told) in cases {
        model.say_as(watcher, "CLIENT TRACKING ON OPTIN");
        words.iter().for_each(|words| drop(model.say_as(watcher, words)));
        model.say("SET k t");
        let expected = if told { INVALIDATED.trim_end_matches(r"\r\n") } else { "" };
        assert_eq!(model.heard(watcher), expected, "{words:?}");
    }
}

#[test]
fn a_resp2_client_and_one_that_stopped_tracking_are_told_nothing() {
    for last in ["HELLO 2", "CLIENT TRACKING OFF"] {
        let mut model = model();
        let watcher = model.connect();
        for words in ["HELLO 3", "CLIENT TRACKING ON", "GET k", last] {
            model.say_as(watcher, words);
        }
        model.say("SET k t");
        assert_eq!(model.heard(watcher), "", "{last}");
    }
}

/// One row: the fault, what the client sees, whether the connection goes on, whether it is applied.
#[test]
fn every_fault_does_what_it_says() {
    let push = INVALIDATED.replace(r"\r\n", "\r\n").into_bytes();
    let rows: [(Fault, &str, Flow, bool); 10] = [
        (Fault::Error("OOM x".into()), "-OOM x", Flow::Continue, false),
        (Fault::Raw(b":7\r\n".to_vec()), ":7", Flow::Continue, false),
        (Fault::DropReply, "", Flow::Continue, true),
        (Fault::CloseBefore, "", Flow::Close, false),
        (Fault::CloseAfter, "", Flow::Close, true),
        (Fault::Cut(2), "+O", Flow::Close, true),
        (Fault::Surplus(b"+OK\r\n".to_vec()), r"+OK\r\n+OK", Flow::Continue, true),
        (Fault::Before(push.clone()), &(INVALIDATED.to_owned() + "+OK"), Flow::Continue, true),
        (Fault::Inside(push.clone()), &(INVALIDATED.to_owned() + "+OK"), Flow::Continue, true),
        (Fault::HangAfter, "", Flow::Continue, true),
    ];
    for (fault, expected, flow, applied) in rows {
        let mut model = model();
        model.server.fail(Rule::on("SET", fault.clone()));
        let (out, got) = model.server.exchange(model.session, &request("SET k t"), 0);
        assert_eq!((shown(&out).as_str(), got), (expected, flow), "{fault:?}");
        assert_eq!(model.server.get(0, b"k").is_some(), applied, "{fault:?}");
        assert_eq!(model.server.pending_faults(), 0);
    }
    let mut model = model();
    model.server.fail(Rule::on("client", Fault::Inside(push)));
    model.server.fail(Rule::on("role", Fault::Inside(b">0\r\n".to_vec())));
    assert_eq!(model.say("ROLE"), r"*3\r\n>0\r\n$6\r\nmaster\r\n:0\r\n*0");
    assert!(model.say("CLIENT ID").starts_with(INVALIDATED), "in front of a single value");
    model.say("SET k other");
    model.server.fail(Rule::on("SET", Fault::Gone(b"k".to_vec())));
    assert_eq!(model.say("SET k t NX"), "+OK", "the key was gone before");
}

#[test]
fn a_hanging_connection_never_answers_again_and_others_do() {
    let mut model = model();
    model.server.fail(Rule::next(Fault::HangBefore));
    assert_eq!(model.say("SET k t") + &model.say("PING"), "");
    let other = model.connect();
    assert_eq!(model.say_as(other, "GET k"), "$-1");
    model.server.conditions.silent = true;
    let deaf = model.connect();
    assert_eq!(model.say_as(deaf, "PING"), "");
}

#[test]
fn a_delayed_reply_comes_in_time_and_in_order() {
    let mut model = model();
    model.server.fail(Rule::on("SET", Fault::Delay { hold: 5_000 }));
    assert_eq!(model.say("SET k t PX 100"), "");
    assert_eq!(model.say("PING"), "", "nothing overtakes it");
    assert_eq!(model.server.next_wake(), Some(5_000));
    model.pass(5);
    assert_eq!(model.server.poll_ready(), Some(model.session));
    assert_eq!(model.heard(model.session), r"+OK\r\n+PONG");
    assert_eq!(model.server.next_wake(), Some(100_000), "the expiry is next");
}

#[test]
fn a_drip_gives_one_byte_at_a_time() {
    let mut model = model();
    model.server.fail(Rule::on("PING", Fault::Drip { interval: 1_000 }));
    let mut heard = model.ask(&request("PING"));
    assert_eq!(heard, b"+");
    let mut moments = Vec::new();
    while let Some(moment) = model.server.next_wake() {
        moments.push(moment);
        model.server.advance(moment);
        assert_eq!(model.server.poll_ready(), Some(model.session));
        assert_eq!(model.server.take_output(model.session, &mut heard), Flow::Continue);
    }
    assert_eq!(heard, b"+PONG\r\n");
    assert_eq!(moments, [1000, 2000, 3000, 4000, 5000, 6000]);
}

#[test]
fn rules_pick_their_requests() {
    let mut model = model();
    let other = model.connect();
    let error = || Fault::Error("X".into());
    model.server.fail(Rule::on("get", error()).after(1).times(2));
    model.server.fail(Rule::on("CLIENT|ID", error()).of(other).forever());
    let replies: Vec<_> = (0..4).map(|_| model.say("GET k")).collect();
    assert_eq!(replies, ["$-1", "-X", "-X", "$-1"]);
    assert_eq!(model.say("CLIENT ID"), ":1");
    assert_eq!([model.say_as(other, "CLIENT ID"), model.say_as(other, "client id")], ["-X", "-X"]);
    assert_eq!(model.say_as(other, "CLIENT GETNAME"), "$-1");
    model.server.heal();
    assert_eq!(model.say_as(other, "CLIENT ID"), ":2");
}

/// Fault F18: the line comes unasked, then the end.
#[test]
fn too_many_clients_are_turned_away_at_the_door() {
    let mut model = model();
    model.server.conditions.max_clients = 1;
    let late = model.connect();
    assert_eq!(model.server.poll_ready(), Some(late));
    assert_eq!(model.heard(late), "-ERR max number of clients reached<closed>");
    assert_eq!(model.say("PING"), "+PONG");
}

/// Faults F11, F12, F13, F14.
#[test]
fn a_cluster_sends_clients_elsewhere() {
    let mut model = model();
    model.say("SET k t");
    model.server.conditions.cluster = Cluster::Moved("127.0.0.1:7001".into());
    assert_eq!(model.say("GET k"), "-MOVED 7629 127.0.0.1:7001");
    assert_eq!(model.say("EVAL {release} 1 k t"), "-MOVED 7629 127.0.0.1:7001");
    model.server.conditions.cluster = Cluster::Migrating("127.0.0.1:7001".into());
    assert_eq!(model.say("GET k"), r"$1\r\nt");
    assert_eq!(model.say("GET {k}2"), "-ASK 7629 127.0.0.1:7001");
    assert!(model.say("DEL k {k}2").starts_with("-TRYAGAIN "));
    assert!(model.say("DEL k other").starts_with("-CROSSSLOT "));
    assert!(model.say("HELLO").contains(r"$4\r\nmode\r\n$7\r\ncluster"));
    model.server.conditions.cluster = Cluster::Down;
    assert_eq!(model.say("GET k"), "-CLUSTERDOWN The cluster is down");
    model.server.conditions.cluster = Cluster::Serving;
    assert_eq!(model.say("SELECT 1"), "-ERR SELECT is not allowed in cluster mode");
}

#[test]
fn a_restart_forgets_scripts_and_perhaps_keys() {
    for keep in [true, false] {
        let mut model = model();
        model.say("SET k t PX 1000");
        model.say("SCRIPT LOAD {release}");
        let before = model.server.run_id();
        model.pass(3000 - 2500);
        model.server.restart(keep, model.now);
        assert!(model.heard(model.session).ends_with("<closed>"));
        model.session = model.connect();
        assert_ne!(model.server.run_id(), before);
        assert_eq!(model.server.uptime(), Duration::ZERO);
        assert!(model.say("EVALSHA {release-sha} 1 k t").starts_with("-NOSCRIPT"));
        assert_eq!(model.say("PTTL k"), if keep { ":500" } else { ":-2" });
        let info = model.say("INFO");
        assert!(info.contains(&model.server.run_id()), "{info}");
        assert!(info.contains("role:master") && info.contains("uptime_in_seconds:0"), "{info}");
    }
}

#[test]
fn killed_clients_are_closed() {
    let mut model = model();
    let other = model.connect();
    assert_eq!(model.say("CLIENT KILL TYPE normal"), ":1");
    assert_eq!(model.heard(other), "<closed>");
    assert_eq!(model.say("CLIENT KILL TYPE normal SKIPME no"), ":1");
    assert_eq!(model.server.sessions().count(), 0);
}

/// Invariant I4: the log shows who changed what, and with which token.
#[test]
fn the_history_tells_every_change_and_the_token_shown() {
    let mut model = model();
    for words in [
        "SET k t NX PX 100",
        "SET k u NX PX 100",
        "EVAL {extend} 1 k u 200",
        "EVAL {extend} 1 k t 200",
        "EVAL {release} 1 k u",
        "EVAL {release} 1 k t",
        "SET k v PX 5",
    ] {
        model.say(words);
    }
    model.pass(5);
    let seen: Vec<_> = model
        .server
        .effects()
        .iter()
        .map(|effect| (effect.at, effect.token.as_slice(), effect.shown.as_deref(), effect.change))
        .collect();
    let millis = Duration::from_millis;
    let (t, v) = (b"t".as_slice(), b"v".as_slice());
    let expected = [
        (0, t, None, Change::Set(Some(millis(100)))),
        (0, t, Some(t), Change::Extended(millis(200))),
        (0, t, Some(t), Change::Deleted),
        (0, v, None, Change::Set(Some(millis(5)))),
        (5000, v, None, Change::Expired),
    ];
    assert_eq!(seen, expected);
    assert_eq!(model.server.command_count("EVAL"), 4);
    assert_eq!(model.server.command_count("set"), 3);
}

#[test]
fn the_history_is_bounded() {
    let mut model = Model::new(Settings { history: 3, ..Settings::default() });
    (0..5).for_each(|_| assert_eq!(model.say("SET k t"), "+OK"));
    assert_eq!((model.server.effects().len(), model.server.forgotten_effects()), (3, 2));
}

/// The same errors in other words: 5 and 6.2, 8, Valkey 9.
#[test]
fn dialects_speak_as_their_servers() {
    let hash = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    let rows: [(Dialect, &str, String); 9] = [
        (
            Dialect::Redis5,
            "HELLO 3",
            "-ERR unknown command `HELLO`, with args beginning with: `3`, ".into(),
        ),
        (Dialect::Redis5, "AUTH a b", "-ERR wrong number of arguments for 'auth' command".into()),
        (Dialect::Redis5, "AUTH x", "-ERR Client sent AUTH, but no password is set".into()),
        (
            Dialect::Redis6,
            "EVAL {release} 1 h t",
            format!(
                "-ERR Error running script (call to f_{{release-sha}}): @user_script:1: {}",
                &hash[1..]
            ),
        ),
        (
            Dialect::Redis7,
            "EVAL {release} 1 h t",
            format!("{hash} script: {{release-sha}}, on @user_script:1."),
        ),
        (Dialect::Valkey9, "EVAL {release} 1 h t", format!("{hash} script: on @user_script:1.")),
        (Dialect::Valkey9, "EVALSHA x 1 h t", "-NOSCRIPT No matching script.".into()),
        (Dialect::Redis8, "CLIENT SETINFO LIB-NAME x", "+OK".into()),
        (
            Dialect::Redis8,
            "CLIENT SETINFO LIB-VER x\\sy",
            "-ERR LIB-VER cannot contain spaces, newlines or special characters.".into(),
        ),
    ];
    for (dialect, words, expected) in rows {
        let mut model = Model::new(Settings::default().dialect(dialect));
        model.say("HSET h f v");
        let got = model.say(words);
        assert!(model_support::fits(&expected, &got), "{dialect:?} {words}: {got}");
    }
}

/// Word for word what Valkey 9.1.2 and Redis 8.6.2 answered; the others know neither command.
#[test]
fn new_servers_compare_and_delete() {
    let hash = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    let valkey: &[(&str, &str)] = &[
        ("SET a x", "+OK"),
        ("DELIFEQ a y", ":0"),
        ("DELIFEQ a x", ":1"),
        ("DELIFEQ a x", ":0"),
        ("DELIFEQ a", "-ERR wrong number of arguments for 'delifeq' command"),
        ("DELIFEQ h x", hash),
        (
            "DELEX a IFEQ x",
            "-ERR unknown command 'DELEX', with args beginning with: 'a' 'IFEQ' 'x' ",
        ),
    ];
    let redis: &[(&str, &str)] = &[
        ("SET a x", "+OK"),
        ("DELEX a IFEQ y", ":0"),
        ("DELEX a ifeq x", ":1"),
        ("DELEX a IFEQ x", ":0"),
        ("DELEX a IFEQ", "-ERR wrong number of arguments for 'delex' command"),
        ("DELEX h IFEQ x", "-ERR Key should be of string type if conditions are specified"),
        ("DELIFEQ a x", "-ERR unknown command 'DELIFEQ', with args beginning with: 'a' 'x' "),
        ("DELEX h", ":1"),
    ];
    let neither: &[(&str, &str)] = &[
        ("DELIFEQ a x", "-ERR unknown command 'DELIFEQ', with args beginning with: 'a' 'x' "),
        ("DELEX a", "-ERR unknown command 'DELEX', with args beginning with: 'a' "),
    ];
    let rows = [
        (Dialect::Valkey9, valkey),
        (Dialect::Redis8_6, redis),
        (Dialect::Redis8, neither),
        (Dialect::Redis7, neither),
    ];
    for (dialect, lines) in rows {
        let mut model = Model::new(Settings::default().dialect(dialect));
        model.say("HSET h f v");
        for (words, expected) in lines {
            assert_eq!(model.say(words), *expected, "{dialect:?} {words}");
        }
    }
}

/// Fault F16 in every dialect, and F4 before 7.0.
#[test]
fn rights_inside_a_script_are_refused_in_every_dialect() {
    for (dialect, start) in [
        (Dialect::Redis6, "-ERR Error running script (call to f_"),
        (Dialect::Redis7, "-ERR The user executing the script can't run this command"),
        (
            Dialect::Redis8,
            "-ERR ACL failure in script: User default has no permissions to run the 'del' command script: ",
        ),
        (
            Dialect::Valkey9,
            "-ERR ACL failure in script: User default has no permissions to run the 'del' command script: on ",
        ),
    ] {
        let user = User::new("default").commands(&["get", "set", "eval"]);
        let mut model = Model::new(Settings::default().user(user).dialect(dialect));
        model.say("SET k t");
        assert!(model.say("EVAL {release} 1 k t").starts_with(start), "{dialect:?}");
        assert_eq!(model.server.get(0, b"k"), Some(&Value::Text(b"t".to_vec())));
    }
    let mut model = Model::new(Settings::default().dialect(Dialect::Redis6));
    model.say("SET k t");
    model.server.conditions.role = Role::Replica { linked: true };
    let reply = model.say("EVAL {release} 1 k t");
    assert!(
        reply.ends_with("@user_script: 1: -READONLY You can't write against a read only replica.")
    );
}

#[test]
fn the_table_of_errors_names_every_fault_and_is_sound() {
    for fault in (1..=18).chain(24..=26).filter(|fault| ![19, 20].contains(fault)) {
        let name = format!("F{fault}");
        assert!(ERRORS.iter().any(|line| line.fault == name), "{name} is missing");
    }
    for line in ERRORS {
        assert!(!line.text.contains(['\r', '\n']) && !line.text.starts_with('-'), "{}", line.when);
        assert_eq!(line.outcome == Outcome::Unknown, line.fault == "F26", "{}", line.when);
    }
}

/// Invariant I11: a clone goes the same way, byte for byte.
#[test]
fn a_clone_behaves_the_same() {
    let mut model = model();
    model.say("SET k t PX 100");
    let mut twin = model.server.clone();
    for words in ["GET k", "PTTL k", "DEL k", "CLIENT ID", "INFO"] {
        let other = twin.exchange(model.session, &request(words), 40_000).0;
        model.now = 40_000;
        assert_eq!(model.ask(&request(words)), other, "{words}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let settings = Settings::with_password("hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
