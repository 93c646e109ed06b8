//! The model answers word for word as Redis 7.0 does, in RESP2 and RESP3, however the bytes are cut.

mod model_support;

#[path = "model_support/recorded.rs"]
mod recorded;

use core::time::Duration;

use model_support::{Answers, Line, Model, Wire, converse, differences, request};
use recorded as says;
use redlatch_testkit::model::{Cluster, Conditions, Flow, Role, Server, Settings, User, Value};

fn resp3() -> Model {
    let mut model = Model::new(Settings::default());
    model.say("HELLO 3");
    model
}

/// A model in which `k` holds `t`, in a state.
fn state(change: impl FnOnce(&mut Conditions)) -> Model {
    let mut model = Model::new(Settings::default());
    let ttl = Some(Duration::from_secs(100));
    model.server.put(0, b"k", Value::Text(b"t".to_vec()), ttl);
    change(&mut model.server.conditions);
    model
}

#[test]
fn commands_answer_as_redis_does() {
    converse(says::COMMANDS, false, &mut Model::new(Settings::default()));
    converse(says::COMMANDS, true, &mut resp3());
}

#[test]
fn scripts_answer_as_redis_does() {
    converse(says::SCRIPTS, false, &mut Model::new(Settings::default()));
    converse(says::SCRIPTS, true, &mut resp3());
}

/// The model does by hand what the scripts say: when a source changes, it must be changed too.
#[test]
fn the_model_knows_the_scripts_of_the_core() {
    use redlatch_core::script::{EXTEND, RELEASE};
    use redlatch_testkit::model::{EXTEND_SOURCE, RELEASE_SOURCE};
    assert_eq!(RELEASE.source(), RELEASE_SOURCE);
    assert_eq!(EXTEND.source(), EXTEND_SOURCE);
}

#[test]
fn tracking_tells_a_client_about_its_own_writes_as_redis_does() {
    converse(says::TRACKING, false, &mut Model::new(Settings::default()));
    converse(says::TRACKING, true, &mut resp3());
}

#[test]
fn a_password_is_asked_for_as_redis_does() {
    converse(says::STRANGER, false, &mut Model::new(Settings::with_password("pw")));
    converse(says::LOGIN, false, &mut Model::new(Settings::with_password("pw")));
}

#[test]
fn rights_are_refused_as_redis_does() {
    let allowed = ["set", "get", "evalsha", "eval", "del"];
    let locker = User::new("locker").password("pw").commands(&allowed).prefixes(&["lock:", "k"]);
    let mut model = Model::new(Settings::default().user(locker));
    let ttl = Some(Duration::from_secs(100));
    model.server.put(0, b"k", Value::Text(b"t".to_vec()), ttl);
    model.server.put(0, b"other", Value::Text(b"x".to_vec()), None);
    converse(says::RIGHTS, false, &mut model);
}

/// One row: a name, how the model gets into the state, and what Redis says in it.
type State = (&'static str, fn(&mut Conditions), &'static [Line]);

#[test]
fn every_state_refuses_as_redis_does() {
    let states: [State; 8] = [
        ("replica", |c| c.role = Role::Replica { linked: true }, says::REPLICA),
        ("cut off", |c| c.role = Role::Replica { linked: false }, says::CUT_OFF),
        ("lonely", |c| c.too_few_replicas = true, says::LONELY),
        ("full", |c| c.out_of_memory = true, says::FULL),
        ("disk", |c| c.disk_error = true, says::DISK),
        ("running", |c| c.busy = true, says::RUNNING),
        ("loading", |c| c.loading = true, says::LOADING),
        ("none", |_| (), &[("PTTL k", ":~100000", "*")]),
    ];
    for (name, change, lines) in states {
        let wrong = differences(lines, false, &mut state(change));
        assert!(wrong.is_empty(), "{name}: {} differ:\n{}", wrong.len(), wrong.join("\n"));
    }
    let mut node = Model::new(Settings::default());
    node.server.conditions.cluster = Cluster::NotServed;
    converse(says::UNSERVED, false, &mut node);
}

