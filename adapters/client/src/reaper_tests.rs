//! The reaper's list, without threads: nothing is ever connected.

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Answer, Output, Retry};

use super::{Reaper, Rounds};
use crate::engine::Engine;
use crate::mail::Mail;
use crate::os;
use crate::progress::Progress;
use crate::session::Session;

fn session(engine: &Engine) -> Arc<Session> {
    let ttl = Duration::from_secs(60);
    let settings = engine.options().settings(b"key", ttl, Retry::NONE).expect("positive");
    let session = Session::new(b"key".into(), 1, settings);
    session.hand_to(&engine.errands);
    session
}

/// A session whose claim was sent and whose reply is lost.
fn owing(engine: &Engine) -> Arc<Session> {
    let session = session(engine);
    let mut machine = session.machine();
    machine.lock.acquire(os::now());
    loop {
        match machine.lock.poll_output() {
            Output::NeedToken => {
                let token = os::token().expect("randomness");
                machine.lock.provide(token, os::now()).expect("fresh");
            }
            Output::Send { ticket, .. } => {
                machine.lock.handle_answer(ticket, Answer::Lost, os::now());
                machine.lock.abandon(os::now());
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!machine.lock.is_settled());
    drop(machine);
    session
}

#[test]
fn what_owes_nothing_is_let_go() {
    let engine = Engine::unconnected();
    let mut rounds = Rounds::new(3);
    rounds.visit(&engine, session(&engine));
    assert!(rounds.due.is_empty() && !rounds.owes());
}

#[test]
fn what_owes_is_kept_once() {
    let engine = Engine::unconnected();
    let mut rounds = Rounds::new(3);
    let session = owing(&engine);
    for _ in 0..3 {
        rounds.visit(&engine, Arc::clone(&session));
        assert!(rounds.due.len() == 1 && rounds.owes());
    }
    session.look(&mut Mail::default(), None);
    rounds.visit(&engine, session);
    assert!(rounds.due.is_empty(), "its owner drives it again");
}

/// Requirement 20: a bound on everything that can grow.
#[test]
fn no_more_are_kept_than_the_bound() {
    let engine = Engine::unconnected();
    let mut rounds = Rounds::new(3);
    for kept in [1, 2, 3, 3, 3] {
        rounds.visit(&engine, owing(&engine));
        assert_eq!(rounds.due.len(), kept);
    }
}

/// Requirement 20: whoever wakes a session again and again queues one visit.
#[test]
fn a_session_waits_for_one_visit_only() {
    let engine = Engine::unconnected();
    let session = owing(&engine);
    for _ in 0..100 {
        session.call(session.hint());
    }
    let (visits, _) = engine.errands.collect();
    assert_eq!(visits.len(), 1);
    visits[0].unqueue();
    session.call(session.hint());
    assert_eq!(engine.errands.collect().0.len(), 1, "and comes again after it");
}

#[test]
fn a_closed_client_ends_when_all_is_paid_and_says_so() {
    let engine = Engine::unconnected();
    let mut reaper = Reaper::new(&engine);
    assert!(matches!(reaper.poll(Waker::noop()), Progress::Wait(_)));
    let mut closing = engine.close(Duration::from_secs(60));
    assert!(matches!(closing.poll(Waker::noop()), Progress::Wait(_)), "the reaper has to look");
    assert_eq!(reaper.poll(Waker::noop()), Progress::Done(()));
    drop(reaper);
    assert_eq!(closing.poll(Waker::noop()), Progress::Done(true));
}

/// A runtime that is dropped takes its tasks with it. Nobody waits for them then.
#[test]
fn a_reaper_that_is_dropped_leaves_the_rest_to_the_ttl() {
    let engine = Engine::unconnected();
    let _owing = owing(&engine);
    drop(Reaper::new(&engine));
    assert!(engine.is_closed());
    let mut closing = engine.close(Duration::from_secs(60));
    assert_eq!(closing.poll(Waker::noop()), Progress::Done(false));
    assert!(engine.errands.collect().0.is_empty(), "and keeps no session");
}
