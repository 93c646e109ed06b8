//! The bugs of other lock libraries, one test each, named by its number in the list of checks that
//! was drawn from them. Through the blocking adapter on model servers, unless only the machine can
//! show it. What concerns one row of the machine alone is in `core/tests/lock_table.rs` under the same number.

use core::time::Duration;
use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use redlatch_core::{
    Answer, Command, Event, Instant as Moment, Lock, Output, Seat, Settings, Token, Ttl,
};
use redlatch_std::{Client, Delay, Error, Retry};
use redlatch_testkit::model::{Data, Fault, ModelServer, Rule, Value};

const LONG: Duration = Duration::from_secs(60);
const REPLY: Duration = Duration::from_millis(200);
const KEY: &str = "key";

fn servers<const N: usize>() -> [ModelServer; N] {
    core::array::from_fn(|_| ModelServer::start().expect("a free port"))
}

fn client(servers: &[ModelServer]) -> Client {
    let urls: Vec<_> = servers.iter().map(ModelServer::url).collect();
    let builder = Client::builder().servers(&urls.join(",")).reply_timeout(REPLY);
    builder.connect().expect("connected")
}

fn value(server: &ModelServer) -> Option<Value> {
    server.with(|server| server.get(0, KEY.as_bytes()).cloned())
}

fn foreign() -> Value {
    Value::Text(b"somebody else".to_vec())
}

fn steal(server: &ModelServer) {
    server.with(|server| server.put(0, KEY.as_bytes(), foreign(), Some(LONG)));
}

fn free(server: &ModelServer) {
    server.with(|server| server.remove(0, KEY.as_bytes()));
}

fn fail(server: &ModelServer, rule: Rule) {
    server.with(|server| server.fail(rule));
}

fn commands(server: &ModelServer, name: &str) -> u64 {
    server.with(|server| server.command_count(name))
}

#[track_caller]
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < Duration::from_secs(10), "never happened: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn fixed(delay: Duration, retries: u32) -> Retry {
    Retry { delay: Delay::Fixed(delay), retries: Some(retries), deadline: None }
}

#[test]
fn p01_reply_lost_after_the_claim_was_applied() {
    for fault in [Fault::CloseAfter, Fault::DropReply] {
        let [server] = servers();
        let client = client(core::slice::from_ref(&server));
        fail(&server, Rule::on("SET", fault.clone()));
        match client.try_lock(KEY, LONG) {
            Ok(Some(guard)) => assert!(guard.release().expect("answered"), "{fault:?}"),
            Ok(None) => panic!("{fault:?}: nobody else has it"),
            Err(_) => {}
        }
        eventually("no orphan", || value(&server).is_none());
    }
}

#[test]
fn p02_a_lock_without_a_ttl_cannot_be_asked_for() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    assert!(matches!(client.try_lock(KEY, Duration::ZERO), Err(Error::Config(_))));
    assert_eq!(commands(&server, "SET"), 0);
}

#[test]
fn p03_an_extension_never_shortens_to_nothing() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let mut guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    for _ in 0..3 {
        guard.extend().expect("extended");
        let left = server.with(|server| server.remaining(0, KEY.as_bytes())).expect("has a ttl");
        assert!(left > LONG * 9 / 10, "{left:?}");
    }
    // Not even a caller who insists gets past the type.
    assert!(Ttl::from_millis(0).is_err() && Ttl::new(Duration::from_nanos(999_999)).is_err());
}

#[test]
fn p04_a_failed_extension_keeps_deadline_and_key() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let mut guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    fail(&server, Rule::on("EVALSHA", Fault::Error("READONLY You can't write".into())));
    let before = guard.validity();
    assert!(matches!(guard.extend(), Err(Error::NotExtended { .. })));
    assert!(guard.is_valid() && guard.validity() <= before && value(&server).is_some());
    assert!(guard.release().expect("answered"));
}

#[test]
fn p05_a_tie_settles_at_once() {
    let servers = servers::<2>();
    let client = client(&servers);
    steal(&servers[1]);
    let began = Instant::now();
    assert!(client.try_lock(KEY, LONG).expect("answered").is_none());
    assert!(began.elapsed() < REPLY, "{:?}", began.elapsed());
    eventually("the other half is given back", || value(&servers[0]).is_none());
}

