//! The inbox, who is woken, and what the owner may believe.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::sync::Arc;
use std::task::Wake;

use redlatch_core::{Answer, Drift, Event, Instant, Lease, Loss, Output, Settings, Ticket, Ttl};

use super::{Incoming, Session};
use crate::os;
use crate::sync::Place;

const TTL: u64 = 60_000;

fn session() -> Arc<Session> {
    let ttl = Ttl::from_millis(TTL).expect("positive");
    Session::new(b"key".into(), 1, Settings::new(ttl))
}

/// A lease that began at this moment.
fn lease(since: Instant) -> Lease {
    Lease::new(Ttl::from_millis(TTL).expect("positive"), Drift::DEFAULT, since)
}

/// The ticket of the first request.
fn ticket(session: &Session) -> Ticket {
    let mut machine = session.machine();
    machine.lock.acquire(os::now());
    let token = os::token().expect("randomness");
    machine.lock.provide(token, os::now()).expect("fresh");
    match machine.lock.poll_output() {
        Output::Send { ticket, .. } => ticket,
        other => panic!("{other:?}"),
    }
}

/// Counts how often it was woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counter() -> (Arc<Counter>, Waker) {
    let counter = Arc::<Counter>::default();
    (Arc::clone(&counter), Waker::from(counter))
}

fn woken(counter: &Counter) -> usize {
    counter.0.load(Ordering::SeqCst)
}

/// Answers come in bunches: they are put in without waking.
#[test]
fn an_answer_ends_the_waiting() {
    let (session, (count, waker)) = (session(), counter());
    let ticket = ticket(&session);
    assert_eq!(session.poll_incoming(&waker), Poll::Pending);
    session.deliver(ticket, Answer::Ok);
    session.deliver(ticket, Answer::Ok);
    assert_eq!(woken(&count), 0);
    session.wake();
    session.wake();
    assert_eq!(woken(&count), 1, "once until it waits again");
    assert_eq!(session.poll_incoming(&waker), Poll::Ready(()));
}

/// Bytes before time, and answers before hints.
#[test]
fn answers_come_out_in_order_and_hints_after_them_once() {
    let session = session();
    let ticket = ticket(&session);
    session.hint();
    session.hint();
    session.deliver(ticket, Answer::Ok);
    session.deliver(ticket, Answer::Nil);
    assert!(matches!(session.incoming(), Some(Incoming::Answer(_, Answer::Ok))));
    assert!(matches!(session.incoming(), Some(Incoming::Answer(_, Answer::Nil))));
    assert!(matches!(session.incoming(), Some(Incoming::Hint)));
    assert!(session.incoming().is_none());
}

#[test]
fn waiting_ends_when_cancelled() {
    let (session, (count, waker)) = (session(), counter());
    assert_eq!(session.poll_incoming(&waker), Poll::Pending);
    session.cancel();
    assert_eq!(woken(&count), 1);
    assert_eq!(session.poll_incoming(&waker), Poll::Ready(()));
}

/// Another task drives on: it is the one that is woken.
#[test]
fn the_last_to_take_it_is_woken() {
    let (session, (first, first_waker), (second, second_waker)) = (session(), counter(), counter());
    assert_eq!(session.poll_incoming(&first_waker), Poll::Pending);
    session.take();
    assert_eq!(session.poll_incoming(&second_waker), Poll::Pending);
    session.hint();
    session.wake();
    assert_eq!((woken(&first), woken(&second)), (0, 1));
}

/// Requirement 8: who waits for a loss is woken by it, once.
#[test]
fn a_loss_wakes_all_who_wait_for_it() {
    let (session, (count, waker)) = (session(), counter());
    session.publish(Event::Acquired(lease(os::now())), os::now());
    let mut places = [Place::default(), Place::default(), Place::default()];
    for place in &mut places {
        session.watch(place, &waker);
        session.watch(place, &waker);
    }
    session.leave_watchers(&places[1]);
    session.tell();
    assert_eq!(woken(&count), 0, "nothing is lost");
    session.publish(Event::Lost(Loss::Deleted), os::now());
    session.tell();
    session.tell();
    assert_eq!(woken(&count), 2, "one each, and none for who has gone");
    assert_eq!(session.standing(os::now()), Some(Err(Loss::Deleted)));
}

/// The machine, not the clock, says why a lease has run out.
#[test]
fn a_lease_that_has_run_out_stands_for_nothing() {
    let session = session();
    assert_eq!(session.standing(os::now()), None);
    let held = lease(os::now());
    session.publish(Event::Acquired(held), os::now());
    assert_eq!(session.standing(os::now()), Some(Ok(held)));
    assert_eq!(session.standing(held.until()), None);
}
