//! Loop 1: one server. A thread connects, reads and connects again; everybody else queues requests
//! and writes them.

use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant as Deadline;

use redlatch_client::{Endpoint, Error, Notice, Options, Reconnect, Secret, os};
use redlatch_core::{Answer, Backoff, Class, Command, Delay, Instant, Random, Retry, Ticket};

use crate::greet::{self, Greeted};
use crate::session::Session;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::sync::lock;
use crate::wire::{News, Wire};

/// Bytes that are read from the socket at once.
const READ_BYTES: usize = 8 * 1024;

/// The thread of one server: connect, read to the end, pause, again.
pub(crate) fn run(shared: &Shared, server: usize) {
    let (link, options) = (&shared.links[server], &shared.options);
    let endpoint = &options.endpoints[server];
    let mut random = Random::new(os::seed());
    let mut backoff = reconnecting(options);
    while !link.is_closing() {
        let began = os::now();
        match greet::open(endpoint, options, &link.server) {
            Ok(greeted) => {
                let stream = Arc::clone(&greeted.stream);
                link.open(greeted, shared);
                link.read(&stream, endpoint.password().map(Secret::expose));
            }
            Err(error) => link.fail(error),
        }
        // A connection that held for a while starts the count again.
        if os::now().saturating_since(began) > options.reconnect.cap {
            backoff = reconnecting(options);
        }
        let due = backoff.next(os::now(), &mut random);
        link.pause(due.unwrap_or(Instant::ZERO), options.reconnect.cap);
    }
}

fn reconnecting(options: &Options) -> Backoff {
    let Reconnect { base, cap } = options.reconnect;
    let delay = Delay::Exponential { base, cap };
    Backoff::new(Retry { delay, retries: None, deadline: None }, os::now())
}

/// One server as everybody sees it.
pub(crate) struct Link {
    /// Its address, as errors name it.
    pub(crate) server: Arc<str>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wire: Option<Wire>,
    /// Why there was no connection, or none any more, last time.
    error: Option<Error>,
    /// The last refusal, with the server's words.
    notice: Option<Notice>,
    /// The first attempt to connect has ended.
    tried: bool,
    closing: bool,
    sent: u64,
}

/// For everybody.
impl Link {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            server: endpoint.to_string().into(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Queues a request. Does not write it: see [`Link::flush`].
    ///
    /// # Errors
    /// The answer, when the request was not queued.
    pub(crate) fn send(
        &self,
        ticket: Ticket,
        command: &Command<'_>,
        session: &Arc<Session>,
    ) -> Result<(), Answer> {
        let mut state = self.state();
        let wire = state.wire.as_mut().ok_or(Answer::Unreachable)?;
        let submitted = wire.submit(ticket, command, session, os::now());
        match submitted {
            Ok(()) => state.sent += 1,
            Err(Answer::Refused(refusal)) => state.notice = Some(refusal.into()),
            Err(_) => {}
        }
        submitted
    }

    /// Writes what is queued, and notices that the server has been silent for too long. It waits
    /// only when the server does not read, and then ends the connection after the reply timeout.
    pub(crate) fn flush(&self) {
        let mut state = self.state();
        let flushed = state.wire.as_mut().map_or(Ok(()), |wire| wire.flush(os::now()));
        if let Err(error) = flushed {
            state.end(error);
        }
    }

    /// Waits until the first attempt to connect has ended.
    ///
    /// # Errors
    /// Why it failed; `None` when it has not ended by the deadline.
    pub(crate) fn wait_first_outcome(&self, deadline: Deadline) -> Result<(), Option<Error>> {
        let mut state = self.state();
        while !state.tried {
            let left = deadline.saturating_duration_since(Deadline::now());
            if left.is_zero() {
                return Err(None);
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.wire.is_some() { Ok(()) } else { Err(state.error.clone()) }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state().wire.is_some()
    }

    /// Why there is no connection, or none any more.
    pub(crate) fn error(&self) -> Option<Error> {
        self.state().error.clone()
    }

    /// The last refusal.
    pub(crate) fn notice(&self) -> Option<Notice> {
        self.state().notice.clone()
    }

    /// Commands that were queued since the start, greetings excluded.
    pub(crate) fn sent(&self) -> u64 {
        self.state().sent
    }

    /// Ends the connection and the thread. A thread that is just connecting ends when that does.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.end(Error::Closed);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// For the thread of the server.
impl Link {
    fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Publishes a connection and tells those who wait: nobody who comes after that is told of it.
    fn open(&self, greeted: Greeted, shared: &Shared) {
        let (now, options) = (os::now(), &shared.options);
        let delay = options.restart_delay.map(|longest| greeted.greeting.abstains_for(longest));
        let abstains_until = now.saturating_add(delay.unwrap_or_default());
        let server = Arc::clone(&self.server);
        let wire = Wire::new(server, greeted, abstains_until, options.reply_timeout);
        let mut state = self.state();
        state.tried = true;
        state.error = None;
        state.wire = Some(wire);
        if state.closing {
            state.end(Error::Closed);
        }
        shared.waiters.each(Session::hint);
        self.changed.notify_all();
    }

    fn fail(&self, error: Error) {
        let mut state = self.state();
        state.tried = true;
        state.error = Some(error);
        self.changed.notify_all();
    }

    /// Reads until the connection ends, whoever ends it.
    fn read(&self, stream: &Stream, password: Option<&[u8]>) {
        let mut bytes = [0; READ_BYTES];
        loop {
            let read = stream.read(&mut bytes);
            let mut news = News::default();
            let mut state = self.state();
            let Some(wire) = state.wire.as_mut() else { return };
            let received = match read {
                Ok(count) => wire.receive(&bytes[..count], password, &mut news),
                Err(error) => Err(wire.io_error(error)),
            };
            state.notice = news.notice.or(state.notice.take());
            if let Err(error) = received {
                state.end(error);
            }
            drop(state);
            news.sessions.iter().for_each(Session::wake);
        }
    }

    /// Waits until `due`; until `cap` has passed when trying again cannot help. Closing ends it.
    fn pause(&self, due: Instant, cap: Duration) {
        let mut state = self.state();
        let due = match state.error {
            Some(Error::Replica { .. }) => os::now().saturating_add(cap),
            Some(Error::Refused { ref notice, .. }) if is_permanent(notice) => {
                os::now().saturating_add(cap)
            }
            _ => due,
        };
        while !state.closing {
            let left = due.saturating_since(os::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn end(&mut self, error: Error) {
        if let Some(wire) = self.wire.take() {
            self.error = Some(error);
            wire.end();
        }
    }
}

fn is_permanent(notice: &Notice) -> bool {
    notice.refusal().class() == Class::Permanent
}
