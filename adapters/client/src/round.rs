//! Loop 2: driving a machine as far as it goes, without waiting.

use core::task::Waker;
use std::sync::Arc;

use redlatch_core::{Answer, Event, Instant, Loss, Output, majority};

use crate::driven::Machine;
use crate::engine::Engine;
use crate::error::Error;
use crate::link::Sending;
use crate::mail::{Incoming, Mail};
use crate::os;
use crate::session::{Session, Tidings};

/// One turn of whoever drives a machine. The clock is read once for all of it.
pub(crate) struct Round<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) now: Instant,
    /// What the machine was not told yet.
    pub(crate) mail: Mail,
    /// What others are to be told, once no mutex is held.
    pub(crate) tidings: Tidings,
    /// Who is to write what was queued. Woken once no mutex is held.
    pub(crate) keepers: Keepers,
}

/// Those who write for everybody; mostly it is one.
#[derive(Default)]
#[must_use]
pub(crate) struct Keepers {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Keepers {
    fn add(&mut self, keeper: Waker) {
        match self.first {
            None => self.first = Some(keeper),
            Some(_) => self.others.push(keeper),
        }
    }

    pub(crate) fn wake(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
            self.others.drain(..).for_each(Waker::wake);
        }
    }
}

/// Where a machine stands after it was driven as far as it goes.
pub(crate) enum Step {
    /// It has something to say.
    Event(Event),
    /// It waits for an answer, or for this moment.
    Wait(Instant),
}

impl<'a> Round<'a> {
    pub(crate) fn new(session: &'a Arc<Session>, mail: Mail, now: Instant) -> Self {
        let (tidings, keepers) = (Tidings::default(), Keepers::default());
        Self { session, now, mail, tidings, keepers }
    }

    /// Hands the next thing that has arrived to the machine, which waits. Whether there was one.
    pub(crate) fn hand_on(&mut self, lock: &mut Machine) -> bool {
        match self.mail.next() {
            Some(Incoming::Answer(ticket, answer)) => lock.handle_answer(ticket, answer, self.now),
            Some(Incoming::Hint) => lock.hint(self.now),
            None => return false,
        }
        true
    }

    fn close(&mut self, sending: Option<Sending<'_>>) {
        if let Some(keeper) = sending.and_then(Sending::finish) {
            self.keepers.add(keeper);
        }
    }
}

impl Engine {
    /// Does what the machine wants until it has an event or waits. Never waits itself. What it
    /// sends is on its way after [`Keepers::wake`] and [`Engine::flush`].
    pub(crate) fn step(&self, lock: &mut Machine, round: &mut Round<'_>) -> Result<Step, Error> {
        let now = round.now;
        let mut sending: Option<Sending<'_>> = None;
        loop {
            let output = lock.poll_output();
            if let Output::Send { ticket, command } = output {
                // Requests to one server follow each other.
                sending = self.sending(sending, ticket.server(), round);
                let unreachable = Err(Answer::Unreachable);
                let sent = sending.as_mut().map(|it| it.send(ticket, &command, round.session));
                if let Err(answer) = sent.unwrap_or(unreachable) {
                    round.mail.push(ticket, answer);
                }
                continue;
            }
            if sending.is_some() {
                round.close(sending.take());
            }
            match output {
                Output::NeedToken => provide(lock, now)?,
                Output::Send { .. } => {}
                Output::Event(event) => {
                    let event = self.explained(event, round.session);
                    round.session.publish(event, now, &mut round.tidings);
                    return Ok(Step::Event(event));
                }
                Output::Wait(until) => {
                    let until = until.unwrap_or(Instant::NEVER);
                    // Bytes before time.
                    if round.hand_on(lock) {
                        continue;
                    }
                    if until > now {
                        return Ok(Step::Wait(until));
                    }
                    lock.handle_timeout(now);
                }
            }
        }
    }

    /// Goes on sending to this server, or begins to.
    fn sending<'a>(
        &'a self,
        open: Option<Sending<'a>>,
        server: usize,
        round: &mut Round<'_>,
    ) -> Option<Sending<'a>> {
        let link = self.links.get(server)?;
        match open {
            Some(open) if open.goes_to(link) => Some(open),
            other => {
                round.close(other);
                Some(link.sending(round.now))
            }
        }
    }

    /// Drives a machine in its owner's absence as far as it goes. Gives the moment when it wants to
    /// be looked at again, or `None` when it needs nobody until its owner comes back. What it says
    /// is published for the owner.
    pub(crate) fn attend(&self, lock: &mut Machine, round: &mut Round<'_>) -> Option<Instant> {
        let until = loop {
            match self.step(lock, round) {
                Ok(Step::Event(_)) => {}
                Ok(Step::Wait(until)) => break until,
                Err(_) => lock.abandon(round.now),
            }
        };
        // While the lock is held, answers that come late can wait for the owner.
        let rests = match lock.lease() {
            Some(lease) => until >= lease.until(),
            None => lock.is_settled(),
        };
        (!rests).then_some(until)
    }

    /// A key that is gone was forgotten, if the servers that have surely been running since the lock
    /// was taken are no majority.
    fn explained(&self, event: Event, session: &Session) -> Event {
        if event != Event::Lost(Loss::Deleted) {
            return event;
        }
        let Some(since) = session.taken() else { return event };
        let kept = self.links.iter().filter(|link| !link.has_restarted_since(since)).count();
        let forgotten = kept < majority(self.links.len());
        if forgotten { Event::Lost(Loss::ServerRestarted) } else { event }
    }
}

/// Gives the machine a fresh token; one it has seen before is the generator's fault.
fn provide(lock: &mut Machine, now: Instant) -> Result<(), Error> {
    let token = os::token()?;
    lock.provide(token, now).map_err(|_| Error::Random)
}