#[test]
fn p06_a_majority_that_answers_too_late_is_no_lock() {
    let servers = servers::<3>();
    let client = client(&servers);
    for server in &servers {
        fail(server, Rule::on("SET", Fault::Delay { hold: 120_000 }));
    }
    let locked = client.try_lock(KEY, Duration::from_millis(100));
    assert!(matches!(locked, Ok(None)), "{locked:?}");
    eventually("all are released", || servers.iter().all(|server| value(server).is_none()));
}

#[test]
fn p07_extremes_neither_panic_nor_spin() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    for ttl in [Duration::from_nanos(1), Duration::from_millis(1), Duration::MAX] {
        assert!(matches!(client.try_lock(KEY, ttl), Err(Error::Config(_))), "{ttl:?}");
    }
    steal(&server);
    let none = client.lock_with(KEY, LONG, fixed(Duration::ZERO, 20));
    assert!(matches!(none, Err(Error::TimedOut { .. })));
    assert_eq!(commands(&server, "SET"), 21);
    free(&server);
    let all = Retry { deadline: Some(Duration::MAX), ..fixed(Duration::MAX, u32::MAX) };
    assert!(client.lock_with(KEY, LONG, all).expect("free").release().expect("answered"));
}

#[test]
fn p08_a_ttl_too_short_for_the_answer_still_releases() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    fail(&server, Rule::on("SET", Fault::Delay { hold: 60_000 }));
    assert!(client.try_lock(KEY, Duration::from_millis(50)).expect("answered").is_none());
    eventually("a release was sent", || commands(&server, "EVALSHA") > 0);
}

#[test]
fn p09_an_error_on_the_first_server_does_not_skip_the_others() {
    let servers = servers::<3>();
    let client = client(&servers);
    fail(&servers[0], Rule::on("SET", Fault::Error("OOM command not allowed".into())));
    steal(&servers[1]);
    assert!(client.try_lock(KEY, LONG).is_err() || value(&servers[0]).is_none());
    eventually("the third is released", || value(&servers[2]).is_none());
    assert_eq!(value(&servers[1]), Some(foreign()));
}

#[test]
fn p10_a_minority_is_released_before_sleeping() {
    let servers = servers::<3>();
    let client = client(&servers);
    steal(&servers[1]);
    steal(&servers[2]);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| client.lock_with(KEY, LONG, fixed(REPLY * 5, 1)));
        eventually("an attempt was made", || commands(&servers[0], "SET") > 0);
        eventually("it was given back", || value(&servers[0]).is_none());
        assert!(!waiter.is_finished(), "while the waiter sleeps");
        assert!(matches!(waiter.join().expect("no panic"), Err(Error::TimedOut { .. })));
    });
}

#[test]
fn p11_the_release_goes_also_to_a_server_that_never_answered() {
    let servers = servers::<3>();
    let client = client(&servers);
    servers[2].pause().expect("a thread");
    let guard = client.try_lock(KEY, LONG).expect("asked").expect("two of three");
    assert!(guard.release().expect("answered"));
    servers[2].resume().expect("a thread");
    eventually("the claim came late", || commands(&servers[2], "SET") > 0);
    eventually("the release as well", || value(&servers[2]).is_none());
}

/// One server that answers at once, for the machine alone.
#[derive(Default)]
struct Store(BTreeMap<Vec<u8>, Token>);

impl Store {
    fn answer(&mut self, command: &Command<'_>) -> Answer {
        match *command {
            Command::Claim { key, token, .. } if !self.0.contains_key(key) => {
                self.0.insert(key.to_vec(), *token);
                Answer::Ok
            }
            Command::Claim { .. } => Answer::Nil,
            Command::Read { key } => self.0.get(key).map_or(Answer::Nil, |t| Answer::Token(*t)),
            Command::Release { key, token, .. } if self.0.get(key) == Some(token) => {
                self.0.remove(key);
                Answer::Token(*token)
            }
            Command::Extend { key, token, .. } if self.0.get(key) == Some(token) => {
                Answer::Token(*token)
            }
            _ => Answer::Integer(0),
        }
    }
}

