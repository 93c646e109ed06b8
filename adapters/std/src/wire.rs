//! One connection that is ready for locks: bytes in, answers out, and the way back for each answer.

use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use redlatch_client::{Cause, Error, Notice};
use redlatch_core::{
    Answer, Command, Connection, Incoming, Instant, Refusal, Reply, Serial, Ticket,
};

use crate::greet::{self, Greeted};
use crate::session::Session;
use crate::stream::Stream;

/// A connection that is ready for locks.
pub(crate) struct Wire {
    server: Arc<str>,
    connection: Connection<Vec<u8>>,
    stream: Arc<Stream>,
    /// One for each request in flight, oldest first.
    routes: VecDeque<Route>,
    /// The server has no vote before this moment.
    abstains_until: Instant,
    reply_timeout: Duration,
}

/// Where the answer to one request goes.
struct Route {
    serial: Serial,
    ticket: Ticket,
    session: Arc<Session>,
}

/// What came in with some bytes.
#[derive(Default)]
pub(crate) struct News {
    /// Sessions that were given answers and shall be woken.
    pub(crate) sessions: Vec<Arc<Session>>,
    /// The last refusal.
    pub(crate) notice: Option<Notice>,
}

impl News {
    /// Answers to one session come in a row; it is woken once.
    fn add(&mut self, session: Arc<Session>) {
        if !self.sessions.last().is_some_and(|last| Arc::ptr_eq(last, &session)) {
            self.sessions.push(session);
        }
    }
}

impl Wire {
    pub(crate) fn new(
        server: Arc<str>,
        greeted: Greeted,
        abstains_until: Instant,
        reply_timeout: Duration,
    ) -> Self {
        Self {
            server,
            connection: greeted.connection,
            stream: greeted.stream,
            routes: VecDeque::new(),
            abstains_until,
            reply_timeout,
        }
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
        let submitted = self.connection.submit(command, now);
        let serial = submitted.map_err(|_| Answer::Unreachable)?;
        let session = Arc::clone(session);
        self.routes.push_back(Route { serial, ticket, session });
        Ok(())
    }

    /// Writes what is queued, for the reply timeout at most.
    ///
    /// # Errors
    /// The connection has ended. Half a request may have left.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<(), Error> {
        self.connection.handle_timeout(now);
        if let Some(error) = self.connection.ended() {
            return Err(greet::wire_error(&self.server, error, self.reply_timeout));
        }
        loop {
            let pending = self.connection.io().pending;
            if pending.is_empty() {
                return Ok(());
            }
            let wrote = self.stream.write(pending).map_err(|error| self.io_error(error))?;
            self.connection.wrote(wrote);
        }
    }

    /// Takes bytes that were read; none at all is the end of the stream. Every answer goes into the
    /// inbox of who asked.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        password: Option<&[u8]>,
        news: &mut News,
    ) -> Result<(), Error> {
        let mut rest = bytes;
        loop {
            let space = self.connection.io().space;
            let count = rest.len().min(space.len());
            if count == 0 && !rest.is_empty() {
                return Err(self.failed(Cause::OutOfStep));
            }
            space[..count].copy_from_slice(&rest[..count]);
            self.connection.received(count);
            self.dispatch(password, news)?;
            rest = &rest[count..];
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    fn dispatch(&mut self, password: Option<&[u8]>, news: &mut News) -> Result<(), Error> {
        loop {
            let polled = self.connection.poll();
            let incoming = polled
                .map_err(|error| greet::wire_error(&self.server, error, self.reply_timeout))?;
            let (serial, reply) = match incoming {
                Some(Incoming::Reply { serial, reply }) => (serial, reply),
                Some(_push) => continue,
                None => return Ok(()),
            };
            if let Reply::Error(line) = reply {
                news.notice = Some(Notice::from_line(line, password));
            }
            let answer = Answer::from(reply);
            self.route(serial, answer, news)?;
        }
    }

    /// Hands the answer to who asked. One that cannot be the answer to that request proves that the
    /// stream is out of step: then this one and all others in flight mean nothing.
    fn route(&mut self, serial: Serial, answer: Answer, news: &mut News) -> Result<(), Error> {
        match self.routes.front() {
            Some(route) if route.serial == serial && route.ticket.fits(answer) => {}
            _ => return Err(self.failed(Cause::OutOfStep)),
        }
        if let Some(route) = self.routes.pop_front() {
            route.session.deliver(route.ticket, answer);
            news.add(route.session);
        }
        Ok(())
    }

    /// Closes the socket. Everybody in flight is told that the answer is lost.
    pub(crate) fn end(self) {
        self.stream.shutdown();
        for Route { ticket, session, .. } in self.routes {
            session.deliver(ticket, Answer::Lost);
            session.wake();
        }
    }

    pub(crate) fn io_error(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Error::Silent { server: Arc::clone(&self.server), after: self.reply_timeout }
            }
            _ => self.failed(error.into()),
        }
    }

    fn failed(&self, cause: Cause) -> Error {
        Error::Connect { server: Arc::clone(&self.server), cause }
    }
}

/// Whether the request is part of a vote. A release or an extension is none.
const fn is_vote(command: &Command<'_>) -> bool {
    matches!(command, Command::Claim { .. } | Command::Read { .. })
}
