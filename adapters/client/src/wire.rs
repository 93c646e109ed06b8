//! One connection that is ready for locks: bytes in, answers out, and the way back for each answer.

use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use redlatch_core::proof::{self, Heard, Need};
use redlatch_core::{
    Answer, Command, Dialect, Greeting, Incoming, Instant, Invalidation, Proof, Refusal, Reply,
    Serial, Ticket, Token, Tracking,
};

use crate::channel::Channel;
use crate::error::{Cause, Error};
use crate::greeter::{Greeted, connect_error, wire_error};
use crate::lines::Lines;
use crate::notice::Notice;
use crate::os;
use crate::parking::{Parking, Read, Waits};
use crate::session::{Call, Session};
use crate::wakeups::Wakeups;

/// Where an adapter that may block writes. It is called under a mutex of the link: it must not call
/// back.
pub trait Outlet: Send {
    /// Writes once, for the reply timeout at most.
    ///
    /// # Errors
    /// What the operating system says. It ends the connection.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// The connection has ended: close the socket both ways, so that its reader notices.
    fn shutdown(&mut self);
}

/// A connection that is ready for locks.
pub(crate) struct Wire {
    server: Arc<str>,
    channel: Channel,
    greeting: Greeting,
    tracking: Tracking,
    dialect: Dialect,
    /// `None` when the keeper writes.
    outlet: Option<Box<dyn Outlet>>,
    /// One for each request in flight, oldest first.
    routes: VecDeque<Route>,
    proof: Proof,
    parking: Parking,
    /// Reads that were parked and found no proof: to be sent when there is room.
    unproven: VecDeque<Read>,
    /// There was no room for a witness.
    is_crowded: bool,
    /// Requests that were submitted.
    asked: u64,
    /// The newest request, where that is a claim which has surely not left; and its token.
    fresh: Option<(Serial, Token)>,
    /// The server has no vote before this moment.
    abstains_until: Instant,
    reply_timeout: Duration,
}

/// Where the answer to one request goes.
struct Route {
    serial: Serial,
    to: Destination,
}

enum Destination {
    Lock(Ticket, Arc<Session>),
    /// It was sent in front of the question of a lock that waits.
    Tracking,
}

impl Destination {
    fn is(&self, session: &Arc<Session>) -> bool {
        matches!(self, Self::Lock(_, asked) if Arc::ptr_eq(asked, session))
    }
}

impl Wire {
    pub(crate) fn new(
        server: Arc<str>,
        greeted: Greeted,
        outlet: Option<Box<dyn Outlet>>,
        abstains_until: Instant,
        reply_timeout: Duration,
    ) -> Self {
        Self {
            server,
            channel: greeted.channel,
            greeting: greeted.greeting,
            tracking: Tracking::new(greeted.greeting.protocol),
            dialect: greeted.greeting.dialect,
            outlet,
            routes: VecDeque::new(),
            proof: Proof::NEW,
            parking: Parking::default(),
            unproven: VecDeque::new(),
            is_crowded: false,
            asked: 0,
            fresh: None,
            abstains_until,
            reply_timeout,
        }
    }

    /// What the server said of itself.
    pub(crate) const fn greeting(&self) -> Greeting {
        self.greeting
    }

    pub(crate) const fn has_outlet(&self) -> bool {
        self.outlet.is_some()
    }

    /// Why this server wakes nobody, once somebody has waited; said once.
    pub(crate) fn take_untracked(&mut self) -> Option<Refusal> {
        self.tracking.take_refusal()
    }

    /// Queues a request.
    ///
    /// # Errors
    /// The answer, when it was not queued. Where the connection takes no more, that is
    /// [`Answer::Unreachable`]: the machine asks again a little later, until its own deadline. This
    /// is how a slow server holds back its clients.
    pub(crate) fn submit(
        &mut self,
        ticket: Ticket,
        command: &Command<'_>,
        session: &Arc<Session>,
        now: Instant,
    ) -> Result<(), Answer> {
        if ticket.is_stale(now) {
            return Err(Answer::Unreachable);
        }
        if now < self.abstains_until && is_vote(command) {
            return Err(Answer::Refused(Refusal::Restarted));
        }
        match *command {
            Command::Read { key } if self.park(key, ticket, session, now) => return Ok(()),
            Command::Expiry { .. } => {
                for before in self.tracking.before_expiry()? {
                    self.ask(before, Destination::Tracking, now)?;
                }
            }
            _ => {}
        }
        let (ticket, command) = ticket.say(*command, self.dialect);
        self.ask(&command, Destination::Lock(ticket, Arc::clone(session)), now)
    }

