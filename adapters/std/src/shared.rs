//! What the handles and the threads of one client share.

use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant as Deadline;

use redlatch_client::{Cause, Error, Options, os};
use redlatch_core::{Answer, Command, Ticket, majority};

use crate::link::{self, Link};
use crate::reaper::{self, Errands};
use crate::session::Session;
use crate::sync::lock;

/// One client: its links, its reaper, and who waits.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) links: Vec<Link>,
    pub(crate) errands: Arc<Errands>,
    pub(crate) waiters: Waiters,
    closed: AtomicBool,
}

impl Shared {
    /// Starts the threads: one for each server, and the reaper.
    pub(crate) fn start(options: Options) -> Result<Arc<Self>, Error> {
        options.validate()?;
        let shared = Arc::new(Self::new(options));
        let started = shared.spawn();
        if started.is_err() {
            shared.close_links();
            shared.errands.close(os::now());
        }
        started.map(|()| shared)
    }

    /// Without threads.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            links: options.endpoints.iter().map(Link::new).collect(),
            options,
            errands: Errands::new(),
            waiters: Waiters::default(),
            closed: AtomicBool::new(false),
        }
    }

    fn spawn(self: &Arc<Self>) -> Result<(), Error> {
        spawn("redlatch-reaper", self, reaper::run)?;
        for server in 0..self.links.len() {
            spawn("redlatch-link", self, move |shared| link::run(shared, server))?;
        }
        Ok(())
    }

    /// Waits until every server is connected or has failed to be. A majority is enough.
    pub(crate) fn wait_connected(&self, deadline: Deadline) -> Result<(), Error> {
        let outcomes: Vec<_> =
            self.links.iter().map(|link| link.wait_first_outcome(deadline)).collect();
        let connected = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        if connected >= majority(outcomes.len()) {
            return Ok(());
        }
        let silent = |server: &Link| Error::Connect {
            server: Arc::clone(&server.server),
            cause: Cause::TimedOut(self.options.connect_timeout),
        };
        let failures = self.links.iter().zip(outcomes);
        let mut errors = failures.filter_map(|(link, outcome)| {
            outcome.err().map(|error| error.unwrap_or_else(|| silent(link)))
        });
        errors.next().map_or(Ok(()), Err)
    }

    /// Queues a request to the server that the ticket names. Gives an answer when it was not.
    pub(crate) fn send(
        &self,
        ticket: Ticket,
        command: &Command<'_>,
        session: &Arc<Session>,
    ) -> Option<Answer> {
        match self.links.get(ticket.server()) {
            Some(link) => link.send(ticket, command, session).err(),
            None => Some(Answer::Unreachable),
        }
    }

    /// Writes what is queued, and ends connections whose server is silent.
    pub(crate) fn flush(&self) {
        self.links.iter().for_each(Link::flush);
    }

    /// Takes no more locks, stops those who wait, and lets the reaper pay until `by`.
    pub(crate) fn close(&self, by: redlatch_core::Instant) {
        self.closed.store(true, Ordering::SeqCst);
        self.waiters.each(Session::cancel);
        self.errands.close(by);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn close_links(&self) {
        self.links.iter().for_each(Link::close);
    }

    /// Notes that the session waits for a lock, until the note is dropped.
    pub(crate) fn waiting(&self, session: &Arc<Session>) -> Waiting<'_> {
        lock(&self.waiters.sessions).insert(session.id(), Arc::clone(session));
        if self.is_closed() {
            session.cancel();
        }
        Waiting { shared: self, id: session.id() }
    }
}

/// The sessions that wait for a lock: they want to know when a connection comes back, and when the
/// client is shut down.
#[derive(Default)]
pub(crate) struct Waiters {
    sessions: Mutex<HashMap<u64, Arc<Session>>>,
}

impl Waiters {
    pub(crate) fn any(&self) -> bool {
        !lock(&self.sessions).is_empty()
    }

    pub(crate) fn each(&self, tell: impl Fn(&Arc<Session>)) {
        lock(&self.sessions).values().for_each(tell);
    }
}

/// A note that a session waits.
pub(crate) struct Waiting<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.shared.waiters.sessions).remove(&self.id);
        if self.shared.is_closed() {
            self.shared.errands.poke();
        }
    }
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
) -> Result<(), Error> {
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new().name(name.to_owned());
    let spawned = thread.spawn(move || run(&shared));
    spawned.map(drop).map_err(|_| Error::Exhausted("threads"))
}
