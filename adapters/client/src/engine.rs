//! One client without its I/O.

use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Denial, Instant, Lease, Loss, Tally, majority};

use crate::errands::Errands;
use crate::error::{Cause, Error};
use crate::lines::{Lines, Turn};
use crate::link::Link;
use crate::mail::Mail;
use crate::notice::Notice;
use crate::options::Options;
use crate::os;
use crate::progress::Progress;
use crate::round::{Round, Step};
use crate::session::{InLine, Session};
use crate::sync::Place;
use crate::tls::TlsConfig;

/// What a keeper is given beyond its own deadline to say why it failed.
const GRACE: Duration = Duration::from_millis(250);

/// One client without its I/O: its links, what the reaper has to do, and who waits.
///
/// An adapter starts a [`Keeper`](crate::Keeper) for each server and one [`Reaper`](crate::Reaper).
pub struct Engine {
    options: Options,
    tls: Option<TlsConfig>,
    pub(crate) links: Vec<Link>,
    pub(crate) errands: Arc<Errands>,
    pub(crate) lines: Lines,
    closed: AtomicBool,
}

/// One server of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Server {
    /// Its address, without user and password.
    pub address: String,
    /// Whether there is a connection that is ready for locks.
    pub connected: bool,
    /// Why there is none.
    pub error: Option<Error>,
}

/// For handles.
impl Engine {
    /// A client that is not connected.
    ///
    /// # Errors
    /// [`Error::Config`] for options that cannot work.
    pub fn new(options: Options) -> Result<Arc<Self>, Error> {
        options.validate()?;
        Ok(Arc::new(Self {
            tls: options.tls_config()?,
            links: options.endpoints.iter().map(Link::new).collect(),
            options,
            errands: Arc::default(),
            lines: Lines::default(),
            closed: AtomicBool::new(false),
        }))
    }

    /// How the client behaves.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) const fn tls(&self) -> Option<&TlsConfig> {
        self.tls.as_ref()
    }

    /// Until when to wait for the first connections: the connect timeout and a little.
    #[must_use]
    pub fn connect_deadline(&self) -> Instant {
        os::now().saturating_add(self.options.connect_timeout).saturating_add(GRACE)
    }

    /// Waits until every server is connected or has failed to be, until the deadline at most. A
    /// majority is enough. For one who waits at a time.
    ///
    /// # Errors
    /// Why the first server that is not connected is not, when there is no majority.
    pub fn poll_connected(&self, deadline: Instant, waker: &Waker) -> Progress<Result<(), Error>> {
        let late = deadline <= os::now();
        let mut outcomes = Vec::with_capacity(self.links.len());
        for link in &self.links {
            match link.poll_tried(waker) {
                Progress::Done(outcome) => outcomes.push(outcome),
                Progress::Wait(_) if late => outcomes.push(Err(None)),
                Progress::Wait(_) => return Progress::Wait(deadline),
            }
        }
        let connected = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        if connected >= majority(outcomes.len()) {
            return Progress::Done(Ok(()));
        }
        let failed = self.links.iter().zip(outcomes).find_map(|(link, outcome)| {
            outcome.err().map(|error| error.unwrap_or_else(|| self.not_connected(link)))
        });
        Progress::Done(failed.map_or(Ok(()), Err))
    }

    /// Takes no more locks, stops those who wait for one, and lets the reaper pay what is owed, for
    /// `timeout` at most. What is returned need not be waited for.
    pub fn close(self: &Arc<Self>, timeout: Duration) -> Closing {
        let by = os::now().saturating_add(timeout);
        self.cancel_all();
        self.errands.close(by);
        // A server that does not read can hold up the last writes by a reply timeout.
        let until = by.saturating_add(self.options.reply_timeout);
        Closing { errands: Arc::clone(&self.errands), until, place: Place::default() }
    }

    /// Whether the client was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// The servers, in the order in which they were configured.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        let links = self.links.iter();
        links
            .map(|link| Server {
                address: link.server.to_string(),
                connected: link.is_connected(),
                error: link.error(),
            })
            .collect()
    }

    /// Commands sent to all servers since the start, greetings excluded.
    #[must_use]
    pub fn commands_sent(&self) -> u64 {
        self.links.iter().map(Link::sent).sum()
    }
}

/// A client that is being closed.
#[must_use = "tells whether keys are left to their ttl"]
pub struct Closing {
    errands: Arc<Errands>,
    until: Instant,
    place: Place,
}

impl Closing {
    /// Waits until the reaper has ended, for the timeout and a reply timeout at most. Whether
    /// all that was owed is paid; the rest is left to its ttl.
    pub fn poll(&mut self, waker: &Waker) -> Progress<bool> {
        self.errands.poll_closed(self.until, &mut self.place, waker)
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.errands.leave_closers(&self.place);
    }
}

/// For those who drive machines.
impl Engine {
    /// The lease of a lock that was taken, or why it is lost. What its owner hears is what the
    /// machine says: neither a loss nor its reason is guessed from the clock.
    pub(crate) fn look(&self, session: &Arc<Session>) -> Result<Lease, Loss> {
        if let Some(standing) = session.standing(os::now()) {
            return standing;
        }
        let mut machine = session.machine();
        let mut round = Round::new(session, session.take_mail(), os::now());
        machine.lock.handle_timeout(round.now);
        let wants = self.attend(&mut machine.lock, &mut round);
        let holds = machine.lock.lease().is_some();
        drop(machine);
        if wants.is_some() {
            session.hand_to(&self.errands);
        }
        self.finish(round, holds);
        session.standing(os::now()).unwrap_or(Err(Loss::Expired))
    }