    fn ask(&mut self, command: &Command<'_>, to: Destination, now: Instant) -> Result<(), Answer> {
        let submitted = self.channel.submit(command, now);
        let serial = submitted.map_err(|_| Answer::Unreachable)?;
        self.fresh = None;
        match *command {
            Command::Claim { token, .. } => self.fresh = Some((serial, *token)),
            Command::Read { key } | Command::Extend { key, .. } | Command::Release { key, .. } => {
                self.proof.mention(key);
            }
            _ => {}
        }
        self.enter(Route { serial, to });
        Ok(())
    }

    fn enter(&mut self, route: Route) {
        self.routes.push_back(route);
        self.asked += 1;
    }

    /// Requests that were submitted so far.
    pub(crate) const fn asked(&self) -> u64 {
        self.asked
    }

    /// Whether answers are to come.
    pub(crate) fn is_awaiting(&self) -> bool {
        !self.routes.is_empty()
    }

    /// Keeps the read of a claim that has not left, because one of a later claim may do for both.
    fn park(&mut self, key: &[u8], ticket: Ticket, session: &Arc<Session>, now: Instant) -> bool {
        let asked = self.routes.back().is_some_and(|route| route.to.is(session));
        let Some((claim, token)) = self.fresh.filter(|_| asked) else { return false };
        self.fresh = None;
        self.proof.park(key);
        self.parking.push(Read::new(claim, token, ticket, Arc::clone(session)));
        if self.proof.is_full() {
            self.cover(now);
        }
        true
    }

    /// Bytes are about to leave: sends the reads without which parked ones would wait for nothing.
    fn cover(&mut self, now: Instant) {
        while let Some(read) = self.unproven.pop_front() {
            let command = Command::Read { key: read.session.key() };
            let to = Destination::Lock(read.ticket, Arc::clone(&read.session));
            if !read.is_over() && self.ask(&command, to, now).is_err() {
                return self.unproven.push_front(read);
            }
        }
        match self.proof.need() {
            Need::Nothing => {}
            Need::Witness => self.send_witness(now),
            Need::Reads => {
                let reads = self.parking.pop_many(self.proof.parked());
                self.proof.resigned();
                self.unproven.extend(reads);
                self.cover(now);
            }
        }
    }

    fn send_witness(&mut self, now: Instant) {
        let Some(read) = self.parking.pop() else { return self.proof.resigned() };
        let command = Command::Read { key: read.session.key() };
        let submitted = self.channel.submit(&command, now);
        self.is_crowded = submitted.is_err();
        match submitted {
            Ok(serial) => {
                self.fresh = None;
                self.proof.witnessed(serial, read.token);
                let Read { ticket, session, .. } = read;
                self.enter(Route { serial, to: Destination::Lock(ticket, session) });
            }
            Err(_full) => self.parking.push(read),
        }
    }

    /// Whether reads wait for room.
    fn is_stuck(&self) -> bool {
        !self.unproven.is_empty() || self.is_crowded
    }

