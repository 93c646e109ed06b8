//! Loop 2: what one lock machine wants, done.
//!
//! This is all that an adapter needs to know about locks: ask the machine, do what it says, wait
//! only when it says so, and hand in one thing at a time.

use std::sync::Arc;

use redlatch_client::{Error, os};
use redlatch_core::{Event, Instant, Output};

use crate::session::{Incoming, Machine, Session};
use crate::shared::Shared;

/// Where a machine stands after it was driven as far as it goes.
pub(crate) enum Step {
    /// It has something to say.
    Event(Event),
    /// It waits for an answer, or for this moment.
    Wait(Option<Instant>),
}

impl Shared {
    /// Begins something and drives the machine until it says how that went. What it owes then is
    /// left to the reaper.
    ///
    /// # Errors
    /// [`Error::Random`], and [`Error::Closed`] when the session is cancelled; the lock is abandoned.
    pub(crate) fn drive(
        &self,
        session: &Arc<Session>,
        begin: impl FnOnce(&mut Machine, Instant),
    ) -> Result<Event, Error> {
        session.take();
        begin(&mut session.machine().lock, os::now());
        let result = loop {
            let step = self.step(session, &mut session.machine().lock);
            self.flush();
            match step {
                Ok(Step::Event(event)) => break Ok(event),
                Ok(Step::Wait(_)) if session.is_cancelled() => break Err(Error::Closed),
                Ok(Step::Wait(until)) => session.wait(until),
                Err(error) => break Err(error),
            }
        };
        self.leave(session, result.is_err());
        result
    }

    /// Does what the machine wants until it has an event or waits. Never waits itself. What it
    /// sends is on its way after [`Shared::flush`].
    pub(crate) fn step(&self, session: &Arc<Session>, lock: &mut Machine) -> Result<Step, Error> {
        loop {
            match lock.poll_output() {
                Output::NeedToken => provide(lock)?,
                Output::Send { ticket, command } => {
                    if let Some(answer) = self.send(ticket, &command, session) {
                        session.deliver(ticket, answer);
                    }
                }
                Output::Event(event) => return Ok(Step::Event(event)),
                Output::Wait(until) => match session.incoming() {
                    Some(Incoming::Answer(ticket, answer)) => {
                        lock.handle_answer(ticket, answer, os::now());
                    }
                    Some(Incoming::Hint) => lock.hint(os::now()),
                    None if until.is_some_and(|until| until <= os::now()) => {
                        lock.handle_timeout(os::now());
                    }
                    None => return Ok(Step::Wait(until)),
                },
            }
        }
    }

    /// The caller goes, the machine may not be through.
    fn leave(&self, session: &Arc<Session>, abandon: bool) {
        let mut machine = session.machine();
        if abandon {
            machine.lock.abandon(os::now());
        }
        if self.attend(session, &mut machine.lock).is_some() {
            session.hand_to(&self.errands);
        }
        drop(machine);
        self.flush();
    }

    /// Drives a machine in its owner's absence as far as it goes. Gives the moment when it wants to
    /// be looked at again, or `None` when it needs nobody until its owner comes back. Events are for
    /// the owner, who learns the only one that can come, the end of the lease, from the clock.
    pub(crate) fn attend(&self, session: &Arc<Session>, lock: &mut Machine) -> Option<Instant> {
        let until = loop {
            match self.step(session, lock) {
                Ok(Step::Event(_)) => {}
                Ok(Step::Wait(until)) => break until.unwrap_or(Instant::NEVER),
                Err(_) => lock.abandon(os::now()),
            }
        };
        // While the lock is held, answers that come late can wait for the owner.
        let rests = match lock.lease() {
            Some(lease) => until >= lease.until(),
            None => lock.is_settled(),
        };
        (!rests).then_some(until)
    }
}

/// Gives the machine a fresh token; one it has seen before is the generator's fault.
fn provide(lock: &mut Machine) -> Result<(), Error> {
    let token = os::token()?;
    lock.provide(token, os::now()).map_err(|_| Error::Random)
}