    /// A lock that was held and is not lets the next in line begin. Whoever drives a machine calls this
    /// when it has let go of it, before it flushes; `holds` says whether the lock is held. Gives whom to
    /// wake after that.
    pub(crate) fn pass_on(
        &self,
        session: &Arc<Session>,
        holds: bool,
        now: Instant,
    ) -> Option<Arc<Session>> {
        let left = !holds && session.in_line() == InLine::Holding;
        if left { self.leave_line(session, now) } else { None }
    }

    /// It has not, or no longer, to do with the lock. Gives whom to wake after the flush.
    #[must_use]
    pub(crate) fn leave_line(&self, session: &Arc<Session>, now: Instant) -> Option<Arc<Session>> {
        let next = self.lines.leave(session, now);
        if let Some(next) = &next {
            self.begin(next, now);
        }
        if self.is_closed() {
            self.errands.poke();
        }
        next
    }

    /// Begins for the owner of the session, if it is its turn: what it sends first leaves together with
    /// what is queued already, and does not wait until its owner is awake.
    fn begin(&self, session: &Arc<Session>, now: Instant) {
        let Turn::Begin(pass) = self.lines.turn(session, now) else { return };
        let mut machine = session.machine();
        let wanted = session.is_owned() && !session.is_cancelled();
        if !wanted || !machine.begin(pass, session.asked(), now) {
            return;
        }
        let mut round = Round::new(session, Mail::default(), now);
        loop {
            match self.step(&mut machine.lock, &mut round) {
                Ok(Step::Wait(_)) => break,
                Ok(Step::Event(event)) => machine.keep(Ok(event)),
                Err(error) => break machine.keep(Err(error)),
            }
        }
        drop(machine);
        round.keepers.wake();
        round.tidings.tell(session.key());
    }

    /// Does what is left to do of a round, once the machine is not held any more; `holds` says whether the
    /// lock is.
    pub(crate) fn finish(&self, mut round: Round<'_>, holds: bool) {
        let next = self.pass_on(round.session, holds, round.now);
        round.keepers.wake();
        self.flush_before(next, round.now);
        round.tidings.tell(round.session.key());
    }

    /// Flushes, and wakes who has come to the front of a line.
    pub(crate) fn flush_before(&self, next: Option<Arc<Session>>, now: Instant) {
        self.flush(now);
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Where whoever has something to write does it: writes what is queued, and ends connections whose
    /// server is silent. Elsewhere the keepers do.
    pub(crate) fn flush(&self, now: Instant) {
        let links = self.links.iter().filter(|link| link.is_written_by_all());
        links.for_each(|link| link.flush(now));
    }

    /// When it must be called again, for a server that stays silent.
    pub(crate) fn silence(&self) -> Instant {
        self.links.iter().map(Link::silence).min().unwrap_or(Instant::NEVER)
    }

    pub(crate) fn close_links(&self) {
        self.links.iter().for_each(Link::close);
    }

    /// Ends at once. What is owed is left to its ttl.
    pub(crate) fn stop(&self) {
        self.cancel_all();
        self.errands.end(false);
        self.close_links();
    }

    fn cancel_all(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.lines.all().iter().for_each(Session::cancel);
    }
}

/// Errors.
impl Engine {
    /// Why the lock was not had.
    pub(crate) fn denied(&self, tally: Tally, waited: Duration) -> Error {
        match tally.denial() {
            Denial::Held | Denial::TooLate => Error::TimedOut { waited, tally },
            Denial::Refused => self.refused(tally),
            Denial::Unreachable => self.unavailable(tally),
        }
    }

    fn refused(&self, tally: Tally) -> Error {
        let said = self.links.iter().find_map(|link| {
            let notice = link.notice().filter(|said| Some(said.refusal()) == tally.refusal)?;
            Some(Error::Refused { server: Arc::clone(&link.server), notice })
        });
        said.or_else(|| {
            let server = Arc::clone(&self.links.first()?.server);
            Some(Error::Refused { server, notice: Notice::from(tally.refusal?) })
        })
        .unwrap_or(Error::Unavailable { tally, causes: Arc::default() })
    }

    fn unavailable(&self, tally: Tally) -> Error {
        let mut causes: Vec<_> = self.links.iter().filter_map(Link::error).collect();
        match &*self.links {
            [only] => causes.pop().unwrap_or_else(|| Error::Silent {
                server: Arc::clone(&only.server),
                after: self.options.reply_timeout,
            }),
            _ => Error::Unavailable { tally, causes: causes.into() },
        }
    }

    fn not_connected(&self, link: &Link) -> Error {
        let cause = Cause::TimedOut(self.options.connect_timeout);
        Error::Connect { server: Arc::clone(&link.server), cause }
    }
}

#[cfg(test)]
impl Engine {
    /// A client whose server is asked by nobody.
    pub(crate) fn unconnected() -> Arc<Self> {
        let endpoints = crate::Endpoint::parse_list("redis://127.0.0.1:1").expect("a URL");
        Self::new(Options { endpoints, ..Options::default() }).expect("valid")
    }
}