fn machine() -> Lock<&'static str, [Seat; 1]> {
    let settings = Settings::new(Ttl::from_millis(30_000).expect("good"));
    let mut lock = Lock::new(KEY, [Seat::default(); 1], settings, 1);
    lock.acquire(Moment::ZERO);
    lock.provide(Token::from_random(*b"an unguessable token").expect("good"), Moment::ZERO)
        .expect("fresh");
    lock
}

/// The caller goes away after any number of steps; late answers come all the same.
#[test]
fn p12_cancelled_at_every_step_the_release_is_still_sent() {
    for steps in 0..6 {
        let (mut lock, mut store) = (machine(), Store::default());
        let mut answers = Vec::new();
        for _ in 0..steps {
            match lock.poll_output() {
                Output::Send { ticket, command } => answers.push((ticket, store.answer(&command))),
                _ if !answers.is_empty() => {
                    let (ticket, answer) = answers.remove(0);
                    lock.handle_answer(ticket, answer, Moment::ZERO);
                }
                _ => {}
            }
        }
        lock.abandon(Moment::ZERO);
        while !lock.is_settled() {
            match lock.poll_output() {
                Output::Send { ticket, command } => answers.push((ticket, store.answer(&command))),
                Output::Wait(_) => {
                    let (ticket, answer) = answers.remove(0);
                    lock.handle_answer(ticket, answer, Moment::ZERO);
                }
                other => panic!("{other:?} after {steps} steps"),
            }
        }
        assert!(store.0.is_empty(), "after {steps} steps");
    }
}

#[test]
fn p13_a_dropped_guard_releases() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    drop(client.try_lock(KEY, LONG).expect("asked").expect("free"));
    eventually("released", || value(&server).is_none());
    let guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    drop(client);
    drop(guard);
    eventually("released although the client is gone", || value(&server).is_none());
}

#[test]
fn p14_the_majority_is_that_of_the_configured_servers() {
    let servers = servers::<3>();
    let client = client(&servers);
    servers[1].crash().expect("a thread");
    servers[2].crash().expect("a thread");
    assert!(client.try_lock(KEY, LONG).is_err(), "one of one reachable is not two of three");
    eventually("nothing stays", || value(&servers[0]).is_none());
}

#[test]
fn p15_two_acquisitions_have_two_tokens() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
        let value = value(&server);
        assert!(value.is_some() && !seen.contains(&value));
        seen.push(value);
        assert!(guard.release().expect("answered"));
    }
}

#[test]
fn p16_lost_stays_lost() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let mut guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    free(&server);
    for _ in 0..2 {
        assert!(matches!(guard.extend(), Err(Error::Lost(_))));
        assert!(!guard.is_valid() && guard.validity().is_zero());
    }
    assert!(value(&server).is_none(), "an extension does not create the key again");
    assert!(!guard.release().expect("answered"));
}

/// Whatever comes back, and when: after the release no extension goes out.
#[test]
fn p17_no_extension_after_the_release() {
    let answers = [
        Answer::Lost,
        Answer::Unreachable,
        Answer::Integer(0),
        Answer::Refused(redlatch_core::Refusal::NoScript),
    ];
    for answer in answers {
        let (mut lock, mut store, mut extension) = (machine(), Store::default(), None);
        loop {
            match lock.poll_output() {
                Output::Send { ticket, command: Command::Extend { .. } } => {
                    extension = Some(ticket);
                    lock.release(Moment::ZERO);
                    lock.handle_answer(ticket, answer, Moment::ZERO);
                }
                Output::Send { ticket, command } => {
                    let answer = store.answer(&command);
                    lock.handle_answer(ticket, answer, Moment::ZERO);
                }
                Output::Event(Event::Acquired(_)) => lock.extend(Moment::ZERO),
                Output::Event(Event::Released(_)) => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(extension.is_some());
        lock.handle_timeout(Moment::from_micros(60_000_000));
        assert!(matches!(lock.poll_output(), Output::Wait(None)), "{answer:?}");
    }
}

#[test]
fn p21_a_push_before_or_inside_a_reply_is_tolerated() {
    let push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nx\r\n".to_vec();
    for fault in [Fault::Before(push.clone()), Fault::Inside(push)] {
        for command in ["HELLO", "SET", "GET"] {
            let [server] = servers();
            fail(&server, Rule::on(command, fault.clone()).forever());
            let client = client(core::slice::from_ref(&server));
            let guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
            assert!(guard.release().expect("answered"), "{command} {fault:?}");
            assert_eq!(commands(&server, "HELLO"), 1, "on the first connection");
        }
    }
}

#[test]
fn p22_a_reconnection_wakes_the_waiters() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    steal(&server);
    let began = Instant::now();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| client.lock_with(KEY, LONG, fixed(LONG, 5)));
        eventually("it waits", || commands(&server, "GET") > 0);
        free(&server);
        server.kill_connections();
        assert!(waiter.join().expect("no panic").expect("free").release().expect("answered"));
    });
    assert!(began.elapsed() < LONG / 2, "not by its own delay");
}

