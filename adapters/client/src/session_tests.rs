//! The inbox, who is woken, and what the owner may believe.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;

use redlatch_core::{Answer, Drift, Event, Instant, Lease, Loss, Output, Settings, Ticket, Ttl};

use super::{Call, Session, Tidings};
use crate::mail::{Incoming, Mail};
use crate::os;
use crate::progress::Awaits;
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

fn look(session: &Session, waker: Option<Waker>) -> Mail {
    let mut mail = Mail::default();
    session.look(&mut mail, waker);
    mail
}

fn woken(counter: &Counter) -> usize {
    counter.0.load(Ordering::SeqCst)
}

/// Answers come in bunches: whom to call is said once, and called later.
#[test]
fn an_answer_ends_the_waiting() {
    let (session, (count, waker)) = (session(), counter());
    let ticket = ticket(&session);
    assert!(look(&session, Some(waker.clone())).is_empty());
    let first = session.deliver(ticket, Answer::Ok);
    let second = session.deliver(ticket, Answer::Ok);
    assert_eq!(woken(&count), 0);
    session.call(first);
    session.call(second);
    assert_eq!(woken(&count), 1, "once until it waits again");
    assert!(!look(&session, Some(waker)).is_empty());
    assert!(matches!(session.deliver(ticket, Answer::Ok), Call::Nobody), "it does not wait");
}

/// An answer is to come until all have come that were asked for.
#[test]
fn who_waits_knows_whether_an_answer_is_to_come() {
    let (session, (_, waker)) = (session(), counter());
    let ticket = ticket(&session);
    assert!(look(&session, Some(waker.clone())).is_empty());
    assert_eq!(session.awaits(), Awaits::Push);
    session.expect_answer();
    session.expect_answer();
    session.put(ticket, Answer::Ok);
    assert_eq!(session.awaits(), Awaits::Answer);
    session.put(ticket, Answer::Nil);
    assert_eq!(session.awaits(), Awaits::Push);
    assert!(!look(&session, Some(waker)).is_empty());
    assert_eq!(session.awaits(), Awaits::Call, "it has something to do");
}

/// However often it has had it.
#[test]
fn the_owner_takes_back_what_the_reaper_has() {
    let (session, reaper) = (session(), Arc::default());
    session.take_back();
    assert!(session.is_owned());
    for _ in 0..2 {
        session.hand_to(&reaper);
        assert!(!session.is_owned());
        session.take_back();
        assert!(session.is_owned());
    }
    session.hand_to(&reaper);
    assert!(look(&session, None).is_empty());
    session.hand_to(&reaper);
    session.take_back();
    assert!(session.is_owned());
}

/// Bytes before time, and answers before hints.
#[test]
fn answers_come_out_in_order_and_hints_after_them_once() {
    let session = session();
    let ticket = ticket(&session);
    let numbers = 1..10;
    for number in numbers.clone() {
        let _nobody = (session.hint(), session.deliver(ticket, Answer::Integer(number)));
    }
    let mut mail = session.take_mail();
    assert!(session.take_mail().is_empty(), "all is taken");
    for number in numbers {
        let Some(Incoming::Answer(_, answer)) = mail.next() else { panic!("{number} is missing") };
        assert_eq!(answer, Answer::Integer(number));
    }
    assert!(!mail.is_empty());
    assert!(matches!(mail.next(), Some(Incoming::Hint)));
    assert!(mail.is_empty() && mail.next().is_none());
}

/// What is put in while some is taken out comes last.
#[test]
fn mail_keeps_its_order() {
    let ticket = ticket(&session());
    let (mut mail, mut next) = (Mail::default(), 0..);
    let mut expected = 0..;
    for (put, taken) in [(2, 1), (1, 1), (3, 2), (1, 3), (2, 2), (1, 1)] {
        for number in next.by_ref().take(put) {
            mail.push(ticket, Answer::Integer(number));
        }
        for number in expected.by_ref().take(taken) {
            let Some(Incoming::Answer(_, answer)) = mail.next() else { panic!("{number}") };
            assert_eq!(answer, Answer::Integer(number));
        }
    }
    assert!(mail.is_empty());
}

/// Somebody else may have begun for the owner before it notes its waker.
#[test]
fn what_came_before_the_owner_noted_itself_is_there() {
    let session = session();
    let ticket = ticket(&session);
    let _nobody = session.deliver(ticket, Answer::Ok);
    session.note_owner(Waker::noop().clone());
    let mut mail = look(&session, None);
    assert!(matches!(mail.next(), Some(Incoming::Answer(_, Answer::Ok))));
}

#[test]
fn waiting_ends_when_cancelled() {
    let (session, (count, waker)) = (session(), counter());
    assert!(look(&session, Some(waker)).is_empty() && !session.is_cancelled());
    session.cancel();
    assert_eq!(woken(&count), 1);
    assert!(session.is_cancelled());
}

/// Another task drives on: it is the one that is woken.
#[test]
fn the_last_to_look_is_woken() {
    let (session, (first, first_waker), (second, second_waker)) = (session(), counter(), counter());
    assert!(look(&session, Some(first_waker)).is_empty());
    assert!(look(&session, Some(second_waker)).is_empty());
    let call = session.hint();
    session.call(call);
    assert_eq!((woken(&first), woken(&second)), (0, 1));
}

/// Nobody else takes what has arrived for a machine in its care.
#[test]
fn the_reaper_is_called_until_the_owner_looks() {
    let (session, reaper) = (session(), Arc::default());
    assert!(session.reapers_mail().is_none());
    session.hand_to(&reaper);
    assert!(matches!(session.hint(), Call::Reaper(_)));
    assert!(matches!(session.hint(), Call::Reaper(_)));
    assert!(session.reapers_mail().is_some_and(|mail| !mail.is_empty()));
    assert!(look(&session, None).is_empty());
    assert!(matches!(session.hint(), Call::Nobody) && session.reapers_mail().is_none());
}

/// Requirement 8: who waits for a loss is woken by it, once.
#[test]
fn a_loss_wakes_all_who_wait_for_it() {
    let (session, (count, waker)) = (session(), counter());
    let mut tidings = Tidings::default();
    session.publish(Event::Acquired(lease(os::now())), os::now(), &mut tidings);
    let mut places = [Place::default(), Place::default(), Place::default()];
    for place in &mut places {
        session.watch(place, &waker);
        session.watch(place, &waker);
    }
    session.leave_watchers(&places[1]);
    tidings.tell(session.key());
    assert_eq!(woken(&count), 0, "nothing is lost");
    let mut tidings = Tidings::default();
    session.publish(Event::Lost(Loss::Deleted), os::now(), &mut tidings);
    assert_eq!(woken(&count), 0, "not under the mutex of the machine");
    tidings.tell(session.key());
    assert_eq!(woken(&count), 2, "one each, and none for who has gone");
    assert_eq!(session.standing(os::now()), Some(Err(Loss::Deleted)));
}

/// The machine, not the clock, says why a lease has run out.
#[test]
fn a_lease_that_has_run_out_stands_for_nothing() {
    let session = session();
    assert_eq!(session.standing(os::now()), None);
    let held = lease(os::now());
    session.publish(Event::Acquired(held), os::now(), &mut Tidings::default());
    assert_eq!(session.standing(os::now()), Some(Ok(held)));
    assert_eq!(session.standing(held.until()), None);
}