    /// Notices that the server has been silent for too long.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn check(&mut self, now: Instant) -> Result<(), Error> {
        let ended = self.channel.check(now);
        ended.map_or(Ok(()), |error| Err(wire_error(&self.server, error, self.reply_timeout)))
    }

    /// When somebody must look whether the server is silent. Never where a keeper does: it does so
    /// as it writes, and where others write, it only reads.
    pub(crate) fn silence(&self) -> Instant {
        if self.outlet.is_some() { self.poll_timeout() } else { Instant::NEVER }
    }

    /// When [`Wire::check`] is due.
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.channel.poll_timeout()
    }

    /// Writes what is queued into the outlet. Whether something is left for the keeper.
    ///
    /// # Errors
    /// The connection has ended. Half a request may have left.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<bool, Error> {
        self.check(now)?;
        loop {
            if self.outlet.is_some() {
                self.cover(now);
            }
            let is_stuck = self.is_stuck();
            let pending = self.channel.pending();
            let Some(outlet) = &mut self.outlet else {
                return Ok(is_stuck || !pending.is_empty());
            };
            if pending.is_empty() {
                return Ok(false);
            }
            match outlet.write(pending) {
                Ok(wrote) => {
                    self.fresh = None;
                    self.channel.wrote(wrote);
                }
                Err(error) => return Err(self.io_error(error)),
            }
        }
    }

    /// Lends what is queued to the keeper, who says how much of it is taken.
    pub(crate) fn lend(&mut self, mut take: impl FnMut(&[u8]) -> usize) {
        loop {
            if self.is_stuck() || self.proof.need() != Need::Nothing {
                self.cover(os::now());
            }
            self.fresh = None;
            let pending = self.channel.pending();
            if pending.is_empty() {
                return;
            }
            let all = pending.len();
            let taken = take(pending).min(all);
            self.channel.wrote(taken);
            if taken < all {
                return;
            }
        }
    }

    /// Whether the connection wants to write something that nobody has sent.
    pub(crate) fn must_flush(&self) -> bool {
        self.channel.must_flush() || self.is_stuck()
    }

    /// Takes bytes that were read; none at all is the end of the stream. Every answer goes into the
    /// inbox of who asked. Notes the last refusal.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        password: Option<&[u8]>,
        lines: &Lines,
        notice: &mut Option<Notice>,
        wakeups: &mut Wakeups,
    ) -> Result<(), Error> {
        if bytes.is_empty() {
            self.channel.closed();
            return self.dispatch(password, lines, notice, wakeups);
        }
        let mut rest = bytes;
        loop {
            let more = self.channel.fill(&mut rest).map_err(|cause| self.failed(cause))?;
            self.dispatch(password, lines, notice, wakeups)?;
            if !more {
                return Ok(());
            }
        }
    }

    fn dispatch(
        &mut self,
        password: Option<&[u8]>,
        lines: &Lines,
        notice: &mut Option<Notice>,
        wakeups: &mut Wakeups,
    ) -> Result<(), Error> {
        loop {
            let polled = self.channel.poll();
            let incoming =
                polled.map_err(|error| wire_error(&self.server, error, self.reply_timeout))?;
            let (serial, reply) = match incoming {
                Some(Incoming::Reply { serial, reply }) => (serial, reply),
                Some(Incoming::Push(push)) => {
                    if let Some(changed) = Invalidation::read(push) {
                        lines.concerned(changed, |session| {
                            wakeups.session(Arc::clone(session), session.hint());
                        });
                    }
                    continue;
                }
                Some(_) => continue,
                None => return Ok(()),
            };
            if let Reply::Error(line) = reply {
                *notice = Some(Notice::from_line(line, password));
            }
            let answer = Answer::from(reply);
            self.route(serial, answer, wakeups)?;
        }
    }

    /// Hands the answer to who asked. One that cannot be the answer to that request proves that the
    /// stream is out of step: then this one and all others in flight mean nothing.
    fn route(
        &mut self,
        serial: Serial,
        answer: Answer,
        wakeups: &mut Wakeups,
    ) -> Result<(), Error> {
        let fits = match self.routes.front() {
            Some(Route { serial: asked, .. }) if *asked != serial => false,
            Some(Route { to: Destination::Lock(ticket, _), .. }) => ticket.fits(answer),
            Some(Route { to: Destination::Tracking, .. }) => self.tracking.heard(answer),
            None => false,
        };
        if !fits {
            return Err(self.failed(Cause::OutOfStep));
        }
        let heard = self.proof.hear(serial, answer);
        if let Some(Route { to: Destination::Lock(ticket, session), .. }) = self.routes.pop_front()
        {
            let answer = ticket.hear(answer, &mut self.dialect);
            let answer = if ticket.asks_expiry() { self.tracking.told(answer) } else { answer };
            let call = match self.parking.claimed(serial, answer) {
                Waits::No => session.deliver(ticket, answer),
                Waits::Yes => {
                    // The machine has nothing to do before its read is answered.
                    session.put(ticket, answer);
                    Call::Nobody
                }
                Waits::NoMore(read) => {
                    session.put(ticket, answer);
                    session.deliver(read, Answer::Unreachable)
                }
            };
            wakeups.session(session, call);
        }
        match heard {
            Heard::Nothing => {}
            Heard::Proven => self.answer_parked(serial, wakeups),
            Heard::Unproven => {
                while let Some(read) = self.parking.pop_before(serial) {
                    self.unproven.push_back(read);
                }
            }
        }
        Ok(())
    }

    /// The claims before this request were answered as they should be.
    fn answer_parked(&mut self, serial: Serial, wakeups: &mut Wakeups) {
        while let Some(read) = self.parking.pop_before(serial) {
            if let Some(claimed) = read.claimed() {
                let call = read.deliver(proof::proven(claimed, read.token).unwrap_or(Answer::Lost));
                wakeups.session(read.session, call);
            }
        }
    }

    /// Closes the socket. Everybody in flight is told that the answer is lost.
    pub(crate) fn end(mut self, wakeups: &mut Wakeups) {
        if let Some(mut outlet) = self.outlet {
            outlet.shutdown();
        }
        for Route { to, .. } in self.routes {
            if let Destination::Lock(ticket, session) = to {
                let call = session.deliver(ticket, Answer::Lost);
                wakeups.session(session, call);
            }
        }
        for read in self.parking.drain().chain(self.unproven) {
            let call = read.deliver(Answer::Lost);
            wakeups.session(read.session, call);
        }
    }

    pub(crate) fn io_error(&self, error: io::Error) -> Error {
        Error::from_io(&self.server, error, self.reply_timeout)
    }

    fn failed(&self, cause: Cause) -> Error {
        connect_error(&self.server, cause)
    }
}

/// Whether the request is part of a vote. A release or an extension is none.
const fn is_vote(command: &Command<'_>) -> bool {
    matches!(command, Command::Claim { .. } | Command::Read { .. })
}

#[cfg(test)]
#[path = "wire_rig.rs"]
mod rig;
#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