#[test]
fn p23_scripts_forgotten_by_a_restart_are_sent_again() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    assert!(guard.release().expect("answered"));
    let mut guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
    server.restart(Data::Keep).expect("the same port");
    eventually("connected again", || client.servers()[0].connected);
    guard.extend().expect("EVAL after NOSCRIPT");
    assert!(guard.release().expect("answered"));
}

#[test]
fn p24_another_type_is_held_by_somebody_and_stays() {
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    let hash = Value::Hash([(b"f".to_vec(), b"v".to_vec())].into());
    server.with(|server| server.put(0, KEY.as_bytes(), hash.clone(), None));
    assert!(client.try_lock(KEY, LONG).expect("answered").is_none());
    assert_eq!(value(&server), Some(hash));
}

/// R11: the values that redis-py, redsync, node-redlock, rslock, pottery and pip-services write.
#[test]
fn r11_the_values_of_every_peer_exclude_us_and_stay() {
    let raw: Vec<u8> = (0..20).map(|byte| byte * 13).collect();
    let values: [&[u8]; 6] = [
        b"7c0e2f3a5b1d11ee9c3a0242ac120002",
        b"q83vEjRWeJCrze8SNFZ4kA==",
        b"4b1d7c0e2f3a5b1d7c0e2f3a5b1d7c0e",
        &raw,
        b"6fa459ea-ee8a-4ca4-894e-db77e160355e",
        // One of our own, taken by another process of ours.
        b"000102030405060708090a0b0c0d0e0f10111213",
    ];
    let [server] = servers();
    let client = client(core::slice::from_ref(&server));
    for theirs in values {
        let theirs = Value::Text(theirs.to_vec());
        server.with(|server| server.put(0, KEY.as_bytes(), theirs.clone(), Some(LONG)));
        assert!(client.try_lock(KEY, LONG).expect("answered").is_none(), "{theirs:?}");
        assert_eq!(value(&server), Some(theirs), "untouched");
        free(&server);
        let mut guard = client.try_lock(KEY, LONG).expect("asked").expect("free");
        server.with(|server| server.put(0, KEY.as_bytes(), foreign(), Some(LONG)));
        assert!(matches!(guard.extend(), Err(Error::Lost(_))));
        assert!(!guard.release().expect("answered"));
        assert_eq!(value(&server), Some(foreign()), "not released by us");
        free(&server);
    }
}

#[test]
fn p27_a_server_that_just_restarted_has_no_vote() {
    let servers = servers::<3>();
    let urls: Vec<_> = servers.iter().map(ModelServer::url).collect();
    let builder = Client::builder().servers(&urls.join(",")).restart_delay(LONG);
    let client = builder.reply_timeout(REPLY).connect().expect("connected");
    let error = client.try_lock(KEY, LONG).expect_err("all three are young");
    assert!(error.to_string().contains("restarted"), "{error}");
    assert!(servers.iter().all(|server| commands(server, "SET") == 0));
}

#[test]
fn p29_the_options_reach_the_retry_loop() {
    let [server] = servers();
    let delay = Duration::from_millis(60);
    let builder = Client::builder().server(&server.url()).retry(fixed(delay, 3));
    let client = builder.connect().expect("connected");
    steal(&server);
    let began = Instant::now();
    assert!(matches!(client.lock(KEY, LONG), Err(Error::TimedOut { .. })));
    assert!(began.elapsed() >= delay * 3, "{:?}", began.elapsed());
    assert_eq!(commands(&server, "SET"), 4);
}
