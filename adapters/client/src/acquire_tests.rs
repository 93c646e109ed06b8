//! Who lets go begins for the next in line. Nothing is ever connected here.

use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Drift, Event, Lease, Phase, Retry, Ttl};

use super::Acquiring;
use crate::engine::Engine;
use crate::error::Error;
use crate::os;
use crate::progress::Progress;
use crate::session::{InLine, Session, Tidings};

const TTL: Duration = Duration::from_secs(60);

fn asked(engine: &Arc<Engine>) -> Acquiring {
    engine.acquire(b"key".into(), TTL, Retry::until(TTL), None).expect("open")
}

fn session(acquiring: &Acquiring) -> &Arc<Session> {
    &acquiring.drive.owned().expect("it is not over").session
}

fn phase(acquiring: &Acquiring) -> Phase {
    session(acquiring).machine().lock.phase()
}

/// The front of a line, as if it had the lock, and one behind it that waits.
fn line(engine: &Arc<Engine>) -> (Acquiring, Acquiring) {
    let (front, mut behind) = (asked(engine), asked(engine));
    let lease = Lease::new(Ttl::from_millis(60_000).expect("positive"), Drift::DEFAULT, os::now());
    session(&front).publish(Event::Acquired(lease), os::now(), &mut Tidings::default());
    assert!(engine.lines.took(session(&front), false).is_some(), "somebody is behind");
    assert!(matches!(behind.poll(Waker::noop()), Progress::Wait(_)));
    assert_eq!(phase(&behind), Phase::Idle);
    (front, behind)
}

/// The front lets go. Whom it would wake.
fn let_go(engine: &Engine, front: &Acquiring) -> Option<Arc<Session>> {
    engine.pass_on(session(front), false, os::now())
}

#[test]
fn who_lets_go_begins_for_the_next() {
    let engine = Engine::unconnected();
    let (front, mut behind) = line(&engine);
    let woken = let_go(&engine, &front).expect("the next");
    assert!(Arc::ptr_eq(&woken, session(&behind)));
    assert_eq!(session(&behind).in_line(), InLine::Asking);
    assert_eq!(phase(&behind), Phase::Asking);
    let now = os::now();
    assert!(!session(&behind).machine().begin(None, now, now), "not again");
    // Its owner goes on where that has ended.
    assert!(matches!(behind.poll(Waker::noop()), Progress::Wait(_)));
    assert_eq!(phase(&behind), Phase::Asking);
}

#[test]
fn what_comes_of_it_at_once_is_kept_for_the_owner() {
    let engine = Engine::unconnected();
    let (front, mut behind) = line(&engine);
    assert!(let_go(&engine, &front).is_some());
    session(&behind).machine().keep(Err(Error::Random));
    assert!(matches!(behind.poll(Waker::noop()), Progress::Done(Err(Error::Random))));
    assert!(!engine.lines.any());
}

#[test]
fn nobody_begins_for_one_who_has_gone() {
    let engine = Engine::unconnected();
    let (front, behind) = line(&engine);
    let gone = Arc::clone(session(&behind));
    drop(behind);
    assert!(let_go(&engine, &front).is_some_and(|next| Arc::ptr_eq(&next, &gone)));
    assert_eq!(gone.machine().lock.phase(), Phase::Idle);
}

#[test]
fn nobody_begins_for_one_who_is_cancelled() {
    let engine = Engine::unconnected();
    let (front, mut behind) = line(&engine);
    session(&behind).cancel();
    assert!(let_go(&engine, &front).is_some());
    assert_eq!(phase(&behind), Phase::Idle);
    assert!(matches!(behind.poll(Waker::noop()), Progress::Done(Err(Error::Closed))));
}

/// Then others want the lock, too.
#[test]
fn who_takes_the_lock_knows_whether_an_attempt_has_failed() {
    let engine = Engine::unconnected();
    let mut one = asked(&engine);
    assert!(matches!(one.poll(Waker::noop()), Progress::Wait(_)));
    assert!(!one.drive.has_failed());
    let late = os::now().saturating_add(engine.options().reply_timeout);
    session(&one).machine().lock.handle_timeout(late);
    assert!(matches!(one.poll(Waker::noop()), Progress::Wait(_)));
    assert!(one.drive.has_failed());
}
