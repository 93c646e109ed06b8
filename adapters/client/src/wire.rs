//! One connection that is ready for locks: bytes in, answers out, and the way back for each answer.

use core::task::Waker;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use redlatch_core::{
    Answer, Command, Dialect, Greeting, Incoming, Instant, Invalidation, Refusal, Reply, Serial,
    Ticket, Tracking,
};

use crate::channel::Channel;
use crate::error::{Cause, Error};
use crate::greeter::{Greeted, connect_error, wire_error};
use crate::lines::Lines;
use crate::notice::Notice;
use crate::session::{Call, Session};
use crate::trace;

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

/// Whom to wake, and what to tell, once no mutex is held.
#[derive(Default)]
#[must_use]
pub(crate) struct Wakeups {
    sessions: Vec<(Arc<Session>, Call)>,
    wakers: Vec<Waker>,
    news: Option<News>,
}

/// What became of a connection.
pub(crate) enum News {
    Connected,
    /// There is none; whether that is new.
    NotConnected(Error, bool),
}

impl Wakeups {
    pub(crate) fn session(&mut self, session: Arc<Session>, call: Call) {
        if !matches!(call, Call::Nobody) {
            self.sessions.push((session, call));
        }
    }

    pub(crate) fn waker(&mut self, waker: Option<Waker>) {
        self.wakers.extend(waker);
    }

    pub(crate) fn news(&mut self, news: News) {
        self.news = Some(news);
    }

    /// Leaves its room for the next time.
    pub(crate) fn wake(&mut self, server: &str) {
        match self.news.take() {
            Some(News::Connected) => trace::connected(server),
            Some(News::NotConnected(error, new)) => trace::not_connected(server, &error, new),
            None => {}
        }
        match self.sessions.len() {
            1 => self.sessions.pop().into_iter().for_each(|(session, call)| session.call(call)),
            _ => self.sessions.drain(..).for_each(|(session, call)| session.call(call)),
        }
        self.wakers.drain(..).for_each(Waker::wake);
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
        if let Command::Expiry { .. } = command {
            for before in self.tracking.before_expiry()? {
                self.enqueue(before, Destination::Tracking, now)?;
            }
        }
        let (ticket, command) = ticket.say(*command, self.dialect);
        self.enqueue(&command, Destination::Lock(ticket, Arc::clone(session)), now)
    }

    fn enqueue(
        &mut self,
        command: &Command<'_>,
        to: Destination,
        now: Instant,
    ) -> Result<(), Answer> {
        let submitted = self.channel.submit(command, now);
        let serial = submitted.map_err(|_| Answer::Unreachable)?;
        self.routes.push_back(Route { serial, to });
        Ok(())
    }

    /// Why this server wakes nobody, once somebody has waited; said once.
    pub(crate) fn take_untracked(&mut self) -> Option<Refusal> {
        self.tracking.take_refusal()
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
            let pending = self.channel.pending();
            let Some(outlet) = &mut self.outlet else { return Ok(!pending.is_empty()) };
            if pending.is_empty() {
                return Ok(false);
            }
            match outlet.write(pending) {
                Ok(wrote) => self.channel.wrote(wrote),
                Err(error) => return Err(self.io_error(error)),
            }
        }
    }

    /// Lends what is queued to the keeper, who says how much of it is taken.
    pub(crate) fn lend(&mut self, mut take: impl FnMut(&[u8]) -> usize) {
        loop {
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
        self.channel.must_flush()
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
        if let Some(Route { to: Destination::Lock(ticket, session), .. }) = self.routes.pop_front()
        {
            let answer = ticket.hear(answer, &mut self.dialect);
            let answer = if ticket.asks_expiry() { self.tracking.told(answer) } else { answer };
            let call = session.deliver(ticket, answer);
            wakeups.session(session, call);
        }
        Ok(())
    }

    /// Closes the socket. Everybody in flight is told that the answer is lost.
    pub(crate) fn end(self, wakeups: &mut Wakeups) {
        if let Some(mut outlet) = self.outlet {
            outlet.shutdown();
        }
        for Route { to, .. } in self.routes {
            if let Destination::Lock(ticket, session) = to {
                let call = session.deliver(ticket, Answer::Lost);
                wakeups.session(session, call);
            }
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