/// The record itself is checked against a real server: where they differ, the model is wrong.
#[test]
fn the_record_is_what_a_real_redis_says() {
    use redlatch_testkit::server::{Kind, Server};
    let real = Server::start(Kind::Redis7).expect("redis-server");
    for resp3 in [false, true] {
        for lines in [says::COMMANDS, says::SCRIPTS, says::TRACKING] {
            let mut wire = Wire::connect(real.address());
            wire.ask(&request(if resp3 { "HELLO 3" } else { "HELLO 2" }));
            wire.ask(&request("FLUSHALL"));
            converse(lines, resp3, &mut wire);
        }
    }
    let real = Server::builder(Kind::Redis7).password("pw").start().expect("redis-server");
    for lines in [says::STRANGER, says::LOGIN] {
        let mut wire = Wire::connect(real.address());
        wire.echoes = false;
        converse(lines, false, &mut wire);
    }
}

/// Requirement 13, from the side of the server: two pieces at every place, and byte by byte.
#[test]
fn every_split_of_a_pipeline_gives_the_same_output() {
    let lines = says::SCRIPTS.iter().chain(says::TRACKING).map(|(words, ..)| request(words));
    let pipeline = lines.collect::<Vec<_>>().concat();
    let output = |pieces: &[&[u8]]| {
        let mut server = Server::new(Settings::default());
        let session = server.connect(0);
        let mut all = Vec::new();
        for piece in pieces {
            let (out, flow) = server.exchange(session, piece, 1);
            assert_eq!(flow, Flow::Continue);
            all.extend(out);
        }
        all
    };
    let whole = output(&[&pipeline]);
    assert!(whole.len() > 1000);
    let bytes: Vec<&[u8]> = pipeline.chunks(1).collect();
    assert_eq!(output(&bytes), whole, "byte by byte");
    for at in (1..pipeline.len()).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
        let (head, tail) = pipeline.split_at(at);
        assert!(output(&[head, tail]) == whole, "split at {at}");
    }
}

/// What is no request ends the connection with the text of a real server, and never panics.
#[test]
fn protocol_errors_close_the_connection() {
    let cases: [(&[u8], &str); 15] = [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*99999999999999999999\r\n", "invalid multibulk length"),
        (b"*1\n$4\r\nPING\r\n", "invalid multibulk length"),
        (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*1\r\n\r\n", "expected '$', got ' '"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$4\r\nPINGxx", "bulk string without its end"),
        (b"GET / HTTP/1.1\r\n", "expected '*', got 'G'"),
    ];
    for (bytes, text) in cases {
        let mut model = Model::new(Settings::default());
        let (out, flow) = model.server.exchange(model.session, bytes, 0);
        assert_eq!(String::from_utf8_lossy(&out), format!("-ERR Protocol error: {text}\r\n"));
        assert_eq!(flow, Flow::Close, "{}", bytes.escape_ascii());
    }
    let mut model = Model::new(Settings::default());
    let endless = [b"*".as_slice(), &[b'1'; 70_000]].concat();
    let (out, flow) = model.server.exchange(model.session, &endless, 0);
    assert_eq!(out, b"-ERR Protocol error: too big mbulk count string\r\n");
    assert_eq!(flow, Flow::Close);
    let mut model = Model::new(Settings::default());
    assert_eq!(model.ask(b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n"), b"+PONG\r\n", "empty requests");
}

/// A client that has not authenticated may send little.
#[test]
fn strangers_may_send_little() {
    let cases: [(&[u8], &str); 2] = [
        (b"*11\r\n", "unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
    ];
    for (bytes, text) in cases {
        let mut model = Model::new(Settings::with_password("pw"));
        let (out, flow) = model.server.exchange(model.session, bytes, 0);
        assert_eq!(String::from_utf8_lossy(&out), format!("-ERR Protocol error: {text}\r\n"));
        assert_eq!(flow, Flow::Close);
    }
}

#[test]
fn quit_says_ok_and_closes() {
    let mut model = Model::new(Settings::default());
    let (out, flow) = model.server.exchange(model.session, &request("QUIT x"), 0);
    assert_eq!((out.as_slice(), flow), (b"+OK\r\n".as_slice(), Flow::Close));
    assert_eq!(model.server.sessions().count(), 0);
}
